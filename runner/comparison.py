"""Both systems compared row for row by what the maps say, read over plain HTTP.

A second pair of eyes: it shares the mapping files and the schemas with the engine, but neither its
crosswalk nor its reading, mapping and writing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from projops.mapping import catalog
from projops.mapping.catalog import Column
from projops.mapping.model import Direction, TableMap
from projops.mapping.reader import LoadedMaps, load_maps
from runner.expected import Key, Side, belongs, expected_value, text_of
from runner.rows import Rows, is_empty
from runner.wire import Row, Wire


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the target does not hold as the map says.

    Attributes:
        map: Map id.
        leg: Direction.
        key: Integration key.
        field: Target field, or "" where the whole row is missing or too many.
        expected: What the map makes of the source row.
        found: What the target holds.
    """

    map: str
    leg: str
    key: Key
    field: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        where = f"{self.map} {self.leg} {' / '.join(map(str, self.key))}"
        return f"{where}: {self.field or 'row'} is {self.found!r} and should be {self.expected!r}"


def compare(mappings: Path, areas: tuple[str, ...], wire: Wire) -> list[Difference]:
    """Compare both systems by all maps of some areas.

    Args:
        mappings: Folder of the mapping files.
        areas: Areas to compare.
        wire: Signed-in clients of both systems.

    Returns:
        All differences; none means that every leg is in step.
    """
    loaded, rows = load_maps(mappings), Rows(wire)
    maps = [found for found in loaded.maps.values() if found.area in areas and found.enabled]
    return [difference for table_map in maps for difference in differences_of(table_map, rows, loaded)]


def differences_of(table_map: TableMap, rows: Rows, loaded: LoadedMaps) -> Iterator[Difference]:
    """Compare the legs of one map."""
    for direction in table_map.legs:
        yield from _leg(table_map, direction, rows, loaded)


def _leg(table_map: TableMap, direction: Direction, rows: Rows, loaded: LoadedMaps) -> Iterator[Difference]:
    source = Side(table_map, direction.source, rows, loaded)
    target = Side(table_map, direction.target, rows, loaded)
    found = {target.key(row): row for row in rows.of(target.table)}
    sources = {source.key(row): row for row in rows.of(source.table)}
    name = (table_map.map, direction.value)
    for key, row in sources.items():
        if belongs(source, direction, row):
            if key in found:
                yield from _fields(source, target, direction, (row, found[key]))
            else:
                yield Difference(*name, key, "", "there", "missing")
    if len(table_map.legs) == 1:
        for key in found.keys() - sources.keys():
            yield Difference(*name, key, "", "not there", "there")


def _fields(source: Side, target: Side, direction: Direction, pair: tuple[Row, Row]) -> Iterator[Difference]:
    source_row, target_row = pair
    for rule in source.table_map.legs[direction].fields:
        if rule.create_only:  # the target's own since the row was created
            continue
        expected = expected_value(source, direction, rule, source_row)
        cell = target.rows.cell(target.table, target_row, rule.target)
        found = cell.plain(target.zone(target_row))
        if not _equal(expected, found, cell.column, rule.target):
            name = (source.table_map.map, direction.value)
            yield Difference(*name, source.key(source_row), rule.target, expected, found)


def _equal(expected: Any, found: Any, column: Column, target: str) -> bool:
    if expected is None:
        return is_empty(found, column, _first_symbols())
    if isinstance(found, Decimal) and not isinstance(expected, Decimal):
        return text_of(found) == text_of(expected)
    if "." in target and isinstance(expected, str) and isinstance(found, str):
        return expected.casefold() == found.casefold()  # a lookup finds its row without regard to case
    return bool(expected == found)


def _first_symbols() -> Mapping[str, str]:
    return {name: symbols[0] for name, symbols in catalog.finance_enums().items()}
