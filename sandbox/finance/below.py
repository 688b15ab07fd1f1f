"""What stands below a row: its properties, and the rows that it leads to [D odata, Addressing].

`Set(key)/Property`, `.../$value`, `Set(key)/Navigation`, `.../$count`, `.../$ref`. The context URLs and the
answer to a single way that leads nowhere (204) are those of OData 4.0 [?].
"""

import sqlalchemy as sa

from sandbox.finance.addresses import entity_path, entity_url
from sandbox.finance.catalog import Catalog
from sandbox.finance.errors import UnknownResourceError
from sandbox.finance.listing import check_options, count_rows, existing_row, list_rows, show_row
from sandbox.finance.navigation import NavigationProperty, navigation_properties, reached_from, rows_of
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.finance.rows import Row
from sandbox.odata.keys import Segment
from sandbox.odata.wire import dumps
from sandbox.schema.model import Column, Table
from sandbox.store.tables import REC_ID


def read_below(
    catalog: Catalog, table: Table, key: str, rest: tuple[Segment, ...], request: DataRequest
) -> DataResponse:
    """Answer a GET of something below a row.

    Raises:
        FinanceError: There is no such row (404), or the key or a query option is wrong (400).
        ODataError: A query option is wrong.
        UnknownResourceError: The row has nothing of that name.
    """
    if len(rest) > 2 or any(segment.key is not None for segment in rest):
        raise UnknownResourceError(request.url)
    check_options(request)
    name, ending = rest[0].name, rest[1].name if len(rest) > 1 else ""
    with catalog.store.read() as connection:
        row = existing_row(connection, catalog, table, request, key)
        if name in table.columns:
            return _property(table, row, table.columns[name], ending, request)
        way = navigation_properties(catalog.sets, table).get(name)
        if way is None:
            raise UnknownResourceError(request.url)
        if not way.collection:
            return _single(connection, catalog, table, row, way, ending, request)
    return _many(catalog, table, row, way, ending, request)


def _property(table: Table, row: Row, column: Column, ending: str, request: DataRequest) -> DataResponse:
    form = request.representation
    value = row[column.name]
    if column.name == table.company_column:
        value = value.lower()
    if ending == "$value":
        text = dumps(value).decode().strip('"') if not isinstance(value, str) else value
        return DataResponse(200, text.encode(), media_type="text/plain; charset=utf-8", rows=1)
    if ending:
        raise UnknownResourceError(request.url)
    context = f"{request.root}/data/$metadata#{entity_path(table, row)}/{column.name}"
    body = {"@odata.context": context, "value": form.value(column, value)}
    return DataResponse(200, dumps(body), media_type=form.media_type, rows=1)


def _single(
    connection: sa.Connection,
    catalog: Catalog,
    table: Table,
    row: Row,
    way: NavigationProperty,
    ending: str,
    request: DataRequest,
) -> DataResponse:
    target = catalog.sets[way.target]
    ends = [end for _, end in rows_of(connection, catalog, table, way, [row[REC_ID]])]
    if ending not in {"", "$ref"}:
        raise UnknownResourceError(request.url)
    if not ends:
        return DataResponse(204)
    if not ending:
        return show_row(connection, catalog, target, request, ends[0])
    return _references(request, "$ref", {"@odata.id": entity_url(request.root, target, ends[0])})


def _many(
    catalog: Catalog, table: Table, row: Row, way: NavigationProperty, ending: str, request: DataRequest
) -> DataResponse:
    target, reached = catalog.sets[way.target], [reached_from(catalog, table, way, row)]
    if ending == "$count":
        return count_rows(catalog, target, request, reached)
    if not ending:
        return list_rows(catalog, target, request, reached)
    if ending != "$ref":
        raise UnknownResourceError(request.url)
    with catalog.store.read() as connection:
        ends = [end for _, end in rows_of(connection, catalog, table, way, [row[REC_ID]])]
    links = [{"@odata.id": entity_url(request.root, target, end)} for end in ends]
    return _references(request, "Collection($ref)", {"value": links})


def _references(request: DataRequest, kind: str, content: dict[str, object]) -> DataResponse:
    body = {"@odata.context": f"{request.root}/data/$metadata#{kind}"} | content
    return DataResponse(200, dumps(body), media_type=request.representation.media_type)
