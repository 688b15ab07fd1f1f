"""Rows of a set compared with what the database holds, in one query instead of one for each row."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.packages.staging import Refusal
from sandbox.finance.references import REFERENCES, Reference, check_references, is_meant
from sandbox.schema.model import Column, Table
from sandbox.store import fold, folded
from sandbox.store.types import TEXT_TYPES

Key = tuple[Hashable, ...]
Row = Mapping[str, Any]
_NUMBER = "sandbox_number"


def key_of(table: Table, row: Row) -> Key:
    """The key of a row, so that what the entity takes for one key is one."""
    return tuple(_comparable(row[name]) for name in table.keys[0])


def existing_rows(
    connection: sa.Connection, catalog: Catalog, table: Table, rows: Sequence[Row]
) -> list[dict[str, Any] | None]:
    """Return the stored row of each row's key, None where there is none; text compares without case."""
    sql = catalog.sql(table)
    columns = {name: name for name in table.keys[0]}
    found: list[dict[str, Any] | None] = [None] * len(rows)
    query, number = _matching(table, sql, columns, rows)
    for stored in connection.execute(query.add_columns(*sql.c)).mappings():
        values = dict(stored)
        found[values.pop(number)] = values
    return found


def missing_parents(
    connection: sa.Connection,
    catalog: Catalog,
    table: Table,
    rows: Sequence[Row],
    named: Sequence[frozenset[str] | None],
) -> list[Refusal | None]:
    """Say of each row what it lacks: its company, or a row that it refers to; None where nothing.

    Args:
        connection: Of the write transaction.
        catalog: The entity sets.
        table: The entity.
        rows: As they will be.
        named: Columns that are set; None where all are, since the row is new.
    """
    suspects = set(_without_company(connection, catalog, table, rows))
    for it in REFERENCES:
        if it.child == table.name:
            asked = [
                number
                for number, row in enumerate(rows)
                if _is_set(it, named[number]) and is_meant(it, table, row)
            ]
            suspects |= _without_parent(connection, catalog, it, [(number, rows[number]) for number in asked])
    return [
        _refusal(connection, catalog, table, row, named[number]) if number in suspects else None
        for number, row in enumerate(rows)
    ]


def _refusal(
    connection: sa.Connection, catalog: Catalog, table: Table, row: Row, named: frozenset[str] | None
) -> Refusal | None:
    """What a write of the row alone would be refused with."""
    try:
        check_references(connection, catalog, table, row, frozenset(row) if named is None else named)
    except FinanceError as error:
        return Refusal("", infolog(error))
    return None


def infolog(error: FinanceError) -> str:
    """What the Infolog says: an import shows it without what OData puts around it."""
    return error.message.partition("Infolog: ")[2] or error.message


def _is_set(reference: Reference, named: frozenset[str] | None) -> bool:
    return named is None or reference.column in named


def _without_company(
    connection: sa.Connection, catalog: Catalog, table: Table, rows: Sequence[Row]
) -> Iterable[int]:
    if table.company_column is None:
        return
    entities, column = catalog.sets["LegalEntities"], table.company_column
    companies = sorted({row[column] for row in rows})
    found = existing_rows(connection, catalog, entities, [{"LegalEntityId": it} for it in companies])
    known = {company for company, entity in zip(companies, found, strict=True) if entity}
    yield from (number for number, row in enumerate(rows) if row[column] not in known)


def _without_parent(
    connection: sa.Connection, catalog: Catalog, reference: Reference, rows: Sequence[tuple[int, Row]]
) -> set[int]:
    if not rows:
        return set()
    child, parent = catalog.sets[reference.child], catalog.sets[reference.parent]
    columns = {reference.column: reference.parent_column, **reference.also}
    if child.company_column is not None and parent.company_column is not None:
        columns[child.company_column] = parent.company_column
    query, _ = _matching(parent, catalog.sql(parent), columns, [row for _, row in rows])
    found = set(connection.execute(query.distinct()).scalars())
    return {number for place, (number, _) in enumerate(rows) if place not in found}


def _matching(
    table: Table, sql: sa.Table, columns: Mapping[str, str], rows: Sequence[Row]
) -> tuple[sa.Select[Any], str]:
    """A query for the numbers of rows whose columns have the values of a stored row.

    Args:
        table: The entity that is searched.
        sql: Its rows.
        columns: Column of `table` by the column of `rows`.
        rows: What is looked for.
    """
    names = list(columns)
    types = [sql.c[columns[name]].type for name in names]
    wanted = (
        sa.values(
            sa.column(_NUMBER, sa.Integer),
            *(sa.column(f"wanted_{place}", kind) for place, kind in enumerate(types)),
            name="wanted",
        )
        .data([(number, *(row[name] for name in names)) for number, row in enumerate(rows)])
        .cte("wanted_rows")
    )
    pairs = zip((table.columns[columns[name]] for name in names), list(wanted.c)[1:], strict=True)
    on = [_equal(column, sql.c[column.name], value) for column, value in pairs]
    return sa.select(wanted.c[_NUMBER]).join_from(wanted, sql, sa.and_(*on)), _NUMBER


def _equal(
    column: Column, stored: sa.ColumnElement[Any], wanted: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    return fold(stored) == fold(wanted) if column.type in TEXT_TYPES else stored == wanted


def _comparable(value: object) -> Hashable:
    return folded(value) if isinstance(value, str) else str(value)
