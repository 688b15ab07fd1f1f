"""Mass deletes wait for a person: shown, approved, dismissed, or needless because the row is there again."""

import json
from datetime import timedelta

import pytest

from projops.fates import fates
from projops.replay import Selection, dismiss
from projops.run import LegOutcome
from tests.e2e.engine import rows
from tests.e2e.engine.world import World

SOURCES = "msdyn_projectcontractsplitbillingrules"
MAP = "funding_sources"
Made = dict[str, str]


@pytest.fixture(autouse=True)
def each_batch_by_itself(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of a module share a state: what one has deleted is not to count in the next."""
    if "flood" not in request.node.name:
        monkeypatch.setattr("projops.load.guard.WINDOW", timedelta(0))


@pytest.fixture
def made(world: World) -> Made:
    """Six funding sources of a contract, in step: GUIDs by name."""
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    names = [rows.fresh("FS") for _ in range(6)]
    found = {name: rows.funding_source(world, name, contract, customer) for name in names}
    world.forth("customers", "contract_headers", MAP)
    world.forget_requests()
    return found


def sync(world: World, **asked: str) -> LegOutcome:
    idle = LegOutcome(0, MAP, "dataverse_to_finance")
    return world.sync(MAP, **asked).get("funding_sources__dataverse_to_finance", idle)


def delete(world: World, made: Made, *names: str) -> None:
    for name in names:
        world.delete(SOURCES, made[name])


def standing(world: World, made: Made) -> set[str]:
    return {name for name in made if rows.sources_at_finance(world, name)}


@pytest.mark.parametrize("chunk_rows", [5000, 2], ids=["one-chunk", "many-chunks"])
def test_very_many_deletes_wait_for_approval_while_everything_else_goes_on(
    world: World, made: Made, chunk_rows: int
) -> None:
    careful = world.with_settings(delete_rows=3, chunk_rows=chunk_rows)
    whole = world.with_settings(delete_rows=3)  # a full read by two rows a page would take its time
    kept, back, stays, *gone = made
    world.change(SOURCES, made[kept], msdyn_billtoname="Goes on")
    before = world.dataverse_row(SOURCES, f"msdyn_fundingsourceid eq '{back}'")
    delete(world, made, back, stays, *gone)
    outcome = sync(careful)
    assert (outcome.read, outcome.loaded, outcome.parked) == (6, 1, 5)
    assert standing(world, made) == set(made)
    assert rows.sources_at_finance(world, kept)[0]["InvoiceName"] == "Goes on"
    held = {each["source_id"]: each for each in world.letters(MAP)}
    assert {each["status"] for each in held.values()} == {"awaiting_approval"}
    assert set(held) == {made[name] for name in made if name != kept}
    shown = held[made[gone[0]]]
    assert shown["message"].startswith("One of 5 deletes within an hour")
    assert gone[0].lower() in shown["payload"].lower()
    assert json.loads(shown["payload"])["InvoiceName"] == "Bill to"

    # They wait: neither forgotten nor done by a later run, not even by one that reads everything.
    sync(careful)
    sync(whole, mode="full")
    assert standing(world, made) == set(made)
    assert {each["source_id"] for each in world.letters(MAP)} == set(held)

    # One is dismissed, one is there again, the others are approved and go.
    with world.engine() as engine:
        dismiss(engine.state, Selection((held[made[stays]]["id"],)), "Still billed", "anna")
    lookups = ("msdyn_projectcontract", "msdyn_customer", "msdyn_company")
    sets = ("salesorders", "accounts", "cdm_companies")
    bound = {
        f"{name}@odata.bind": rows.bound(table, before[f"_{name}_value"])
        for name, table in zip(lookups, sets, strict=True)
    }
    plain = {
        name: before[name]
        for name in ("msdyn_fundingsourceid", "msdyn_name", "msdyn_isprimary", "msdyn_billtoname")
    }
    world.create(SOURCES, msdyn_projectcontractsplitbillingruleid=made[back], **plain, **bound)
    approved = world.approve(MAP)
    assert set(approved.marked) == {held[made[name]]["id"] for name in (back, *gone)}
    outcome = sync(careful)
    assert (outcome.loaded, outcome.parked) == (3, 0)
    assert standing(world, made) == {kept, back, stays}
    with world.engine() as engine:
        became = {each.number: each for each in fates(engine.state, approved.at).first}
    assert [became[held[made[name]]["id"]].is_open for name in (back, *gone)] == [False] * 4
    assert became[held[made[back]]["id"]].sentence.startswith("there again at the source")
    assert world.letters(MAP) == []

    # Nobody is asked again about the one that was dismissed, and it is not deleted.
    sync(whole, mode="full")
    assert standing(world, made) == {kept, back, stays}
    assert world.letters(MAP) == []


def test_a_few_deletes_need_no_approval(world: World, made: Made) -> None:
    delete(world, made, *list(made)[:2])
    assert sync(world.with_settings(delete_rows=3)).loaded == 2


def test_a_dismissed_delete_is_asked_about_again_once_the_row_has_come_and_gone(
    world: World, made: Made
) -> None:
    careful = world.with_settings(delete_rows=0)
    name = next(iter(made))
    old = world.dataverse_row(SOURCES, f"msdyn_fundingsourceid eq '{name}'")
    delete(world, made, name)
    assert sync(careful).parked == 1
    [letter] = world.letters(MAP)
    with world.engine() as engine:
        dismiss(engine.state, Selection(map=MAP), "Still billed", "anna")
    again = rows.funding_source(
        world, name, old["_msdyn_projectcontract_value"], old["_msdyn_customer_value"]
    )
    assert sync(careful).parked == 0
    world.delete(SOURCES, again)
    assert sync(careful).parked == 1
    [asked] = world.letters(MAP)
    assert asked["id"] > letter["id"]
    assert name in standing(world, made)
    world.approve(MAP)
    assert sync(careful).loaded == 1
    assert name not in standing(world, made)


def test_a_flood_in_small_batches_is_one(world: World, made: Made) -> None:
    world.sql("update batch set deleted = 0")
    careful = world.with_settings(delete_rows=3)
    first, second, third, *_ = made
    delete(world, made, first, second)
    assert sync(careful).loaded == 2
    delete(world, made, third)
    fourth = list(made)[3]
    delete(world, made, fourth)
    assert sync(careful).parked == 2
    assert third in standing(world, made)
    assert [each["message"][:16] for each in world.letters(MAP)] == ["One of 4 deletes"] * 2
