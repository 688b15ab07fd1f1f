"""What a reconciliation says of rows that differ, and that a repair mends drift: by SQL and plain HTTP."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from projops.errors import ProjOpsError
from projops.pausing import pause, resume
from projops.reconcile.model import Scope
from projops.reconcile.reconciliation import begin, finish, reconcile_map
from projops.reconcile.repair.repairing import Repaired, repair
from sandbox.store.engine import open_engine
from tests.e2e.engine import rows
from tests.e2e.engine.conftest import FirstPass, NewDatabases
from tests.e2e.engine.world import Row, World, opened

MAPS = ("customers", "funding_sources", "project_tasks", "projects", "resource_roles", "units", "workers")
FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
SOURCES = "msdyn_projectcontractsplitbillingrules"
LONG_AGO = "2001-01-01T00:00:00Z"
# What these find does not depend on the database.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def sandbox_and_world(
    new_databases: NewDatabases, first_pass: FirstPass, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, sa.Engine]]:
    databases = new_databases(first_pass.databases)
    with opened(databases, tmp_path_factory.mktemp("reconciled")) as world:
        sandbox = open_engine(databases.sandbox)
        yield world, sandbox
        sandbox.dispose()


@pytest.fixture
def world(sandbox_and_world: tuple[World, sa.Engine]) -> World:
    return sandbox_and_world[0]


class Behind:
    """Somebody who changes rows where no change tracking looks: a restored backup, a script."""

    def __init__(self, sandbox: sa.Engine) -> None:
        self.sandbox = sandbox

    def does(self, statement: str, **values: Any) -> None:
        with self.sandbox.execution_options(writing=True).begin() as connection:
            assert connection.execute(sa.text(statement), values).rowcount == 1


@pytest.fixture
def behind(sandbox_and_world: tuple[World, sa.Engine]) -> Behind:
    return Behind(sandbox_and_world[1])


def reconciled(world: World, *maps: str) -> int:
    """Reconcile some maps; give the number."""
    scope = Scope(maps=maps or MAPS)
    with world.engine() as engine:
        number = begin(engine, "test", uuid.uuid4().hex, scope)
        for name in scope.maps or ():
            reconcile_map(engine, number, name, scope)
        finish(engine, number)
    return number


def found(world: World, number: int) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Give what the state keeps of a reconciliation's differences, by map, leg and first part of the key."""
    kept = world.sql("select * from difference where reconciliation = :n", n=number)
    return {(row["map"], row["leg"], json.loads(row["key"])[0]): row for row in kept}


def told(world: World, number: int) -> dict[tuple[str, str, str], tuple[str, str, str]]:
    """Give kind, verdict and cause of each difference."""
    return {place: (row["kind"], row["verdict"], row["cause"]) for place, row in found(world, number).items()}


def cells(row: dict[str, Any]) -> dict[str, tuple[str | None, str | None]]:
    return {each["column"]: (each["expected"], each["found"]) for each in json.loads(row["columns"])}


def numbers_of(world: World, number: int) -> Row:
    [row] = world.sql("select * from reconciliation where id = :n", n=number)
    return row


def repaired(world: World, number: int) -> Repaired:
    with world.engine() as engine:
        return repair(engine, number, "a test")


def described(world: World, role: str) -> Any:
    """What Finance holds as the description of a role."""
    return world.finance_row("ResourceCategoriesShared", f"RoleId eq '{role}'")["Description"]


def project_key(number: str) -> dict[str, str]:
    return {"dataAreaId": "uspm", "ProjectId": number}


def moved_project(world: World) -> tuple[str, str]:
    """A project that is in step; gives number and GUID."""
    number = rows.fresh("RCN")
    guid = rows.project(world, number)
    world.sync("projects")
    return number, guid


@ON_SQLITE
def test_both_sides_in_step_are_said_to_be(world: World) -> None:
    world.sync(*MAPS)  # our own writes, as they come back
    number = reconciled(world)
    assert found(world, number) == {}
    outcome = numbers_of(world, number)
    assert (outcome["status"], outcome["drift"], outcome["explained"]) == ("in_step", 0, 0)
    legs = world.sql("select * from reconciled_leg where reconciliation = :n", n=number)
    assert len(legs) == 8
    assert all(leg["expected_rows"] == leg["found_rows"] == leg["matched"] > 0 for leg in legs)
    assert outcome["matched"] == sum(leg["matched"] for leg in legs)


