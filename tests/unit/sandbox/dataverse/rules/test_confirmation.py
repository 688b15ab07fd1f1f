"""Confirmed invoices: which actuals arise, to the cent (R402 to R408)."""

from decimal import Decimal

import pytest

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.confirmation import confirm_invoices
from sandbox.dataverse.rules.invoices import create_invoice
from sandbox.dataverse.rules.options import (
    BillingType,
    InvoiceStatus,
    TransactionType,
)
from sandbox.rules.jobs import JobRefusedError
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm
from tests.unit.sandbox.dataverse.rules.invoicing import (
    ADJUSTED,
    BILLED,
    CHARGED,
    DETAIL,
    FREE,
    POSTED,
    UNADJUSTABLE,
    UNBILLED,
    Billed,
    eight_hours,
    hours,
    remove,
)


@pytest.fixture
def billed(firm: Firm) -> Billed:
    return eight_hours(firm)


def test_r402_confirmed_as_it_was_approved(billed: Billed) -> None:
    billed.confirm()
    assert billed.sales(UNBILLED) == {
        ("8", "1600", CHARGED, None, True): 1,
        ("-8", "-1600", CHARGED, UNADJUSTABLE, False): 1,
    }
    assert billed.sales(BILLED) == {("8", "1600", CHARGED, None, True): 1}
    assert billed.sales(TransactionType.COST) == {("8", "800", None, None, True): 1}
    assert billed.roles() == {("Reversing", "Original"): 1, ("Billed Sales", "Unbilled Sales"): 1}
    sales = billed.desk.find("msdyn_actual", msdyn_transactiontypecode=[UNBILLED, BILLED])
    assert {it["msdyn_billingstatus"] for it in sales} == {POSTED}
    [sale] = billed.desk.find("msdyn_actual", msdyn_invoice=billed.invoice)
    assert sale["msdyn_transactiontypecode"] == BILLED
    assert sale["msdyn_documentdate"] == DAY
    [detail] = billed.desk.find(DETAIL)
    assert detail["msdyn_billedactual"] == sale["msdyn_actualid"]


def test_r403_six_of_eight_hours_are_charged(billed: Billed) -> None:
    billed.edit(msdyn_quantity=Decimal(6))
    assert billed.desk.get("invoice", billed.invoice)["totalamount"] == 1200
    billed.confirm()
    assert billed.sales(UNBILLED) == {
        ("8", "1600", CHARGED, ADJUSTED, True): 1,
        ("-8", "-1600", CHARGED, UNADJUSTABLE, True): 1,
        ("6", "1200", CHARGED, None, True): 1,
        ("-6", "-1200", CHARGED, UNADJUSTABLE, False): 1,
        ("2", "400", FREE, None, True): 1,
        ("-2", "-400", FREE, UNADJUSTABLE, False): 1,
    }
    assert billed.sales(BILLED) == {("6", "1200", CHARGED, None, True): 1, ("2", "400", FREE, None, True): 1}
    assert billed.roles() == {
        ("Reversing", "Original"): 3,
        ("Billed Sales", "Unbilled Sales"): 2,
        ("Replacing", "Original"): 2,
    }
    details = billed.desk.find(DETAIL, msdyn_invoice=billed.invoice)
    assert {(it["msdyn_quantity"], it["msdyn_billingtype"]) for it in details} == {(6, CHARGED), (2, FREE)}
    assert all(it["msdyn_billedactual"] for it in details)


def test_r404_ten_hours_are_charged_for_eight(billed: Billed) -> None:
    billed.edit(msdyn_quantity=Decimal(10))
    billed.confirm()
    assert billed.sales(UNBILLED) == {
        ("8", "1600", CHARGED, ADJUSTED, True): 1,
        ("-8", "-1600", CHARGED, UNADJUSTABLE, True): 1,
        ("10", "2000", CHARGED, None, True): 1,
        ("-10", "-2000", CHARGED, UNADJUSTABLE, False): 1,
    }
    assert billed.sales(BILLED) == {("10", "2000", CHARGED, None, True): 1}


def test_an_hour_that_is_not_charged_at_all_is_billed_for_nothing(billed: Billed) -> None:
    billed.edit(msdyn_quantity=Decimal(0))
    billed.confirm()
    assert billed.sales(BILLED) == {("8", "1600", FREE, None, True): 1}
    assert billed.desk.get("invoice", billed.invoice)["totalamount"] == 0


