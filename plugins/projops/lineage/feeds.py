"""Which areas feed which: whose writes are worth a look of another area's DAG.

An area is fed by a table that another area's leg writes, where a leg of its own reads it, or where its rows
wait for rows of that table (`needs`, and the actuals of a billing gate). An area's own writes come back to it
as echoes and wake nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from projops.mapping.catalog import Table
from projops.mapping.model import TableMap, WriteMode
from projops.mapping.paths import table_of


def feeding_tables(area: str, maps: Mapping[str, TableMap]) -> tuple[Table, ...]:
    """Give the tables by which other areas feed an area, sorted by system and name.

    Args:
        area: The area that is fed.
        maps: All maps by id; those that are off feed nobody.
    """
    enabled = {name: each for name, each in maps.items() if each.enabled}
    written = {
        _name(table): table
        for each in enabled.values()
        if each.area != area
        for table in (table_of(each, direction.target) for direction in each.legs)
    }
    wanted = {
        _name(table)
        for each in enabled.values()
        if each.area == area
        for table in (*_read(each), *_awaited(each, enabled))
    }
    return tuple(written[name] for name in sorted(wanted & written.keys()))


def _read(table_map: TableMap) -> Iterator[Table]:
    for direction in table_map.legs:
        yield table_of(table_map, direction.source)


def _awaited(table_map: TableMap, known: Mapping[str, TableMap]) -> Iterator[Table]:
    """The tables in which rows appear that rows of the map wait for."""
    gate = table_map.gate.waits_for if table_map.gate is not None else ()
    for need in (*table_map.needs, *gate):
        if need in known:
            for direction, leg in known[need].legs.items():
                if leg.write is not WriteMode.UPDATE_ONLY:  # which makes no row appear
                    yield table_of(known[need], direction.target)


def _name(table: Table) -> tuple[str, str]:
    return table.system, table.name
