"""Both sides compared by the engine find what a second pair of eyes finds, on real systems over HTTP."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from projops.mapping.model import Direction
from projops.reconcile.compare.comparing import compare
from projops.reconcile.compare.looking import SecondLook, look_again
from projops.reconcile.compare.reading import read_map
from projops.reconcile.model import Kind, RowDifference, Scope
from runner.comparison import differences_of
from runner.rows import Rows
from runner.wire import Wire
from tests.e2e.engine.conftest import FirstPass, NewDatabases
from tests.e2e.engine.world import World, opened

EVERYTHING = Scope()
FORTH = Direction.DATAVERSE_TO_FINANCE
Found = dict[str, list[RowDifference]]


@pytest.fixture(scope="module")
def own_world(
    new_databases: NewDatabases, first_pass: FirstPass, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world of this module's own: what is planted in it nobody repairs."""
    with opened(new_databases(first_pass.databases), tmp_path_factory.mktemp("compared")) as world:
        yield world


def engine_finds(world: World, *maps: str, scope: Scope = EVERYTHING) -> Found:
    """Compare maps, or all that are enabled; give the differences of each leg that has any."""
    with world.engine() as engine:
        chosen = maps or tuple(name for name, each in engine.maps.items() if each.enabled)

        async def find() -> Found:
            async with engine.systems() as systems:
                found: Found = {}
                for table_map in map(engine.map, chosen):
                    with tempfile.TemporaryDirectory() as folder:
                        pairs = await read_map(engine, systems, table_map, scope, Path(folder))
                        for direction, pair in pairs.items():
                            chunks = compare(table_map, table_map.legs[direction], pair, scope)
                            found[f"{table_map.map} {direction}"] = [row for chunk in chunks for row in chunk]
                return {leg: differences for leg, differences in found.items() if differences}

        return asyncio.run(find())


def second_eyes_find(world: World, map_id: str) -> set[tuple[str, str, str]]:
    """Leg, key and field, or "" where a whole row is missing or too many."""
    with world.engine() as engine:
        rows = Rows(Wire(world.dataverse, world.finance, world.control))
        found = differences_of(engine.map(map_id), rows, engine.loaded)
        return {(f"{map_id} {each.leg}", str(each.key[0]), each.field) for each in found}


def as_second_eyes_say(found: Found) -> set[tuple[str, str, str]]:
    return {
        (leg, str(each.key).split('"')[1], field)
        for leg, differences in found.items()
        for each in differences
        for field in ([column.column for column in each.columns] or [""])
    }


def look(world: World, map_id: str, differences: Sequence[RowDifference]) -> SecondLook:
    with world.engine() as engine:

        async def again() -> SecondLook:
            async with engine.systems() as systems:
                table_map = engine.map(map_id)
                return await look_again(engine, systems, table_map, table_map.legs[FORTH], differences)

        return asyncio.run(again())


def test_after_a_sync_of_all_maps_nothing_differs(shared_world: World) -> None:
    assert engine_finds(shared_world) == {}


def test_planted_differences_are_those_that_a_second_pair_of_eyes_sees(own_world: World) -> None:
    world = own_world
    projects = world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")
    tasks = world.finance_rows("ProjectTasks")
    plants = [each for each in world.finance_rows("ProjectsV2") if each["IntegrationSourceDataId"]][:3]
    for project, name in zip(plants, ("Another name", "trailing blank ", "Cafe\u0301"), strict=True):
        key = {"dataAreaId": project["dataAreaId"], "ProjectId": project["ProjectId"]}
        world.patch("ProjectsV2", key, ProjectName=name)
    gone = {name: tasks[0][name] for name in ("dataAreaId", "ProjectId", "TaskId")}
    world.remove("ProjectTasks", gone)
    renamed = projects[-1]
    world.change("msdyn_projects", renamed["msdyn_projectid"], msdyn_description="changed at the source")

    found = engine_finds(world, "projects", "project_tasks")
    kinds = sorted(each.kind for differences in found.values() for each in differences)
    assert kinds == [Kind.CHANGED] * 4 + [Kind.MISSING]
    seen = {each for name in ("projects", "project_tasks") for each in second_eyes_find(world, name)}
    assert as_second_eyes_say(found) == seen

    differences = found["projects dataverse_to_finance"]
    again = look(world, "projects", differences)
    assert (sorted(map(repr, again.differences)), again.unsettled) == (sorted(map(repr, differences)), ())
    world.change("msdyn_projects", renamed["msdyn_projectid"], msdyn_description=renamed["msdyn_description"])
    still = look(world, "projects", differences).differences
    assert {each.source_id for each in still} == {each.source_id for each in differences} - {
        renamed["msdyn_projectid"]
    }

    company = plants[0]["dataAreaId"].lower()
    of_one = engine_finds(world, "projects", scope=Scope(companies=(company,)))
    expected = sum(
        each.company == company for each in differences if each.source_id != renamed["msdyn_projectid"]
    )
    assert sum(map(len, of_one.values())) == expected > 0
