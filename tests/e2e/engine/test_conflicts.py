"""Shared columns: a change travels either way, Finance wins where both changed, and then all rests."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.engine import rows
from tests.e2e.engine.world import Row, World, named


@pytest.fixture(scope="module")
def pairs(shared_world: World) -> Iterator[tuple[str, str]]:
    """Customers that both sides know and that are in step: number and GUID of each."""
    numbers = [rows.fresh("P") for _ in range(13)]
    made = [(number, rows.account(shared_world, number, name="Before")) for number in numbers]
    for _ in range(2):
        shared_world.sync("customers")
    return iter(made)


@pytest.fixture
def pair(pairs: Iterator[tuple[str, str]]) -> tuple[str, str]:
    """One of them, for one test."""
    return next(pairs)


def names(world: World, number: str) -> tuple[str, str]:
    here, there = rows.at_dataverse(world, number), rows.at_finance(world, number)
    assert here is not None
    assert there is not None
    return here["name"], there["OrganizationName"]


def conflicts(world: World, number: str) -> list[tuple[str, Row, Row]]:
    """Who won, and what Dataverse and Finance held, under the names of the side that was to be written."""
    found = world.sql(
        "select * from conflict where key = :key", key=json.dumps([number.lower(), "uspm"]).replace(", ", ",")
    )
    sides = ("source_values", "target_values")
    return [
        (
            each["winner"],
            *(
                json.loads(each[side])
                for side in (sides if each["leg"] == "dataverse_to_finance" else reversed(sides))
            ),
        )
        for each in found
    ]


def test_a_change_in_dataverse_alone_goes_to_finance(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    world.change("accounts", guid, name="Changed here")
    outcomes = world.sync("customers")
    assert named(outcomes, "loaded") == {"customers__dataverse_to_finance": 1}
    assert names(world, number) == ("Changed here", "Changed here")
    assert conflicts(world, number) == []


def test_a_change_in_finance_alone_goes_to_dataverse(world: World, pair: tuple[str, str]) -> None:
    number, _ = pair
    world.patch(
        "CustomersV3", rows.customer_key(number), OrganizationName="Changed there", OnHoldStatus="All"
    )
    outcomes = world.sync("customers")
    assert named(outcomes, "loaded") == {"customers__finance_to_dataverse": 1}
    assert names(world, number) == ("Changed there", "Changed there")
    assert conflicts(world, number) == []


def test_where_both_changed_finance_wins_and_both_values_are_kept(
    world: World, pair: tuple[str, str]
) -> None:
    number, guid = pair
    world.change("accounts", guid, name="Ours")
    world.patch("CustomersV3", rows.customer_key(number), OrganizationName="Theirs")
    world.sync("customers")
    assert names(world, number) == ("Theirs", "Theirs")
    [(winner, ours, theirs)] = conflicts(world, number)
    assert (winner, *ours.values(), *theirs.values()) == ("finance", "Ours", "Theirs")


def test_the_leg_of_the_loser_alone_overwrites_nothing(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    world.change("accounts", guid, name="Ours")
    world.patch("CustomersV3", rows.customer_key(number), OrganizationName="Theirs")
    with world.batch("customers", "dataverse_to_finance") as stages:
        stages.load(stages.staged())
    assert names(world, number) == ("Ours", "Theirs")
    world.sync("customers")
    assert names(world, number) == ("Theirs", "Theirs")
    [(winner, ours, theirs)] = conflicts(world, number)
    assert (winner, *ours.values(), *theirs.values()) == ("finance", "Ours", "Theirs")


def test_both_changed_to_the_same_is_no_conflict(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    world.change("accounts", guid, name="Same")
    world.patch("CustomersV3", rows.customer_key(number), OrganizationName="Same")
    world.forget_requests()
    assert named(world.sync("customers"), "loaded") == {}
    assert world.writes() == []
    assert conflicts(world, number) == []


def test_changes_of_different_columns_both_arrive(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    world.change("accounts", guid, name="Ours")
    world.patch("CustomersV3", rows.customer_key(number), OnHoldStatus="All")
    world.sync("customers")
    here, there = rows.at_dataverse(world, number), rows.at_finance(world, number)
    assert here is not None
    assert there is not None
    assert (here["name"], there["OrganizationName"]) == ("Ours", "Ours")
    assert (here["msdyn_onholdstatus"], there["OnHoldStatus"]) == (192350002, "All")
    assert conflicts(world, number) == []


def test_at_first_contact_the_losers_value_is_kept(world: World) -> None:
    number = rows.fresh("First")
    rows.account(world, number, name="Ours")
    rows.customer(world, number, OrganizationName="Theirs")
    for _ in range(2):
        world.sync("customers")
        assert names(world, number) == ("Theirs", "Theirs")
        [(winner, ours, theirs)] = conflicts(world, number)
        assert winner == "finance"
        assert "Ours" in ours.values()
        assert "Theirs" in theirs.values()


def test_a_winner_that_takes_its_change_back_still_has_its_way(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    key = rows.customer_key(number)
    world.change("accounts", guid, name="Ours")
    world.patch("CustomersV3", key, OrganizationName="Theirs")
    with world.batch("customers", "dataverse_to_finance") as stages:
        stages.load(stages.staged())
    world.patch("CustomersV3", key, OrganizationName="Before")
    world.sync("customers")
    assert names(world, number) == ("Before", "Before")
    assert len(conflicts(world, number)) == 1


def test_a_value_that_comes_back_is_a_change_like_any_other(world: World, pair: tuple[str, str]) -> None:
    """There and back between two runs of the way back: no hash of old must hide it."""
    number, guid = pair
    world.change("accounts", guid, name="B")
    world.sync("customers")
    world.patch("CustomersV3", rows.customer_key(number), OrganizationName="Before")
    with world.batch("customers", "finance_to_dataverse") as stages:
        stages.load(stages.staged())
    assert names(world, number) == ("Before", "Before")
    world.change("accounts", guid, name="B")
    world.sync("customers")
    assert names(world, number) == ("B", "B")


def test_the_same_the_other_way_round(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    key = rows.customer_key(number)
    world.patch("CustomersV3", key, OrganizationName="B")
    world.sync("customers")
    world.change("accounts", guid, name="Before")
    with world.batch("customers", "dataverse_to_finance") as stages:
        stages.load(stages.staged())
    assert names(world, number) == ("Before", "Before")
    world.patch("CustomersV3", key, OrganizationName="B")
    world.sync("customers")
    assert names(world, number) == ("B", "B")


def test_what_lost_can_be_set_again(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    world.change("accounts", guid, name="Ours")
    world.patch("CustomersV3", rows.customer_key(number), OrganizationName="Theirs")
    world.sync("customers")
    world.change("accounts", guid, name="Ours")
    world.sync("customers")
    assert names(world, number) == ("Ours", "Ours")


def test_letters_that_differ_in_case_only_travel_and_rest(world: World, pair: tuple[str, str]) -> None:
    number, guid = pair
    world.change("accounts", guid, name="BEFORE")
    world.sync("customers")
    assert names(world, number) == ("BEFORE", "BEFORE")


def test_a_reference_written_in_another_case_rests(world: World, pair: tuple[str, str]) -> None:
    number, _ = pair
    payer = rows.fresh("Payer")
    rows.customer(world, payer)
    world.patch("CustomersV3", rows.customer_key(number), InvoiceAccount=payer.upper())
    world.sync("customers")
    world.sync("customers")
    here = rows.at_dataverse(world, number)
    paying = rows.at_dataverse(world, payer)
    assert here is not None
    assert paying is not None
    assert here["_msdyn_billingaccount_value"] == paying["accountid"]


def test_after_all_of_it_three_further_passes_write_nothing(world: World) -> None:
    """No change plays ping-pong, and no conflict is seen twice."""
    seen = world.sql("select id from conflict")
    for _ in range(3):
        assert named(world.sync("customers"), "loaded") == {}
    assert world.writes() == []
    assert world.sql("select id from conflict") == seen
