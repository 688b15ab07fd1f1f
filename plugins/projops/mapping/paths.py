"""Which source columns a leg reads, and where its lookup paths lead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from projops.mapping import catalog
from projops.mapping.catalog import Column, Table
from projops.mapping.expressions import columns_of, parse
from projops.mapping.model import Direction, FieldRule, KeyPart, Leg, System, TableMap
from projops.mapping.operators import step_columns

COMPANY_TABLE = "cdm_company"
COMPANY_CODE = "cdm_companycode"


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


def shared_of(table_map: TableMap, leg: Leg) -> dict[str, str]:
    """The shared columns of a leg: names at the source, by those at the target."""
    forth = leg.direction.target is System.FINANCE
    pairs = table_map.shared_fields()
    return {(finance if forth else path): (path if forth else finance) for finance, path in pairs}


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


def alternate_key(table_map: TableMap) -> tuple[str, ...]:
    """The columns of the Dataverse table by which a row is found: the alternate key that the map names.

    Where the table has no such alternate key, these are the columns with which the map's key begins.
    """
    columns = tuple(dict.fromkeys(part.dataverse.partition(".")[0] for part in table_map.key))
    keys = table_of(table_map, System.DATAVERSE).keys
    return next((key for key in keys if set(key) <= set(columns)), columns)


def company_path(table_map: TableMap, system: System) -> str | None:
    """The key path that says a row's company on one side, or None for a global map."""
    stripe = table_of(table_map, System.FINANCE).company_column
    for part in table_map.key:
        if part.finance == stripe or part.dataverse.endswith("cdm_companycode"):
            return key_path(part, system)
    return None


def period_paths(table_map: TableMap, system: System) -> tuple[str, ...]:
    """The columns of one side of which the first that has a value says a row's accounting period.

    On the Dataverse side these are the columns that a leg pairs with the Finance fields. A leg need not
    carry them itself: what Finance posted of an actual comes back without its date.

    Returns:
        Column names in the map's order; none where rows belong to no period.
    """
    if system is System.FINANCE:
        return table_map.period
    paired = (_dataverse_column(table_map, name) for name in table_map.period)
    return tuple(path for path in paired if path is not None)


def _dataverse_column(table_map: TableMap, finance: str) -> str | None:
    """The Dataverse column that the key, or a field rule of either leg, pairs with a Finance field."""
    pairs = [(part.finance, part.dataverse) for part in table_map.key]
    for direction, leg in table_map.legs.items():
        forth = direction.target is System.FINANCE
        pairs += [
            (rule.target, rule.source) if forth else (rule.source, rule.target)
            for rule in leg.fields
            if rule.source is not None
        ]
    return next((column for field, column in pairs if field == finance), None)


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


def lookup_tables(table: Table, lookup: str, rests: Iterable[str]) -> Sequence[Table]:
    """The tables that a lookup may lead to and that have the columns named, the usual one first.

    Args:
        table: Dataverse table that holds the lookup.
        lookup: Lookup column, or text column that holds GUIDs.
        rests: What paths say behind it: `accountnumber`, `msdyn_company.cdm_companycode`.
    """
    names = {path.partition(".")[0] for path in rests}
    tables = catalog.dataverse_tables()
    known = [tables[name] for name in table.columns[lookup].targets if name in tables]
    return [each for each in known if names <= set(each.columns)]


def reference_key(parent: Table, rests: Collection[str]) -> Sequence[str]:
    """The alternate key by which a row is found that is referred to: what the paths give, and a company.

    Where the key is striped by company and no path gives one, the company of the row that refers is meant.
    """
    given = {path.partition(".")[0] for path in rests}
    for key in parent.keys:
        others = [column for column in key if column not in given]
        if given <= set(key) and all(COMPANY_TABLE in parent.columns[column].targets for column in others):
            return key
    return tuple(given)
