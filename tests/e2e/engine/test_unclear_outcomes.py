"""Writes whose answer does not say what became of them: read back by key, and done exactly once.

The write log of the sandbox is the witness: what took effect is in it, whatever we were told.
"""

from collections import Counter
from typing import Any

import pytest

from tests.e2e.engine import rows
from tests.e2e.engine.world import World

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")

ROLES = ("resource_roles", "dataverse_to_finance")
WORKERS = ("workers", "finance_to_dataverse")
# The first batch of a load reads by key, the second one writes.
AFTER_THE_READ = {"system": "finance", "entity": "$batch", "count": 1, "delay_seconds": 0}


def unclear(fault: dict[str, Any]) -> dict[str, Any]:
    return {"system": "finance", "entity": "$batch", "count": 1, **fault}


def done(world: World, system: str) -> Counter[tuple[str, int]]:
    """Count what took effect by verb and status."""
    return Counter((each["verb"], each["status"]) for each in world.writes() if each["system"] == system)


@pytest.mark.parametrize(
    "fault", [{"drop": "during"}, {"truncate": True}, {"partial": 2}, {"garbage": True}], ids=str
)
def test_a_create_in_finance_is_done_once(world: World, fault: dict[str, Any]) -> None:
    numbers = [rows.fresh("ROLE") for _ in range(4)]
    for number in numbers:
        rows.role(world, number)
    with world.batch(*ROLES) as stages:
        staged = stages.staged()
        world.forget_requests()
        world.faults(AFTER_THE_READ, unclear(fault))
        outcome = stages.load(staged)
    assert (outcome.loaded + outcome.unchanged, outcome.failed) == (4, 0)
    assert done(world, "finance")["POST", 201] == 4
    assert all(rows.role_at_finance(world, number) for number in numbers)
    assert world.letters("resource_roles") == []
    assert world.sql("select * from in_flight") == []


@pytest.mark.parametrize("fault", [{"drop": "during"}, {"partial": 2}, {"garbage": True}], ids=str)
def test_an_update_in_finance_holds_the_new_value(world: World, fault: dict[str, Any]) -> None:
    """A one-way map writes what the crosswalk knows without reading it first: its first batch writes."""
    made = {number: rows.role(world, number) for number in (rows.fresh("ROLE") for _ in range(4))}
    world.forth("resource_roles")
    for guid in made.values():
        world.change("bookableresourcecategories", guid, name="After")
    with world.batch(*ROLES) as stages:
        staged = stages.staged()
        world.forget_requests()
        world.faults(unclear(fault))
        outcome = stages.load(staged)
    assert (outcome.loaded + outcome.unchanged, outcome.failed) == (4, 0)
    found = [rows.role_at_finance(world, number) for number in made]
    assert [row and row["Description"] for row in found] == ["After"] * 4
    assert set(done(world, "finance")) <= {("PATCH", 204)}


@pytest.mark.parametrize("fault", [{"drop": "during"}, {"garbage": True}, {"status": 504}], ids=str)
def test_a_bulk_message_to_dataverse_makes_each_row_once(world: World, fault: dict[str, Any]) -> None:
    numbers = [rows.fresh("W") for _ in range(3)]
    for number in numbers:
        rows.worker(world, number)
    with world.batch(*WORKERS) as stages:
        staged = stages.staged()
        rule = {"system": "dataverse", "entity": "cdm_workers", "verb": "UpsertMultiple", "count": 1}
        world.faults({**rule, **fault})
        outcome = stages.load(staged)
    assert (outcome.loaded + outcome.unchanged, outcome.failed) == (3, 0)
    for number in numbers:
        assert len(world.dataverse_rows("cdm_workers", f"cdm_workernumber eq '{number}'")) == 1


def test_the_single_requests_that_a_refused_bulk_message_falls_back_to_make_each_row_once(
    world: World,
) -> None:
    numbers = [rows.fresh("W") for _ in range(3)]
    for number in numbers:
        rows.worker(world, number)
    with world.batch(*WORKERS) as stages:
        staged = stages.staged()
        bulk = {"system": "dataverse", "entity": "cdm_workers", "verb": "UpsertMultiple", "count": 1}
        single = {"system": "dataverse", "entity": "$batch", "count": 1}
        world.faults({**bulk, "status": 400}, {**single, "drop": "after"})
        outcome = stages.load(staged)
    assert (outcome.loaded + outcome.unchanged, outcome.failed) == (3, 0)
    for number in numbers:
        assert len(world.dataverse_rows("cdm_workers", f"cdm_workernumber eq '{number}'")) == 1
