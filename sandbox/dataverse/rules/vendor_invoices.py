"""Vendor invoices of projects: confirmed by people or by themselves, and canceled (R1003, R1004)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import Row
from sandbox.dataverse.rules.matching import mismatch, release
from sandbox.dataverse.rules.one_by_one import ids_named, one_by_one
from sandbox.dataverse.rules.options import VendorInvoiceStatus
from sandbox.dataverse.rules.vendor_invoice_booking import record_line
from sandbox.dataverse.rules.vendor_invoice_cancellation import demand_unbilled, originals_of, undo_line
from sandbox.dataverse.rules.verification import INVOICE, confirms_itself, demand_step, lines_of
from sandbox.rules.hooks import Change, Verb, effect


def record_confirmed(desk: Desk, change: Change) -> None:
    """Record the actuals of an invoice that becomes Confirmed; the status goes to Finance (R1003, R1006)."""
    if change.turned("statuscode", VendorInvoiceStatus.CONFIRMED):
        for line in lines_of(desk, change.before["msdyn_projectvendorinvoiceid"]):
            record_line(desk, change.after, line)


def undo_canceled(desk: Desk, change: Change) -> None:
    """Take the actuals of a confirmed invoice back when it becomes Canceled (R1004).

    A draft has none; what was matched with it waits for another invoice, else it would cost twice.

    Raises:
        ApiError: 0x80040265, when what it has billed is on a customer's invoice already.
    """
    if not change.turned("statuscode", VendorInvoiceStatus.CANCELED):
        return
    lines = lines_of(desk, change.before["msdyn_projectvendorinvoiceid"])
    if change.before["statuscode"] != VendorInvoiceStatus.CONFIRMED:
        for line in lines:
            release(desk, line)
        return
    for line in lines:
        demand_unbilled(desk, line, change.before["msdyn_vendorinvoicenumber"])
    for line in lines:
        undo_line(desk, line)


def confirm_alone(desk: Desk) -> tuple[int, list[str]]:
    """Confirm the drafts from Finance that need nobody to verify them (R1003, R1104).

    An invoice that has no lines yet waits for them; one that fails leaves the others.

    Returns:
        How many were confirmed, and a sentence for each that was not.
    """
    drafts = desk.find(INVOICE, statuscode=VendorInvoiceStatus.DRAFT, msdyn_hasexternalorigin=True)
    due = [
        invoice
        for invoice in drafts
        if confirms_itself(desk, invoice) and lines_of(desk, invoice["msdyn_projectvendorinvoiceid"])
    ]
    return _each(desk, due, _confirm)


def confirm_invoices(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Confirm invoices as a project manager does, each on its own: `{"invoices": [GUID, …]}` (R1003)."""
    invoices = [desk.get(INVOICE, row_id) for row_id in ids_named(parameters, "invoices")]
    confirmed, errors = _each(desk, invoices, _confirm)
    return {"confirmed": confirmed, "warnings": list(_mismatches(desk, invoices)), "errors": errors}


def cancel_invoices(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Cancel invoices, each on its own: `{"invoices": [GUID, …]}` (R1004)."""
    invoices = [desk.get(INVOICE, row_id) for row_id in ids_named(parameters, "invoices")]
    canceled, errors = _each(desk, invoices, _cancel)
    return {"canceled": canceled, "errors": errors}


def _each(desk: Desk, invoices: Sequence[Row], act: Callable[[Desk, Row], None]) -> tuple[int, list[str]]:
    return one_by_one(
        desk, invoices, act, lambda invoice: f"Vendor invoice {invoice['msdyn_vendorinvoicenumber']}"
    )


def _mismatches(desk: Desk, invoices: Sequence[Row]) -> Iterator[str]:
    """Yield a warning for each line that billed another quantity than it replaced (R1104)."""
    for invoice in invoices:
        for line in lines_of(desk, invoice["msdyn_projectvendorinvoiceid"]):
            warning = mismatch(line, originals_of(desk, line))
            if warning is not None:
                yield warning


def _confirm(desk: Desk, invoice: Row) -> None:
    demand_step(desk, invoice, VendorInvoiceStatus.CONFIRMED)
    _turn(desk, invoice, VendorInvoiceStatus.CONFIRMED)


def _cancel(desk: Desk, invoice: Row) -> None:
    demand_step(desk, invoice, VendorInvoiceStatus.CANCELED)
    _turn(desk, invoice, VendorInvoiceStatus.CANCELED)


def _turn(desk: Desk, invoice: Row, status: VendorInvoiceStatus) -> None:
    desk.update(INVOICE, invoice["msdyn_projectvendorinvoiceid"], {"statuscode": status})


HOOKS = (
    effect(INVOICE, [Verb.UPDATE], record_confirmed, ["statuscode"]),
    effect(INVOICE, [Verb.UPDATE], undo_canceled, ["statuscode"]),
)
JOBS = {"confirm-vendor-invoice": confirm_invoices, "cancel-vendor-invoice": cancel_invoices}
