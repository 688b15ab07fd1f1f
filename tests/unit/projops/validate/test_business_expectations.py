"""Every expectation of `include/expectations`: a row that keeps it and a row that breaks it."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pytest
import yaml

from projops.mapping.model import Direction
from projops.validate.rows import validate_table
from projops.validate.written import lint_expectations, read_expectations
from tests.golden.frames import read_json, source_frame
from tests.unit.projops.validate.examples import EXAMPLES, Example
from tests.unit.projops.validate.test_rows import LOADED, ROOT

FOLDER = ROOT / "include" / "expectations"
LEGS = {(name, direction.value) for name, table_map in LOADED.maps.items() for direction in table_map.legs}


@dataclass(frozen=True)
class Written:
    """An expectation as its file says it, read without the engine."""

    map: str
    leg: str
    rule: str
    columns: str
    warning: bool


def columns_of(entry: dict[str, Any]) -> str:
    names = [
        name for each in entry["columns"].values() for name in (each if isinstance(each, list) else [each])
    ]
    return ", ".join(names)


@lru_cache(maxsize=1)
def written() -> list[Written]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["expectations"]:
            warning = entry.get("severity") == "warning"
            found.append(Written(path.stem, entry["leg"], entry["rule"], columns_of(entry), warning))
    return found


def test_every_leg_has_business_expectations_that_are_written_well() -> None:
    assert {(each.map, each.leg) for each in written()} == LEGS
    assert lint_expectations(FOLDER, LOADED.maps) == ()


def test_every_expectation_has_an_example() -> None:
    assert Counter((each.map, each.leg, each.rule, each.columns) for each in written()) == Counter(
        example[:4] for example in EXAMPLES
    )


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_messages_say_what_is_wrong_and_what_to_do(path: Any) -> None:
    for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["expectations"]:
        what, separator, remedy = entry["message"].partition("; ")
        assert what and separator and remedy.endswith("."), entry["message"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: f"{each[0]}-{each[2]}-{each[3]}")
def test_a_row_breaks_it_and_another_does_not(example: Example) -> None:
    map_id, leg, rule, columns, good, bad = example
    table_map, direction = LOADED.maps[map_id], Direction(leg)
    row = read_json(ROOT / "tests" / "golden" / map_id / leg / "source.json")[0]
    rows = [{**row, **values, "_id": name, "_key": name} for name, values in (("good", good), ("bad", bad))]
    frame = source_frame(table_map, table_map.legs[direction], rows)
    rules = read_expectations(FOLDER, table_map, table_map.legs[direction])
    mine = [each for each in rules if (each.rule, each.field) == (rule, columns)]
    validated = validate_table(table_map, table_map.legs[direction], frame, mine)
    counts = validated.counts[: len(mine)]
    assert sum(count.broken for count in counts) == 1
    assert all(count.rows == 2 for count in counts), "the condition leaves out a row"
    assert validated.rejects["_id"].to_pylist() == ([] if is_warning(example) else ["bad"])


def is_warning(example: Example) -> bool:
    (found,) = {
        each.warning for each in written() if (each.map, each.leg, each.rule, each.columns) == example[:4]
    }
    return found
