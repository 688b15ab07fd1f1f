"""Rows of FetchXML as a page of the Web API [D, "Query data using FetchXml"].

There is no next link: who asks for the annotations learns whether more rows follow, and with which cookie
[D page-results]. Values that are null are left out, as in the documentation's answers [D].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.annotating import (
    ATTRIBUTE_NAME,
    MORE_RECORDS,
    PAGING_COOKIE,
    wants,
    with_attribute_names,
)
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.fetchxml.cookie import Mark, behind, read_cookie, render_cookie
from sandbox.dataverse.fetchxml.document import PAGE_SIZE, Fetch, read_fetch
from sandbox.dataverse.fetchxml.groups import grouped_rows, read_results
from sandbox.dataverse.fetchxml.outputs import Output, read_marks, read_outputs
from sandbox.dataverse.fetchxml.source import Source, read_source
from sandbox.dataverse.reading import Reading, count_annotations, page_response
from sandbox.dataverse.rendering import ETAG, Row
from sandbox.dataverse.wire import Response
from sandbox.odata.options import order_by
from sandbox.odata.scope import Term
from sandbox.schema.model import Column, ColumnType
from sandbox.store.tables import VERSION

_WITHOUT_COOKIE = 50_000  # rows that pages without a cookie can reach [D page-results]
_BESIDE = frozenset({"$count", "tag", "api-version"})


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows of a page, and what they are.

    Attributes:
        rows: Those of the page and, where more follow, one more.
        columns: What their values are shown as, by name.
        named: Names of the columns behind aliases.
        context: What the context URL says of the columns.
        cookie: For the next page, "" where the query has none.
    """

    rows: list[Row]
    columns: Mapping[str, Column]
    named: Mapping[str, str]
    context: str = ""
    cookie: str = ""


def fetch_page(reading: Reading, text: str) -> Response:
    """Answer `?fetchXml=`.

    Raises:
        ApiError: When the text cannot be read, names what there is not, or stands beside OData's own options.
        ODataError: When a value does not fit its column.
    """
    for name in reading.request.options:
        if name.lower() != "fetchxml" and name.startswith("$") and name not in _BESIDE:
            raise bad_request(f"The query option '{name}' is not supported together with 'fetchXml'.")
    fetch = read_fetch(text)
    if fetch.entity.name != reading.entity.table.name:
        raise bad_request(
            f"Entity Name specified in FetchXML does not match the Entity Name specified in Request URI. "
            f"FetchXML Entity Name: {fetch.entity.name[:50]}, Request URI: {reading.entity.table.entity_set}"
        )
    source = read_source(reading.api, fetch.entity)
    page = _grouped(reading, fetch, source) if fetch.aggregate else _plain(reading, fetch, source)
    size = _size(fetch)
    more, rows = fetch.top is None and len(page.rows) > size, page.rows[:size]
    address = f"{reading.request.root}$metadata#{reading.entity.table.entity_set}"
    body: dict[str, Any] = {"@odata.context": address + page.context}
    body |= _said(reading, fetch, source, page.cookie if more else "", more)
    body["value"] = _annotated(reading, page, rows)
    return page_response(body, reading.request, len(rows))


def _size(fetch: Fetch) -> int:
    return fetch.count if fetch.top is None else min(fetch.top, PAGE_SIZE)


def _offset(fetch: Fetch) -> int:
    """Rows of the pages before, where no cookie says where to begin.

    Raises:
        ApiError: When it leads behind the first 50,000; the text is as it was reported [L].
    """
    offset = (fetch.page - 1) * fetch.count
    if offset >= _WITHOUT_COOKIE:
        raise bad_request(
            "Paging cookie is required when trying to retrieve a set of records on any high pages."
        )
    return offset


def _plain(reading: Reading, fetch: Fetch, source: Source) -> _Page:
    outputs = read_outputs(fetch, source)
    marks = read_marks(fetch, source, outputs)
    if fetch.distinct:
        found = [(None, *row) for row in reading.connection.execute(_distinct(fetch, source, outputs, marks))]
    else:
        found = [tuple(row) for row in reading.connection.execute(_select(fetch, source, outputs, marks))]
    count = len(outputs) + 1
    rows = [_row(row[0], outputs, row[1:count]) for row in found]
    cookie = ""
    size = _size(fetch)
    if len(found) > size and _cookied(fetch, source, marks):
        cookie = render_cookie(fetch.page, marks, found[0][count:], found[size - 1][count:])
    columns = {output.name: output.term.column for output in outputs if output.term.column}
    named = {output.name: output.attribute.name for output in outputs if output.renamed}
    return _Page(rows, columns, named, _context(outputs), cookie)