def test_r407_a_confirmed_invoice_is_read_only(billed: Billed) -> None:
    as_user(billed.desk, "invoice", billed.invoice, {"description": "Thank you"})
    billed.confirm()
    billed.confirm()  # the same value once more changes nothing
    for table, row_id, values in (
        (DETAIL, billed.detail, {"msdyn_invoice": None}),
        ("invoice", billed.invoice, {"description": "More"}),
        ("invoice", billed.invoice, {"msdyn_projectinvoicestatus": InvoiceStatus.DRAFT}),
        (DETAIL, billed.detail, {"msdyn_quantity": Decimal(7)}),
    ):
        with pytest.raises(ApiError, match="read-only"):
            as_user(billed.desk, table, row_id, values)
    as_user(billed.desk, "invoice", billed.invoice, {"msdyn_projectinvoicestatus": InvoiceStatus.PAID})
    assert sum(billed.sales(BILLED).values()) == 1


def test_r407_no_more_than_250_invoices_are_confirmed_at_once(billed: Billed) -> None:
    with pytest.raises(JobRefusedError, match="251 invoices are too many: confirm at most 250"):
        confirm_invoices(billed.desk, {"invoices": [str(number) for number in range(251)]})
    gone = "00000000-0000-0000-0000-000000000001"
    answer = confirm_invoices(billed.desk, {"invoices": [gone, billed.invoice]})
    assert answer == {"confirmed": 1, "errors": [f"There is no invoice with the id {gone}."]}
    [again] = confirm_invoices(billed.desk, {"invoices": [billed.invoice]})["errors"]
    number = billed.desk.get("invoice", billed.invoice)["invoicenumber"]
    assert again == f"Invoice {number} is confirmed already."


def test_r408_the_invoice_says_when_its_billed_sales_are_accounted_for(billed: Billed) -> None:
    as_user(billed.desk, "invoice", billed.invoice, {"msdyn_accountingdate": "2026-12-01"})
    billed.confirm()
    by_kind = {it["msdyn_transactiontypecode"]: it for it in billed.desk.find("msdyn_actual")}
    assert by_kind[BILLED]["msdyn_accountingdate"] == "2026-12-01T12:00:00Z"
    assert by_kind[BILLED]["msdyn_documentdate"] == DAY
    assert by_kind[UNBILLED]["msdyn_accountingdate"] == DAY


def test_work_that_was_adjusted_since_it_came_on_the_draft_holds_the_invoice(billed: Billed) -> None:
    [work] = billed.desk.find("msdyn_actual", msdyn_transactiontypecode=UNBILLED)
    billed.desk.update("msdyn_actual", work["msdyn_actualid"], {"msdyn_adjustmentstatus": ADJUSTED})
    answer = confirm_invoices(billed.desk, {"invoices": [billed.invoice]})
    assert answer["confirmed"] == 0
    assert "adjusted since they came on the draft" in answer["errors"][0]
    assert billed.desk.get("invoice", billed.invoice)["msdyn_projectinvoicestatus"] == InvoiceStatus.DRAFT


@pytest.mark.parametrize(
    ("currency", "price", "expected"), [("JPY", "15000.5", "37501"), ("KWD", "61.2345", "153.086")]
)
def test_amounts_have_as_many_digits_as_their_currency(
    firm: Firm, currency: str, price: str, expected: str
) -> None:
    contract = firm.contract("C-9", currency=currency)
    hours(firm, firm.project("P-9", contract), price=price)
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    [detail] = firm.desk.find(DETAIL, msdyn_invoice=invoice)
    as_user(firm.desk, DETAIL, detail["msdyn_invoicelinetransactionid"], {"msdyn_quantity": Decimal("2.5")})
    assert firm.desk.get("invoice", invoice)["totalamount"] == Decimal(expected)
    assert confirm_invoices(firm.desk, {"invoices": [invoice]})["errors"] == []
    [charged] = firm.desk.find(
        "msdyn_actual", msdyn_transactiontypecode=BILLED, msdyn_billingtype=BillingType.CHARGEABLE
    )
    assert charged["msdyn_amount"] == Decimal(expected)


@pytest.mark.parametrize("column", ["msdyn_quantity", "msdyn_price", "msdyn_amount"])
def test_a_line_detail_keeps_its_amounts(billed: Billed, column: str) -> None:
    with pytest.raises(ApiError, match="must have a quantity, a price and an amount"):
        billed.edit(**{column: None})


def test_sales_that_no_draft_reserved_hold_the_invoice(billed: Billed) -> None:
    [work] = billed.desk.find("msdyn_actual", msdyn_transactiontypecode=UNBILLED)
    remove(billed.desk, DETAIL, billed.detail)
    by_hand = {"msdyn_invoice": billed.invoice, "msdyn_unbilledactual": work["msdyn_actualid"]}
    as_user(billed.desk, DETAIL, None, by_hand | {"msdyn_description": "Design"})
    [error] = confirm_invoices(billed.desk, {"invoices": [billed.invoice]})["errors"]
    number = billed.desk.get("invoice", billed.invoice)["invoicenumber"]
    assert error.startswith(f"Invoice {number}: The unbilled sales of 'Design' are not reserved by a draft")
