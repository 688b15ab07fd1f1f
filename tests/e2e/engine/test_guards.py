"""One writer a map, one pair of environments, and one sentence for whatever is wrong."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projops import pipeline
from projops.engine import Engine
from projops.errors import (
    AuthenticationError,
    ConfigurationError,
    EnvironmentMismatchError,
    LeaseHeldError,
    ProjOpsError,
    SystemUnavailableError,
)
from projops.mapping.model import System
from projops.state import leases
from projops.state.leases import acquire, acquire_waiting
from projops.systems.connection import Connection
from runner.layout import free_port
from runner.sandbox import CLIENT_ID, TENANT, Addresses
from tests.e2e.engine import rows
from tests.e2e.engine.conftest import NewDatabases
from tests.e2e.engine.world import World, named, opened

ROLES = "resource_roles__dataverse_to_finance"


def test_two_runs_of_one_map_side_by_side_move_each_row_once(world: World) -> None:
    numbers = [rows.fresh("ROLE") for _ in range(20)]
    for number in numbers:
        rows.role(world, number)
    world.forget_requests()
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(world.sync, "resource_roles") for _ in range(2)]
        outcomes = [run.result()[ROLES] for run in runs if ROLES in run.result()]
    assert sum(outcome.loaded for outcome in outcomes) == 20
    statuses = [write["status"] for write in world.writes() if write["system"] == "finance"]
    assert statuses == [201] * 20
    assert world.sql("select * from lease") == []


def test_two_runs_of_an_export_side_by_side_lose_and_double_nothing(world: World) -> None:
    workers = world.finance_rows("Workers")[:5]
    for worker in workers:
        world.patch("Workers", {"PersonnelNumber": worker["PersonnelNumber"]}, LastName="Side by side")
    world.forget_requests()
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(world.sync, "workers") for _ in range(2)]
        for run in runs:
            run.result()
    world.sync("workers")
    found = world.dataverse_rows("cdm_workers", "cdm_lastname eq 'Side by side'")
    assert len(found) == 5
    assert len(world.writes()) == 5  # each row once
    assert world.sql("select * from export_execution where committed_at is null") == []


def test_two_runs_that_begin_a_state_side_by_side(world: World, new_databases: NewDatabases) -> None:
    """Both bind the environments, open batches and set the same row aside."""
    mine = replace(world, settings=replace(world.settings, state_url=new_databases(None).state))
    mine.engine().state.close()
    project = world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[1]
    world.change("msdyn_projects", project["msdyn_projectid"], msdyn_scheduledend="2001-01-01T00:00:00Z")
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(mine.sync, "projects") for _ in range(2)]
        for run in runs:
            run.result()
    rules = [letter["rule"] for letter in mine.letters("projects")]
    assert rules.count("project_dates") == 1
    world.change(
        "msdyn_projects", project["msdyn_projectid"], msdyn_scheduledend=project["msdyn_scheduledend"]
    )


def test_a_map_that_somebody_writes_is_not_written_beside_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = functools.partial(acquire_waiting, patience=0.0)
    monkeypatch.setattr(leases, "acquire_waiting", impatient)
    number = rows.fresh("ROLE")
    rows.role(world, number)
    with world.batch("resource_roles", "dataverse_to_finance") as stages:
        staged = stages.staged()
        lease = acquire(stages.engine.state, "resource_roles", "another run", 120.0)
        with pytest.raises(
            LeaseHeldError, match=r"Map resource_roles is being written by another run"
        ) as held:
            stages.load(staged)
        one_sentence(held.value)
        assert rows.role_at_finance(world, number) is None
        lease.release()
        assert stages.load(staged).loaded == 1


def test_a_lease_that_was_taken_away_stops_the_writer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else holds the map by now: not a request more, and their lease stays theirs."""
    number = rows.fresh("ROLE")
    rows.role(world, number)

    def robbed(*arguments: Any, **more: Any) -> Any:
        lease = acquire_waiting(*arguments, **more)
        lease.ends = lease.clock()
        with lease.store.begin() as connection:
            connection.exec_driver_sql("update lease set token = 'theirs' where map = 'resource_roles'")
        return lease

    with world.batch("resource_roles", "dataverse_to_finance") as stages:
        staged = stages.staged()
        monkeypatch.setattr(leases, "acquire_waiting", robbed)
        world.forget_requests()
        with pytest.raises(LeaseHeldError):
            stages.load(staged)
        monkeypatch.undo()
    assert world.writes() == []
    assert [lease["token"] for lease in world.sql("select * from lease")] == ["theirs"]
    world.sql("delete from lease")
    assert world.sync("resource_roles")[ROLES].loaded == 1


