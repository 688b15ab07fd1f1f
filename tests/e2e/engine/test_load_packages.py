"""Many rows go to Finance as a data package: what is written, what is refused, and what a crash leaves."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from projops.errors import LeaseHeldError
from projops.systems.imports import Imports
from projops.systems.packages import ExecutionStatus, Packages
from tests.e2e.engine import rows
from tests.e2e.engine.test_crashes import Crash, crashes_once
from tests.e2e.engine.world import Value, World, named

FORTH = "dataverse_to_finance"
ROLES, TASKS = f"resource_roles__{FORTH}", f"project_tasks__{FORTH}"
GROUPS = "DataManagementDefinitionGroups"
AWKWARD = ['He said "no"', "a,b;c\td", " spaces ", "Ünï – 漢字 🧪", "=1+1", "'quoted'", "two\r\nlines"]


# What has nothing to do with the state's database is tried on one of them.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")


@pytest.fixture
def packed(world: World) -> Iterator[World]:
    """An engine that packs from 100 rows on."""
    packed = world.with_settings(package_rows=100)
    yield packed
    packed.close()


def make_roles(world: World, count: int) -> dict[str, str]:
    """Roles in Dataverse; gives their names by number."""
    names = {}
    for place in range(count):
        names[rows.fresh("ROLE")] = f"{place} {AWKWARD[place % len(AWKWARD)]}"
    make(
        world,
        "bookableresourcecategory",
        [{"msdyn_resourcecategorynumber": number, "name": name} for number, name in names.items()],
    )
    return names


def make(world: World, table: str, values: list[dict[str, Value]]) -> None:
    kind = f"Microsoft.Dynamics.CRM.{table}"
    plural = {"bookableresourcecategory": "bookableresourcecategories"}.get(table, f"{table}s")
    world.create_many(plural, [{"@odata.type": kind, **each} for each in values])


def rename(world: World, names: Mapping[str, str], name: str) -> None:
    """Give all roles one name, by the bulk message."""
    kind = "Microsoft.Dynamics.CRM.bookableresourcecategory"
    targets = [
        {
            "@odata.type": kind,
            "bookableresourcecategoryid": role["bookableresourcecategoryid"],
            "name": name,
        }
        for role in world.dataverse_rows("bookableresourcecategories")
        if role["msdyn_resourcecategorynumber"] in names
    ]
    address = "bookableresourcecategories/Microsoft.Dynamics.CRM.UpdateMultiple"
    world.dataverse.post(address, json={"Targets": targets}).raise_for_status()


def described(world: World, numbers: dict[str, str]) -> dict[str, str]:
    found = world.finance_rows("ResourceCategoriesShared")
    return {row["RoleId"]: row["Description"] for row in found if row["RoleId"] in numbers}


def asked(world: World, action: str) -> int:
    return world.requests("finance", action, GROUPS)


def written(world: World, entity: str) -> list[int]:
    return [write["status"] for write in world.writes() if write["entity"] == entity]


def test_many_rows_are_imported_exactly_and_come_to_rest(packed: World) -> None:
    names = make_roles(packed, 320)
    packed.forget_requests()

    outcome = packed.forth("resource_roles")[ROLES]

    assert (outcome.read, outcome.loaded) == (320, 320)
    assert described(packed, names) == names
    assert asked(packed, "ImportFromPackage") == 1
    assert written(packed, "ResourceCategoriesShared") == [200] * 320  # all by the import
    assert packed.sql("select * from in_flight") == []
    assert named(packed.forth("resource_roles"), "loaded") == {}

    rename(packed, names, "Changed")
    outcome = packed.forth("resource_roles")[ROLES]
    assert (outcome.read, outcome.loaded) == (320, 320)
    assert set(described(packed, names).values()) == {"Changed"}
    assert asked(packed, "ImportFromPackage") == 2


@on_sqlite
def test_few_rows_go_one_by_one(packed: World) -> None:
    names = make_roles(packed, 99)
    packed.forget_requests()
    assert packed.forth("resource_roles")[ROLES].loaded == 99
    assert described(packed, names) == names
    assert asked(packed, "ImportFromPackage") == 0


def make_project(world: World, tasks: int) -> str:
    number = rows.fresh("PKG")
    guid = rows.project(world, number)
    world.forth("projects")
    facts = {"msdyn_islinetask": False, "msdyn_project@odata.bind": rows.bound("msdyn_projects", guid)}
    values = [(rows.fresh("T"), str(place)) for place in range(1, tasks + 1)]
    make(
        world,
        "msdyn_projecttask",
        [
            {"msdyn_projecttasknumber": task, "msdyn_subject": task, "msdyn_wbsid": wbs, **facts}
            for task, wbs in values
        ],
    )
    return number


def tasks_of(world: World, project: str) -> int:
    return len(world.finance_rows("ProjectTasks", f"ProjectId eq '{project}'"))


def test_what_an_import_refuses_is_told_as_of_any_other_row(packed: World) -> None:
    there, gone = make_project(packed, 180), make_project(packed, 120)
    packed.remove("ProjectsV2", {"dataAreaId": "uspm", "ProjectId": gone})
    packed.forget_requests()

    outcome = packed.forth("project_tasks")[TASKS]

    assert (outcome.read, outcome.loaded) == (300, 180)
    assert asked(packed, "ImportFromPackage") == 1
    assert (tasks_of(packed, there), tasks_of(packed, gone)) == (180, 0)
    letters = [each for each in packed.letters("project_tasks") if gone in each["message"]]
    assert len(letters) == 120
    assert all("does not exist" in each["message"] for each in letters)
    assert packed.sql("select * from in_flight") == []
    packed.sql("delete from dead_letter where map = 'project_tasks'")


@on_sqlite
def test_while_another_import_is_under_way_rows_go_one_by_one(packed: World) -> None:
    names = make_roles(packed, 120)
    packed.forget_requests()
    packed.faults({"system": "finance", "verb": "ImportFromPackage", "status": 400, "count": 1})
    assert packed.forth("resource_roles")[ROLES].loaded == 120
    assert described(packed, names) == names
    assert set(written(packed, "ResourceCategoriesShared")) == {201}


@on_sqlite
@pytest.mark.parametrize("drop", ["before", "after"])
def test_an_import_whose_answer_is_lost_writes_each_row_once(packed: World, drop: str) -> None:
    names = make_roles(packed, 120)
    packed.forget_requests()
    packed.faults({"system": "finance", "verb": "ImportFromPackage", "drop": drop, "count": 1})
    assert packed.forth("resource_roles")[ROLES].loaded == 120
    assert described(packed, names) == names
    assert len(written(packed, "ResourceCategoriesShared")) == 120


@pytest.mark.parametrize(("place", "name"), [(Packages, "ended"), (Imports, "written")])
def test_a_crash_after_the_call_loses_no_row_and_doubles_none(
    packed: World, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    names = make_roles(packed, 120)
    packed.forget_requests()
    crashes_once(monkeypatch, place, name)
    with pytest.raises(Crash):
        packed.forth("resource_roles")
    [mark] = packed.sql("select execution from in_flight where execution is not null")
    assert "resource_roles" in mark["execution"]

    outcome = packed.forth("resource_roles")[ROLES]

    assert (outcome.read, outcome.loaded, outcome.unchanged) == (120, 0, 120)
    assert described(packed, names) == names
    assert written(packed, "ResourceCategoriesShared") == [200] * 120
    assert asked(packed, "ImportFromPackage") == 1
    packed.sql("delete from in_flight")


@on_sqlite
def test_who_takes_the_map_awaits_the_import_of_the_writer_before(
    packed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer values stand in the end, though the import of the older ones is still under way."""
    names = make_roles(packed, 110)
    real, awaited = Packages.ended, list[str]()

    async def noted(self: Packages, execution: str, seconds: float = 1800.0) -> ExecutionStatus:
        awaited.append(execution)
        return await real(self, execution, seconds)

    async def overtaken(self: Packages, execution: str, seconds: float = 1800.0) -> ExecutionStatus:
        monkeypatch.setattr(Packages, "ended", noted)
        packed.sql("update lease set expires_at = '2000-01-01 00:00:00'")
        outcomes = await asyncio.to_thread(packed.forth, "resource_roles")
        assert awaited[0] == execution
        assert named(outcomes, "unchanged") == {ROLES: 110}
        return await real(self, execution, seconds)

    monkeypatch.setattr(Packages, "ended", overtaken)
    with pytest.raises(LeaseHeldError):
        packed.forth("resource_roles")
    assert awaited
    assert described(packed, names) == names
    packed.sql("delete from in_flight")
