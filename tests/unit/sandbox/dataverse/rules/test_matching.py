"""Vendor invoice lines that bill costs which were recorded before (R1004, R1005, R1104)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.actuals import ACTUAL, ACTUAL_ID, Role, connected
from sandbox.dataverse.rules.approvals import cancel
from sandbox.dataverse.rules.auto_approval import approve_all
from sandbox.dataverse.rules.matching import candidates, match_actuals
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    AmountMethod,
    BillingStatus,
    TransactionType,
    VendorInvoiceStatus,
)
from sandbox.dataverse.rules.vendor_invoices import cancel_invoices, confirm_invoices
from sandbox.rules.jobs import JobRefusedError
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.purchases import (
    amounts,
    hours,
    invoice,
    invoice_line,
    subcontract,
    subcontract_line,
    total,
)

INVOICE, LINE = "msdyn_projectvendorinvoice", "msdyn_projectvendorinvoiceline"


def line_row(firm: Firm, project: str, **values: Any) -> dict[str, Any]:
    return firm.desk.get(LINE, invoice_line(firm, invoice(firm), project, **values))


def open_costs(desk: Desk) -> list[dict[str, Any]]:
    return desk.find(ACTUAL, msdyn_transactiontypecode=TransactionType.COST, msdyn_adjustmentstatus=None)


def test_r1005_a_candidate_is_open_and_equal_in_what_both_say(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    cost = hours(firm, project)
    line = line_row(firm, project)
    assert [it[ACTUAL_ID] for it in candidates(desk, line)] == [cost[ACTUAL_ID]]
    task = {"msdyn_subject": "Design", "msdyn_project": project}
    for column, other in {
        "msdyn_project": firm.project("P2"),
        "msdyn_transactionclassification": 192350001,
        "msdyn_subcontractline": subcontract_line(firm, subcontract(firm, project)),
        "msdyn_resourcecategory": desk.create("bookableresourcecategory", {"name": "Tester"}),
        "msdyn_bookableresource": firm.resources["GBPM"],
        "msdyn_salescontract": firm.contract("C2"),
    }.items():
        assert candidates(desk, {**line, column: other}) == [], column
    for column in ("msdyn_task", "msdyn_transactioncategory", "msdyn_product"):
        assert len(candidates(desk, {**line, column: desk.create("msdyn_projecttask", task)})) == 1, column


@pytest.mark.parametrize("status", [AdjustmentStatus.ADJUSTED, AdjustmentStatus.UNADJUSTABLE])
def test_r1005_adjusted_costs_are_no_candidates(desk: Desk, firm: Firm, status: AdjustmentStatus) -> None:
    project = firm.project("P1")
    desk.update(ACTUAL, hours(firm, project)[ACTUAL_ID], {"msdyn_adjustmentstatus": status})
    assert candidates(desk, line_row(firm, project)) == []


def test_r1004_confirming_replaces_the_matched_costs(desk: Desk, firm: Firm) -> None:
    """Two times 8 h at 100 (1,600) and 3,200 of sales; the vendor bills 16 h at 90: cost is 1,440 then."""
    project = firm.project("P1", firm.contract("C1"))
    first, second = hours(firm, project), hours(firm, project)
    row_id = invoice(firm)
    line = invoice_line(firm, row_id, project, msdyn_quantity=Decimal(16), msdyn_amount=Decimal(1440))
    assert match_actuals(desk, {"line": line}) == {"matched": 2, "warnings": []}
    assert confirm_invoices(desk, {"invoices": [row_id]}) == {"confirmed": 1, "warnings": [], "errors": []}
    assert desk.get(INVOICE, row_id)["statuscode"] == VendorInvoiceStatus.CONFIRMED
    assert sorted(amounts(firm, TransactionType.COST)) == [-800, -800, 800, 800, 1440]
    assert total(firm, TransactionType.COST) == Decimal(1440)
    assert amounts(firm, TransactionType.UNBILLED_SALES) == [Decimal(1600), Decimal(1600)]
    [cost] = open_costs(desk)
    assert (cost["msdyn_price"], cost["msdyn_amountmethod"]) == (90, AmountMethod.QUANTITY_BY_PRICE)
    assert cost["msdyn_vendorinvoiceline"] == line
    for original in (first, second):
        adjusted = desk.get(ACTUAL, original[ACTUAL_ID])
        assert adjusted["msdyn_adjustmentstatus"] == AdjustmentStatus.ADJUSTED
        [back] = connected(desk, adjusted, Role.ORIGINAL, Role.REVERSING)
        assert back["msdyn_adjustmentstatus"] == AdjustmentStatus.UNADJUSTABLE
        # An hour was credited to the payroll allocation, and so is its reversal, not to procurement.
        assert (back["msdyn_vendorinvoiceline"], adjusted["msdyn_vendorinvoiceline"]) == (None, None)
        assert [it[ACTUAL_ID] for it in connected(desk, adjusted, Role.ORIGINAL, Role.REPLACING)] == [
            cost[ACTUAL_ID]
        ]


def test_r1004_afterwards_the_originals_cannot_be_recalled(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    entry = firm.time_entry(project)
    hours(firm, project, origin=("msdyn_timeentry", entry))
    row_id = invoice(firm)
    match_actuals(desk, {"line": invoice_line(firm, row_id, project)})
    confirm_invoices(desk, {"invoices": [row_id]})
    with pytest.raises(ApiError, match="its cost has been adjusted already"):
        cancel(desk, entry, "time entry 'Design'")


def test_r1004_canceling_reverses_and_recreates(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    entry = firm.time_entry(project)
    hours(firm, project, origin=("msdyn_timeentry", entry))
    row_id = invoice(firm)
    line = invoice_line(firm, row_id, project)
    match_actuals(desk, {"line": line})
    confirm_invoices(desk, {"invoices": [row_id]})
    assert cancel_invoices(desk, {"invoices": [row_id]}) == {"canceled": 1, "errors": []}
    assert total(firm, TransactionType.COST) == Decimal(800)
    [cost] = open_costs(desk)
    assert (cost["msdyn_amount"], cost["msdyn_vendorinvoiceline"]) == (Decimal(800), None)
    assert cost["msdyn_matchedvendorinvoiceline"] is None
    assert cancel(desk, entry, "time entry 'Design'") > 0
    assert total(firm, TransactionType.COST) == Decimal(0)


def test_canceling_an_invoice_takes_its_sales_back_unless_they_are_invoiced(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    row_id = invoice(firm)
    invoice_line(firm, row_id, project)
    approve_all(desk, {})
    [sale] = desk.find(ACTUAL, msdyn_transactiontypecode=TransactionType.UNBILLED_SALES)
    billed = {"msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_CREATED}
    desk.update(ACTUAL, sale[ACTUAL_ID], billed)
    outcome = cancel_invoices(desk, {"invoices": [row_id]})
    assert outcome["canceled"] == 0
    assert "Line L-1 of vendor invoice VI-1 is on a customer's invoice" in outcome["errors"][0]
    desk.update(ACTUAL, sale[ACTUAL_ID], {"msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED})
    as_user(desk, INVOICE, row_id, {"statuscode": VendorInvoiceStatus.CANCELED})
    assert total(firm, TransactionType.COST) == total(firm, TransactionType.UNBILLED_SALES) == Decimal(0)
    assert open_costs(desk) == []


def test_r1104_an_invoice_of_a_subcontract_replaces_the_hours_by_itself(desk: Desk, firm: Firm) -> None:
    """Hours of 8, 8 and 8 on the subcontract line; 20 are billed: all three are covered, none twice."""
    project = firm.project("P1", firm.contract("C1"))
    ordered = subcontract_line(firm, subcontract(firm, project))
    for _ in range(4):
        hours(firm, project, subcontract_line=ordered)
    row_id = invoice(firm, msdyn_enableautomaticconfirmation=True)
    line = invoice_line(
        firm,
        row_id,
        project,
        msdyn_subcontractline=ordered,
        msdyn_quantity=Decimal(20),
        msdyn_amount=Decimal(1800),
    )
    assert approve_all(desk, {})["vendor_invoices"] == 1
    assert sorted(it["msdyn_amount"] for it in open_costs(desk)) == [Decimal(800), Decimal(1800)]
    assert total(firm, TransactionType.COST) == Decimal(2600)
    assert len(amounts(firm, TransactionType.UNBILLED_SALES)) == 4
    [cost] = desk.find(ACTUAL, msdyn_vendorinvoiceline=line)
    assert cost["msdyn_subcontractline"] == ordered


def test_r1104_another_quantity_only_warns(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    ordered = subcontract_line(firm, subcontract(firm, project))
    hours(firm, project, subcontract_line=ordered)
    row_id = invoice(firm)
    invoice_line(firm, row_id, project, msdyn_subcontractline=ordered, msdyn_quantity=Decimal("7.5"))
    outcome = confirm_invoices(desk, {"invoices": [row_id]})
    assert outcome["confirmed"] == 1
    assert outcome["warnings"] == ["Vendor invoice line L-1 bills 7.5, its matched actuals have 8."]


def test_an_actual_that_is_no_candidate_cannot_be_matched(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    stranger, own = hours(firm, firm.project("P2")), hours(firm, project)
    row_id = invoice(firm)
    line = invoice_line(firm, row_id, project)
    with pytest.raises(JobRefusedError, match="cannot be matched with line L-1 of vendor invoice VI-1"):
        match_actuals(desk, {"line": line, "actuals": [stranger[ACTUAL_ID]]})
    assert match_actuals(desk, {"line": line, "actuals": [own[ACTUAL_ID].upper()]})["matched"] == 1
    assert match_actuals(desk, {"line": line, "actuals": []})["matched"] == 0
    confirm_invoices(desk, {"invoices": [row_id]})
    assert total(firm, TransactionType.COST) == Decimal(2320)
    with pytest.raises(JobRefusedError, match="VI-1 is confirmed"):
        match_actuals(desk, {"line": line})


def test_what_is_matched_with_one_line_is_no_candidate_of_another(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    hours(firm, project)
    row_id = invoice(firm)
    first, second = (invoice_line(firm, row_id, project, number) for number in ("L-1", "L-2"))
    assert match_actuals(desk, {"line": first})["matched"] == 1
    assert match_actuals(desk, {"line": second})["matched"] == 0


def test_what_a_lender_recorded_is_replaced_and_returns_too(desk: Desk, firm: Firm) -> None:
    """GBPM's subcontractor works 10 h on USPM's project: 880 GBP and 1,200 USD, billed at 900 GBP."""
    project = firm.project("P1", firm.contract("C1"))
    lent = {"resourcing_unit": firm.units["GBPM"], "resourcing_company": firm.companies["GBPM"]}
    hours(firm, project, "10", **lent)
    row_id = invoice(firm, msdyn_owningcompany=firm.companies["GBPM"])
    line = invoice_line(
        firm,
        row_id,
        project,
        msdyn_owningcompany=firm.companies["GBPM"],
        transactioncurrencyid=firm.currencies["GBP"],
        msdyn_quantity=Decimal(10),
        msdyn_amount=Decimal(900),
    )
    match_actuals(desk, {"line": line})
    assert confirm_invoices(desk, {"invoices": [row_id]})["errors"] == []
    kinds = (TransactionType.RESOURCING_UNIT_COST, TransactionType.INTERORGANIZATIONAL_SALES)
    assert sorted(amounts(firm, kinds[0])) == [-880, 880, 900]
    assert sorted(amounts(firm, kinds[1])) == [-1200, 900, 1200]
    [cost] = open_costs(desk)
    assert (cost["msdyn_amount"], cost["msdyn_skipsync"]) == (Decimal(900), True)
    cancel_invoices(desk, {"invoices": [row_id]})
    assert [total(firm, kind) for kind in kinds] == [Decimal(880), Decimal(1200)]
    assert total(firm, TransactionType.COST) == Decimal(1200)


def test_r1104_the_next_invoice_of_a_subcontract_line_leaves_the_first_alone(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    ordered = subcontract_line(firm, subcontract(firm, project))
    hours(firm, project, subcontract_line=ordered)
    for number in ("1", "2"):
        row_id = invoice(firm, f"VI-{number}", msdyn_enableautomaticconfirmation=True)
        invoice_line(firm, row_id, project, f"L-{number}", msdyn_subcontractline=ordered)
        approve_all(desk, {})
    assert [it["msdyn_amount"] for it in open_costs(desk)] == [Decimal(720), Decimal(720)]
    assert total(firm, TransactionType.COST) == Decimal(1440)