def test_a_state_of_other_environments_stops_everything(
    world: World, new_databases: NewDatabases, tmp_path: Path
) -> None:
    rows.role(world, rows.fresh("ROLE"))
    with opened(new_databases(None), tmp_path / "other", seed="empty") as other:
        lost = replace(world, sandbox=other.sandbox)
        for maps, mode in (((), "incremental"), (("resource_roles",), "incremental"), ((), "full")):
            with pytest.raises(EnvironmentMismatchError, match="belongs to dataverse environment") as found:
                lost.sync(*maps, mode=mode)
            one_sentence(found.value)
        for stage in ("extract", "load"):
            with world.batch("resource_roles", "dataverse_to_finance") as stages:
                staged = stages.staged() if stage == "load" else None
            with (
                Engine.open(world.settings, lost.connection) as engine,
                pytest.raises(EnvironmentMismatchError),
            ):
                if staged is not None:
                    pipeline.load(engine, staged)
                else:
                    pipeline.extract(engine, stages.ref, stages.request)
        assert other.writes() == []
    assert world.writes()[-1]["system"] == "dataverse"  # the role, and nothing since
    assert world.sync("resource_roles")[ROLES].loaded == 1


def test_finance_of_another_host_stops_everything(world: World) -> None:
    lost = replace(world, finance_at=world.sandbox.finance.replace("127.0.0.1", "localhost"))
    with pytest.raises(EnvironmentMismatchError, match=r"finance environment 127\.0\.0\.1") as found:
        lost.sync("units")
    one_sentence(found.value)


def down(world: World) -> World:
    nowhere = f"http://127.0.0.1:{free_port()}"
    return replace(world, sandbox=Addresses(nowhere, nowhere, world.sandbox.control))


class _Stranger(World):
    """An engine with a client secret that is wrong."""

    def connection(self, system: System) -> Connection:
        address = getattr(self.sandbox, system.value)
        name = f"{system.value}_default"
        return Connection(name, system, address, TENANT, CLIENT_ID, "wrong-secret-9f", authority=address)


def stranger(world: World) -> World:
    return _Stranger(world.sandbox, world.settings)


@pytest.mark.parametrize(
    ("change", "asked", "kind", "sentence"),
    [
        (down, {}, SystemUnavailableError, "dataverse_default"),
        (stranger, {}, AuthenticationError, "dataverse_default.*AADSTS7000215"),
        (
            lambda it: it,
            {"companies": ("nope",)},
            ConfigurationError,
            "Company nope is no legal entity of Finance",
        ),
        (lambda it: replace(it, token="stolen"), {}, AuthenticationError, "token"),
    ],
    ids=["down", "wrong-secret", "unknown-company", "wrong-token"],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_half_done(
    world: World,
    change: Callable[[World], World],
    asked: dict[str, Any],
    kind: type[ProjOpsError],
    sentence: str,
) -> None:
    rows.role(world, rows.fresh("ROLE"))
    world.forget_requests()
    before = counts(world)
    with pytest.raises(kind, match=sentence) as found:
        change(world).sync("resource_roles", **asked)
    one_sentence(found.value)
    assert "wrong-secret-9f" not in str(found.value)
    assert counts(world) == before
    assert world.writes() == []
    assert world.sync("resource_roles")[ROLES].loaded == 1


def test_an_unknown_map_is_one_sentence(world: World) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no map nonsense\.") as found:
        world.sync("nonsense")
    one_sentence(found.value)


@pytest.mark.parametrize("system", ["dataverse", "finance"])
def test_a_system_that_goes_down_in_the_middle_leaves_nothing_half_done(world: World, system: str) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    world.faults({"system": system, "status": 503, "retry_after": 0})
    with pytest.raises(ProjOpsError) as found:
        world.sync("resource_roles")
    one_sentence(found.value)
    world.no_faults()
    assert world.letters("resource_roles") == []
    assert rows.role_at_finance(world, number) is None
    assert named(world.sync("resource_roles"), "loaded") == {ROLES: 1}
    assert world.sql("select * from lease") == []


def counts(world: World) -> list[int]:
    tables = ("batch", "crosswalk", "dead_letter", "conflict", "export_execution", "lease")
    return [world.sql(f"select count(*) as n from {table}")[0]["n"] for table in tables]


def one_sentence(error: ProjOpsError) -> None:
    """What happened, and what to do: text for people, on one line, without code."""
    text = str(error)
    assert "\n" not in text
    assert "Traceback" not in text
    assert text.endswith(".")
    assert error.remedy
