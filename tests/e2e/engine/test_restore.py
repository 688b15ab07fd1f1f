"""Yesterday's state is put back after a day of changes: one command, and nothing is lost or doubled."""

from dataclasses import dataclass, replace

import pytest

from projops.errors import StopError
from projops.replay import Selection, approve
from projops.restore import UNKNOWN_AT_SOURCE, Restored, restore
from projops.run import LegRef
from projops.state.leases import acquire
from tests.e2e.engine import rows
from tests.e2e.engine.conftest import FirstPass, NewDatabases
from tests.e2e.engine.truth import Truth, legs
from tests.e2e.engine.world import World, named

ROLES = "bookableresourcecategories"
SOURCES = "msdyn_projectcontractsplitbillingrules"
FORTH = "dataverse_to_finance"


@dataclass(frozen=True)
class Day:
    """Rows of a day of which the restored state knows nothing, or the wrong thing.

    Attributes:
        stray: Name of a funding source that was made, moved, and deleted.
        short_lived: A funding source that was made and moved, and is deleted after the restore.
        short_name: Its name.
    """

    stray: str
    short_lived: str
    short_name: str


def heal(world: World) -> Restored:
    with world.engine() as engine:
        return restore(engine, "a test")


def lived(world: World) -> Day:
    """A day of work on both sides, moved as it goes; the evening's changes are not moved yet."""
    known = world.dataverse_rows(ROLES)[:3]
    before = [row["name"] for row in known]
    roles = [row["bookableresourcecategoryid"] for row in known]
    new_role, new_worker = rows.fresh("ROLE"), rows.fresh("W")
    here, there = [
        row["CustomerAccount"] for row in world.finance_rows("CustomersV3", "dataAreaId eq 'uspm'")
    ][:2]
    source = world.dataverse_rows(SOURCES)[0]["msdyn_projectcontractsplitbillingruleid"]
    owner = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), owner)
    stray, short = rows.fresh("FS"), rows.fresh("FS")
    # By day.
    world.change(ROLES, roles[0], name="By day")
    world.change(ROLES, roles[1], name="For good")
    rows.role(world, new_role)
    rows.worker(world, new_worker)
    world.patch("CustomersV3", rows.customer_key(there), OrganizationName="By day")
    gone = rows.funding_source(world, stray, contract, owner)
    short_lived = rows.funding_source(world, short, contract, owner)
    world.delete(SOURCES, source)
    world.sync("resource_roles", "workers", "customers", "contract_headers", "funding_sources")
    # In the evening.
    world.change(ROLES, roles[0], name=before[0])  # as the state thinks that Finance has it
    world.change(ROLES, roles[2], name="In the evening")
    world.patch("CustomersV3", rows.customer_key(there), OrganizationName="In the evening")
    account = rows.at_dataverse(world, here)
    assert account is not None
    world.change("accounts", account["accountid"], name="In the evening")
    world.patch("Workers", {"PersonnelNumber": new_worker}, FirstName="Evening")
    world.delete(SOURCES, gone)
    return Day(stray, short_lived, short)


def sizes(world: World) -> dict[str, int]:
    """Count the rows of what the day was about."""
    there = ("ResourceCategoriesShared", "CustomersV3", "Workers", "ProjectContractHeaders")
    here = (ROLES, "accounts", "cdm_workers", "salesorders")
    return {name: len(world.finance_rows(name)) for name in there} | {
        name: len(world.dataverse_rows(name)) for name in here
    }


def differences(world: World) -> dict[str, list[str]]:
    truth = Truth(world)
    found = {str(LegRef(*leg)): truth.differences(*leg)[1] for leg in legs()}
    return {leg: each for leg, each in found.items() if each}


def test_a_restored_state_is_healed_by_one_command(
    world: World, new_databases: NewDatabases, first_pass: FirstPass
) -> None:
    yesterday = new_databases(first_pass.databases).state
    day = lived(world)
    before = sizes(world)
    restored = replace(world, settings=replace(world.settings, state_url=yesterday))

    done = heal(restored)
    [(leg, keys)] = done.strays.items()
    assert (leg, len(keys)) == (f"funding_sources__{FORTH}", 1)
    assert day.stray.lower() in keys[0]
    world.delete(SOURCES, day.short_lived)  # its delete comes when the state knows nothing of it but the pair
    world.forget_requests()
    outcomes = restored.sync()

    # Only what was not moved in the evening is written, and nothing twice.
    assert named(outcomes, "loaded") == {
        "resource_roles__dataverse_to_finance": 2,
        "customers__finance_to_dataverse": 1,
        "customers__dataverse_to_finance": 1,
        "workers__finance_to_dataverse": 1,
        "funding_sources__dataverse_to_finance": 2,  # one of them was gone there already
    }
    assert named(outcomes, "failed") | named(outcomes, "rejected") == {}
    assert sizes(world) == before
    assert rows.sources_at_finance(world, day.short_name) == []
    [too_many] = Truth(world).differences("funding_sources", FORTH)[1]
    assert "is too many" in too_many  # the stray, which waits for a person
    [letter] = [each for each in restored.letters("funding_sources") if each["status"] == "awaiting_approval"]
    assert (letter["rule"], letter["key"]) == (UNKNOWN_AT_SOURCE, keys[0])
    world.forget_requests()
    assert named(restored.sync("funding_sources", mode="full"), "loaded") == {}
    assert len(rows.sources_at_finance(world, day.stray)) == 1  # a full read does not decide for that person

    with restored.engine() as engine:
        approve(engine.state, Selection(map="funding_sources"), "a test")
    restored.sync("funding_sources")
    assert rows.sources_at_finance(world, day.stray) == []
    assert differences(world) == {}
    world.forget_requests()
    assert named(restored.sync(), "loaded") == {}
    assert world.writes() == []
    assert world.sql("select * from lease") == []


def test_a_task_of_a_lost_run_finds_no_batch_of_another(world: World) -> None:
    with world.batch("resource_roles", FORTH) as stages:
        staged = stages.staged()
        heal(world)
        outcome = stages.load(staged)
        assert outcome.superseded_by is not None
    world.sync("resource_roles")
    numbers = [row["id"] for row in world.sql("select id from batch order by id desc")]
    assert numbers[0] > outcome.batch + 1_000_000


def test_a_state_in_use_is_not_restored(world: World) -> None:
    with world.engine() as engine:
        lease = acquire(engine.state, "vendors", "batch 7 load", 60)
        with pytest.raises(StopError, match=r"Map vendors is being written by batch 7 load.*Pause the DAGs"):
            restore(engine, "a test")
        lease.release()
