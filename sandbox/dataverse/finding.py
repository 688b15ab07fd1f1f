"""Which rows references name: their GUIDs, found by one statement a key for any number of them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.entities import Entity
from sandbox.dataverse.errors import key_not_found, record_not_found, several_records
from sandbox.dataverse.references import Reference, comparable
from sandbox.schema.model import Table
from sandbox.store import fold
from sandbox.store.tables import without
from sandbox.store.types import CodeText


def find_row(connection: sa.Connection, entity: Entity, reference: Reference) -> str | None:
    """Return the GUID of the row, None where there is none."""
    return find_rows(connection, entity, [reference]).get(reference.identity)


def require_row(connection: sa.Connection, entity: Entity, reference: Reference) -> str:
    """Return the GUID of the row.

    Raises:
        ApiError: 404 when it does not exist.
    """
    found = find_row(connection, entity, reference)
    if found is None:
        raise missing_row(entity, reference)
    return found


def missing_row(entity: Entity, reference: Reference) -> Exception:
    """Return the error that says that a row does not exist."""
    if reference.row_id is not None:
        return record_not_found(entity.table, reference.row_id)
    return key_not_found(entity.table)


def find_rows(
    connection: sa.Connection, entity: Entity, references: Iterable[Reference]
) -> dict[tuple[object, ...], str]:
    """Return the GUIDs of the rows that exist, by `Reference.identity`; one query a key for any number.

    Of several rows with a key that is part of a longer one, it means the one without the rest [?].

    Raises:
        ApiError: When it could mean any of several rows.
    """
    found: dict[tuple[object, ...], str] = {}
    groups: dict[tuple[str, ...], list[Reference]] = {}
    for reference in references:
        groups.setdefault(tuple(name for name, _ in reference.key), []).append(reference)
    for names, group in groups.items():
        wanted = {"wanted": [_key_values(reference) for reference in group]}
        key = names or (entity.primary_id,)
        query = _query(entity.sql, key, entity.table.qualifiers(key), connection.dialect.name)
        rows = connection.execute(query, wanted)
        if names:
            found |= _by_key(entity.table, names, rows)
        else:
            found |= {(entity.table.name, row_id): row_id for row_id, *_ in rows}
    return found


def _by_key(
    table: Table, names: tuple[str, ...], rows: Iterable[Sequence[Any]]
) -> dict[tuple[object, ...], str]:
    """Return one row a key.

    Args:
        table: Their table.
        names: Columns of the key.
        rows: GUID, whether the key alone means the row, and the key's values.
    """
    found: dict[tuple[object, ...], str] = {}
    qualified: dict[tuple[object, ...], str] = {}
    several: set[tuple[object, ...]] = set()
    for row_id, meant, *values in rows:
        identity = (table.name, *zip(names, map(comparable, values), strict=True))
        if meant:
            found[identity] = row_id
        elif qualified.setdefault(identity, row_id) != row_id:
            several.add(identity)
    if several - found.keys():
        raise several_records(table, names)
    return qualified | found


def _key_values(reference: Reference) -> list[str]:
    return [reference.row_id] if reference.row_id else [str(value) for _, value in reference.key]


@lru_cache(maxsize=256)
def _query(
    sql: sa.Table, names: tuple[str, ...], qualifiers: tuple[str, ...], dialect: str
) -> sa.Select[Any]:
    """Select the rows whose keys are in `wanted`, a JSON list of lists of texts, as `_by_key` reads them.

    One statement with one parameter for any number of keys: the database takes the list apart and looks
    each key up in the key's index.
    """
    each = sa.func.json_each if dialect == "sqlite" else sa.func.json_array_elements
    wanted = each(sa.bindparam("wanted", type_=sa.JSON)).table_valued(sa.column("value", sa.JSON))
    equal = (_matches(sql.c[name], wanted.c.value[place].as_string()) for place, name in enumerate(names))
    meant = sa.case((without(sql, qualifiers), 1), else_=0) if qualifiers else sa.literal(1)
    return sa.select(*sql.primary_key, meant, *(sql.c[name] for name in names)).select_from(
        wanted.join(sql, sa.and_(*equal))
    )


def _matches(column: sa.Column[Any], text: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    if isinstance(column.type, sa.Text):
        return fold(column) == fold(text)
    return column == (text if isinstance(column.type, CodeText) else sa.cast(text, column.type))
