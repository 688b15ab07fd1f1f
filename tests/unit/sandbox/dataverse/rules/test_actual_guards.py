"""Actuals are the system's: what people and integrations may do with them."""

from decimal import Decimal

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.actuals import ACTUAL, Role, connected, invoiceable, record
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    BillingStatus,
    NteStatus,
    TransactionType,
)
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.conftest import as_user

UNBILLED = {
    "msdyn_transactiontypecode": TransactionType.UNBILLED_SALES,
    "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
    "msdyn_quantity": Decimal(8),
    "msdyn_price": Decimal(200),
}
READY = {"msdyn_billingstatus": BillingStatus.READY_TO_INVOICE}


@pytest.fixture
def actual(desk: Desk) -> str:
    """Unbilled sales of 1,600."""
    return str(record(desk, UNBILLED)["msdyn_actualid"])


def test_r309_nobody_deletes_an_actual(desk: Desk, actual: str) -> None:
    entity = desk.writer.entities.by_name[ACTUAL]
    for caller in (Caller.USER, Caller.IMPORT):
        with pytest.raises(ApiError, match="cannot be deleted: cancel its approval"):
            desk.writer.delete(desk.unit, entity, actual, caller)
    assert desk.get(ACTUAL, actual)["msdyn_amount"] == Decimal(1600)


def test_r309_a_user_does_not_create_actuals_but_imports_do(desk: Desk) -> None:
    with pytest.raises(ApiError, match="entry journal and post it, or .* Correct entries") as refusal:
        as_user(desk, ACTUAL, None, UNBILLED)
    assert (refusal.value.status, refusal.value.code) == (400, "0x80040265")
    entity = desk.writer.entities.by_name[ACTUAL]
    desk.writer.insert(desk.unit, entity, [UNBILLED], Caller.IMPORT)
    as_user(desk, ACTUAL, None, {**UNBILLED, "importsequencenumber": 7})
    as_user(desk, ACTUAL, None, {**UNBILLED, "overriddencreatedon": "2020-01-01T00:00:00Z"})
    assert len(desk.find(ACTUAL)) == 3


def test_r309_only_descriptions_are_editable_and_what_finance_tells(desk: Desk, actual: str) -> None:
    as_user(desk, ACTUAL, actual, {"msdyn_description": "new", "msdyn_externaldescription": "for you"})
    accounted = {
        "msdyn_vouchernumber": "USPM-000051",
        "msdyn_accountingamount": Decimal(1600),
        "msdyn_accountingexchangerate": Decimal(1),
        "msdyn_salestaxamount": Decimal(0),
        "msdyn_isjournalized": True,
    }
    as_user(desk, ACTUAL, actual, accounted)
    with pytest.raises(ApiError, match="Column msdyn_amount of actual .* use Correct entries"):
        as_user(desk, ACTUAL, actual, {"msdyn_amount": Decimal(1), "msdyn_description": "x"})
    as_user(desk, ACTUAL, actual, {"msdyn_amount": Decimal(1600)})
    row = desk.get(ACTUAL, actual)
    assert (row["msdyn_description"], row["msdyn_vouchernumber"]) == ("new", "USPM-000051")
    assert row["msdyn_amount"] == Decimal(1600)


def test_r310_open_unbilled_sales_can_be_marked_ready_and_back(desk: Desk, actual: str) -> None:
    as_user(desk, ACTUAL, actual, READY)
    assert invoiceable(desk.get(ACTUAL, actual))
    as_user(desk, ACTUAL, actual, {"msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED})
    with pytest.raises(ApiError, match="Column msdyn_billingstatus"):
        as_user(desk, ACTUAL, actual, {"msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_POSTED})


@pytest.mark.parametrize(
    "spoiled",
    [
        {"msdyn_ntestatus": NteStatus.FAILED},
        {"msdyn_adjustmentstatus": AdjustmentStatus.ADJUSTED},
        {"msdyn_adjustmentstatus": AdjustmentStatus.UNADJUSTABLE},
        {"msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_POSTED},
        {"msdyn_transactiontypecode": TransactionType.COST},
    ],
)
def test_r310_other_actuals_are_never_ready_to_invoice(
    desk: Desk, actual: str, spoiled: dict[str, int]
) -> None:
    desk.update(ACTUAL, actual, spoiled)
    assert not invoiceable(desk.get(ACTUAL, actual))
    entity = desk.writer.entities.by_name[ACTUAL]
    for caller in (Caller.USER, Caller.IMPORT):
        with pytest.raises(ApiError, match="cannot be marked Ready to Invoice"):
            desk.writer.update(desk.unit, entity, [(actual, READY)], caller)


def test_a_connection_that_names_its_actuals_by_text_is_found_from_them(desk: Desk) -> None:
    cost, sale = (
        record(desk, {**UNBILLED, "msdyn_transactiontypecode": it}) for it in (192350000, 192350005)
    )
    as_user(
        desk,
        "msdyn_transactionconnection",
        None,
        {
            "msdyn_transaction1": sale["msdyn_actualid"].upper(),
            "msdyn_transaction1type": ACTUAL,
            "msdyn_transaction1role": "Unbilled Sales",
            "msdyn_transaction2": cost["msdyn_actualid"],
            "msdyn_transaction2type": ACTUAL,
            "msdyn_transaction2role": "Cost",
        },
    )
    assert connected(desk, cost, Role.COST, Role.UNBILLED_SALES) == [sale]
