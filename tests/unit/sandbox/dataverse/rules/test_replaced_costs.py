"""What a vendor invoice has put in the place of recorded work, when either of them is taken back (R1004)."""

from decimal import Decimal

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.contracts import confirm_contract
from sandbox.dataverse.rules.matching import match_actuals
from sandbox.dataverse.rules.options import EntryStatus, TransactionType
from sandbox.dataverse.rules.time import TIME_ENTRY
from sandbox.dataverse.rules.vendor_invoices import cancel_invoices, confirm_invoices
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.purchases import (
    hours,
    invoice,
    invoice_line,
    subcontract,
    subcontract_line,
    total,
)


def sums(firm: Firm) -> tuple[Decimal, Decimal]:
    """What costs and unbilled sales come to, reversals among them."""
    return total(firm, TransactionType.COST), total(firm, TransactionType.UNBILLED_SALES)


def test_r1004_a_recall_that_is_refused_records_no_second_cost(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    entry = firm.time_entry(project)
    for status in (EntryStatus.SUBMITTED, EntryStatus.APPROVED):
        as_user(desk, TIME_ENTRY, entry, {"msdyn_entrystatus": status})
    billed = invoice(firm)
    assert match_actuals(desk, {"line": invoice_line(firm, billed, project)})["matched"] == 1
    assert confirm_invoices(desk, {"invoices": [billed]})["confirmed"] == 1
    for status in (EntryStatus.RECALL_REQUESTED, EntryStatus.APPROVED):
        as_user(desk, TIME_ENTRY, entry, {"msdyn_entrystatus": status})
    assert total(firm, TransactionType.COST) == Decimal(720)
    with pytest.raises(ApiError, match="its cost has been adjusted already"):
        as_user(desk, TIME_ENTRY, entry, {"msdyn_entrystatus": EntryStatus.DRAFT})


def test_r1004_what_was_matched_with_a_draft_that_is_canceled_waits_for_another(
    desk: Desk, firm: Firm
) -> None:
    project = firm.project("P1")
    order = subcontract_line(firm, subcontract(firm, project))
    hours(firm, project, subcontract_line=order)
    wrong, right = invoice(firm), invoice(firm, "VI-2")
    first = invoice_line(firm, wrong, project, msdyn_subcontractline=order)
    assert match_actuals(desk, {"line": first})["matched"] == 1
    assert cancel_invoices(desk, {"invoices": [wrong]})["canceled"] == 1
    invoice_line(firm, right, project, "L-2", msdyn_subcontractline=order)
    assert confirm_invoices(desk, {"invoices": [right]})["confirmed"] == 1
    assert total(firm, TransactionType.COST) == Decimal(720)


def test_r1004_canceling_after_the_contract_was_confirmed_leaves_the_sales_of_the_work(
    desk: Desk, firm: Firm
) -> None:
    contract = firm.contract("C1")
    project = firm.project("P1", contract)
    entry = firm.time_entry(project)
    for status in (EntryStatus.SUBMITTED, EntryStatus.APPROVED):
        as_user(desk, TIME_ENTRY, entry, {"msdyn_entrystatus": status})
    billed = invoice(firm)
    match_actuals(desk, {"line": invoice_line(firm, billed, project)})
    confirm_invoices(desk, {"invoices": [billed]})
    confirm_contract(desk, {"contract": contract})
    assert sums(firm) == (Decimal(720), Decimal(1600))
    assert cancel_invoices(desk, {"invoices": [billed]}) == {"canceled": 1, "errors": []}
    assert sums(firm) == (Decimal(800), Decimal(1600))
    as_user(desk, TIME_ENTRY, entry, {"msdyn_entrystatus": EntryStatus.DRAFT})
    assert sums(firm) == (Decimal(0), Decimal(0))
