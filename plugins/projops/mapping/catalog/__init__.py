"""What both systems have: tables, columns, options and enums, as frozen values.

The facts stand in `dataverse.json` and `finance.json` beside this file, those of Finance's own books,
which no map may name, in `finance_books.json`. Loading them costs some milliseconds and no import beyond
the standard library, since DAG files do it while they are parsed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from projops.mapping.model import System

if TYPE_CHECKING:
    import pyarrow as pa

FINANCE_ENTITY_PREFIX = "Microsoft.Dynamics.DataEntities."

# Texts that hold the GUID of another row, older than polymorphic lookups (PO: connecting actuals): paths
# may lead through them as through lookups. By table and column: the table that they name here.
_GUIDS_IN_TEXTS = {
    ("msdyn_transactionconnection", "msdyn_transaction1"): "msdyn_actual",
    ("msdyn_transactionconnection", "msdyn_transaction2"): "msdyn_actual",
}


class ColumnType(StrEnum):
    """What a column holds."""

    STRING = "string"
    MEMO = "memo"
    GUID = "guid"
    INTEGER = "integer"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    MONEY = "money"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DATE = "date"
    OPTION = "option"
    MULTI_OPTION = "multi_option"
    LOOKUP = "lookup"
    ENUM = "enum"


class Behavior(StrEnum):
    """DateTimeBehavior of a date and time column [D]."""

    USER_LOCAL = "UserLocal"
    DATE_ONLY = "DateOnly"
    TIME_ZONE_INDEPENDENT = "TimeZoneIndependent"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a Dataverse table, or a field of a Finance entity set.

    Attributes:
        name: Logical name (Dataverse) or property name (Finance).
        type: What it holds.
        length: Longest text in UTF-16 units, or None where it is not public.
        scale: Digits after the point, or None where it is not public.
        targets: Tables that a lookup, or a GUID held as text, may point to, the usual one first.
        behavior: DateTimeBehavior of a date and time column.
        options: Labels of an option set, by value.
        enum: Name of the Finance enum.
        nullable: Whether the system says that it may be empty.
        required: Whether a create without it is refused.
        read_only: Whether the system alone writes it.
    """

    name: str
    type: ColumnType
    length: int | None = None
    scale: int | None = None
    targets: tuple[str, ...] = ()
    behavior: Behavior | None = None
    options: Mapping[int, str] = field(default_factory=dict)
    enum: str | None = None
    nullable: bool = True
    required: bool = False
    read_only: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it holds free text."""
        return self.type in (ColumnType.STRING, ColumnType.MEMO)

    @property
    def is_day(self) -> bool:
        """Whether it holds a day without time and zone (DateOnly)."""
        return self.type is ColumnType.DATE or self.behavior is Behavior.DATE_ONLY


@dataclass(frozen=True, slots=True)
class Table:
    """A Dataverse table or a Finance entity set.

    Attributes:
        system: The system that holds it.
        name: Logical name (Dataverse) or entity set name (Finance).
        entity_set: Name in URLs.
        entity_type: Name of a row's type in `@odata.type`.
        label: Entity name that data management uses (Finance), else the logical name.
        primary_id: GUID column (Dataverse), else None.
        keys: Alternate keys (Dataverse), or the one entity key (Finance).
        company_column: Field that stripes a Finance set by company, else None.
        columns: By name.
    """

    system: System
    name: str
    entity_set: str
    entity_type: str
    label: str
    primary_id: str | None
    keys: tuple[tuple[str, ...], ...]
    company_column: str | None
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a dotted path ends.

    Attributes:
        tables: Tables that it passes, the starting one first, one for each part.
        columns: Columns that it passes: lookups, and last the one that it names.
    """

    tables: tuple[Table, ...]
    columns: tuple[Column, ...]

    @property
    def column(self) -> Column:
        """The column that the path names."""
        return self.columns[-1]

    @property
    def table(self) -> Table:
        """The table that holds `column`."""
        return self.tables[-1]


@lru_cache(maxsize=1)
def dataverse_tables() -> Mapping[str, Table]:
    """Dataverse tables by logical name."""
    return _tables(System.DATAVERSE, "dataverse")


@lru_cache(maxsize=1)
def finance_tables() -> Mapping[str, Table]:
    """Finance entity sets by set name."""
    return _tables(System.FINANCE, "finance")


@lru_cache(maxsize=1)
def finance_books() -> Mapping[str, Table]:
    """Entity sets of Finance's own books by set name: read to prove and to trace, never mapped."""
    return _tables(System.FINANCE, "finance_books")


