"""Rows of a statement as a page of the Web API [D, "Use SQL to query data with the Web API"].

A plain row has the base table's etag and primary id before what was selected; aggregates have neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.aggregates import aggregated, check_method, fetch, grouped, result_column, sort_key
from sandbox.dataverse.annotating import ATTRIBUTE_NAME, wants, with_attribute_names
from sandbox.dataverse.entities import wire_name
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.reading import Reading, page_response
from sandbox.dataverse.rendering import ETAG, Row
from sandbox.dataverse.sql.source import Tables, joined, read_tables, where
from sandbox.dataverse.sql.statement import Name, Output, Statement, read_statement
from sandbox.dataverse.window import Window
from sandbox.dataverse.wire import Response
from sandbox.odata.options import order_by
from sandbox.odata.scope import Term
from sandbox.schema.model import Column
from sandbox.store.tables import VERSION

_APART = ("$select", "$filter", "$orderby", "$top", "$skip", "$expand", "$apply", "$search", "fetchXml")


@dataclass(frozen=True, slots=True)
class _Result:
    """A column of the answer: its name there, where it comes from, and how it is computed."""

    name: str
    term: Term | None
    output: Output


def sql_page(reading: Reading) -> Response:
    """Answer `?sql=`, in pages as any list.

    Raises:
        ApiError: When the statement cannot be read, asks for more than Dataverse gives, or stands beside
            OData's own options.
        ODataError: When a literal does not fit its column.
    """
    options = reading.request.options
    for name in _APART:
        if name in options:
            raise bad_request(f"The query option '{name}' is not supported together with 'sql'.")
    statement = read_statement(options["sql"])
    tables = read_tables(statement, reading.api.entities, reading.entity)
    results = _results(statement, tables)
    window = _window(Window.of(reading.request), statement)
    found = (_groups if statement.grouped else _rows)(reading, statement, tables, results, window)
    more, rows = window.paged and len(found) > window.size, found[: window.size]
    body: dict[str, Any] = {"@odata.context": _context(reading, statement, results)} | reading.totals(more)
    body["value"] = _annotated(reading, statement, results, rows)
    if more:
        body["@odata.nextLink"] = reading.link({"$skiptoken": window.behind_offset()})
    return page_response(body, reading.request, len(rows))


def _window(window: Window, statement: Statement) -> Window:
    """The page inside of what TOP leaves."""
    if statement.top is None:
        return window
    left = max(statement.top - window.offset, 0)
    return Window(window.cookie, min(window.size, left), left > window.size)


def _results(statement: Statement, tables: Tables) -> list[_Result]:
    """Name what is selected; a name that is taken already gets its table before it [?]."""
    results: list[_Result] = []
    for output in statement.outputs:
        term = tables.term(output.name) if output.name else None
        if output.method and term:
            check_method(output.method, term, output.name.column if output.name else "")
        name = output.alias or (output.default_alias if output.method else _own_name(output, term))
        if any(name == result.name for result in results):
            name = f"{output.name.table}.{name}" if output.name else f"{name}_{len(results)}"
        results.append(_Result(name, term, output))
    return results


def _own_name(output: Output, term: Term | None) -> str:
    if term is not None and term.column is not None:
        return wire_name(term.column)
    return output.default_alias


def _rows(
    reading: Reading, statement: Statement, tables: Tables, results: Sequence[_Result], window: Window
) -> list[Row]:
    base, entity = tables.base.sql, reading.entity
    columns = [result.term.sql for result in results if result.term is not None]
    query = sa.select(base.c[VERSION], base.c[entity.primary_id], *columns).select_from(
        joined(statement, tables)
    )
    keys = [each.sql.c[each.entity.primary_id] for each in tables.places.values()]
    order = [
        order_by(_ordered_term(name, results, tables), descending) for name, descending in statement.order
    ]
    query = query.where(where(statement, tables)).order_by(*order, *keys)
    found = reading.connection.execute(query.offset(statement.offset + window.offset).limit(window.size + 1))
    names = [result.name for result in results]
    return [
        {ETAG: f'W/"{version}"', entity.primary_id: row_id, **dict(zip(names, values, strict=True))}
        for version, row_id, *values in found
    ]


def _groups(
    reading: Reading, statement: Statement, tables: Tables, results: Sequence[_Result], window: Window
) -> list[Row]:
    keys = [tables.term(name) for name in statement.groups] or _distinct_keys(statement, results)
    places = {key.sql: place for place, key in enumerate(keys)}
    for result in results:
        if not result.output.method and (result.term is None or result.term.sql not in places):
            raise bad_request(
                f"Column '{result.name}' is invalid in the select list because it is not contained in either "
                "an aggregate function or the GROUP BY clause."
            )
    computed = [result for result in results if result.output.method and result.term is not None]
    columns = [key.sql for key in keys] + [result.term.sql for result in computed if result.term]
    base = tables.base
    query = sa.select(*columns, base.sql.c[base.entity.primary_id]).select_from(joined(statement, tables))
    query = query.where(where(statement, tables)).order_by(base.sql.c[base.entity.primary_id])
    rows = [
        _group_row(results, key, places, computed, members)
        for key, members in grouped(fetch(reading.connection, query), len(keys))
    ]
    for name, descending in reversed(statement.order):
        column = _ordered_name(name, results, tables)
        rows.sort(key=lambda row: sort_key(row[column]), reverse=descending)
    return rows[statement.offset + window.offset :][: window.size + 1]


def _distinct_keys(statement: Statement, results: Sequence[_Result]) -> list[Term]:
    return [result.term for result in results if result.term is not None] if statement.distinct else []


def _group_row(
    results: Sequence[_Result],
    key: Sequence[Any],
    places: Mapping[Any, int],
    computed: Sequence[_Result],
    members: Sequence[Sequence[Any]],
) -> Row:
    row: Row = {}
    for result in results:
        method, term = result.output.method, result.term
        if not method and term is not None:
            row[result.name] = key[places[term.sql]]
        elif term is None:
            row[result.name] = len(members)
        else:
            place = computed.index(result)
            row[result.name] = aggregated(method, [member[place] for member in members])
    return row


def _ordered_term(name: Name, results: Sequence[_Result], tables: Tables) -> Term:
    for result in results:
        if not name.table and result.name == name.column and result.term is not None:
            return result.term
    return tables.term(name)


def _ordered_name(name: Name, results: Sequence[_Result], tables: Tables) -> str:
    """The result that orders groups: by its alias, or as the column that it is."""
    for result in results:
        if not name.table and result.name.lower() == name.column:
            return result.name
    term = tables.term(name)
    for result in results:
        if not result.output.method and result.term is not None and result.term.sql is term.sql:
            return result.name
    raise bad_request(f"ORDER BY items must appear in the select list, and '{name.column}' does not.")


def _context(reading: Reading, statement: Statement, results: Sequence[_Result]) -> str:
    names = [result.name for result in results]
    own = [] if statement.grouped or reading.entity.primary_id in names else [reading.entity.primary_id]
    return f"{reading.request.root}$metadata#{reading.entity.table.entity_set}({','.join([*names, *own])})"


def _annotated(
    reading: Reading, statement: Statement, results: Sequence[_Result], rows: list[Row]
) -> list[Row]:
    """Add formatted values, and under an alias the name of the column that it stands for [D]."""
    pattern = reading.request.preferences.annotations
    if not pattern:
        return rows
    columns: dict[str, Column] = {}
    for result in results:
        column = result.term.column if result.term else None
        shown = result_column(result.output.method, result.name, column) if result.output.method else column
        if shown is not None:
            columns[result.name] = shown
    labels = reading.annotator.labels(columns, rows)
    annotated = [reading.annotator.annotated(reading.entity, columns, row, labels) for row in rows]
    if statement.grouped or not wants(pattern, ATTRIBUTE_NAME):
        return annotated
    named = {
        result.name: result.output.name.column
        for result in results
        if result.output.alias and result.output.name
    }
    return [with_attribute_names(row, named) for row in annotated]
