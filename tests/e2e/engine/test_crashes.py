"""The engine stopped at its worst moments: between chunks, between a write and its commit, around exports."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from projops import pipeline
from projops.load import stage as load_stage
from projops.load import targets
from projops.load.decide import Action, Row, TargetRow
from projops.load.target import Outcome, Target, Waiting
from projops.settings import PROJECT_ROOT
from projops.systems.packages import Packages
from tests.e2e.engine import rows
from tests.e2e.engine.conftest import NewDatabases
from tests.e2e.engine.world import World, named

ROLES = "resource_roles__dataverse_to_finance"
WORKERS = "workers__finance_to_dataverse"


class Crash(BaseException):
    """The process is gone: nothing in it can catch that."""


@dataclass
class Mortal:
    """A target that dies at one of its writes, before or after it took effect."""

    target: Target
    writes_left: int
    after: bool

    async def resolve(self, table: pa.Table) -> Sequence[Waiting]:
        return await self.target.resolve(table)

    async def read(self, found: Sequence[Row]) -> Mapping[str, TargetRow]:
        return await self.target.read(found)

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        dies = self.writes_left == 0
        self.writes_left -= 1
        if dies and not self.after:
            raise Crash
        outcomes = await self.target.write(actions)
        if dies:
            raise Crash
        return outcomes


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, bool], None]]:
    """Make the next load die at one of its writes."""
    real = targets.target_of

    def at(writes: int, after: bool) -> None:
        monkeypatch.setattr(targets, "target_of", lambda *arguments: Mortal(real(*arguments), writes, after))

    yield at


def crashes_once(monkeypatch: pytest.MonkeyPatch, place: object, name: str, *, after: bool = False) -> None:
    """Make a function crash the first time, before or after it has done its work."""
    real = getattr(place, name)

    def crash(*arguments: Any, **named_ones: Any) -> Any:
        monkeypatch.setattr(place, name, real)
        if after:
            real(*arguments, **named_ones)
        raise Crash

    monkeypatch.setattr(place, name, crash)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("writes", [0, 1])
def test_a_crash_between_two_chunks_is_healed_by_the_next_run(
    world: World, dies: Callable[[int, bool], None], monkeypatch: pytest.MonkeyPatch, writes: int, after: bool
) -> None:
    numbers = [rows.fresh("ROLE") for _ in range(5)]
    for number in numbers:
        rows.role(world, number)
    world.forget_requests()
    small = world.with_settings(chunk_rows=2)
    dies(writes, after)
    with pytest.raises(Crash):
        small.sync("resource_roles")
    monkeypatch.undo()
    done = len([number for number in numbers if rows.role_at_finance(world, number)])
    assert done == min(5, 2 * (writes + after))

    outcome = small.sync("resource_roles")[ROLES]

    assert (outcome.read, outcome.loaded, outcome.unchanged) == (5, 5 - done, done)
    assert all(rows.role_at_finance(world, number) for number in numbers)
    statuses = [write["status"] for write in world.writes() if write["system"] == "finance"]
    assert statuses == [201] * 5
    assert named(small.sync("resource_roles"), "loaded") == {}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_around_a_write_to_dataverse_is_healed(
    world: World, dies: Callable[[int, bool], None], monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    numbers = [rows.fresh("W") for _ in range(3)]
    for number in numbers:
        rows.worker(world, number)
    dies(0, after)
    with pytest.raises(Crash):
        world.sync("workers")
    monkeypatch.undo()
    assert len(world.sql("select * from export_execution where committed_at is null")) == 1
    assert world.sync("workers")[WORKERS].loaded == (0 if after else 3)
    for number in numbers:
        [worker] = world.dataverse_rows("cdm_workers", f"cdm_workernumber eq '{number}'")
        assert worker["cdm_lastname"] == number
        world.remove("Workers", {"PersonnelNumber": number})
        world.delete("cdm_workers", worker["cdm_workerid"])
    assert world.sql("select * from export_execution where committed_at is null") == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("place", "name"),
    [(load_stage, "commit_chunk"), (pipeline, "commit_batch"), (pipeline, "record_extracted")],
)
def test_a_crash_around_a_commit_is_healed(
    world: World, monkeypatch: pytest.MonkeyPatch, place: object, name: str, after: bool
) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    world.forget_requests()
    crashes_once(monkeypatch, place, name, after=after)
    with pytest.raises(Crash):
        world.sync("resource_roles")
    world.sync("resource_roles")
    assert rows.role_at_finance(world, number) is not None
    assert len(world.writes()) == 1
    assert named(world.sync("resource_roles"), "loaded") == {}


def test_a_delete_whose_commit_was_lost_is_healed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    name = rows.fresh("FS")
    source = rows.funding_source(world, name, contract, customer)
    world.forth("customers", "contract_headers", "funding_sources")
    world.delete("msdyn_projectcontractsplitbillingrules", source)
    from projops.load import deletes

    crashes_once(monkeypatch, deletes, "commit_chunk")
    with pytest.raises(Crash):
        world.sync("funding_sources")
    outcomes = world.sync("funding_sources")
    assert named(outcomes, "failed") == {}
    assert rows.sources_at_finance(world, name) == []
    assert world.letters("funding_sources") == []
    assert named(world.sync("funding_sources"), "read") == {}


@pytest.mark.parametrize("moment", ["export", "wait", "download"])
def test_a_crash_around_an_export_loses_no_row(
    world: World, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before it was asked for, while it ran, and before its package was read."""
    worker = world.finance_rows("Workers")[0]
    key = {"PersonnelNumber": worker["PersonnelNumber"]}
    world.patch("Workers", key, LastName=f"Crash {moment}")
    crashes_once(monkeypatch, Packages, moment)
    with pytest.raises(Crash):
        world.sync("workers")
    assert len(world.sql("select * from export_execution where committed_at is null")) == 1
    assert named(world.sync("workers"), "loaded") == {WORKERS: 1}
    found = world.dataverse_row("cdm_workers", f"cdm_workernumber eq '{worker['PersonnelNumber']}'")
    assert found["cdm_lastname"] == f"Crash {moment}"
    assert world.sql("select * from export_execution where committed_at is null") == []


