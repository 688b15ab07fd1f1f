from collections.abc import Mapping
from typing import Any

from bench.latency import Edit, Target, moments, waits_of
from projops.mapping.model import Direction
from runner.changes import Change

PROJECTS = Change("projects", Direction.DATAVERSE_TO_FINANCE, "msdyn_description", "Latency")
ONE, OTHER = Target(PROJECTS, "msdyn_projects(1)"), Target(PROJECTS, "msdyn_projects(2)")


def write(number: int, second: int, system: str = "finance", rows: int = 1) -> Mapping[str, Any]:
    return {
        "system": system,
        "rows": rows,
        "values": {"Description": f"Latency {number:05}"},
        "ended": f"1970-01-01T00:00:{second:02}+00:00",
    }


def edits(*targets: Target) -> list[Edit]:
    return [Edit(number, target, 10.0) for number, target in enumerate(targets)]


def test_an_edit_has_waited_until_its_row_was_written_on_the_other_side_first() -> None:
    writes = [write(0, 10, "dataverse"), write(0, 12, rows=0), write(0, 14), write(0, 19), write(1, 13)]
    assert waits_of(edits(ONE, OTHER), writes) == [4.0, 3.0]


def test_an_edit_that_was_overtaken_has_arrived_with_the_later_one_of_its_row_alone() -> None:
    assert waits_of(edits(ONE, ONE, OTHER), [write(1, 15)]) == [5.0, 5.0, None]


def test_a_write_without_values_is_none_of_ours() -> None:
    assert waits_of(edits(ONE), [{**write(0, 15), "values": None}]) == [None]


def test_edits_are_due_at_random_and_now_and_then_at_once() -> None:
    due = moments(200, seed=1)
    gaps = [later - sooner for sooner, later in zip(due, due[1:], strict=False)]
    assert due == sorted(due) == moments(200, seed=1)
    assert 8 * 4 == gaps.count(0.0)
    assert 1.5 < sum(gaps) / sum(gap > 0 for gap in gaps) < 3.5
