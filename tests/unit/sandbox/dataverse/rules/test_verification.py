"""Who has to verify a vendor invoice, and what happens to its state meanwhile (R1003)."""

from decimal import Decimal

import pytest

from sandbox.dataverse.desk import PLUGIN_REFUSED, Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.auto_approval import approve_all
from sandbox.dataverse.rules.options import TransactionType, VendorInvoiceStatus, VerificationStatus
from sandbox.rules.jobs import Job, JobRefusedError
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm
from tests.unit.sandbox.dataverse.rules.purchases import amounts, invoice, invoice_line, total

INVOICE, LINE = "msdyn_projectvendorinvoice", "msdyn_projectvendorinvoiceline"


def verify_by_hand(firm: Firm, company: str | None) -> None:
    values = {"msdyn_manualvendorinvoiceverification": True, "msdyn_owningcompany": company}
    firm.desk.create("msdyn_projectparameter", values)


def status(desk: Desk, invoice_id: str) -> VendorInvoiceStatus:
    return VendorInvoiceStatus(desk.get(INVOICE, invoice_id)["statuscode"])


def set_status(desk: Desk, invoice_id: str, value: VendorInvoiceStatus) -> None:
    as_user(desk, INVOICE, invoice_id, {"statuscode": value})


def complete(desk: Desk, line_id: str) -> None:
    as_user(desk, LINE, line_id, {"msdyn_verificationstatus": VerificationStatus.COMPLETE})


def test_r1003_without_manual_verification_an_invoice_confirms_itself(desk: Desk, firm: Firm) -> None:
    """Cost 720 and, on a line of time and material, unbilled sales at the price list's 200 (8 h: 1,600)."""
    row_id = invoice(firm)
    invoice_line(firm, row_id, firm.project("P1", firm.contract("C1")))
    assert approve_all(desk, {}) == {"expenses": 0, "vendor_invoices": 1, "errors": []}
    assert status(desk, row_id) is VendorInvoiceStatus.CONFIRMED
    assert amounts(firm, TransactionType.COST) == [Decimal(720)]
    assert amounts(firm, TransactionType.UNBILLED_SALES) == [Decimal(1600)]
    assert approve_all(desk, {})["vendor_invoices"] == 0
    assert amounts(firm, TransactionType.COST) == [Decimal(720)]


def test_r1003_an_internal_project_has_only_the_cost(desk: Desk, firm: Firm) -> None:
    row_id = invoice(firm)
    invoice_line(firm, row_id, firm.project("P1"))
    approve_all(desk, {})
    assert amounts(firm, TransactionType.COST) == [Decimal(720)]
    assert amounts(firm, TransactionType.UNBILLED_SALES) == []


@pytest.mark.parametrize("general", [True, False])
def test_r1003_with_manual_verification_all_lines_must_be_complete(
    desk: Desk, firm: Firm, general: bool
) -> None:
    verify_by_hand(firm, None if general else firm.companies["USPM"])
    row_id, project = invoice(firm), firm.project("P1")
    lines = [invoice_line(firm, row_id, project, number) for number in ("L-1", "L-2")]
    assert approve_all(desk, {})["vendor_invoices"] == 0
    assert status(desk, row_id) is VendorInvoiceStatus.DRAFT
    assert {desk.get(LINE, line)["msdyn_verificationstatus"] for line in lines} == {
        VerificationStatus.NOT_STARTED
    }
    complete(desk, lines[0])
    assert status(desk, row_id) is VendorInvoiceStatus.IN_REVIEW
    with pytest.raises(ApiError, match="1 of 2 lines of vendor invoice VI-1 are not verified") as error:
        set_status(desk, row_id, VendorInvoiceStatus.CONFIRMED)
    assert error.value.code == PLUGIN_REFUSED
    complete(desk, lines[1])
    set_status(desk, row_id, VendorInvoiceStatus.CONFIRMED)
    assert total(firm, TransactionType.COST) == Decimal(1440)


def test_the_parameter_of_a_company_goes_before_the_general_one(desk: Desk, firm: Firm) -> None:
    verify_by_hand(firm, None)
    own = {"msdyn_owningcompany": firm.companies["USPM"], "msdyn_manualvendorinvoiceverification": False}
    desk.create("msdyn_projectparameter", own)
    invoice_line(firm, invoice(firm), firm.project("P1"))
    assert approve_all(desk, {})["vendor_invoices"] == 1


