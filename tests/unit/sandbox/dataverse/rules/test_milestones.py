"""Milestones: R107, and how they are billed (R405)."""

from decimal import Decimal

import pytest

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.invoices import create_invoice
from sandbox.dataverse.rules.options import (
    BillingMethod,
    BillingType,
    MilestoneStatus,
    PsaStatusReason,
    TransactionClass,
)
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.invoicing import (
    BILLED,
    CHARGED,
    DETAIL,
    UNBILLED,
    Billed,
    confirm,
    milestone,
    remove,
)

MILESTONE = "msdyn_contractlinescheduleofvalue"


def fixed_price(firm: Firm, number: str, value: str | None = None, **shares: str) -> str:
    """A contract with one fixed-price line on a project."""
    contract = firm.contract(number, shares)
    amount = None if value is None else Decimal(value)
    firm.project(
        f"P-{number}", contract, msdyn_billingmethod=BillingMethod.FIXED_PRICE, msdyn_contractamount=amount
    )
    return contract


def test_r405_a_milestone_of_5000_is_billed_without_unbilled_sales(firm: Firm) -> None:
    contract = fixed_price(firm, "C-1")
    milestone_id = milestone(firm, contract, "5000")
    [invoice] = create_invoice(firm.desk, {"contract": contract, "until": "2026-11-01"})["invoices"]
    assert status(firm, milestone_id) == MilestoneStatus.INVOICE_CREATED
    confirm(firm.desk, invoice)
    billed = Billed(firm.desk, contract, "", invoice, "")
    assert billed.sales(BILLED) == {("1", "5000", CHARGED, None, True): 1}
    assert billed.sales(UNBILLED) == {}
    assert status(firm, milestone_id) == MilestoneStatus.INVOICE_POSTED
    [sale] = firm.desk.find("msdyn_actual", msdyn_invoice=invoice)
    assert sale["msdyn_transactionclassification"] == TransactionClass.MILESTONE
    assert sale["msdyn_billingtype"] == BillingType.CHARGEABLE
    assert sale["msdyn_documentdate"] == "2026-11-01T12:00:00Z"
    assert sale["msdyn_owningcompany"] == firm.companies["USPM"]
    [came_from] = firm.desk.find("msdyn_transactionorigin", msdyn_transactionid=sale["msdyn_actualid"])
    assert (came_from["msdyn_origintype"], came_from["msdyn_origin"]) == (MILESTONE, milestone_id)


def test_a_milestone_is_split_to_the_cent_and_posted_with_the_last_share(firm: Firm) -> None:
    contract = fixed_price(firm, "C-1", A="33.34", B="33.33", C="33.33")
    milestone_id = milestone(firm, contract, "100.01")
    invoices = create_invoice(firm.desk, {"contract": contract})["invoices"]
    assert [firm.desk.get("invoice", it)["totalamount"] for it in invoices] == [
        Decimal("33.35"),
        Decimal("33.33"),
        Decimal("33.33"),
    ]
    for invoice in invoices[:2]:
        confirm(firm.desk, invoice)
    assert status(firm, milestone_id) == MilestoneStatus.INVOICE_CREATED
    confirm(firm.desk, invoices[2])
    assert status(firm, milestone_id) == MilestoneStatus.INVOICE_POSTED


def test_a_share_that_is_removed_from_a_draft_does_not_bill_the_other_customers_twice(firm: Firm) -> None:
    contract = fixed_price(firm, "C-1", A="60", B="40")
    milestone(firm, contract, "5000")
    first, second = create_invoice(firm.desk, {"contract": contract})["invoices"]
    remove(firm.desk, "invoice", second)
    confirm(firm.desk, first)
    [again] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    assert firm.desk.get("invoice", again)["totalamount"] == 2000


def test_a_milestone_that_is_later_or_not_ready_waits(firm: Firm) -> None:
    contract = fixed_price(firm, "C-1")
    milestone(firm, contract, "1", msdyn_milestonedate="2026-11-02")
    milestone(firm, contract, "2", msdyn_invoicestatus=MilestoneStatus.NOT_READY)
    older = {"msdyn_milestonedate": None, "msdyn_invoicedate": "2026-10-31T23:00:00Z"}
    milestone(firm, contract, "3", **older)
    [invoice] = create_invoice(firm.desk, {"contract": contract, "until": "2026-11-01"})["invoices"]
    assert firm.desk.get("invoice", invoice)["totalamount"] == 3


def test_a_milestone_is_not_edited_on_the_invoice(firm: Firm) -> None:
    contract = fixed_price(firm, "C-1")
    milestone(firm, contract, "5000")
    create_invoice(firm.desk, {"contract": contract})
    [detail] = firm.desk.find(DETAIL)
    with pytest.raises(ApiError, match="one piece"):
        as_user(firm.desk, DETAIL, detail["msdyn_invoicelinetransactionid"], {"msdyn_price": Decimal(4000)})


def test_r107_milestones_need_a_project_on_their_line(firm: Firm) -> None:
    contract = firm.contract("C-1")
    line = firm.line(contract, None, msdyn_contractlinenumber="CL-7")
    values = {"msdyn_name": "Start", "msdyn_contract": contract, "msdyn_contractlineid": line}
    with pytest.raises(ApiError, match="Contract line CL-7 has no project"):
        as_user(firm.desk, MILESTONE, None, values)
    firm.desk.update("salesorderdetail", line, {"msdyn_project": firm.project("P-1")})
    assert as_user(firm.desk, MILESTONE, None, values)


def test_r107_milestones_add_up_to_the_value_of_their_line(firm: Firm) -> None:
    contract = fixed_price(firm, "C-1", "5000.01")
    milestone(firm, contract, "2000")
    second = milestone(firm, contract, "3000")
    confirmed = {"msdyn_psastatusreason": PsaStatusReason.CONFIRMED}
    with pytest.raises(ApiError, match="add up to 5000, its contract value is 5000.01: make them equal"):
        as_user(firm.desk, "salesorder", contract, confirmed)
    as_user(firm.desk, MILESTONE, second, {"msdyn_amount": Decimal("3000.01")})
    as_user(firm.desk, "salesorder", contract, confirmed)


def status(firm: Firm, milestone_id: str) -> MilestoneStatus:
    return MilestoneStatus(firm.desk.get(MILESTONE, milestone_id)["msdyn_invoicestatus"])