@pytest.mark.parametrize("drop", ["before", "after"])
def test_an_export_whose_answer_was_lost_loses_no_row(world: World, drop: str) -> None:
    worker = world.finance_rows("Workers")[1]
    world.patch("Workers", {"PersonnelNumber": worker["PersonnelNumber"]}, LastName=f"Lost {drop}")
    rule = {"system": "finance", "verb": "ExportToPackage", "drop": drop, "count": 1}
    world.faults(rule)
    with pytest.raises(Exception, match="ExportToPackage"):
        world.sync("workers")
    assert named(world.sync("workers"), "loaded") == {WORKERS: 1}


def test_what_a_superseded_batch_exported_is_loaded_by_the_later_one(world: World) -> None:
    worker = world.finance_rows("Workers")[2]
    world.patch("Workers", {"PersonnelNumber": worker["PersonnelNumber"]}, LastName="Exported once")
    with world.batch("workers", "finance_to_dataverse") as stages:
        staged = stages.staged()
        assert staged.rows == 1
        assert named(world.sync("workers"), "loaded") == {WORKERS: 1}
        assert stages.load(staged).superseded_by is not None


@pytest.mark.parametrize("first", [False, True], ids=["later", "first"])
def test_a_package_that_expired_before_it_was_loaded_is_healed_by_a_full_read(
    world: World, new_databases: NewDatabases, first: bool
) -> None:
    """Also where it was the first one of all."""
    mine = with_new_state(world, new_databases) if first else world
    worker = world.finance_rows("Workers")[3]
    name = f"Expired {first}"
    world.patch("Workers", {"PersonnelNumber": worker["PersonnelNumber"]}, LastName=name)
    with mine.batch("workers", "finance_to_dataverse") as stages:
        stages.extract()
    world.control.put("/sandbox/clock", json={"advance_seconds": 8 * 86400}).raise_for_status()
    try:
        world.sync("exchange_rates")  # the sandbox throws old packages away when it keeps a new one
        outcome = mine.sync("workers")[WORKERS]
    finally:
        world.control.delete("/sandbox/clock").raise_for_status()
    assert (outcome.read, outcome.loaded) == (150, 1)
    found = world.dataverse_row("cdm_workers", f"cdm_workernumber eq '{worker['PersonnelNumber']}'")
    assert found["cdm_lastname"] == name
    assert mine.sql("select * from export_execution where committed_at is null") == []
    mine.sync("workers")
    assert named(mine.sync("workers"), "read") == {}


def with_new_state(world: World, new_databases: NewDatabases) -> World:
    settings = replace(world.settings, state_url=new_databases(None).state)
    return replace(world, settings=settings)


def test_a_state_that_begins_anew_gets_all_rows_though_finance_has_exported_them_before(
    world: World, new_databases: NewDatabases
) -> None:
    """Finance keeps its mark by definition group: another state's mark must not be ours."""
    world.sync("workers")
    mine = with_new_state(world, new_databases)
    outcome = mine.sync("workers")[WORKERS]
    assert (outcome.read, outcome.loaded) == (150, 0)
    worker = world.finance_rows("Workers")[4]
    world.patch("Workers", {"PersonnelNumber": worker["PersonnelNumber"]}, LastName="Seen by both")
    assert mine.sync("workers")[WORKERS].loaded == 1
    assert (world.sync("workers")[WORKERS].read, world.writes()[-1]["system"]) == (1, "dataverse")


@pytest.mark.parametrize(
    ("area", "map_id", "before", "after"),
    [
        (
            "setup_and_configuration",
            "resource_roles",
            "{from: name, required: true}",
            "{from: name, required: true, truncate: 9}",
        ),
        ("reference_data", "workers", "{from: Name, truncate: 160}", "{from: Name, truncate: 12}"),
    ],
)
def test_a_changed_mapping_begins_anew_and_moves_differences_only(
    world: World, tmp_path: Path, area: str, map_id: str, before: str, after: str
) -> None:
    mappings = shutil.copytree(PROJECT_ROOT / "include" / "mappings", tmp_path / "mappings")
    file = mappings / area / f"{map_id}.yaml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    total, longer = lengths(world, map_id)
    world.forget_requests()

    [outcome] = world.with_settings(mappings=mappings).sync(map_id).values()

    assert 0 < longer < total
    assert (outcome.read, outcome.loaded, outcome.unchanged) == (total, longer, total - longer)
    [outcome] = world.sync(map_id).values()
    assert (outcome.read, outcome.loaded) == (total, longer)
    assert named(world.sync(map_id), "read") == {}


def lengths(world: World, map_id: str) -> tuple[int, int]:
    """Rows in all, and those whose name the changed mapping cuts."""
    if map_id == "workers":
        found = [row["Name"] for row in world.finance_rows("Workers")]
        return len(found), sum(len(name) > 12 for name in found)
    found = [row["name"] for row in world.dataverse_rows("bookableresourcecategories")]
    return len(found), sum(len(name) > 9 for name in found)
