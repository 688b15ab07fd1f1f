"""A plan says what a run then does, and leaves no trace in either system or in the state."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from projops import pausing
from projops.due import Why
from projops.load.decide import Kind
from projops.plan import LegPlan, plan
from projops.run import LegOutcome, LegRef
from projops.settings import PROJECT_ROOT
from projops.state.meanings import Difference
from projops.state.tables import metadata
from tests.e2e.engine import rows
from tests.e2e.engine.truth import legs
from tests.e2e.engine.world import World

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
ROLES = LegRef("resource_roles", FORTH)
# How many requests were sent is counted whatever they were for.
METERS = ("request_count", "throttle", "throttle_use", "throttle_holder")
# What a plan finds out does not depend on the database; that the state is copied from either one does.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
State = dict[str, list[tuple[Any, ...]]]


def state_of(world: World) -> State:
    """Give all rows of the state."""
    with world.engine() as engine, engine.state.begin() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name not in METERS
        }


def planned(world: World, ref: LegRef, **asked: Any) -> LegPlan:
    with world.engine() as engine:
        return plan(engine, ref, **asked)


def moved(before: State, after: State) -> set[tuple[str, str]]:
    """Give map and key of the pairs that came, went, or have another payload in step."""
    was, now = ({(row[0], row[1]): row[2:5] for row in state["crosswalk"]} for state in (before, after))
    return {place for place in was.keys() | now.keys() if was.get(place) != now.get(place)}


@ON_SQLITE
def test_a_plan_says_what_a_run_then_does_and_writes_nothing(world: World) -> None:
    plant(world)
    before = state_of(world)
    world.forget_requests()
    plans = {str(LegRef(*leg)): planned(world, LegRef(*leg), shown=1000) for leg in legs()}
    assert world.writes() == []
    assert world.requests("finance", "POST", "DataManagementDefinitionGroups") == 0
    assert state_of(world) == before

    outcomes = world.sync()
    for leg, each in plans.items():
        outcome = outcomes.get(leg, LegOutcome(0, each.leg.map, each.leg.leg))
        assert facts(each) == counted(outcome), leg
        if (each.leg.map, BACK) not in legs():
            assert (each.counts.read, each.counts.unchanged) == (outcome.read, outcome.unchanged), leg
    both_ways = {map_id for map_id, leg in legs() if (map_id, FORTH) in legs() and leg == BACK}
    keys = {(each.leg.map, row.key) for each in plans.values() for row in each.rows}
    pairs = moved(before, state_of(world))
    assert keys <= pairs
    assert {place[0] for place in pairs - keys} <= both_ways  # a leg notes the echoes of the other
    assert {leg: each.conflicts for leg, each in plans.items() if each.conflicts} != {}


def plant(world: World) -> None:
    """Changes of every kind: here, there and on both sides, deletes, parents that lack, rows that are bad."""
    known = world.dataverse_rows("bookableresourcecategories")[0]
    world.change("bookableresourcecategories", known["bookableresourcecategoryid"], name="Planned")
    rows.role(world, rows.fresh("ROLE"))
    world.patch("UnitsOfMeasure", {"UnitSymbol": "ea"}, UnitDescription="Planned")
    rows.worker(world, rows.fresh("W"))
    source = world.dataverse_rows("msdyn_projectcontractsplitbillingrules")[0]
    world.delete("msdyn_projectcontractsplitbillingrules", source["msdyn_projectcontractsplitbillingruleid"])
    project = world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[0]
    world.change("msdyn_projects", project["msdyn_projectid"], msdyn_scheduledend="2001-01-01T00:00:00Z")
    prospect = rows.account(world, rows.fresh("C"), customertypecode=8)
    rows.contract(world, rows.fresh("ORD"), prospect)
    here, there = world.dataverse_rows("accounts", "customertypecode eq 3")[:2]
    world.change("accounts", here["accountid"], name="Planned here")
    world.change("accounts", there["accountid"], name="Contested here")
    [customer] = world.finance_rows("CustomersV3", f"CustomerAccount eq '{there['accountnumber']}'")
    key = {"dataAreaId": customer["dataAreaId"], "CustomerAccount": customer["CustomerAccount"]}
    world.patch("CustomersV3", key, OrganizationName="Contested there")
    circle = [rows.fresh("D") for _ in range(3)]
    ids = [rows.account(world, number) for number in circle]
    for mine, pays in zip(ids, [*ids[1:], ids[0]], strict=True):
        bill = {"msdyn_billingaccount@odata.bind": rows.bound("accounts", pays)}
        world.change("accounts", mine, **bill)
    chain = [rows.fresh("F") for _ in range(3)]
    for number in chain:
        rows.customer(world, number)
    for number, pays in zip(chain, [*chain[1:], chain[1]], strict=True):  # the last two bill each other
        world.patch("CustomersV3", rows.customer_key(number), InvoiceAccount=pays)


def facts(each: LegPlan) -> tuple[int, int, int, int]:
    return sum(each.actions.values()), each.counts.parked, each.counts.rejected, each.counts.failed


def counted(outcome: LegOutcome) -> tuple[int, int, int, int]:
    return outcome.loaded, outcome.parked, outcome.rejected, outcome.failed


def test_a_plan_shows_old_and_new_values(world: World) -> None:
    number = rows.fresh("ROLE")
    role = rows.role(world, number, name="Before")
    world.sync("resource_roles")
    world.change("bookableresourcecategories", role, name="After")
    each = planned(world, ROLES)
    [row] = each.rows
    assert (each.why, row.action) == (Why.CHANGES, Kind.UPDATE)
    assert {name: (it.old, it.new) for name, it in row.columns.items()} == {
        "Description": ("Before", "After")
    }
    assert planned(world, ROLES, shown=0).rows == ()
    world.sync("resource_roles")
    assert planned(world, ROLES).why is None


@ON_SQLITE
def test_a_plan_of_a_paused_map_says_what_comes_when_it_is_resumed(world: World) -> None:
    rows.role(world, rows.fresh("ROLE"))
    with world.engine() as engine:
        pausing.pause(engine, ["resource_roles"], None, "anna", "A test")
        each = plan(engine, ROLES)
        pausing.resume(engine, ["resource_roles"], None, "anna")
    assert each.pause is not None
    assert each.actions == {Kind.CREATE: 1}
    assert world.sync("resource_roles")["resource_roles__dataverse_to_finance"].loaded == 1


@ON_SQLITE
def test_after_a_change_of_the_mapping_a_plan_says_what_must_be_sent_again_and_a_run_sends_it(
    world: World, tmp_path: Path
) -> None:
    world.sync("resource_roles")
    shutil.copytree(PROJECT_ROOT / "include" / "mappings", tmp_path / "mappings")
    file = tmp_path / "mappings" / "setup_and_configuration" / "resource_roles.yaml"
    text = file.read_text(encoding="utf-8").replace(
        "{from: name, required: true}", "{from: name, truncate: 4}"
    )
    file.write_text(text.replace("1.0.0.1", "1.0.0.2"), encoding="utf-8")
    changed = world.with_settings(mappings=tmp_path / "mappings")
    each = planned(changed, ROLES)
    assert (each.why, each.version_before, each.version) == (Why.MAPPING, "1.0.0.1", "1.0.0.2")
    assert each.difference == Difference(changed=("Description",))
    assert set(each.columns) == {"Description"}
    outcome = changed.sync("resource_roles")["resource_roles__dataverse_to_finance"]
    assert sum(each.actions.values()) == outcome.loaded > 5
