"""The demo firm through every map: no row of it may be set aside."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from projops.mapping import catalog
from projops.mapping.catalog import Table
from projops.mapping.conditions import matches
from projops.mapping.expressions import parse
from projops.mapping.model import Direction, System
from projops.mapping.paths import source_column, source_columns, table_of
from projops.mapping.reader import load_maps
from projops.transform.rows import transform_table
from projops.validate.implied import expectations_of
from projops.validate.rows import validate_table
from projops.validate.written import read_expectations
from sandbox.data.demo import dataverse_rows, finance_rows
from tests.golden.frames import source_frame

ROOT = Path(__file__).parents[2]
LOADED = load_maps(ROOT / "include" / "mappings")
LEGS = [(name, direction) for name, table_map in LOADED.maps.items() for direction in table_map.legs]
NEVER = "1900-01-01"
# The other areas move what people and jobs make of the demo, or what it holds of them.
SEEDED = ("reference_data", "setup_and_configuration")
NOT_SEEDED = {
    ("vendors", Direction.DATAVERSE_TO_FINANCE),
    ("bookable_resources", Direction.DATAVERSE_TO_FINANCE),
    ("milestone_headers", Direction.DATAVERSE_TO_FINANCE),
}


@lru_cache(maxsize=1)
def firm() -> Mapping[str, list[dict[str, Any]]]:
    return {**finance_rows(), **dataverse_rows()}


@lru_cache(maxsize=64)
def by_id(table: str) -> Mapping[str, dict[str, Any]]:
    rows = firm().get(table, [])
    return {row[str(catalog.dataverse_tables()[table].primary_id)]: row for row in rows}


def follow(table: Table, row: Mapping[str, Any], path: str) -> Any:
    """The value at the end of a lookup path; every lookup of the demo must resolve."""
    name, _, rest = path.partition(".")
    value = row.get(name)
    if not rest or value is None:
        return value
    parents = [target for target in table.columns[name].targets if value in by_id(target)]
    assert parents, f"{table.name}.{name} leads nowhere"
    return follow(catalog.dataverse_tables()[parents[0]], by_id(parents[0])[value], rest)


def plain(value: Any, *, day: bool) -> Any:
    if isinstance(value, datetime):
        text = value.date().isoformat() if day else value.isoformat()
        return None if text.startswith(NEVER) else text
    if day and value is not None:
        return None if str(value) == NEVER else str(value)
    return value if value != "" else None


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_no_row_of_the_demo_is_set_aside(map_id: str, direction: Direction) -> None:
    table_map = LOADED.maps[map_id]
    leg = table_map.legs[direction]
    source = table_of(table_map, direction.source)
    days = {path: source_column(table_map, leg, path).is_day for path in source_columns(table_map, leg)}
    rows = [
        {path: plain(follow(source, row, path), day=day) for path, day in days.items()}
        | ({"_id": row[str(source.primary_id)]} if direction.source is System.DATAVERSE else {})
        for row in firm().get(source.name, [])
    ]
    frame = source_frame(table_map, leg, rows)
    if leg.extract.where is not None:
        frame = frame.filter(matches(parse(leg.extract.where), frame))
    written = read_expectations(ROOT / "include" / "expectations", table_map, leg)
    rules = expectations_of(table_map, leg, LOADED.value_maps, written)
    validated = validate_table(table_map, leg, frame, rules)
    good, refused = transform_table(
        table_map, leg, validated.good, LOADED.value_maps, LOADED.companies, LOADED.maps
    )
    assert validated.rejects.to_pylist() == []
    assert refused.to_pylist() == []
    assert good.num_rows == frame.num_rows
    assert frame.num_rows > 0 or table_map.area not in SEEDED or (map_id, direction) in NOT_SEEDED
