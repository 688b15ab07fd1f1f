"""Rows read: single ones, lists with their pages, counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote_plus

import sqlalchemy as sa

from sandbox.dataverse.annotating import (
    LIMIT_EXCEEDED,
    METADATA_VERSION,
    MORE_RECORDS,
    TOTAL_COUNT,
    Annotator,
    wants,
)
from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import PROFILE, Entity
from sandbox.dataverse.errors import record_not_found
from sandbox.dataverse.expanding import (
    Expander,
    context_names,
    count_items,
    drop_lookups,
    with_lookups,
    with_references,
)
from sandbox.dataverse.query_options import refuse_options
from sandbox.dataverse.queryfunctions import Caller, query_functions
from sandbox.dataverse.rendering import ETAG, Row, Shape, shape_of
from sandbox.dataverse.window import Window
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.filter import compile_filter
from sandbox.odata.grammar import alias_texts
from sandbox.odata.options import compile_orderby, parse_orderby, parse_select
from sandbox.odata.scope import Profile

COUNT_LIMIT = 5000
_METADATA_VERSION = "1"  # the tables never change


@dataclass(frozen=True)
class Reading:
    """One read request on one table, inside one snapshot.

    Attributes:
        api: The environment.
        connection: The snapshot.
        request: What was asked.
        entity: The table.
        within: Restriction to the rows of a navigation property, None for the whole table.
    """

    api: Api
    connection: sa.Connection
    request: Request
    entity: Entity
    within: sa.ColumnElement[bool] | None = None

    def single(self, row_id: str) -> Response:
        """Answer one row; 304 where If-None-Match names its version.

        Raises:
            ApiError: 404 when there is no such row.
        """
        options = self.request.options
        rows = self.rows_of(row_id, options.get("$select", ""))
        if not rows:
            raise record_not_found(self.entity.table, row_id)
        plain = "$expand" not in options and not self.request.preferences.annotations
        if plain and self.request.headers.get("if-none-match") == rows[0][ETAG]:
            return Response(304, headers={"ETag": rows[0][ETAG]})
        body = {"@odata.context": f"{self.context(options)}/$entity", **rows[0]}
        # No single row is tracked, whatever the client prefers.
        preferences = replace(self.request.preferences, track_changes=False)
        headers = {"ETag": rows[0][ETAG], **preferences.applied()}
        return json_response(200, body, headers)

    def rows_of(self, row_id: str, select: str) -> list[Row]:
        """Return the row with this GUID, rendered; none where it does not exist."""
        shape = shape_of(self.entity, parse_select(select))
        return self.render(shape, lambda query: query.where(self.entity.id_column == row_id))

    def page(self) -> Response:
        """Answer a page of a list, with a next link where more follows."""
        options = self.request.options
        refuse_options(options)
        window = Window.of(self.request)
        order = options.get("$orderby", "")
        keyset = all(
            item.path == (self.entity.primary_id,) and not item.descending for item in parse_orderby(order)
        )
        shape = shape_of(self.entity, parse_select(options.get("$select", "")))
        limit = window.size + 1
        rows = self.render(shape, lambda query: self._place(query, order, window, keyset).limit(limit))
        more, rows = window.paged and len(rows) > window.size, rows[: window.size]
        body: dict[str, Any] = {"@odata.context": self.context(options)} | self.totals(more)
        body["value"] = rows
        if more:
            ids = rows[0][self.entity.primary_id], rows[-1][self.entity.primary_id]
            token = window.behind(self.entity.primary_id, ids) if keyset else window.behind_offset()
            body["@odata.nextLink"] = self.link({"$skiptoken": token})
        return page_response(body, self.request, len(rows))

    def count(self) -> Response:
        """Answer `/$count`: the number of rows as text, 5,000 at most."""
        found = min(self.counted(self.filtered(sa.select(self.entity.id_column))), COUNT_LIMIT)
        return Response(200, str(found).encode(), {"Content-Type": "text/plain"})

    def counted(self, query: sa.Select[Any]) -> int:
        """Count the rows of a query, up to one more than the limit."""
        limited = query.limit(COUNT_LIMIT + 1).subquery()
        return self.connection.execute(sa.select(sa.func.count()).select_from(limited)).scalar_one()

    def render(self, shape: Shape, narrow: Any) -> list[Row]:
        """Fetch and render rows: `narrow` puts conditions, order and limit on the select."""
        expand = self.request.options.get("$expand", "")
        count_items(expand)
        shown = with_references(shape, expand)
        full = with_lookups(shown, expand)
        rows = full.render(self.connection.execute(narrow(self.filtered(sa.select(*full.selected())))))
        if self.request.preferences.annotations:
            rows = self.annotator.annotate(shown, rows)
        if expand:
            self._expander().expand(self.entity, rows, expand)
            for row in rows:
                drop_lookups(row, shown, full)
        return rows

    def filtered(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """Put the request's $filter, and the restriction of a navigation property, on a query."""
        options = self.request.options
        if self.within is not None:
            query = query.where(self.within)
        if "$filter" in options:
            query = query.where(self.condition(options["$filter"]))
        return query

    def condition(self, text: str) -> sa.ColumnElement[bool]:
        """Return a filter expression on the table as SQL.

        Raises:
            ODataError: When it is none.
        """
        scope = self.api.entities.scope(self.entity)
        return compile_filter(text, scope, self.profile, alias_texts(self.request.options))

    @property
    def profile(self) -> Profile:
        """The rules of filters, with functions that know who asks, and when."""
        return filter_profile(self.api)

    @property
    def annotator(self) -> Annotator:
        """What adds the annotations that the request asks for."""
        return Annotator(self.request.preferences.annotations, self.api.entities, self.connection)

    def context(self, options: Mapping[str, str]) -> str:
        """Return the context URL of the answer."""
        chosen = context_names(options.get("$select", ""), options.get("$expand", ""))
        suffix = f"({chosen})" if chosen else ""
        return f"{self.request.root}$metadata#{self.entity.table.entity_set}{suffix}"

    def link(self, replaced: Mapping[str, str], *dropped: str) -> str:
        """Return the URL of this request with options (already encoded) replaced and others dropped."""
        absent = {*replaced, *dropped}
        parts = [part for part in self.request.query.split("&") if part]
        kept = [part for part in parts if unquote_plus(part.partition("=")[0]) not in absent]
        query = "&".join([*kept, *(f"{name}={value}" for name, value in replaced.items())])
        path = quote(self.request.path, safe="/(),'=$:@")
        return f"{self.request.root}{path}?{query}"

    def _place(self, query: sa.Select[Any], order: str, window: Window, keyset: bool) -> sa.Select[Any]:
        """Order a list and go to the cookie's place: behind the last id, or at an offset."""
        primary = self.entity.id_column
        if keyset:
            last = window.cookie.place(self.entity.primary_id)
            return (query if last is None else query.where(primary > last)).order_by(primary)
        criteria = compile_orderby(order, self.api.entities.scope(self.entity), self.profile)
        return query.order_by(*criteria, primary).offset(window.offset)

    def totals(self, more: bool) -> dict[str, Any]:
        """Return `@odata.count` and what is annotated before the rows, capped at 5,000 (protocol 1.3).

        Args:
            more: Whether rows follow those of this page.
        """
        asked = self.request.options.get("$count", "").lower() == "true"
        pattern = self.request.preferences.annotations
        found = self.counted(self.filtered(sa.select(self.entity.id_column))) if asked else None
        answer = count_annotations(found, pattern)
        if MORE_RECORDS in pattern:
            answer[f"@{MORE_RECORDS}"] = more
        return answer

    def _expander(self) -> Expander:
        return Expander(
            annotator=self.annotator,
            root=self.request.root,
            profile=self.profile,
            aliases=alias_texts(self.request.options),
            page_size=self.request.preferences.page_size,
        )