def test_what_somebody_did_at_the_target_is_drift_and_is_repaired(world: World, behind: Behind) -> None:
    edited, deleted = moved_project(world), moved_project(world)
    role = rows.fresh("RRL")
    rows.role(world, role)
    world.sync("resource_roles")
    unit = world.dataverse_rows("uoms")[0]
    account = rows.fresh("RCU")
    customer = rows.account(world, account)
    contract = rows.contract(world, rows.fresh("RCT"), customer)
    source = rows.fresh("RFS")
    gone = rows.funding_source(world, source, contract, customer)
    world.sync("customers", "contract_headers", "funding_sources")
    world.sync("customers")

    world.patch("ProjectsV2", project_key(edited[0]), ProjectName=f"{edited[0]} ")
    world.remove("ProjectsV2", project_key(deleted[0]))
    world.patch("ResourceCategoriesShared", {"RoleId": role}, Description="Made up")
    world.change("uoms", unit["uomid"], msdyn_description="Changed by hand")
    behind.does(f"delete from dataverse_{SOURCES[:-1]} where {SOURCES[:-1]}id = :id", id=gone)
    world.post("ResourceCategoriesShared", RoleId="NOBODYS", Description="Nobody's")
    # A change of one side that the other has not had yet is no drift.
    world.change("msdyn_projects", edited[1], msdyn_description="Pending")

    number = reconciled(world)
    assert told(world, number) == {
        ("projects", FORTH, edited[0].lower()): ("changed", "pending", "changed_at_source"),
        ("projects", FORTH, deleted[0].lower()): ("missing", "drift", "deleted_at_target"),
        ("resource_roles", FORTH, role.lower()): ("changed", "drift", "edited_at_target"),
        ("resource_roles", FORTH, "nobodys"): ("extra", "drift", "made_at_target"),
        ("units", BACK, unit["msdyn_symbol"].lower()): ("changed", "drift", "edited_at_target"),
        ("funding_sources", FORTH, source.lower()): ("extra", "drift", "deleted_at_source"),
    }
    row = found(world, number)["resource_roles", FORTH, role.lower()]
    assert cells(row) == {"Description": (f"Role {role}", "Made up")}
    assert (row["company"], row["first_seen"] is not None) == (None, True)
    assert numbers_of(world, number)["status"] == "drift"

    done = repaired(world, number)
    assert [(left.keys, left.rows) for leg in done.legs for left in leg.left] == [(['["nobodys"]'], 1)]
    again = reconciled(world)
    assert told(world, again) == {
        ("projects", FORTH, edited[0].lower()): ("changed", "pending", "changed_at_source"),
        ("resource_roles", FORTH, "nobodys"): ("extra", "drift", "made_at_target"),
    }
    assert world.finance_row("ProjectsV2", f"ProjectId eq '{deleted[0]}'")["ProjectName"] == deleted[0]
    assert described(world, role) == f"Role {role}"
    assert rows.sources_at_finance(world, source) == []
    assert (
        world.dataverse_row("uoms", f"uomid eq {unit['uomid']}")["msdyn_description"]
        == unit["msdyn_description"]
    )
    [line] = world.sql("select * from audit where action = 'repair' and subject like 'units%'")
    assert (line["actor"], line["subject"]) == ("a test", f"units__{BACK}: 1 row of reconciliation {number}")
    batches = {row["repaired_by"] for row in found(world, number).values() if row["verdict"] == "drift"}
    assert None in batches and len(batches) == 5  # nobody's role stays; each leg has a batch of its own

    world.remove("ResourceCategoriesShared", {"RoleId": "NOBODYS"})
    world.sync("projects")
    assert found(world, reconciled(world)) == {}


@ON_SQLITE
def test_a_repair_leaves_watermarks_alone(world: World) -> None:
    number, _ = moved_project(world)
    world.patch("ProjectsV2", project_key(number), ProjectName="Moved by hand")
    before = world.sql("select watermark, batch from leg where map = 'projects'")
    repaired(world, reconciled(world, "projects"))
    assert world.sql("select watermark, batch from leg where map = 'projects'") == before
    assert world.finance_row("ProjectsV2", f"ProjectId eq '{number}'")["ProjectName"] == number


def test_changes_and_what_was_set_aside_explain_differences(world: World) -> None:
    late, _ = moved_project(world)
    bad, gone = rows.fresh("RBD"), rows.fresh("RGO")
    guid = rows.project(world, bad, msdyn_scheduledend=LONG_AGO)
    rows.project_task(world, rows.fresh("RTK"), guid)
    rows.worker(world, gone)
    world.sync("projects", "project_tasks", "workers")
    new = rows.fresh("RNW")
    rows.worker(world, new)
    fresh = rows.fresh("RCC")
    rows.account(world, fresh)
    world.patch("Workers", {"PersonnelNumber": gone}, LastName="Renamed")
    number = reconciled(world, "projects", "project_tasks", "workers", "customers")
    assert told(world, number) == {
        ("projects", FORTH, bad.lower()): ("missing", "dead_letter", "project_dates"),
        ("project_tasks", FORTH, bad.lower()): ("missing", "parked", "parent_missing"),
        ("workers", BACK, new.lower()): ("missing", "pending", "may_have_changed"),
        ("workers", BACK, gone.lower()): ("changed", "pending", "may_have_changed"),
        ("customers", FORTH, fresh.lower()): ("missing", "pending", "changed_at_source"),
    }
    assert numbers_of(world, number)["explained"] == 5
    [letter] = world.letters("projects")
    sentence = found(world, number)["projects", FORTH, bad.lower()]["explanation"]
    assert sentence.startswith(f"Dead letter {letter['id']} (project_dates)")
    assert late  # in step, and not named

    with world.engine() as engine:
        pause(engine, ["workers"], None, "ada", "month end")
        paused = reconciled(world, "workers")
        resume(engine, ["workers"], None, "ada")
    row = found(world, paused)["workers", BACK, new.lower()]
    assert row["verdict"] == "pending"
    assert row["explanation"].startswith("The map is paused by ada since ")

    world.change("msdyn_projects", guid, msdyn_scheduledend="2026-12-31T00:00:00Z")
    world.sync("projects", "project_tasks", "workers", "customers")
    world.sync("projects", "project_tasks", "workers", "customers")
    assert found(world, reconciled(world, "projects", "project_tasks", "workers", "customers")) == {}