def test_r1104_an_invoice_of_a_subcontract_needs_nobody(desk: Desk, firm: Firm) -> None:
    verify_by_hand(firm, None)
    row_id = invoice(firm, msdyn_enableautomaticconfirmation=True)
    invoice_line(firm, row_id, firm.project("P1"))
    assert approve_all(desk, {})["vendor_invoices"] == 1


def test_an_invoice_waits_for_its_lines_and_a_late_line_follows(desk: Desk, firm: Firm) -> None:
    row_id, project = invoice(firm), firm.project("P1")
    assert approve_all(desk, {})["vendor_invoices"] == 0
    with pytest.raises(ApiError, match="VI-1 has no lines"):
        set_status(desk, row_id, VendorInvoiceStatus.CONFIRMED)
    invoice_line(firm, row_id, project)
    approve_all(desk, {})
    invoice_line(firm, row_id, project, "L-2", msdyn_amount=Decimal("80.50"))
    assert amounts(firm, TransactionType.COST) == [Decimal(720), Decimal("80.50")]


def test_one_invoice_that_fails_leaves_the_others(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1")
    broken = invoice(firm, "VI-1")
    invoice_line(firm, broken, project)
    invoice_line(firm, broken, project, "L-2", msdyn_project=None)
    invoice_line(firm, invoice(firm, "VI-2"), project, "L-3")
    outcome = approve_all(desk, {})
    assert outcome["vendor_invoices"] == 1
    [error] = outcome["errors"]
    assert error == "Line L-2 of vendor invoice VI-1 has no project: fill it in first."
    assert status(desk, broken) is VendorInvoiceStatus.DRAFT
    assert amounts(firm, TransactionType.COST) == [Decimal(720)]


def test_states_that_do_not_follow_are_refused(desk: Desk, firm: Firm) -> None:
    row_id = invoice(firm)
    set_status(desk, row_id, VendorInvoiceStatus.ON_HOLD)
    with pytest.raises(ApiError, match="VI-1 is on hold and cannot become confirmed"):
        set_status(desk, row_id, VendorInvoiceStatus.CONFIRMED)
    set_status(desk, row_id, VendorInvoiceStatus.DRAFT)
    set_status(desk, row_id, VendorInvoiceStatus.CANCELED)
    set_status(desk, row_id, VendorInvoiceStatus.CANCELED)
    with pytest.raises(ApiError, match="VI-1 is canceled and cannot become draft"):
        set_status(desk, row_id, VendorInvoiceStatus.DRAFT)


def test_a_line_cannot_be_verified_once_its_invoice_is_confirmed(desk: Desk, firm: Firm) -> None:
    row_id = invoice(firm)
    line = invoice_line(firm, row_id, firm.project("P1"))
    approve_all(desk, {})
    with pytest.raises(ApiError, match="VI-1 is confirmed: its lines cannot be verified"):
        complete(desk, line)
    as_user(desk, LINE, line, {"msdyn_verificationstatus": VerificationStatus.NOT_STARTED})
    assert status(desk, row_id) is VendorInvoiceStatus.CONFIRMED


def test_the_jobs_are_there_by_their_names(jobs: dict[str, Job]) -> None:
    assert jobs["auto-approve"]({}) == {"expenses": 0, "vendor_invoices": 0, "errors": []}
    assert jobs["approve-material-usage"]({}) == {"approved": 0, "errors": []}
    for name in ("confirm-vendor-invoice", "cancel-vendor-invoice"):
        with pytest.raises(JobRefusedError, match="needs the parameter 'invoices'"):
            jobs[name]({})
        with pytest.raises(JobRefusedError, match="'invoices' must be a list of ids"):
            jobs[name]({"invoices": "11111111-0000-0000-0000-000000000009"})
    with pytest.raises(JobRefusedError, match="needs the parameter 'line'"):
        jobs["match-actuals"]({})


def test_an_invoice_always_has_a_status(desk: Desk, firm: Firm) -> None:
    with pytest.raises(ApiError, match="Vendor invoice VI-1 must have a status"):
        as_user(desk, INVOICE, invoice(firm), {"statuscode": None})
