"""A writer that froze in the middle of a load, and sends its last request after another has taken the map."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pytest

from projops.errors import LeaseHeldError
from projops.load import targets
from projops.load.decide import Action, Row, TargetRow
from projops.load.target import Outcome, Target, Waiting
from projops.state import in_flight
from runner.waiting import until
from tests.e2e.engine import rows
from tests.e2e.engine.world import World, named

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"


@dataclass
class Frozen:
    """A target whose request waits at the last moment, while another run takes the map and ends."""

    target: Target
    meanwhile: Callable[[], object]

    async def resolve(self, table: pa.Table) -> Sequence[Waiting]:
        return await self.target.resolve(table)

    async def read(self, found: Sequence[Row]) -> Mapping[str, TargetRow]:
        return await self.target.read(found)

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        await asyncio.to_thread(self.meanwhile)
        return await self.target.write(actions)


def load_late(world: World, map_id: str, monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """Freeze a load at its write; after `change` another run moves the map; then the write goes out."""
    real = targets.target_of

    def overtake() -> None:
        monkeypatch.setattr(targets, "target_of", real)
        change()
        world.sql("update lease set expires_at = '2000-01-01 00:00:00'")  # it has been silent for too long
        world.forth(map_id)

    with world.batch(map_id, FORTH) as stages:
        staged = stages.staged()
        monkeypatch.setattr(targets, "target_of", lambda *found: Frozen(real(*found), overtake))
        with pytest.raises(LeaseHeldError):
            stages.load(staged)


def description(world: World, number: str) -> str:
    found = rows.role_at_finance(world, number)
    assert found is not None
    return str(found["Description"])


@pytest.fixture
def role(world: World) -> tuple[str, str]:
    """A role that is in step, changed since: number and GUID."""
    number = rows.fresh("ROLE")
    guid = rows.role(world, number, name="First")
    world.forth("resource_roles")
    world.sql("delete from in_flight")
    world.change("bookableresourcecategories", guid, name="Old")
    return number, guid


def test_who_comes_back_finds_the_map_taken_and_the_next_run_repairs_what_it_wrote(
    world: World, role: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, guid = role
    world.forget_requests()
    load_late(
        world,
        "resource_roles",
        monkeypatch,
        lambda: world.change("bookableresourcecategories", guid, name="New"),
    )
    assert description(world, number) == "Old"  # the late write stands over the newer one

    outcomes = world.forth("resource_roles")

    assert named(outcomes, "loaded") == {f"resource_roles__{FORTH}": 1}
    assert description(world, number) == "New"
    written = [write for write in world.writes() if write["system"] == "finance"]
    assert len(written) == 3  # the taker's, the late one, the repair
    assert named(world.forth("resource_roles"), "loaded") == {}


def test_what_is_written_late_by_one_that_never_comes_back_is_found_by_a_later_look(
    world: World, role: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, guid = role
    with monkeypatch.context() as dead:
        dead.setattr(in_flight, "report", lambda *_: None)
        load_late(
            world,
            "resource_roles",
            monkeypatch,
            lambda: world.change("bookableresourcecategories", guid, name="New"),
        )
    hasty = world.with_settings(lease_seconds=1.0)  # it waits no longer between two looks
    until(lambda: named(hasty.forth("resource_roles"), "loaded") or None, "the next look", 60, [])
    assert description(world, number) == "New"
    assert len(world.sql("select * from in_flight")) == 1  # it may write yet, for a day
    world.sql("delete from in_flight")


def test_a_row_that_went_back_to_what_was_in_step_is_not_taken_for_untouched(
    world: World, role: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash that the crosswalk holds is the row's own again, and the target holds something else."""
    number, guid = role
    load_late(
        world,
        "resource_roles",
        monkeypatch,
        lambda: world.change("bookableresourcecategories", guid, name="First"),
    )
    assert description(world, number) == "Old"
    world.forth("resource_roles")
    assert description(world, number) == "First"


def test_a_row_that_was_created_in_silence_and_is_gone_since_goes_at_the_target_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crosswalk has never heard of it, and the source tells of its delete by a GUID."""
    number = rows.fresh("SRC")
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    world.forth("customers", "contract_headers")
    source = rows.funding_source(world, number, contract, customer)
    load_late(
        world,
        "funding_sources",
        monkeypatch,
        lambda: world.delete("msdyn_projectcontractsplitbillingrules", source),
    )
    assert len(rows.sources_at_finance(world, number)) == 1
    world.forth("funding_sources")
    assert rows.sources_at_finance(world, number) == []


@pytest.fixture
def customer(world: World) -> Iterator[tuple[str, str]]:
    """A customer that both sides may change, and Finance wins: in step, then changed in Dataverse."""
    number = rows.fresh("LATE")
    guid = rows.account(world, number, name="First")
    world.sync("customers")
    world.sync("customers")
    world.change("accounts", guid, name="Old")
    yield number, guid


@pytest.mark.parametrize("first", [FORTH, BACK])
def test_a_late_write_to_a_shared_column_is_never_carried_back_over_the_newer_value(
    world: World, customer: tuple[str, str], monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    number, guid = customer
    load_late(world, "customers", monkeypatch, lambda: world.change("accounts", guid, name="New"))
    at_finance = rows.at_finance(world, number)
    assert at_finance is not None
    assert at_finance["OrganizationName"] == "Old"
    with world.batch("customers", first) as stages:
        stages.load(stages.staged())
    world.sync("customers")
    here, there = rows.at_dataverse(world, number), rows.at_finance(world, number)
    assert here is not None
    assert there is not None
    assert (here["name"], there["OrganizationName"]) == ("New", "New")
    assert world.sql("select * from conflict where key like :key", key=f"%{number.lower()}%") == []