def test_a_change_that_left_no_trace_is_drift_once_a_run_has_passed_it_by(
    world: World, behind: Behind
) -> None:
    number, name = rows.fresh("RSI"), rows.fresh("RSN")
    rows.worker(world, number)
    guid = rows.role(world, name)
    world.sync("workers", "resource_roles")
    behind.does("""update finance_workers set "LastName" = 'Silent' where "PersonnelNumber" = :n""", n=number)
    behind.does(
        "update dataverse_bookableresourcecategory set name = 'Silent' where bookableresourcecategoryid = :i",
        i=guid,
    )
    worker, role = ("workers", BACK, number.lower()), ("resource_roles", FORTH, name.lower())
    first = reconciled(world, "workers", "resource_roles")
    assert told(world, first) == {
        worker: ("changed", "pending", "may_have_changed"),  # Finance does not say what has changed
        role: ("changed", "drift", "change_missed"),  # Dataverse does, and names this row not
    }
    world.sync("workers")
    second = reconciled(world, "workers", "resource_roles")
    assert told(world, second)[worker] == ("changed", "drift", "change_missed")
    assert found(world, second)[worker]["first_seen"] == found(world, first)[worker]["first_seen"]
    repaired(world, second)
    assert found(world, reconciled(world, "workers", "resource_roles")) == {}
    row = world.dataverse_row("cdm_workers", f"cdm_workernumber eq '{number}'")
    assert row["cdm_lastname"] == "Silent"
    assert described(world, name) == "Silent"


@ON_SQLITE
def test_a_shared_column_is_told_of_once_and_repaired_by_the_winner(world: World, behind: Behind) -> None:
    account = rows.fresh("RSH")
    guid = rows.account(world, account)
    world.sync("customers")
    world.sync("customers")  # the way back has seen it too
    behind.does("update dataverse_account set name = 'By a script' where accountid = :id", id=guid)
    number = reconciled(world, "customers")
    place = ("customers", FORTH, account.lower())
    assert told(world, number) == {place: ("changed", "drift", "change_missed")}
    assert cells(found(world, number)[place]) == {"OrganizationName": ("By a script", f"Customer {account}")}

    pairs = "select * from crosswalk where map = 'customers' order by key"
    before = world.sql(pairs)
    with world.engine() as engine:
        pause(engine, ["customers"], None, "ada", "month end")
        refused = repaired(world, number)
        resume(engine, ["customers"], None, "ada")
    assert [each.stopped for each in refused.legs if each.sent][0].startswith(
        "Map customers is paused by ada"
    )
    assert world.sql(pairs) == before  # a repair that may not begin leaves what is known as it is
    repaired(world, number)
    row = rows.at_dataverse(world, account)
    assert row is not None and row["name"] == f"Customer {account}"  # the map says `conflict: finance`
    world.sync("customers")
    assert found(world, reconciled(world, "customers")) == {}


@ON_SQLITE
def test_a_map_that_is_compared_again_replaces_what_was_found_of_it(world: World) -> None:
    number, _ = moved_project(world)
    world.patch("ProjectsV2", project_key(number), ProjectName="Changed by hand")
    scope = Scope(maps=("projects",))
    with world.engine() as engine:
        run = uuid.uuid4().hex
        first = begin(engine, "test", run, scope)
        results = [reconcile_map(engine, first, "projects", scope) for _ in range(2)]
        assert begin(engine, "test", run, scope) == first
        assert results[0] == results[1]
        done = finish(engine, first)
        repaired(world, first)
    assert (done.drift, len(found(world, first))) == (1, 1)
    assert Path(results[0].uri.removeprefix("file://")).is_file()
    assert (results[0].legs[0]["drift"], results[0].legs[0]["pending"]) == (1, 0)


@ON_SQLITE
def test_a_map_that_can_be_compared_no_more_counts_as_not_compared(world: World) -> None:
    number, _ = moved_project(world)
    world.patch("ProjectsV2", project_key(number), ProjectName="Changed by hand")
    first = reconciled(world, "projects")
    assert len(found(world, first)) == 1
    world.faults({"system": "finance", "status": 503})
    with world.engine() as engine:
        with pytest.raises(ProjOpsError):
            reconcile_map(engine, first, "projects", Scope(maps=("projects",)))
        world.no_faults()
        done = finish(engine, first)
        files = engine.staging.names(f"reconciliations/{first}")
    assert (done.status, done.drift, found(world, first), files) == ("incomplete", 0, {}, [])
    repaired(world, reconciled(world, "projects"))
