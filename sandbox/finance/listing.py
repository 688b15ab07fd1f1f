"""Reading: lists with paging, counts, and single rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import PROFILE, Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.expanding import Expansion, expand, expansions, select_columns
from sandbox.finance.filtering import filter_condition
from sandbox.finance.navigation import navigation_properties
from sandbox.finance.representation import Metadata
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.finance.rows import Row, View, etag, find_row, names_etag
from sandbox.odata.options import compile_orderby, parse_count, parse_select
from sandbox.odata.scope import Scope
from sandbox.odata.wire import dumps
from sandbox.schema.model import Table
from sandbox.store.tables import REC_ID, REC_VERSION

PAGE_SIZE = 10_000
_OPTIONS = frozenset({"$filter", "$select", "$orderby", "$top", "$skip", "$count", "$expand", "$format"})
_PAGE_PREFERENCE = "odata.maxpagesize"

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Projection:
    """What of each row an answer holds.

    Attributes:
        view: How rows are shown.
        expansions: The navigation properties that are followed.
        select: The text of $select, None without one.
    """

    view: View
    expansions: tuple[Expansion, ...]
    select: str | None

    def render(
        self, connection: sa.Connection, catalog: Catalog, rows: Sequence[Row]
    ) -> list[dict[str, Any]]:
        """The rows as they go on the wire, with what they lead to."""
        shown = [self.view.render(row) for row in rows]
        if not self.expansions:
            return shown
        ends = expand(connection, catalog, self.view.table, self.expansions, rows)
        return [{**row, **ways} for row, ways in zip(shown, ends, strict=True)]

    def heading(self, *, single: bool = False) -> dict[str, Any]:
        """The context URL of an answer; none where no metadata is wanted."""
        if self.view.representation.metadata is Metadata.NONE:
            return {}
        names = [] if self.select is None else list(parse_select(self.select))
        parts = [*names, *(item.context for item in self.expansions if item.context not in names)]
        shape = f"({','.join(parts)})" if parts else ""
        entity = "/$entity" if single else ""
        context = f"{self.view.root}/data/$metadata#{self.view.table.name}{shape}{entity}"
        return {"@odata.context": context}


def projection(catalog: Catalog, table: Table, request: DataRequest) -> Projection:
    """What `$select`, `$expand` and the Accept header of a request ask for.

    Raises:
        FinanceError: $expand is too deep.
        RoutingError: `$format` is not JSON.
        UnknownPropertyError: A name that the entity does not have.
    """
    ways, select = navigation_properties(catalog.sets, table), request.options.get("$select")
    columns = select_columns(table, select, ways)
    view = View(request.root, table, columns, request.representation, tuple(ways))
    return Projection(view, expansions(catalog, table, request), select)


def list_rows(
    catalog: Catalog, table: Table, request: DataRequest, only: Sequence[Condition] = ()
) -> DataResponse:
    """`GET Set`: one page, 10,000 rows or fewer, and a next link where there are more [D odata].

    Args:
        catalog: The entity sets.
        table: The set.
        request: The request.
        only: Further conditions, where the list is the end of a navigation property.

    Raises:
        FinanceError: A query option that is unknown or wrong.
        ODataError: $filter, $orderby, $top or $skip is wrong.
    """
    options = request.options
    check_options(request)
    wanted, preferred = projection(catalog, table, request), page_preference(request)
    top, skip = parse_count(options.get("$top"), "$top"), parse_count(options.get("$skip"), "$skip") or 0
    page = min(preferred or PAGE_SIZE, PAGE_SIZE if top is None else top)
    with catalog.store.read() as connection:
        conditions = [*only, *_conditions(connection, catalog, table, request)]
        query = _select(catalog, wanted).where(*conditions)
        query = query.order_by(*_order(catalog, table, options.get("$orderby")))
        found = connection.execute(query.offset(skip).limit(page + 1)).mappings().all()
        counted = _count(connection, catalog.sql(table), conditions) if _wants_count(request) else None
        value = wanted.render(connection, catalog, found[:page])
    body = wanted.heading() | ({} if counted is None else {"@odata.count": counted}) | {"value": value}
    if len(found) > page and (top is None or top > page):
        left = {} if top is None else {"$top": str(top - page)}
        body["@odata.nextLink"] = request.link({**options, "$skip": str(skip + page), **left})
    applied = {} if preferred is None else {"Preference-Applied": f"{_PAGE_PREFERENCE}={preferred}"}
    return DataResponse(200, dumps(body), applied, request.representation.media_type, rows=len(value))


def count_rows(
    catalog: Catalog, table: Table, request: DataRequest, only: Sequence[Condition] = ()
) -> DataResponse:
    """`GET Set/$count`: the number of rows as text.

    Raises:
        FinanceError: A query option that is unknown.
        ODataError: $filter is wrong.
    """
    check_options(request)
    with catalog.store.read() as connection:
        conditions = [*only, *_conditions(connection, catalog, table, request)]
        count = _count(connection, catalog.sql(table), conditions)
    return DataResponse(200, str(count).encode(), media_type="text/plain")


def get_row(catalog: Catalog, table: Table, request: DataRequest, key: str) -> DataResponse:
    """`GET Set(key)`: one row; 304 where `If-None-Match` names its ETag, 412 where `If-Match` does not.

    Raises:
        FinanceError: There is no such row (404), or the key or a query option is wrong (400).
    """
    check_options(request)
    with catalog.store.read() as connection:
        row = existing_row(connection, catalog, table, request, key)
        return show_row(connection, catalog, table, request, row)


def show_row(
    connection: sa.Connection, catalog: Catalog, table: Table, request: DataRequest, row: Row
) -> DataResponse:
    """One row as the answer of a read, unless a condition stands against it."""
    wanted, unless = request.headers.get("if-match", "*"), request.headers.get("if-none-match", "")
    if not names_etag(wanted, row, table):
        raise FinanceError(412, "The record does not have the ETag that the request asks for.")
    if names_etag(unless, row, table):
        return DataResponse(304, headers={"ETag": etag(row, table)})
    shown = projection(catalog, table, request)
    body = shown.heading(single=True) | shown.render(connection, catalog, [row])[0]
    return DataResponse(
        200, dumps(body), {"ETag": etag(row, table)}, request.representation.media_type, rows=1
    )


def existing_row(
    connection: sa.Connection, catalog: Catalog, table: Table, request: DataRequest, key: str
) -> Row:
    """The row of a key predicate.

    Raises:
        FinanceError: There is none (404), or the key is wrong (400).
    """
    row = find_row(connection, catalog, table, request, key)
    if row is None:
        raise FinanceError(404, f"Resource not found for the segment '{table.name}'.")
    return row


def page_preference(request: DataRequest) -> int | None:
    """Rows a page as `Prefer: odata.maxpagesize=N` asks for, at most 10,000; None without it [?]."""
    value = request.preferences.get(_PAGE_PREFERENCE, "")
    digits = value if value.isascii() and value.isdigit() else ""
    return min(int(digits[:_SIZE_DIGITS]), PAGE_SIZE) or None if digits else None


def check_options(request: DataRequest) -> None:
    """Refuse query options that Finance does not take, and those that come twice.

    Raises:
        FinanceError: There is one.
    """
    for name in request.options:
        if name.startswith("$") and name not in _OPTIONS:
            raise FinanceError(400, f"The query parameter '{name}' is not supported.")
        if name.startswith("$") and name in request.repeated:
            raise FinanceError(
                400,
                f"Query option '{name}' was specified more than once, but it must be specified at most once.",
            )
    if request.options.get("$count", "true") not in {"true", "false"}:
        raise FinanceError(
            400,
            f"Invalid value '{request.options['$count']}' for $count query option found. "
            "The $count query option requires either true or false.",
        )


_SIZE_DIGITS = 9  # more would be more than a page anyway


def _wants_count(request: DataRequest) -> bool:
    return request.options.get("$count") == "true"


def _select(catalog: Catalog, wanted: Projection) -> sa.Select[Any]:
    """The columns that are shown; all of them where links need the key."""
    view = wanted.view
    sql = catalog.sql(view.table)
    if view.representation.metadata is Metadata.FULL:
        return sa.select(sql)
    return sa.select(*(sql.c[name] for name in view.columns), sql.c[REC_VERSION], sql.c[REC_ID])


def _conditions(
    connection: sa.Connection, catalog: Catalog, table: Table, request: DataRequest
) -> list[Condition]:
    conditions: list[Condition] = []
    if not request.cross_company:
        conditions += catalog.company_condition(table, catalog.company(connection))
    text = request.options.get("$filter")
    return conditions if text is None else [*conditions, filter_condition(catalog, table, text, request)]


def _order(catalog: Catalog, table: Table, orderby: str | None) -> list[sa.ColumnElement[Any]]:
    """The order that was asked for, then the record id, so that pages neither overlap nor leave out."""
    sql = catalog.sql(table)
    return [*compile_orderby(orderby or "", Scope(table, sql), PROFILE), sql.c[REC_ID]]


def _count(connection: sa.Connection, sql: sa.Table, conditions: Sequence[Condition]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(sql).where(*conditions)).scalar_one()
