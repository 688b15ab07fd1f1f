"""Confirmation of a proforma invoice: its line details become billed sales (R402 to R406)."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules import correction, milestones, retainers
from sandbox.dataverse.rules.actuals import ACTUAL, Row, record_many
from sandbox.dataverse.rules.impact import Bill, Impact, joined
from sandbox.dataverse.rules.invoice_lines import DETAIL, INVOICE
from sandbox.dataverse.rules.invoiced_work import bill
from sandbox.dataverse.rules.one_by_one import ids_named, one_by_one
from sandbox.dataverse.rules.options import BillingStatus, InvoiceStatus, TransactionClass
from sandbox.rules.hooks import Change, Verb, effect
from sandbox.rules.jobs import JobRefusedError, Parameters

_STATUS = "msdyn_projectinvoicestatus"
_MOST = 250
_DRAFTS = frozenset({None, InvoiceStatus.DRAFT, InvoiceStatus.IN_REVIEW})


def confirm_invoices(desk: Desk, parameters: Parameters) -> Mapping[str, Any]:
    """Confirm invoices, each by itself: one that cannot be confirmed leaves the others alone (R407).

    Args:
        desk: Dataverse.
        parameters: `invoices`: GUIDs, at most 250.

    Returns:
        `confirmed` and `errors`, a sentence for each invoice that was not.

    Raises:
        JobRefusedError: When there are more than 250, or no list of them.
    """
    asked = ids_named(parameters, "invoices")
    if len(asked) > _MOST:
        raise JobRefusedError(f"{len(asked)} invoices are too many: confirm at most {_MOST} at once.")
    found = desk.by_id(INVOICE, asked)
    missing = [f"There is no {INVOICE} with the id {row_id}." for row_id in asked if row_id not in found]
    done, errors = one_by_one(desk, found.values(), _confirm_once, _named)
    return {"confirmed": done, "errors": missing + errors}


def confirm(desk: Desk, change: Change) -> None:
    """Do what the confirmation of an invoice does; an invoice that was imported has no details."""
    if not change.turned(_STATUS, InvoiceStatus.CONFIRMED) or change.before[_STATUS] not in _DRAFTS:
        return
    invoice = change.after
    details = desk.find(DETAIL, msdyn_invoice=invoice["invoiceid"])
    if not details:
        return
    _write(desk, joined(_impacts(desk, details, _bill(desk, invoice))))
    milestones.settle(desk, details)
    retainers.settle(desk, details)


def _named(invoice: Row) -> str:
    return f"Invoice {invoice['invoicenumber']}"


def _confirm_once(desk: Desk, invoice: Row) -> None:
    if invoice[_STATUS] not in _DRAFTS:
        raise refused(f"{_named(invoice)} is confirmed already.")
    desk.update(INVOICE, invoice["invoiceid"], {_STATUS: InvoiceStatus.CONFIRMED})


def _impacts(desk: Desk, details: list[Row], invoice: Bill) -> Iterable[Impact]:
    unbilled = desk.by_id(ACTUAL, (it["msdyn_unbilledactual"] for it in details))
    originals = desk.by_id(DETAIL, (it["msdyn_originalinvoicelinedetail"] for it in details))
    sales = desk.by_id(ACTUAL, (it["msdyn_billedactual"] for it in originals.values()))
    for detail in details:
        work = unbilled.get(detail["msdyn_unbilledactual"])
        if detail["msdyn_correction"]:
            original = originals[detail["msdyn_originalinvoicelinedetail"]]
            yield _correction(detail, sales[original["msdyn_billedactual"]], work, invoice)
        else:
            yield _billing(detail, work, invoice)


def _billing(detail: Row, unbilled: Row | None, invoice: Bill) -> Impact:
    if detail["msdyn_milestone"] is not None:
        return milestones.bill_milestone(detail, invoice)
    if detail["msdyn_retainer"] is not None:
        return retainers.bill_retainer(detail, invoice)
    if unbilled is None:
        raise refused(f"The line detail '{detail['msdyn_description']}' bills no unbilled sales: remove it.")
    if unbilled["msdyn_adjustmentstatus"] is not None:
        raise refused(
            f"The unbilled sales of '{detail['msdyn_description']}' were adjusted since they came on the"
            " draft: remove the line detail."
        )
    if unbilled["msdyn_billingstatus"] != BillingStatus.CUSTOMER_INVOICE_CREATED:
        raise refused(
            f"The unbilled sales of '{detail['msdyn_description']}' are not reserved by a draft: remove the"
            " line detail, and have create-invoice draft them."
        )
    if unbilled["msdyn_transactionclassification"] == TransactionClass.RETAINER:
        return retainers.use_retainer(detail, unbilled, invoice)
    return bill(detail, unbilled, invoice)


def _correction(detail: Row, billed: Row, unbilled: Row | None, invoice: Bill) -> Impact:
    if billed["msdyn_adjustmentstatus"] is not None:
        raise refused(f"The billed sales of '{detail['msdyn_description']}' were corrected already.")
    if unbilled is None:
        return correction.credit(detail, billed, invoice)
    if detail["msdyn_retainer"] is not None:
        credited = correction.credit(detail, billed, invoice)
        return joined([credited, retainers.withdraw(detail, unbilled)])
    return correction.correct(detail, billed, unbilled, invoice)


def _bill(desk: Desk, invoice: Row) -> Bill:
    currency = desk.get("transactioncurrency", invoice["transactioncurrencyid"])
    date = invoice["msdyn_accountingdate"]
    return Bill(
        invoice=invoice["invoiceid"],
        currency=currency["isocurrencycode"],
        company=invoice["msdyn_company"],
        payer=invoice["msdyn_contractcustomer"],
        accounting_date=None if date is None else f"{date}T12:00:00Z",
    )


def _write(desk: Desk, impact: Impact) -> None:
    record_many(desk, impact.recorded)
    desk.update_many(ACTUAL, impact.changed)
    desk.create_many("msdyn_transactionconnection", impact.connections)
    desk.create_many(DETAIL, impact.added)
    desk.update_many(DETAIL, impact.details)


HOOKS = (effect(INVOICE, [Verb.UPDATE], confirm, [_STATUS]),)
JOBS = {"confirm-invoice": confirm_invoices}
