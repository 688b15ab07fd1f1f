"""Every leg of every map: rows that go in, and what must come out of validate and transform."""

from pathlib import Path

import pytest

from projops.mapping.model import Direction
from projops.mapping.reader import load_maps
from tests.golden.frames import moved, read_json, write_json

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent
LOADED = load_maps(ROOT / "include" / "mappings")
LEGS = [(name, direction) for name, table_map in LOADED.maps.items() for direction in table_map.legs]


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_leg_gives_what_was_reviewed(
    map_id: str, direction: Direction, request: pytest.FixtureRequest
) -> None:
    folder = GOLDEN / map_id / direction
    table_map = LOADED.maps[map_id]
    rows = read_json(folder / "source.json")
    result = moved(LOADED, table_map, table_map.legs[direction], rows, ROOT / "include" / "expectations")
    if request.config.getoption("--refresh-golden", default=False):
        write_json(folder / "expected.json", result)
    assert result == read_json(folder / "expected.json")


def test_no_golden_folder_is_left_over() -> None:
    folders = {(path.parent.parent.name, path.parent.name) for path in GOLDEN.glob("*/*/source.json")}
    assert folders == {(map_id, str(direction)) for map_id, direction in LEGS}


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_golden_rows_cover_every_field(map_id: str, direction: Direction) -> None:
    """A field row that no golden row fills is not tested by any; a constant may be 0."""
    rows = read_json(GOLDEN / map_id / direction / "expected.json")["rows"]
    rules = LOADED.maps[map_id].legs[direction].fields
    fields = {rule.target for rule in rules if [step.operator for step in rule.steps] != ["constant"]}
    filled = {name for row in rows for name, value in row.items() if value not in (None, "0")}
    assert fields <= filled
