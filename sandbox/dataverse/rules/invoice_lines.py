"""Lines of a proforma invoice and their details: drafted, edited, removed, added up.

An invoice line (invoicedetail) stands for a contract line; its details (msdyn_invoicelinetransaction) for
unbilled sales, milestones and retainers. Only what is chargeable counts for the customer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import ACTUAL, ACTUAL_ID, Row
from sandbox.dataverse.rules.impact import DETAIL_ID
from sandbox.dataverse.rules.options import (
    BillingStatus,
    BillingType,
    InvoiceStatus,
    TransactionType,
)
from sandbox.rules.hooks import Change, Verb, complete, effect, guard
from sandbox.rules.money import money

INVOICE = "invoice"
LINE = "invoicedetail"
DETAIL = "msdyn_invoicelinetransaction"

_PROJECT_SERVICE = 5  # invoicedetail.producttypecode [D]
_FINAL = frozenset({InvoiceStatus.CONFIRMED, InvoiceStatus.PAID, InvoiceStatus.POSTED})
_LINE_TOTALS = ("priceperunit", "baseamount", "extendedamount")
_INVOICE_TOTALS = ("totallineitemamount", "totalamountlessfreight", "totalamount")
_SUMS = {
    BillingType.CHARGEABLE: "msdyn_chargeableamount",
    BillingType.NON_CHARGEABLE: "msdyn_nonchargeableamount",
    BillingType.COMPLIMENTARY: "msdyn_complimentaryamount",
}
_PRICED = ("msdyn_quantity", "msdyn_price")
_COUNTED = (*_PRICED, "msdyn_amount", "msdyn_billingtype")

SHARED = (
    "msdyn_description",
    "msdyn_externaldescription",
    "msdyn_accountcustomer",
    "msdyn_customertype",
    "msdyn_amount",
    "msdyn_amountmethod",
    "msdyn_billingtype",
    "msdyn_bookableresource",
    "msdyn_contractorganizationalunitid",
    "msdyn_documentdate",
    "msdyn_startdatetime",
    "msdyn_enddatetime",
    "msdyn_price",
    "msdyn_product",
    "msdyn_project",
    "msdyn_quantity",
    "msdyn_resourcecategory",
    "msdyn_resourceorganizationalunitid",
    "msdyn_salescontract",
    "msdyn_salescontractline",
    "msdyn_salescontractlineid",
    "msdyn_task",
    "msdyn_transactioncategory",
    "msdyn_transactionclassification",
    "msdyn_unit",
    "transactioncurrencyid",
)
"""What line details and actuals hold alike."""


def detail_of(unbilled: Row) -> Row:
    """Return the values of the line detail that bills unbilled sales as they were approved."""
    return {
        **{name: unbilled[name] for name in SHARED},
        "msdyn_transactiontypecode": TransactionType.BILLED_SALES,
        "msdyn_unbilledactual": unbilled[ACTUAL_ID],
    }


def add_details(desk: Desk, invoice: Mapping[str, Any], details: Sequence[Row]) -> list[Row]:
    """Put details on an invoice, one invoice line a contract line, and add them up.

    Args:
        desk: Dataverse.
        invoice: The stored invoice.
        details: Values of line details, without invoice and invoice line.

    Returns:
        The details as they were written.
    """
    by_line: dict[str | None, list[Row]] = defaultdict(list)
    for detail in details:
        by_line[detail["msdyn_salescontractlineid"]].append(detail)
    contract_lines = desk.by_id("salesorderdetail", by_line)
    lines = [
        _line(invoice, contract_lines.get(line_id or ""), members, place)
        for place, (line_id, members) in enumerate(by_line.items(), start=1)
    ]
    line_ids = desk.create_many(LINE, lines)
    written = [
        {
            **detail,
            DETAIL_ID: str(uuid4()),
            "msdyn_invoice": invoice["invoiceid"],
            "msdyn_invoicelineid": line_id,
        }
        for line_id, members in zip(line_ids, by_line.values(), strict=True)
        for detail in members
    ]
    desk.create_many(DETAIL, written)
    _add_to_invoice(desk, invoice["invoiceid"], charged(written))
    return written


def charged(details: Iterable[Mapping[str, Any]]) -> Decimal:
    """Return what a customer owes for details, in the invoice's currency."""
    return sum(
        (
            _counted(detail)
            for detail in details
            if detail["msdyn_billingtype"] in {BillingType.CHARGEABLE, None}
        ),
        Decimal(0),
    )


def refuse_if_confirmed(desk: Desk, invoice_id: str | None) -> None:
    """Refuse to touch lines of a confirmed invoice (R407).

    Raises:
        ApiError: When the invoice is confirmed, posted or paid.
    """
    invoice = desk.first(INVOICE, invoiceid=invoice_id) if invoice_id else None
    if invoice is not None and invoice["msdyn_projectinvoicestatus"] in _FINAL:
        raise refused(
            f"Invoice {invoice['invoicenumber']} is confirmed, its lines are read-only: correct the invoice."
        )


def release(desk: Desk, actual_id: str) -> None:
    """Let another invoice bill unbilled sales that were taken off a draft."""
    actual = desk.get(ACTUAL, actual_id)
    if actual["msdyn_billingstatus"] == BillingStatus.CUSTOMER_INVOICE_CREATED:
        desk.update(ACTUAL, actual_id, {"msdyn_billingstatus": BillingStatus.READY_TO_INVOICE})


