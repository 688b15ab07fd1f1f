"""One SQL table for each Dataverse table and each Finance entity set, made from the schema."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from sandbox.schema import load_dataverse, load_finance
from sandbox.schema.model import Column, ColumnType, Table
from sandbox.store.folding import fold
from sandbox.store.types import TEXT_TYPES, CodeText, sql_type

VERSION = "versionnumber"
REC_ID = "recid"
REC_VERSION = "recversion"


def table_name(table: Table) -> str:
    """Return the SQL name: `dataverse_account`, `finance_customersv3`."""
    return f"{table.system}_{table.name.lower()}"


_NONE: Mapping[str, Table] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tables:
    """What a store keeps its rows in.

    Attributes:
        metadata: All of the tables.
        environment: Identity, counters and seed, in one row.
        tombstone: Rows that were deleted.
        by_name: The tables of both systems, by their SQL names.
    """

    metadata: sa.MetaData
    environment: sa.Table
    tombstone: sa.Table
    by_name: Mapping[str, sa.Table]


@lru_cache(maxsize=1)
def declare_tables() -> Tables:
    """Declare the tables of a store; once, since they are the same in each database."""
    metadata, stored = sa.MetaData(), load_dataverse()
    environment, tombstone = build_state(metadata)
    by_name = {
        table_name(table): build_table(table, metadata, stored)
        for table in (*stored.values(), *load_finance().values())
    }
    return Tables(metadata, environment, tombstone, by_name)


def build_table(table: Table, metadata: sa.MetaData, stored: Mapping[str, Table] = _NONE) -> sa.Table:
    """Declare the SQL table of a schema table, with its alternate keys as unique indexes.

    Lookups that lead to one of the tables `stored` are indexed too, unless that table says otherwise.
    """
    name = table_name(table)
    columns = [_column(column, table) for column in table.columns.values() if column.name != VERSION]
    sql = sa.Table(name, metadata, *columns, *_system_columns(table))
    sa.Index(f"{name}_version", sql.c[VERSION])
    for number, key in enumerate(table.keys, start=1):
        qualifiers = table.qualifiers(key)
        bare = without(sql, qualifiers) if qualifiers else None
        key_columns = key_expressions(table, sql, key)
        sa.Index(f"{name}_key{number}", *key_columns, unique=True, sqlite_where=bare, postgresql_where=bare)
    for number, lookup in enumerate(_lookups(table, stored), start=1):
        # Partial, since most lookups are empty: it serves $expand, filters and deletes of the parent.
        filled = sql.c[lookup].is_not(None)
        sa.Index(f"{name}_lookup{number}", sql.c[lookup], sqlite_where=filled, postgresql_where=filled)
    return sql


def key_expressions(table: Table, sql: sa.Table, key: Iterable[str]) -> Iterator[sa.ColumnElement[Any]]:
    """Yield what a key compares: text without case, all else as it is."""
    for name in key:
        text = table.columns[name].type in TEXT_TYPES
        yield fold(sql.c[name]) if text else sql.c[name]


def without(sql: sa.Table, qualifiers: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """Return the condition that rows have no value in any of the columns that qualify a key."""
    return sa.and_(*(sql.c[name].is_(None) for name in qualifiers))


def build_state(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Declare `environment` (one row: identity, counters, seed) and `tombstone` (deleted rows)."""
    environment = sa.Table(
        "environment",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("environment_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("recid", sa.BigInteger, nullable=False),
        sa.Column("reset_version", sa.BigInteger, nullable=False),
        sa.Column("seed", sa.Text),
    )
    tombstone = sa.Table(
        "tombstone",
        metadata,
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("row_id", CodeText, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    sa.Index("tombstone_version", tombstone.c.table_name, tombstone.c.version)
    return environment, tombstone


def _column(column: Column, table: Table) -> sa.Column[Any]:
    return sa.Column(
        column.name, sql_type(column.type), primary_key=column.name == table.primary_id, autoincrement=False
    )


def _lookups(table: Table, stored: Mapping[str, Table]) -> list[str]:
    return [
        column.name
        for column in table.columns.values()
        if column.type is ColumnType.LOOKUP
        and any(target in stored and stored[target].lookups_indexed for target in column.targets)
    ]


def _system_columns(table: Table) -> list[sa.Column[int]]:
    version = sa.Column(VERSION, sa.BigInteger, nullable=False)
    if table.system == "dataverse":
        return [version]
    return [
        version,
        sa.Column(REC_VERSION, sa.BigInteger, nullable=False),
        sa.Column(REC_ID, sa.BigInteger, primary_key=True, autoincrement=False),
    ]
