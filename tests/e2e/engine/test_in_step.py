"""The first pass of all areas leaves both systems equal to the last digit, and the second moves nothing."""

from decimal import Decimal

import pytest

from tests.e2e.engine.conftest import FirstPass
from tests.e2e.engine.truth import Truth, legs, maps
from tests.e2e.engine.world import World, named

# Documents that only work makes, in Dataverse or in Finance; the seed has none of them yet.
MADE_BY_WORK = {
    "customer_invoices",
    "expense_categories",
    "expenses",
    "invoice_proposals",
    "subcontract_lines",
    "subcontracts",
    "vendor_invoice_lines",
    "vendor_invoices",
}


@pytest.fixture(scope="module")
def truth(shared_world: World) -> Truth:
    return Truth(shared_world)


@pytest.mark.parametrize(("map_id", "leg"), legs())
def test_every_mapped_column_of_every_row_is_equal(truth: Truth, map_id: str, leg: str) -> None:
    compared, found = truth.differences(map_id, leg)
    assert compared > 0 or map_id in MADE_BY_WORK or (map_id, leg) == ("actuals", "finance_to_dataverse")
    assert found == []


def test_every_leg_ran_and_nothing_was_set_aside(first_pass: FirstPass) -> None:
    assert set(first_pass.outcomes) == {f"{name}__{leg}" for name, leg in legs()}
    for count in ("parked", "rejected", "failed"):
        assert named(first_pass.outcomes, count) == {}


def test_the_awkward_rows_by_name(shared_world: World) -> None:
    """Money to the last digit, a leap day, letters of every kind: each as the source has it."""
    finance, dataverse = shared_world.finance_rows, shared_world.dataverse_rows
    lines = {row["LineAmount"] for row in finance("ProjectContractLines")}
    assert Decimal("922337203685476.9999") in lines
    names = {row["name"] for row in dataverse("accounts")} & {
        row["OrganizationName"] for row in finance("CustomersV3")
    }
    assert {
        "O'Brien & Söhne GmbH",
        "Rocket 🚀 Labs 👩‍💻",
        "  Blank at both Ends  ",
        "100% Cotton_Wool [UK] Ltd",
        "Star * Wild ? Card",
        "Two\nLines\tand a Tab",
        "null",
        "İstanbul Straße ΣΊΣΥΦΟΣ",
        "Cafe\u0301 Décomposé",
    } <= names
    days = {row["TransactionDate"] for row in finance("ProjectContractLineMilestones")}
    assert "2028-02-29T12:00:00Z" in days


def test_a_second_pass_sends_no_write_at_all(world: World) -> None:
    outcomes = world.sync()
    assert named(outcomes, "loaded") == {}
    assert world.writes() == []
    assert world.sql("select * from dead_letter") == []


def test_a_full_read_of_everything_sends_no_write_either(world: World) -> None:
    outcomes = world.sync(mode="full")
    assert set(outcomes) == {f"{name}__{leg}" for name, each in maps().items() for leg in each["legs"]}
    assert named(outcomes, "loaded") == {}
    assert world.writes() == []


def test_the_comparison_sees_a_single_letter(world: World) -> None:
    """Who compares must be able to find a difference."""
    customer = world.finance_row("CustomersV3", "CustomerAccount eq 'US-040'")
    key = {"dataAreaId": "uspm", "CustomerAccount": "US-040"}
    name = customer["OrganizationName"]
    world.patch("CustomersV3", key, OrganizationName=f"{name}.")
    _, found = Truth(world).differences("customers", "finance_to_dataverse")
    assert found == [f"('us-040', 'uspm'): name is {name!r}, should be {name + '.'!r}"]
    world.patch("CustomersV3", key, OrganizationName=name)