def _line(
    invoice: Mapping[str, Any], contract_line: Mapping[str, Any] | None, details: Sequence[Row], place: int
) -> Row:
    sums = {name: _sum_of(details, billing_type) for billing_type, name in _SUMS.items()}
    total = charged(details)
    line: Row = {
        "invoiceid": invoice["invoiceid"],
        "lineitemnumber": place,
        "sequencenumber": place,
        "producttypecode": _PROJECT_SERVICE,
        "transactioncurrencyid": invoice["transactioncurrencyid"],
        "quantity": Decimal(1),
        "priceperunit": total,
        "baseamount": total,
        "extendedamount": total,
        **sums,
    }
    if contract_line is None:
        return line
    return line | {
        "salesorderdetailid": contract_line["salesorderdetailid"],
        "msdyn_contractline": contract_line["salesorderdetailid"],
        "msdyn_contractlineamount": contract_line["msdyn_contractamount"],
        "msdyn_billingmethod": contract_line["msdyn_billingmethod"],
        "msdyn_project": contract_line["msdyn_project"],
        "invoicedetailname": contract_line["salesorderdetailname"],
        "productdescription": contract_line["productdescription"],
    }


def _sum_of(details: Iterable[Mapping[str, Any]], billing_type: BillingType) -> Decimal:
    amounts = (_counted(it) for it in details if it["msdyn_billingtype"] == billing_type)
    return sum(amounts, Decimal(0))


def _counted(detail: Mapping[str, Any]) -> Decimal:
    """A correction counts with the difference to what was billed before (R406)."""
    before = detail.get("msdyn_previousamount") if detail.get("msdyn_correction") else None
    amount: Decimal = detail["msdyn_amount"] or Decimal(0)
    return amount - (before or Decimal(0))


def _price(desk: Desk, change: Change) -> Row:
    """An edited quantity or price gives the amount anew."""
    after = change.after
    if "msdyn_amount" in change.values or any(after[name] is None for name in _PRICED):
        return {}
    currency = desk.get("transactioncurrency", after["transactioncurrencyid"])["isocurrencycode"]
    return {"msdyn_amount": money(after["msdyn_quantity"] * after["msdyn_price"], currency)}


def _refuse_change(desk: Desk, change: Change) -> None:
    refuse_if_confirmed(desk, change.after.get("msdyn_invoice"))
    if change.verb is Verb.UPDATE and change.after["msdyn_milestone"] and _differs(change, *_COUNTED):
        raise refused("A milestone is billed or credited as a whole: leave quantity and price as they are.")
    if change.verb is Verb.UPDATE and change.after["msdyn_retainer"] and _differs(change, "msdyn_quantity"):
        raise refused("Of a retainer the price is edited, not the quantity.")


def _refuse_line_change(desk: Desk, change: Change) -> None:
    refuse_if_confirmed(desk, change.after.get("invoiceid"))


def _differs(change: Change, *names: str) -> bool:
    return any(name in change.values and change.values[name] != change.before[name] for name in names)


def _retotal(desk: Desk, change: Change) -> None:
    """Bring line and invoice up to date by what one detail changed; not by reading all of them again."""
    now = {} if change.verb is Verb.DELETE else change.after
    _add_to_line(desk, change.before["msdyn_invoicelineid"], change.before, now)
    _add_to_invoice(desk, change.before["msdyn_invoice"], _owed(now) - _owed(change.before))


def _remove(desk: Desk, change: Change) -> None:
    """What a detail took off the backlog goes back to it."""
    _retotal(desk, change)
    if change.before["msdyn_unbilledactual"] and not change.before["msdyn_correction"]:
        release(desk, change.before["msdyn_unbilledactual"])


def _owed(detail: Mapping[str, Any]) -> Decimal:
    return charged([detail]) if detail else Decimal(0)


def _add_to_line(desk: Desk, line_id: str | None, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    line = desk.first(LINE, invoicedetailid=line_id) if line_id else None
    if line is None:
        return
    owed = _owed(now) - _owed(before)
    sums = {
        name: (line[name] or Decimal(0))
        + _sum_of([now] if now else [], billing_type)
        - _sum_of([before], billing_type)
        for billing_type, name in _SUMS.items()
    }
    totals = {
        name: (line[name] or Decimal(0)) + owed for name in ("priceperunit", "baseamount", "extendedamount")
    }
    desk.update(LINE, line["invoicedetailid"], sums | totals)


def _add_to_invoice(desk: Desk, invoice_id: str | None, owed: Decimal) -> None:
    invoice = desk.first(INVOICE, invoiceid=invoice_id) if invoice_id else None
    if invoice is None or not owed:
        return
    desk.update(
        INVOICE,
        invoice["invoiceid"],
        {name: (invoice[name] or Decimal(0)) + owed for name in _INVOICE_TOTALS},
    )


_WRITES = (Verb.CREATE, Verb.UPDATE, Verb.DELETE)

HOOKS = (
    guard(DETAIL, _WRITES, _refuse_change),
    guard(LINE, _WRITES, _refuse_line_change),
    complete(DETAIL, [Verb.UPDATE], _price, _PRICED),
    effect(DETAIL, [Verb.UPDATE], _retotal, _COUNTED),
    effect(DETAIL, [Verb.DELETE], _remove),
)
