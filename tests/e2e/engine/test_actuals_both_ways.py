"""Actuals go to Finance and come back with their voucher: no leg takes the other's write for a change."""

import uuid
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.engine import invoices
from tests.e2e.engine.world import World

FORTH, BACK = "actuals__dataverse_to_finance", "actuals__finance_to_dataverse"


@pytest.fixture(scope="module")
def contract(shared_world: World) -> tuple[str, str]:
    return invoices.contract_in_step(shared_world)


def staged(world: World, actual: str) -> dict[str, Any]:
    """The actual as Finance holds it."""
    return dict(world.finance_row("ProjActualsImports", f"ActualId eq {actual}"))


def post(world: World, row: dict[str, Any], **values: Any) -> None:
    """What posting writes on the staging row (R704)."""
    key = {"dataAreaId": row["dataAreaId"], "ActualsImportId": uuid.UUID(row["ActualsImportId"])}
    facts = {
        "VoucherNumber": "USPM-000051",
        "ExchangeRate": 1.25,
        "AccountingAmount": 250,
        "SalesTaxAmount": 12.5,
        "IsJournalized": "Yes",
    }
    world.patch("ProjActualsImports", key, **(facts | values))


def test_the_voucher_comes_back_and_is_no_change_for_finance(world: World, contract: tuple[str, str]) -> None:
    [actual] = invoices.actuals(world, contract[0], 1, invoices.UNBILLED)
    world.forth("actuals")
    post(world, staged(world, actual))
    assert world.sync("actuals")[BACK].loaded == 1
    there = world.dataverse_row("msdyn_actuals", f"msdyn_actualid eq {actual}")
    assert (there["msdyn_vouchernumber"], there["msdyn_isjournalized"]) == ("USPM-000051", True)
    assert (there["msdyn_accountingamount"], there["msdyn_accountingexchangerate"]) == (250, Decimal("1.25"))
    assert there["msdyn_salestaxamount"] == Decimal("12.5")

    world.forget_requests()
    again = world.sync("actuals")
    assert sum(each.loaded for each in again.values()) == 0
    assert world.writes() == []


def test_an_actual_cancelled_after_posting_keeps_its_voucher(world: World, contract: tuple[str, str]) -> None:
    """R306: the original is Adjusted; Finance hears of it, and what Finance wrote stays on both sides."""
    adjusted = 192350001
    [actual] = invoices.actuals(world, contract[0], 1, invoices.UNBILLED)
    world.forth("actuals")
    post(world, staged(world, actual))
    world.sync("actuals")
    world.correct(actual, msdyn_adjustmentstatus=adjusted)
    assert world.sync("actuals")[FORTH].loaded == 1
    held = staged(world, actual)
    assert (held["AdjustmentStatus"], held["VoucherNumber"]) == (adjusted, "USPM-000051")
    assert (held["ExchangeRate"], held["IsJournalized"]) == (Decimal("1.25"), "Yes")
    world.forget_requests()
    world.sync("actuals")
    assert world.writes() == []


def test_an_actual_that_dataverse_lacks_is_never_made_there_e7(
    world: World, contract: tuple[str, str]
) -> None:
    [actual] = invoices.actuals(world, contract[0], 1, invoices.UNBILLED)
    world.forth("actuals")
    row = staged(world, actual)
    stranger = str(uuid.uuid4())
    kept = ("dataAreaId", "TransactionType", "TransactionCurrencyId", "ContractId", "BillingType")
    world.post(
        "ProjActualsImports",
        **{name: row[name] for name in kept},
        ActualsImportId=stranger,
        VoucherNumber="USPM-000052",
    )
    before = len(world.dataverse_rows("msdyn_actuals"))
    assert world.sync("actuals")[BACK].failed == 1
    assert len(world.dataverse_rows("msdyn_actuals")) == before
    [letter] = world.letters("actuals")
    assert (letter["status"], letter["rule"]) == ("open", "E7")
    assert letter["message"].startswith(f"Unable to look up msdyn_actuals with values {{{stranger}, uspm}}")

    assert world.sync("actuals")[BACK].read == 0  # nobody tries it again by itself

    # The remedy: the actual is imported into Dataverse as well. No change tells of the row in Finance.
    [found] = invoices.actuals(
        world,
        contract[0],
        1,
        invoices.UNBILLED,
        {"msdyn_actualimportid": stranger, "msdyn_skipsync": True},
    )
    assert world.replay("actuals").marked == (letter["id"],)
    assert world.sync("actuals")[BACK].loaded == 1
    assert world.letters("actuals") == []
    there = world.dataverse_row("msdyn_actuals", f"msdyn_actualid eq {found}")
    assert there["msdyn_vouchernumber"] == "USPM-000052"
