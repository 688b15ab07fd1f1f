"""Which columns a leg makes of which, stage by stage, as its mapping says; `end_to_end` puts it together.

    tables of the source ─ extracted ─> paths ─ transformed ─> target paths ─ written ─> columns
    tables of the source ────────────────────── end_to_end ────────────────────────────> columns

An input is direct where its value arrives, indirect where it decides which value does: the lookups that a
path follows (join), the columns of a condition (conditional) or of the map's filter (filter). Kinds and
subtypes are those of OpenLineage's column lineage facet, version 1-2-0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from projops.mapping.catalog import Table
from projops.mapping.expressions import columns_of, parse
from projops.mapping.model import FieldRule, Leg, Step, TableMap
from projops.mapping.operators import function_name, step_columns
from projops.mapping.paths import (
    company_path,
    key_paths,
    lookup_tables,
    source_columns,
    table_of,
)

KEY = "integration key"
_STARTS_AFRESH = frozenset({"constant", "concat"})
_PLAIN_NAMES = frozenset({"date", "unit", "currency", "concat"})


class Subtype(StrEnum):
    """How an input takes part, in OpenLineage's words."""

    IDENTITY = "IDENTITY"
    TRANSFORMATION = "TRANSFORMATION"
    JOIN = "JOIN"
    CONDITIONAL = "CONDITIONAL"
    FILTER = "FILTER"


@dataclass(frozen=True, slots=True)
class Transformation:
    """What becomes of an input on its way.

    Attributes:
        subtype: How it takes part.
        description: The operators in words, `value map billing_type; default Tax`; "" of a plain copy.
    """

    subtype: Subtype
    description: str = ""

    @property
    def is_direct(self) -> bool:
        """Whether the input's value arrives."""
        return self.subtype in (Subtype.IDENTITY, Subtype.TRANSFORMATION)

    def then(self, later: Transformation) -> Transformation:
        """Both, one after the other: what is indirect once stays so."""
        for each in (self, later):
            if not each.is_direct:
                return each
        both = {self.subtype, later.subtype}
        subtype = Subtype.IDENTITY if both == {Subtype.IDENTITY} else Subtype.TRANSFORMATION
        return Transformation(subtype, "; ".join(filter(None, (self.description, later.description))))


COPIED = Transformation(Subtype.IDENTITY)


@dataclass(frozen=True, slots=True)
class Input:
    """One column on which another depends.

    Attributes:
        column: Column of `table`; where there is none, a path of the stage before.
        how: How it takes part.
        table: Table or entity set, or None for the stage before.
    """

    column: str
    how: Transformation
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """Where the columns of a dataset come from.

    Attributes:
        fields: Inputs by column; a constant has none.
        dataset: What decides which rows there are at all.
    """

    fields: Mapping[str, tuple[Input, ...]]
    dataset: tuple[Input, ...] = ()

    def tables(self) -> tuple[Table, ...]:
        """The tables that inputs stand in, each once, in the order of their appearance."""
        named = (*(each for inputs in self.fields.values() for each in inputs), *self.dataset)
        return tuple(
            {(each.table.system, each.table.name): each.table for each in named if each.table}.values()
        )


def extracted(table_map: TableMap, leg: Leg) -> ColumnLineage:
    """The columns of a leg's source frame, by path, from the tables that each path passes."""
    paths = source_columns(table_map, leg)
    start = table_of(table_map, leg.direction.source)
    fields = {path: unique(_read(start, path, paths)) for path in paths}
    return ColumnLineage(fields, unique(through(fields, filters(table_map, leg))))


def passed(columns: Iterable[str]) -> ColumnLineage:
    """Columns that a stage hands on as they are."""
    return ColumnLineage({column: (Input(column, COPIED),) for column in columns})


def transformed(table_map: TableMap, leg: Leg) -> ColumnLineage:
    """The columns of a leg's target frame, by target path, from the paths of its source frame."""
    ends = (key_paths(table_map, system) for system in (leg.direction.target, leg.direction.source))
    keys = {target: (Input(source, _copied_as(KEY)),) for target, source in zip(*ends, strict=True)}
    return ColumnLineage(keys | {rule.target: unique(_made(rule)) for rule in leg.fields})


def _read(start: Table, path: str, paths: Iterable[str]) -> Iterator[Input]:
    """Where a path's values come from: its end, and each lookup on the way, in every table that it may be."""
    name, _, rest = path.partition(".")
    if not rest:
        yield Input(name, COPIED, start)
        return
    yield Input(name, joined(f"lookup {name}"), start)
    rests = [each.partition(".")[2] for each in paths if each.startswith(f"{name}.")]
    for table in lookup_tables(start, name, rests):
        for each in _read(table, rest, rests):
            yield Input(each.column, _copied_as(f"lookup {name}").then(each.how), each.table)


def _made(rule: FieldRule) -> Iterator[Input]:
    """What a field is made of, by walking its operators in their order."""
    values: dict[str, list[str]] = {rule.source: []} if rule.source is not None else {}
    conditions: list[Input] = []
    for step in rule.steps:
        if step.operator in _STARTS_AFRESH:
            values, conditions = {}, []
        if step.operator == "when":
            how = Transformation(Subtype.CONDITIONAL, _words(step))
            conditions += [Input(column, how) for column in step_columns(step)]
            continue
        further: dict[str, list[str]] = {column: [] for column in step_columns(step) if column not in values}
        values = {column: [*words, _words(step)] for column, words in (values | further).items()}
    for column, words in values.items():
        subtype = Subtype.TRANSFORMATION if words else Subtype.IDENTITY
        yield Input(column, Transformation(subtype, "; ".join(words)))
    yield from conditions


def _words(step: Step) -> str:
    if step.operator in _PLAIN_NAMES:
        return step.operator
    if step.operator == "python":
        return f"python {function_name(step)}"
    argument = step.argument
    shown = f"from {argument['from']}" if isinstance(argument, Mapping) else str(argument)
    return f"{step.operator.replace('_', ' ')} {shown}"


def filters(table_map: TableMap, leg: Leg) -> Iterator[tuple[str, Transformation]]:
    """The paths that decide which rows a leg moves."""
    if leg.extract.where is not None:
        for path in columns_of(parse(leg.extract.where)):
            yield path, Transformation(Subtype.FILTER, f"where {leg.extract.where}")
    company = company_path(table_map, leg.direction.source)
    if table_map.companies is not None and company is not None:
        yield company, Transformation(Subtype.FILTER, "companies")


def through(read: Mapping[str, tuple[Input, ...]], ways: Iterable[tuple[str, Transformation]]) -> list[Input]:
    """Replace source paths by the columns of tables that they come from."""
    return [Input(each.column, each.how.then(how), each.table) for path, how in ways for each in read[path]]


def _copied_as(description: str) -> Transformation:
    return Transformation(Subtype.IDENTITY, description)


def joined(description: str) -> Transformation:
    """What becomes of a column by which another row is found."""
    return Transformation(Subtype.JOIN, description)


def unique(inputs: Iterable[Input]) -> tuple[Input, ...]:
    """Each input once, in the order of their appearance."""
    found: dict[tuple[object, ...], Input] = {}
    for each in inputs:
        place = (each.table.system, each.table.name) if each.table is not None else ()
        found.setdefault((*place, each.column, each.how), each)
    return tuple(found.values())