@lru_cache(maxsize=1)
def finance_enums() -> Mapping[str, tuple[str, ...]]:
    """Symbols of each Finance enum; the first stands for null."""
    members = _document("finance")["enums"]
    return MappingProxyType(
        {
            name: tuple(symbols[value] for value in sorted(symbols, key=int))
            for name, symbols in members.items()
        }
    )


def table(system: System, name: str) -> Table:
    """The table of that name.

    Raises:
        KeyError: The catalog has no such table.
    """
    return (dataverse_tables() if system is System.DATAVERSE else finance_tables())[name]


def finance_table(name: str) -> Table:
    """The entity set of that name: one that maps name, or one of Finance's own books.

    Raises:
        KeyError: The catalog has no such entity set.
    """
    books = finance_books()
    return books[name] if name in books else finance_tables()[name]


def resolve(start: Table, path: str) -> Resolved:
    """Follow a dotted path, `msdyn_project.msdyn_owningcompany.cdm_companycode`, from a table.

    A polymorphic lookup leads to the first of its tables that has the rest of the path.

    Raises:
        KeyError: A part is no column, or no lookup; its argument is one sentence that says which.
    """
    name, _, rest = path.partition(".")
    column = start.columns.get(name)
    if column is None:
        raise KeyError(f"{start.name} has no column {name}{_near(name, start.columns)}.")
    if not rest:
        return Resolved((start,), (column,))
    if not column.targets:
        raise KeyError(f"{start.name}.{name} is no lookup, so {rest} cannot be read through it.")
    return _through(start, column, rest)


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type that holds a column's values between the stages.

    Text, guid, enum and lookup: string. Integer and option: int64. Decimal and money:
    decimal128(38, 16). Date and time: timestamp("us", "UTC"); a day without time (DateOnly, on
    both systems): date32.
    """
    import pyarrow as pa

    if column.is_day:
        return pa.date32()
    return {
        ColumnType.INTEGER: pa.int64(),
        ColumnType.BIGINT: pa.int64(),
        ColumnType.OPTION: pa.int64(),
        ColumnType.DECIMAL: pa.decimal128(38, 16),
        ColumnType.MONEY: pa.decimal128(38, 16),
        ColumnType.DOUBLE: pa.float64(),
        ColumnType.BOOLEAN: pa.bool_(),
        ColumnType.DATETIME: pa.timestamp("us", "UTC"),
    }.get(column.type, pa.string())


def _through(start: Table, lookup: Column, rest: str) -> Resolved:
    problems = []
    for name in lookup.targets:
        target = dataverse_tables().get(name)
        if target is None:
            problems.append(f"{start.name}.{lookup.name} leads to {name}, which the catalog does not have.")
            continue
        try:
            onward = resolve(target, rest)
        except KeyError as error:
            problems.append(error.args[0])
            continue
        return Resolved((start, *onward.tables), (lookup, *onward.columns))
    raise KeyError(problems[0] if problems else f"{start.name}.{lookup.name} leads nowhere.")


def _near(name: str, columns: Mapping[str, Column]) -> str:
    import difflib

    near = difflib.get_close_matches(name, columns, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _document(name: str) -> Any:
    return json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))


def _tables(system: System, document: str) -> Mapping[str, Table]:
    tables = _document(document)["tables"]
    return MappingProxyType({name: _table(system, name, facts) for name, facts in tables.items()})


def _table(system: System, name: str, facts: Mapping[str, Any]) -> Table:
    return Table(
        system=system,
        name=name,
        entity_set=facts["entity_set"],
        entity_type=_entity_type(system, name, facts),
        label=facts.get("label", name),
        primary_id=facts.get("primary_id"),
        keys=tuple(tuple(key) for key in facts.get("keys", ())),
        company_column=facts.get("company_column"),
        columns=MappingProxyType(
            {column: _column(name, column, each) for column, each in facts["columns"].items()}
        ),
    )


def _entity_type(system: System, name: str, facts: Mapping[str, Any]) -> str:
    if system is System.DATAVERSE:
        return f"Microsoft.Dynamics.CRM.{name}"
    return FINANCE_ENTITY_PREFIX + str(facts["entity_type"])


def _column(table: str, name: str, facts: Mapping[str, Any]) -> Column:
    target = facts.get("target", _GUIDS_IN_TEXTS.get((table, name)))
    return Column(
        name=name,
        type=ColumnType(facts["type"]),
        length=facts.get("length"),
        scale=facts.get("scale"),
        targets=tuple(facts.get("targets", (target,) if target else ())),
        behavior=Behavior(facts["behavior"]) if "behavior" in facts else None,
        options=MappingProxyType({int(value): label for value, label in facts.get("options", {}).items()}),
        enum=facts.get("enum"),
        nullable=facts.get("nullable", True),
        required=facts.get("required", False),
        read_only=facts.get("read_only", False),
    )
