"""Rows read: single ones, lists with their pages, counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_plus

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import PROFILE, Entity
from sandbox.dataverse.errors import bad_request, record_not_found
from sandbox.dataverse.expanding import Expander, drop_lookups, with_lookups
from sandbox.dataverse.rendering import ETAG, Annotator, Row, Shape, shape_of
from sandbox.dataverse.skiptoken import Cookie, read_cookie, render_cookie
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.filter import compile_filter
from sandbox.odata.grammar import alias_texts
from sandbox.odata.options import compile_orderby, parse_count, parse_orderby, parse_select
from sandbox.schema.model import Column

PAGE_SIZE = 5000
COUNT_LIMIT = 5000
_REFUSED = {
    "$skip": "Skip Clause is not supported in CRM.",
    "$search": "The query option '$search' is not supported.",
    "$apply": "The query option '$apply' is not supported by this sandbox.",
    "fetchXml": "The query option 'fetchXml' is not supported by this sandbox.",
    "sql": "The query option 'sql' is not supported by this sandbox.",
}


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
        headers = {"ETag": rows[0][ETAG], **self.request.preferences.applied()}
        return json_response(200, body, headers)

    def rows_of(self, row_id: str, select: str) -> list[Row]:
        """Return the row with this GUID, rendered; none where it does not exist."""
        shape = shape_of(self.entity, parse_select(select))
        return self.render(shape, lambda query: query.where(self.entity.id_column == row_id))

    def page(self) -> Response:
        """Answer a page of a list, with a next link where more follows."""
        options, preferences = self.request.options, self.request.preferences
        refuse_options(options)
        cookie = read_cookie(options["$skiptoken"]) if "$skiptoken" in options else Cookie(1)
        top = None if preferences.page_size else parse_count(options.get("$top"), "$top")
        size = preferences.page_size or (PAGE_SIZE if top is None else min(top, PAGE_SIZE))
        order = options.get("$orderby", "")
        keyset = all(
            item.path == (self.entity.primary_id,) and not item.descending for item in parse_orderby(order)
        )
        shape = shape_of(self.entity, parse_select(options.get("$select", "")))
        rows = self.render(shape, lambda query: self._place(query, order, cookie, keyset).limit(size + 1))
        more, rows = top is None and len(rows) > size, rows[:size]
        body: dict[str, Any] = {"@odata.context": self.context(options)} | self._count(options)
        body["value"] = rows
        if more:
            offset = (cookie.number("offset") or 0) + size
            last = (
                {self.entity.primary_id: rows[-1][self.entity.primary_id]}
                if keyset
                else {"offset": str(offset)}
            )
            body["@odata.nextLink"] = self.link({"$skiptoken": render_cookie(Cookie(cookie.page + 1, last))})
        return _page_response(body, self.request, len(rows))

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
        full = with_lookups(shape, expand)
        rows = full.render(self.connection.execute(narrow(self.filtered(sa.select(*full.selected())))))
        annotations = self.request.preferences.annotations
        if annotations:
            rows = self._annotator(annotations).annotate(full, rows)
        if expand:
            Expander(self.api.entities, self.connection, self.request.root).expand(self.entity, rows, expand)
            for row in rows:
                drop_lookups(row, shape, full)
        return rows

    def filtered(self, query: sa.Select[Any]) -> sa.Select[Any]:
        """Put the request's $filter, and the restriction of a navigation property, on a query."""
        options = self.request.options
        if self.within is not None:
            query = query.where(self.within)
        if "$filter" in options:
            scope = self.api.entities.scope(self.entity)
            query = query.where(compile_filter(options["$filter"], scope, PROFILE, alias_texts(options)))
        return query

    def context(self, options: Mapping[str, str]) -> str:
        """Return the context URL of the answer."""
        chosen = ",".join(parse_select(options.get("$select", "")))
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

    def _place(self, query: sa.Select[Any], order: str, cookie: Cookie, keyset: bool) -> sa.Select[Any]:
        """Order a list and go to the cookie's place: behind the last id, or at an offset."""
        primary = self.entity.id_column
        if keyset:
            last = cookie.last.get(self.entity.primary_id)
            return (query if last is None else query.where(primary > last)).order_by(primary)
        criteria = compile_orderby(order, self.api.entities.scope(self.entity), PROFILE)
        return query.order_by(*criteria, primary).offset(cookie.number("offset") or 0)

    def _count(self, options: Mapping[str, str]) -> dict[str, Any]:
        """Return `@odata.count` and the annotations that go with it, capped at 5,000 (protocol 1.3)."""
        asked = options.get("$count") == "true"
        found = self.counted(self.filtered(sa.select(self.entity.id_column))) if asked else -1
        answer: dict[str, Any] = {"@odata.count": min(found, COUNT_LIMIT)} if asked else {}
        if self.request.preferences.annotations:
            answer["@Microsoft.Dynamics.CRM.totalrecordcount"] = min(found, COUNT_LIMIT)
            answer["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = found > COUNT_LIMIT
        return answer

    def _annotator(self, pattern: str) -> Annotator:
        return Annotator(pattern, self._names, self._target)

    def _target(self, column: Column) -> str:
        known = (target for target in column.targets if target in self.api.entities.by_name)
        return next(known, column.targets[0] if column.targets else "")

    def _names(self, table: str, row_ids: set[str]) -> dict[str, str]:
        entity = self.api.entities.by_name.get(table)
        if entity is None or not entity.table.primary_name:
            return {}
        name = entity.sql.c[entity.table.primary_name]
        names: dict[str, str] = {}
        wanted = sorted(row_ids)
        for start in range(0, len(wanted), 500):
            query = sa.select(entity.id_column, name).where(entity.id_column.in_(wanted[start : start + 500]))
            names |= {row_id: text for row_id, text in self.connection.execute(query) if text is not None}
        return names


def refuse_options(options: Mapping[str, str]) -> None:
    """Refuse query options that the Web API does not take.

    Raises:
        ApiError: 400 for the first of them.
    """
    for name, message in _REFUSED.items():
        if name in options:
            raise bad_request(message)


def _page_response(body: Mapping[str, Any], request: Request, rows: int) -> Response:
    answer = json_response(200, body, request.preferences.applied())
    return Response(answer.status, answer.body, answer.headers, rows=rows)
