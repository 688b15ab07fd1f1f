"""Verification of vendor invoices by the project manager: state by state, line by line (R1003)."""

from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import Row
from sandbox.dataverse.rules.options import VendorInvoiceStatus, VerificationStatus
from sandbox.rules.hooks import Change, Verb, complete, effect, guard

INVOICE = "msdyn_projectvendorinvoice"
LINE = "msdyn_projectvendorinvoiceline"

_ALLOWED = {
    VendorInvoiceStatus.DRAFT: {
        VendorInvoiceStatus.IN_REVIEW,
        VendorInvoiceStatus.CONFIRMED,
        VendorInvoiceStatus.ON_HOLD,
        VendorInvoiceStatus.CANCELED,
    },
    VendorInvoiceStatus.IN_REVIEW: {
        VendorInvoiceStatus.DRAFT,
        VendorInvoiceStatus.CONFIRMED,
        VendorInvoiceStatus.ON_HOLD,
        VendorInvoiceStatus.CANCELED,
    },
    VendorInvoiceStatus.ON_HOLD: {
        VendorInvoiceStatus.DRAFT,
        VendorInvoiceStatus.IN_REVIEW,
        VendorInvoiceStatus.CANCELED,
    },
    VendorInvoiceStatus.CONFIRMED: {VendorInvoiceStatus.CANCELED},
    VendorInvoiceStatus.CANCELED: set(),
}
"""States that an invoice may go to (the states are DOC vi-state-model.md, the steps between them INF)."""

_OPEN = {VendorInvoiceStatus.DRAFT, VendorInvoiceStatus.IN_REVIEW}


def manual(desk: Desk, company: str | None) -> bool:
    """Whether people verify vendor invoices: the company's project parameters, else the general ones."""
    rows = desk.find("msdyn_projectparameter", msdyn_owningcompany=company) or desk.find(
        "msdyn_projectparameter", msdyn_owningcompany=None
    )
    return any(row["msdyn_manualvendorinvoiceverification"] for row in rows)


def confirms_itself(desk: Desk, invoice: Mapping[str, Any]) -> bool:
    """Whether an invoice needs nobody to verify it: one of a subcontract, or verification is off."""
    return bool(invoice["msdyn_enableautomaticconfirmation"]) or not manual(
        desk, invoice["msdyn_owningcompany"]
    )


def lines_of(desk: Desk, invoice_id: str) -> list[Row]:
    """Return the lines of an invoice, in the order in which they came."""
    return desk.find(LINE, msdyn_vendorinvoice=invoice_id)


def refuse_step(desk: Desk, change: Change) -> None:
    """Refuse a state that does not follow, and a confirmation that is not ready; see `demand_step`."""
    wanted = change.values["statuscode"]
    if wanted is None:
        raise refused(f"Vendor invoice {change.before['msdyn_vendorinvoicenumber']} must have a status.")
    if change.before["statuscode"] != wanted:
        demand_step(desk, change.before, VendorInvoiceStatus(wanted))


def refuse_deletion(_desk: Desk, change: Change) -> None:
    """Refuse to delete an invoice whose lines are booked (R1001).

    Raises:
        ApiError: 0x80040265, naming the invoice.
    """
    if change.before["statuscode"] == VendorInvoiceStatus.CONFIRMED:
        number = change.before["msdyn_vendorinvoicenumber"]
        raise refused(f"Vendor invoice {number} is confirmed and cannot be deleted: cancel it instead.")


def demand_step(desk: Desk, invoice: Mapping[str, Any], status: VendorInvoiceStatus) -> None:
    """Refuse a state that an invoice cannot go to (R1003).

    Raises:
        ApiError: 0x80040265, naming the invoice and what stands in the way.
    """
    now = invoice["statuscode"]
    if status not in _ALLOWED[VendorInvoiceStatus(now)]:
        number = invoice["msdyn_vendorinvoicenumber"]
        raise refused(f"Vendor invoice {number} is {_name(now)} and cannot become {_name(status)}.")
    if status == VendorInvoiceStatus.CONFIRMED:
        demand_ready(desk, invoice)


def demand_ready(desk: Desk, invoice: Mapping[str, Any]) -> None:
    """Refuse the confirmation of an invoice without lines, or with lines that nobody verified (R1003).

    Raises:
        ApiError: 0x80040265, saying how many lines are open.
    """
    number = invoice["msdyn_vendorinvoicenumber"]
    lines = lines_of(desk, invoice["msdyn_projectvendorinvoiceid"])
    if not lines:
        raise refused(f"Vendor invoice {number} has no lines, so that there is nothing to confirm.")
    if confirms_itself(desk, invoice):
        return
    unverified = [it for it in lines if it["msdyn_verificationstatus"] != VerificationStatus.COMPLETE]
    if unverified:
        raise refused(
            f"{len(unverified)} of {len(lines)} lines of vendor invoice {number} are not verified: "
            "set the verification status of every line to Complete, then confirm."
        )


def refuse_verification(desk: Desk, change: Change) -> None:
    """Refuse to verify a line of an invoice that is not under review any more.

    A line may always be Not started, since that is what the integration writes.

    Raises:
        ApiError: 0x80040265, naming the invoice and its state.
    """
    if change.values["msdyn_verificationstatus"] in {None, VerificationStatus.NOT_STARTED}:
        return
    invoice = desk.first(INVOICE, msdyn_projectvendorinvoiceid=change.after["msdyn_vendorinvoice"])
    if invoice is not None and invoice["statuscode"] not in _OPEN:
        raise refused(
            f"Vendor invoice {invoice['msdyn_vendorinvoicenumber']} is {_name(invoice['statuscode'])}: "
            "its lines cannot be verified."
        )


def begin_unverified(_desk: Desk, change: Change) -> Row:
    """Let a new line begin as Not started (R1003)."""
    if change.values.get("msdyn_verificationstatus") is not None:
        return {}
    return {"msdyn_verificationstatus": VerificationStatus.NOT_STARTED}


def begin_review(desk: Desk, change: Change) -> None:
    """Bring a draft into review once verification of one of its lines has begun (INF)."""
    if change.values["msdyn_verificationstatus"] in {None, VerificationStatus.NOT_STARTED}:
        return
    invoice = desk.first(INVOICE, msdyn_projectvendorinvoiceid=change.after["msdyn_vendorinvoice"])
    if invoice is not None and invoice["statuscode"] == VendorInvoiceStatus.DRAFT:
        desk.update(
            INVOICE,
            invoice["msdyn_projectvendorinvoiceid"],
            {"statuscode": VendorInvoiceStatus.IN_REVIEW},
        )


def _name(status: int) -> str:
    return VendorInvoiceStatus(status).name.lower().replace("_", " ")


HOOKS = (
    guard(INVOICE, [Verb.UPDATE], refuse_step, ["statuscode"]),
    guard(INVOICE, [Verb.DELETE], refuse_deletion),
    guard(LINE, [Verb.UPDATE], refuse_verification, ["msdyn_verificationstatus"]),
    complete(LINE, [Verb.CREATE], begin_unverified),
    effect(LINE, [Verb.UPDATE], begin_review, ["msdyn_verificationstatus"]),
)
