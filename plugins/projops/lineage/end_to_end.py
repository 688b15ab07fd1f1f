"""Which columns of the target a leg makes of which columns of the source's tables: end to end.

A dotted target path, `transactioncurrencyid.isocurrencycode`, writes its lookup. Its value finds the row that
the lookup then names, by an alternate key of that row's table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from projops.lineage.columns import (
    COPIED,
    KEY,
    ColumnLineage,
    Input,
    Subtype,
    Transformation,
    extracted,
    filters,
    joined,
    through,
    transformed,
    unique,
)
from projops.mapping.catalog import ColumnType, Table
from projops.mapping.model import Leg, System, TableMap, WriteMode
from projops.mapping.paths import (
    COMPANY_CODE,
    company_path,
    key_path,
    key_paths,
    lookup_tables,
    reference_key,
    table_of,
)


def end_to_end(table_map: TableMap, leg: Leg) -> ColumnLineage:
    """The columns of the target that a leg writes, from the tables of its source.

    Where a leg only updates, its key is not written, but finds the row.
    """
    read = extracted(table_map, leg).fields
    keys = key_paths(table_map, leg.direction.target)
    only_finds = set(keys) if leg.write is WriteMode.UPDATE_ONLY else set()
    made = transformed(table_map, leg).fields
    lookups = _lookups(path for path in made if path not in only_finds)
    columns: dict[str, list[Input]] = {}
    for path in (path for path in made if path not in only_finds):
        column = path.partition(".")[0]
        written = _written(table_map, leg, path, lookups.get(column, []))
        ways = ((each.column, each.how.then(written)) for each in made[path])
        columns.setdefault(column, []).extend(through(read, ways))
    for lookup, rests in lookups.items():
        table = table_of(table_map, System.DATAVERSE)
        columns[lookup] += _found_by(table_map, leg, table, lookup, rests, read)
    finds = [(each.column, joined(KEY)) for path in keys if path in only_finds for each in made[path]]
    decides = through(read, [*filters(table_map, leg), *finds])
    return ColumnLineage({column: unique(inputs) for column, inputs in columns.items()}, unique(decides))


def _lookups(paths: Iterable[str]) -> dict[str, list[str]]:
    """What dotted target paths say behind each lookup."""
    found: dict[str, list[str]] = {}
    for lookup, dot, rest in (path.partition(".") for path in paths):
        if dot:
            found.setdefault(lookup, []).append(rest)
    return found


def _written(table_map: TableMap, leg: Leg, path: str, rests: Sequence[str]) -> Transformation:
    """What happens to a target path's value when it is written."""
    lookup, dot, rest = path.partition(".")
    if not dot:
        return COPIED
    parent = lookup_tables(table_of(table_map, leg.direction.target), lookup, rests)[0]
    return Transformation(Subtype.TRANSFORMATION, f"finds the row of {parent.name} by {rest}")


def _found_by(
    table_map: TableMap,
    leg: Leg,
    table: Table,
    lookup: str,
    rests: Sequence[str],
    read: Mapping[str, tuple[Input, ...]],
) -> Iterator[Input]:
    """The key columns by which a written lookup's row is found; the row's own company may be one."""
    parent = lookup_tables(table, lookup, rests)[0]
    for column in reference_key(parent, rests):
        yield Input(column, joined(f"key of {parent.name}"), parent)
        if parent.columns[column].type is not ColumnType.LOOKUP:
            continue
        nested = [rest.partition(".")[2] for rest in rests if rest.startswith(f"{column}.")]
        if not nested:
            yield from _own_company(table_map, leg, parent, read)
        yield from _found_by(table_map, leg, parent, column, nested or [COMPANY_CODE], read)


def _own_company(
    table_map: TableMap, leg: Leg, parent: Table, read: Mapping[str, tuple[Input, ...]]
) -> list[Input]:
    own = company_path(table_map, leg.direction.target)
    paths = [
        key_path(part, leg.direction.source)
        for part in table_map.key
        if key_path(part, leg.direction.target) == own
    ]
    return through(read, ((path, joined(f"own company, in the key of {parent.name}")) for path in paths))
