from datetime import UTC, datetime, timedelta

import pytest

from projops.due import SHORTEST_INTERVAL, rested, with_children
from projops.run import LegRef
from projops.state.batches import LegState

NOW = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("committed_ago", "interval", "expected"),
    [
        (timedelta(minutes=4, seconds=30), SHORTEST_INTERVAL, True),  # each run of a five-minute schedule
        (timedelta(minutes=3), SHORTEST_INTERVAL, False),
        (timedelta(minutes=9, seconds=30), timedelta(minutes=20), False),
        (timedelta(minutes=19, seconds=30), timedelta(minutes=20), True),
    ],
)
def test_a_leg_rests_between_looks(committed_ago: timedelta, interval: timedelta, expected: bool) -> None:
    assert rested(LegState(committed_at=NOW - committed_ago), interval, NOW) is expected


def test_a_leg_that_never_ran_has_rested() -> None:
    assert rested(LegState(), SHORTEST_INTERVAL, NOW)


FORTH = "dataverse_to_finance"
LEGS = [LegRef(name, FORTH) for name in ("contracts", "projects", "tasks", "milestones", "roles")]


def chosen(due: list[str], waits: dict[str, set[str]]) -> list[str]:
    awaited = {(name, FORTH): maps for name, maps in waits.items()}
    return [ref.map for ref in with_children([LegRef(name, FORTH) for name in due], LEGS, awaited)]


def test_parked_rows_go_in_the_run_that_moves_what_they_wait_for_and_so_do_theirs() -> None:
    waits = {"tasks": {"projects"}, "milestones": {"tasks"}, "roles": {"companies"}}
    assert chosen(["projects"], waits) == ["projects", "tasks", "milestones"]


def test_parked_rows_whose_parents_rest_do_not_run() -> None:
    assert chosen(["contracts"], {"tasks": {"projects"}}) == ["contracts"]
    assert chosen([], {"tasks": {"projects"}}) == []


def test_a_leg_that_is_due_itself_runs_once_and_in_its_place() -> None:
    assert chosen(["tasks", "projects"], {"tasks": {"projects"}}) == ["projects", "tasks"]
