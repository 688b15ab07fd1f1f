"""A pause loses nothing, however long and much; and afterwards only what changed is written."""

import pytest

from projops import pausing, pipeline
from projops.errors import MapPausedError
from projops.run import RunRequest
from projops.standing import standings
from projops.state import StateStore
from tests.e2e.engine import rows
from tests.e2e.engine.world import World, named

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
ROLES = "bookableresourcecategories"
ROLES_LEG = "resource_roles__dataverse_to_finance"
DAYS = 30 * 86_400


def pause(world: World, *maps: str) -> None:
    with world.engine() as engine:
        pausing.pause(engine, maps, None, "anna", "A test")


def resume(world: World, *maps: str) -> None:
    with world.engine() as engine:
        pausing.resume(engine, maps, None, "anna")


def by_schedule(world: World, area: str) -> set[str]:
    """Give the legs that a scheduled run of an area would move."""
    with world.engine() as engine:
        return {str(leg) for leg in pipeline.detect(engine, area, RunRequest("schedule", "now"))}


def test_after_thirty_days_an_expired_token_is_healed_by_a_read_that_moves_differences_only(
    world: World,
) -> None:
    world.sync("resource_roles")
    pause(world, "resource_roles")
    known = world.dataverse_rows(ROLES)
    assert len(known) > 5
    for place, row in enumerate(known[:2]):
        world.change(ROLES, row["bookableresourcecategoryid"], name=f"Meanwhile {place}")
    number = rows.fresh("ROLE")
    rows.role(world, number)
    with pytest.raises(MapPausedError, match="Map resource_roles is paused by anna"):
        world.sync("resource_roles")
    world.control.put("/sandbox/clock", json={"advance_seconds": DAYS}).raise_for_status()
    try:
        assert ROLES_LEG not in by_schedule(world, "setup_and_configuration")
        resume(world, "resource_roles")
        assert ROLES_LEG in by_schedule(world, "setup_and_configuration")
        world.forget_requests()
        outcome = world.sync("resource_roles")[ROLES_LEG]
    finally:
        world.control.delete("/sandbox/clock").raise_for_status()
    assert (outcome.read, outcome.loaded) == (len(known) + 1, 3)
    assert sorted((each["entity"], each["status"]) for each in world.writes()) == [
        ("ResourceCategoriesShared", 201),
        ("ResourceCategoriesShared", 204),
        ("ResourceCategoriesShared", 204),
    ]


def test_children_of_a_paused_map_wait_and_go_with_it(world: World) -> None:
    pause(world, "customers")
    order = rows.fresh("ORD")
    customer = rows.account(world, rows.fresh("C"))
    rows.contract(world, order, customer)
    assert named(world.forth("contract_headers"), "parked") == {"contract_headers__dataverse_to_finance": 1}
    resume(world, "customers")
    outcomes = world.forth("customers", "contract_headers")
    assert named(outcomes, "loaded") == {
        "customers__dataverse_to_finance": 1,
        "contract_headers__dataverse_to_finance": 1,
    }
    assert len(world.finance_rows("ProjectContractHeaders", f"ProjectContractId eq '{order}'")) == 1


def test_an_export_is_due_at_once_after_its_map_was_resumed(world: World) -> None:
    world.sync("workers")
    assert "workers__finance_to_dataverse" not in by_schedule(world, "reference_data")
    pause(world, "workers")
    number = rows.fresh("W")
    rows.worker(world, number)
    resume(world, "workers")
    assert "workers__finance_to_dataverse" in by_schedule(world, "reference_data")
    world.forget_requests()
    assert named(world.sync("workers"), "loaded") == {"workers__finance_to_dataverse": 1}
    assert len(world.writes()) == 1
    assert "workers__finance_to_dataverse" not in by_schedule(world, "reference_data")


def test_what_was_extracted_before_a_pause_is_read_again_after_it(world: World) -> None:
    number = rows.fresh("ROLE")
    role = rows.role(world, number)
    with world.batch("resource_roles", "dataverse_to_finance") as stages:
        staged = stages.staged()
        pausing.pause(stages.engine, ["resource_roles"], None, "anna", "A test")
        with pytest.raises(MapPausedError):
            stages.load(staged)
        world.change(ROLES, role, name="Meanwhile")
        pausing.resume(stages.engine, ["resource_roles"], None, "anna")
    assert named(world.sync("resource_roles"), "loaded") == {ROLES_LEG: 1}
    found = rows.role_at_finance(world, number)
    assert found is not None
    assert found["Description"] == "Meanwhile"


def test_a_stop_ends_a_load_at_its_next_chunk_and_the_rest_comes_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = world.with_settings(chunk_rows=1)
    numbers = [rows.fresh("ROLE") for _ in range(3)]
    for number in numbers:
        rows.role(world, number)
    with small.batch("resource_roles", "dataverse_to_finance") as stages:
        staged = stages.staged()
        let_go = pausing.refuse_stopped

        def stop_after_the_first(state: StateStore, map_id: str) -> None:
            let_go(state, map_id)
            pausing.pause(stages.engine, [map_id], None, "anna", "Nonsense", at_once=True)

        with monkeypatch.context() as patch:
            patch.setattr("projops.load.stage.refuse_stopped", stop_after_the_first)
            with pytest.raises(MapPausedError, match="ended with its last chunk"):
                stages.load(staged)
        there = [rows.role_at_finance(world, number) is not None for number in numbers]
        assert there.count(True) == 1
        pausing.resume(stages.engine, ["resource_roles"], None, "anna")
    assert named(world.sync("resource_roles"), "loaded") == {ROLES_LEG: 2}
    assert all(rows.role_at_finance(world, number) for number in numbers)


def test_what_a_look_at_the_source_has_seen_is_backlog_until_it_was_read(world: World) -> None:
    def backlog() -> int:
        with world.engine() as engine:
            [leg] = [each for each in standings(engine) if f"{each.map}__{each.leg}" == ROLES_LEG]
        return leg.facts.unread

    world.sync("resource_roles")
    by_schedule(world, "setup_and_configuration")
    before = backlog()  # what we wrote ourselves may come back
    for _ in range(3):
        rows.role(world, rows.fresh("ROLE"))
    by_schedule(world, "setup_and_configuration")
    assert backlog() == before + 3
    world.sync("resource_roles")
    assert backlog() == 0