def _select(fetch: Fetch, source: Source, outputs: Sequence[Output], marks: Sequence[Mark]) -> sa.Select[Any]:
    """Select version, columns and what orders them, of the page and one row more."""
    columns = [*(output.term.sql for output in outputs), *(mark.term.sql for mark in marks)]
    query = sa.select(source.base.sql.c[VERSION], *columns).select_from(source.rows).where(source.where)
    cookie = read_cookie(fetch.cookie) if fetch.cookie else None
    if cookie is not None and cookie.page + 1 == fetch.page and _cookied(fetch, source, marks):
        query = query.where(behind(marks, cookie))
    else:  # the cookie of another page is ignored [D]
        query = query.offset(_offset(fetch))
    order = [order_by(mark.term, mark.descending) for mark in marks]
    return query.order_by(*order).limit(_size(fetch) + 1)


def _distinct(
    fetch: Fetch, source: Source, outputs: Sequence[Output], marks: Sequence[Mark]
) -> sa.Select[Any]:
    """Select each different row once; columns that order them are part of what is different [?]."""
    columns = [*(output.term.sql for output in outputs), *(mark.term.sql for mark in marks)]
    labelled = [sql.label(f"c{place}") for place, sql in enumerate(columns)]
    rows = sa.select(*labelled).select_from(source.rows).where(source.where).distinct().subquery()
    order = [
        order_by(Term(rows.c[f"c{place}"], mark.term.kind), mark.descending)
        for place, mark in enumerate(marks, len(outputs))
    ]
    query = sa.select(*rows.c).order_by(*order, *rows.c)
    return query.offset(_offset(fetch)).limit(_size(fetch) + 1)


def _cookied(fetch: Fetch, source: Source, marks: Sequence[Mark]) -> bool:
    """Say whether cookies tell the places of rows: by columns of the table itself, each row once [?]."""
    return not fetch.distinct and source.single and not any("." in mark.name for mark in marks)


def _row(version: Any, outputs: Sequence[Output], values: Sequence[Any]) -> Row:
    row: Row = {} if version is None else {ETAG: f'W/"{version}"'}
    named = zip(outputs, values, strict=True)
    return row | {output.name: value for output, value in named if value is not None}


def _grouped(reading: Reading, fetch: Fetch, source: Source) -> _Page:
    results = read_results(source, fetch.entity)
    rows = grouped_rows(reading, fetch, source, results)
    offset = 0 if fetch.top is not None else _offset(fetch)
    columns = {result.attribute.alias: result.column for result in results}
    named = {result.attribute.alias: result.attribute.name for result in results}
    return _Page(rows[offset:], {name: column for name, column in columns.items() if column}, named)


def _context(outputs: Sequence[Output]) -> str:
    """The table's own columns; a lookup is named as such too, as the documentation shows it [D]."""
    names, lookups = [], []
    for output in outputs:
        if output.renamed:
            continue
        names.append(output.name)
        if output.term.column is not None and output.term.column.type is ColumnType.LOOKUP:
            names.append(output.term.column.name)
            lookups.append(f"{output.term.column.name}()")
    return f"({','.join([*names, *lookups])})"


def _said(reading: Reading, fetch: Fetch, source: Source, cookie: str, more: bool) -> dict[str, Any]:
    """What is annotated before the rows; `returntotalrecordcount` is the same as `$count` [D count-rows]."""
    pattern = reading.request.preferences.annotations
    counted = fetch.counted or reading.request.options.get("$count", "").lower() == "true"
    found = None
    if counted and not fetch.aggregate:
        primary = source.base.sql.c[source.base.entity.primary_id]
        found = reading.counted(sa.select(primary).select_from(source.rows).where(source.where))
    said = count_annotations(found, pattern)
    if cookie and wants(pattern, PAGING_COOKIE):
        said[f"@{PAGING_COOKIE}"] = cookie
    if wants(pattern, MORE_RECORDS):
        said[f"@{MORE_RECORDS}"] = more
    return said


def _annotated(reading: Reading, page: _Page, rows: list[Row]) -> list[Row]:
    pattern = reading.request.preferences.annotations
    if not pattern:
        return rows
    labels = reading.annotator.labels(page.columns, rows)
    full = [reading.annotator.annotated(reading.entity, page.columns, row, labels) for row in rows]
    if not wants(pattern, ATTRIBUTE_NAME):
        return full
    return [with_attribute_names(row, page.named) for row in full]