def filter_profile(api: Api) -> Profile:
    """Return the rules of filters, with functions that know who asks, and when."""
    return replace(PROFILE, query_function=query_functions(caller_of(api)))


def caller_of(api: Api) -> Caller:
    """Return who asks, and when."""
    now = api.store.clock.now().replace(microsecond=0)
    return Caller(now, api.user_id, api.business_unit_id)


def count_annotations(found: int | None, pattern: str) -> dict[str, Any]:
    """Return `@odata.count` and what is annotated beside it, capped at 5,000.

    Args:
        found: Rows that were counted, None where nobody asked for it.
        pattern: Which annotations are asked for.
    """
    answer: dict[str, Any] = {} if found is None else {"@odata.count": min(found, COUNT_LIMIT)}
    said = {
        TOTAL_COUNT: -1 if found is None else min(found, COUNT_LIMIT),
        LIMIT_EXCEEDED: (found or 0) > COUNT_LIMIT,
        METADATA_VERSION: _METADATA_VERSION,
    }
    return answer | {f"@{name}": value for name, value in said.items() if wants(pattern, name)}


def page_response(body: Mapping[str, Any], request: Request, rows: int) -> Response:
    """Answer a page, with the number of its rows for the stats."""
    answer = json_response(200, body, request.preferences.applied())
    return Response(answer.status, answer.body, answer.headers, rows=rows)
