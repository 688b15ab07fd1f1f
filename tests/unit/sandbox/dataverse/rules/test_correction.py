"""Corrected invoices: what is credited, what is billed anew, what is left (R406)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.correction import correct_invoice
from sandbox.dataverse.rules.invoices import create_invoice
from sandbox.dataverse.rules.options import (
    BillingMethod,
    BillingStatus,
    MilestoneStatus,
    TransactionClass,
)
from sandbox.rules.jobs import JobRefusedError
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.invoicing import (
    ADJUSTED,
    BILLED,
    CHARGED,
    DETAIL,
    POSTED,
    UNADJUSTABLE,
    UNBILLED,
    Billed,
    confirm,
    eight_hours,
    hours,
    milestone,
)


@pytest.fixture
def billed(firm: Firm) -> Billed:
    """Eight hours on an invoice that is confirmed."""
    invoice = eight_hours(firm)
    invoice.confirm()
    return invoice


def test_r406_six_of_eight_billed_hours_stay_billed(billed: Billed) -> None:
    draft = billed.corrected()
    invoice = billed.desk.get("invoice", draft.invoice)
    assert (invoice["msdyn_hascorrections"], invoice["totalamount"]) == (True, -1600)
    draft.edit(msdyn_quantity=Decimal(6))
    assert billed.desk.get("invoice", draft.invoice)["totalamount"] == -400
    draft.confirm()
    assert billed.sales(UNBILLED) == {
        ("8", "1600", CHARGED, None, True): 1,
        ("-8", "-1600", CHARGED, UNADJUSTABLE, False): 1,
        ("6", "1200", CHARGED, None, True): 1,
        ("-6", "-1200", CHARGED, UNADJUSTABLE, False): 1,
        ("2", "400", CHARGED, None, True): 1,
    }
    assert billed.sales(BILLED) == {
        ("8", "1600", CHARGED, ADJUSTED, True): 1,
        ("-8", "-1600", CHARGED, UNADJUSTABLE, True): 1,
        ("6", "1200", CHARGED, None, True): 1,
    }
    assert billed.roles() == {
        ("Reversing", "Original"): 3,
        ("Billed Sales", "Unbilled Sales"): 2,
        ("Replacing", "Original"): 3,
    }
    assert statuses(billed, "2") == {BillingStatus.UNBILLED_SALES_CREATED}
    assert statuses(billed, "6") == {POSTED}


def test_r406_what_a_correction_leaves_is_billed_by_the_next_invoice(billed: Billed) -> None:
    billed.corrected(quantities={billed.detail: "6"}).confirm()
    [invoice] = create_invoice(billed.desk, {"contract": billed.contract})["invoices"]
    assert billed.desk.get("invoice", invoice)["totalamount"] == 400
    confirm(billed.desk, invoice)
    assert billed.sales(BILLED)["2", "400", CHARGED, None, True] == 1


def test_r406_ten_hours_instead_of_eight(billed: Billed) -> None:
    billed.corrected(quantities={billed.detail: 10}).confirm()
    assert billed.sales(BILLED) == {
        ("8", "1600", CHARGED, ADJUSTED, True): 1,
        ("-8", "-1600", CHARGED, UNADJUSTABLE, True): 1,
        ("10", "2000", CHARGED, None, True): 1,
    }
    assert sum(billed.sales(UNBILLED).values()) == 4


def test_r406_a_full_credit_opens_all_of_the_work(billed: Billed) -> None:
    billed.corrected().confirm()
    assert billed.sales(UNBILLED) == {
        ("8", "1600", CHARGED, None, True): 2,
        ("-8", "-1600", CHARGED, UNADJUSTABLE, False): 1,
    }
    assert statuses(billed, "8") == {POSTED, BillingStatus.UNBILLED_SALES_CREATED}
    assert (
        sum(it["msdyn_amount"] for it in billed.desk.find("msdyn_actual", msdyn_transactiontypecode=BILLED))
        == 0
    )


def test_r406_a_fee_that_is_credited_in_part_leaves_nothing(firm: Firm) -> None:
    contract = firm.contract("C-2")
    hours(firm, firm.project("P-2", contract), quantity="4", price="25")
    for row in firm.desk.find("msdyn_actual", msdyn_salescontract=contract):
        fee = {"msdyn_transactionclassification": TransactionClass.FEE}
        firm.desk.update("msdyn_actual", row["msdyn_actualid"], fee)
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    confirm(firm.desk, invoice)
    [detail] = firm.desk.find(DETAIL, msdyn_invoice=invoice)
    billed = Billed(firm.desk, contract, "", invoice, detail["msdyn_invoicelinetransactionid"])
    billed.corrected(quantities={billed.detail: 3}).confirm()
    assert billed.sales(UNBILLED) == {
        ("4", "100", CHARGED, None, True): 1,
        ("-4", "-100", CHARGED, UNADJUSTABLE, False): 1,
        ("3", "75", CHARGED, None, True): 1,
        ("-3", "-75", CHARGED, UNADJUSTABLE, False): 1,
    }


def test_r406_a_milestone_is_credited_in_full_and_ready_again(firm: Firm) -> None:
    contract = firm.contract("C-3")
    firm.project("P-3", contract, msdyn_billingmethod=BillingMethod.FIXED_PRICE)
    milestone_id = milestone(firm, contract, "5000")
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    confirm(firm.desk, invoice)
    [detail] = firm.desk.find(DETAIL, msdyn_invoice=invoice)
    billed = Billed(firm.desk, contract, "", invoice, detail["msdyn_invoicelinetransactionid"])
    with pytest.raises(JobRefusedError, match="credited in full only"):
        billed.corrected(quantities={billed.detail: "0.5"})
    draft = billed.corrected()
    with pytest.raises(ApiError, match="one piece"):
        draft.edit(msdyn_quantity=Decimal("0.5"))
    draft.confirm()
    assert billed.sales(BILLED) == {
        ("1", "5000", CHARGED, ADJUSTED, True): 1,
        ("-1", "-5000", CHARGED, UNADJUSTABLE, True): 1,
    }
    assert billed.sales(UNBILLED) == {}
    stored = firm.desk.get("msdyn_contractlinescheduleofvalue", milestone_id)
    assert stored["msdyn_invoicestatus"] == MilestoneStatus.READY
    [again] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    assert firm.desk.get("invoice", again)["totalamount"] == 5000


def test_only_what_is_billed_and_not_corrected_yet_can_be_corrected(firm: Firm, billed: Billed) -> None:
    draft = billed.corrected()
    with pytest.raises(JobRefusedError, match="is not confirmed: edit it as it is"):
        correct_invoice(firm.desk, {"invoice": draft.invoice})
    draft.confirm()
    with pytest.raises(JobRefusedError, match="nothing to correct"):
        correct_invoice(firm.desk, {"invoice": billed.invoice})
    eight = correct_again(firm)
    for wrong in (-1, "six", "NaN"):
        with pytest.raises(JobRefusedError, match="is no quantity"):
            eight.corrected(quantities={eight.detail: wrong})


def test_two_drafts_cannot_correct_the_same_detail(billed: Billed) -> None:
    first, second = billed.corrected(), billed.corrected()
    first.confirm()
    with pytest.raises(ApiError, match="were corrected already"):
        second.confirm()


def correct_again(firm: Firm) -> Billed:
    contract = firm.contract("C-5")
    hours(firm, firm.project("P-5", contract))
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    confirm(firm.desk, invoice)
    [detail] = firm.desk.find(DETAIL, msdyn_invoice=invoice)
    return Billed(firm.desk, contract, "", invoice, detail["msdyn_invoicelinetransactionid"])


def statuses(billed: Billed, quantity: str) -> set[BillingStatus]:
    found = billed.desk.find(
        "msdyn_actual", msdyn_transactiontypecode=UNBILLED, msdyn_quantity=Decimal(quantity)
    )
    return {BillingStatus(it["msdyn_billingstatus"]) for it in found}


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"lines": None}, "'lines' must be a list of ids"),
        ({"lines": "one"}, "'lines' must be a list of ids"),
        ({"quantities": None}, "'quantities' must be an object"),
        ({"quantities": [6]}, "'quantities' must be an object"),
    ],
)
def test_a_correction_says_what_its_parameters_have_to_be(
    billed: Billed, parameters: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(JobRefusedError, match=sentence):
        billed.corrected(**parameters)
