"""Edits of a draft invoice: guarded, priced anew, added up, and given back to the backlog when removed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import ACTUAL, Row
from sandbox.dataverse.rules.invoice_lines import (
    DETAIL,
    FINAL,
    INVOICE,
    LINE,
    add_to_invoice,
    charged,
    line_sums,
)
from sandbox.dataverse.rules.milestones import follow_shares
from sandbox.dataverse.rules.options import BillingStatus, MilestoneStatus, TransactionClass
from sandbox.rules.hooks import Change, Verb, complete, effect, guard
from sandbox.rules.money import money

_PRICED = ("msdyn_quantity", "msdyn_price")
_AMOUNTS = (*_PRICED, "msdyn_amount")
_COUNTED = (*_AMOUNTS, "msdyn_billingtype")
_WHOLE = {TransactionClass.MILESTONE: _COUNTED, TransactionClass.RETAINER: ("msdyn_quantity",)}
"""What cannot be edited of a class: a milestone is billed whole, of a retainer the price says how much."""


def refuse_if_confirmed(desk: Desk, change: Change) -> None:
    """Refuse to touch lines and details of an invoice that is confirmed (R407).

    Raises:
        ApiError: When the invoice is confirmed, posted or paid.
    """
    header = "invoiceid" if change.table == LINE else "msdyn_invoice"
    # Where it comes from and where it goes: nothing leaves a confirmed invoice either.
    for invoice in desk.by_id(INVOICE, (change.before.get(header), change.after.get(header))).values():
        if invoice["msdyn_projectinvoicestatus"] in FINAL:
            raise refused(
                f"Invoice {invoice['invoicenumber']} is confirmed and its lines are read-only: correct it."
            )


def refuse_parts(_desk: Desk, change: Change) -> None:
    """Refuse to bill or credit a milestone in part (R406).

    Raises:
        ApiError: When an amount is emptied, or changes that its class does not let anybody edit.
    """
    if any(name in change.values and change.values[name] is None for name in _AMOUNTS):
        raise refused("A line detail must have a quantity, a price and an amount: fill them in.")
    fixed = _WHOLE.get(change.before["msdyn_transactionclassification"], ())
    if any(name in change.values and change.values[name] != change.before[name] for name in fixed):
        raise refused(
            "A milestone or retainer is one piece: leave its quantity, and of a milestone its price."
        )


def priced(desk: Desk, change: Change) -> Row:
    """Return the amount that an edited quantity or price makes."""
    after = change.after
    if "msdyn_amount" in change.values or any(after[name] is None for name in _PRICED):
        return {}
    currency = desk.get("transactioncurrency", after["transactioncurrencyid"])["isocurrencycode"]
    return {"msdyn_amount": money(after["msdyn_quantity"] * after["msdyn_price"], currency)}


def add_up(desk: Desk, change: Change) -> None:
    """Bring line and invoice up to date by what one detail changed, without reading all the others."""
    now = [] if change.verb is Verb.DELETE else [change.after]
    before = [change.before]
    line = _stored(desk, LINE, change.before["msdyn_invoicelineid"])
    if line is not None:
        added, taken = line_sums(now), line_sums(before)
        sums = {name: (line[name] or Decimal(0)) + added[name] - taken[name] for name in added}
        desk.update(LINE, line["invoicedetailid"], sums)
    add_to_invoice(desk, change.before["msdyn_invoice"], charged(now) - charged(before))


def give_back(desk: Desk, change: Change) -> None:
    """Let another invoice bill what was taken off a draft; a correction took nothing."""
    add_up(desk, change)
    if change.before["msdyn_correction"]:
        return
    actual = _stored(desk, ACTUAL, change.before["msdyn_unbilledactual"])
    if actual is not None and actual["msdyn_billingstatus"] == BillingStatus.CUSTOMER_INVOICE_CREATED:
        open_again = {"msdyn_billingstatus": BillingStatus.READY_TO_INVOICE}
        desk.update(ACTUAL, change.before["msdyn_unbilledactual"], open_again)
    if change.before["msdyn_milestone"]:
        follow_shares(desk, change.before["msdyn_milestone"])
    if change.before["msdyn_retainer"]:
        ready = {"msdyn_invoicestatus": MilestoneStatus.READY}
        desk.update("msdyn_retainer", change.before["msdyn_retainer"], ready)


def remove_details(desk: Desk, change: Change) -> Row:
    """Remove the details of a line, or the lines of a draft, before it goes itself."""
    if change.table == LINE:
        details = desk.find(DETAIL, msdyn_invoicelineid=change.before["invoicedetailid"])
        children = [(DETAIL, it["msdyn_invoicelinetransactionid"]) for it in details]
    else:
        lines = desk.find(LINE, invoiceid=change.before["invoiceid"])
        children = [(LINE, it["invoicedetailid"]) for it in lines]
    for table, row_id in children:
        desk.delete(table, row_id)
    return {}


def _stored(desk: Desk, table: str, row_id: str | None) -> Mapping[str, Any] | None:
    return desk.by_id(table, [row_id]).get(row_id or "")


_WRITES = (Verb.CREATE, Verb.UPDATE, Verb.DELETE)

HOOKS = (
    guard(DETAIL, _WRITES, refuse_if_confirmed),
    guard(LINE, _WRITES, refuse_if_confirmed),
    guard(DETAIL, [Verb.UPDATE], refuse_parts, _COUNTED),
    complete(DETAIL, [Verb.UPDATE], priced, _PRICED),
    effect(DETAIL, [Verb.UPDATE], add_up, _COUNTED),
    effect(DETAIL, [Verb.DELETE], give_back),
    complete(LINE, [Verb.DELETE], remove_details),
    complete(INVOICE, [Verb.DELETE], remove_details),
)
