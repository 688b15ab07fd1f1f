"""Which source columns a leg reads, and where its lookup paths lead."""

from __future__ import annotations

from collections.abc import Iterator

from projops.mapping import catalog
from projops.mapping.catalog import Column, Table
from projops.mapping.expressions import columns_of, parse
from projops.mapping.model import Direction, FieldRule, KeyPart, Leg, System, TableMap
from projops.mapping.operators import step_columns


def table_of(table_map: TableMap, system: System) -> Table:
    """The table of a map on one side.

    Raises:
        KeyError: The catalog has no such table.
    """
    return catalog.table(system, table_map.dataverse if system is System.DATAVERSE else table_map.finance)


def key_path(part: KeyPart, system: System) -> str:
    """The name of a key part on one side."""
    return part.dataverse if system is System.DATAVERSE else part.finance


def key_paths(table_map: TableMap, system: System) -> tuple[str, ...]:
    """The key of a map as one side names it, in the map's order."""
    return tuple(key_path(part, system) for part in table_map.key)


def source_columns(table_map: TableMap, leg: Leg) -> tuple[str, ...]:
    """Every path that a leg needs of its source, each once.

    These are key, fields (from, concat, when, default, python), `where`, the shared columns, what
    expectations look at, and for each dotted path also its first lookup, whose GUID names the parent row.
    """
    paths = dict.fromkeys(key_paths(table_map, leg.direction.source))
    for rule in leg.fields:
        paths |= dict.fromkeys(rule_columns(rule))
    if leg.extract.where is not None:
        paths |= dict.fromkeys(columns_of(parse(leg.extract.where)))
    paths |= dict.fromkeys((*shared_columns(table_map, leg.direction), *leg.extract.also))
    lookups = (path.partition(".")[0] for path in tuple(paths) if "." in path)
    return tuple(paths | dict.fromkeys(lookups))


def rule_columns(rule: FieldRule) -> Iterator[str]:
    """The source columns that a field rule reads."""
    if rule.source is not None:
        yield rule.source
    for step in rule.steps:
        yield from step_columns(step)


def shared_columns(table_map: TableMap, direction: Direction) -> tuple[str, ...]:
    """The shared columns as the source of that direction names them, in file order."""
    pairs = table_map.shared_fields()
    if direction.source is System.DATAVERSE:
        return tuple(dataverse for _, dataverse in pairs)
    return tuple(finance for finance, _ in pairs)


def source_column(table_map: TableMap, leg: Leg, path: str) -> Column:
    """The catalog's column that a source path names.

    Raises:
        KeyError: There is no such column.
    """
    return catalog.resolve(table_of(table_map, leg.direction.source), path).column


def target_column(table_map: TableMap, leg: Leg, path: str) -> Column:
    """The catalog's column that a target path names.

    Raises:
        KeyError: There is no such column.
    """
    return catalog.resolve(table_of(table_map, leg.direction.target), path).column


def company_path(table_map: TableMap, system: System) -> str | None:
    """The key path that says a row's company on one side, or None for a global map."""
    stripe = table_of(table_map, System.FINANCE).company_column
    for part in table_map.key:
        if part.finance == stripe or part.dataverse.endswith("cdm_companycode"):
            return key_path(part, system)
    return None


def parent_lookups(table_map: TableMap, leg: Leg) -> tuple[tuple[str, str], ...]:
    """Pairs (lookup column, table it leads to) of a Dataverse source's dotted paths, each once."""
    if leg.direction.source is not System.DATAVERSE:
        return ()
    table = table_of(table_map, System.DATAVERSE)
    found: dict[tuple[str, str], None] = {}
    for path in source_columns(table_map, leg):
        if "." in path:
            found[path.partition(".")[0], catalog.resolve(table, path).tables[1].name] = None
    return tuple(found)
