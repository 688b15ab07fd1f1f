"""Lines of a proforma invoice and their details: drafted and added up.

An invoice line (invoicedetail) stands for a contract line; its details (msdyn_invoicelinetransaction) for
unbilled sales, milestones and retainers. Only what is chargeable counts for the customer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import ACTUAL_ID, Row
from sandbox.dataverse.rules.impact import DETAIL_ID, SHARED
from sandbox.dataverse.rules.options import (
    AmountMethod,
    BillingType,
    CustomerType,
    InvoiceStatus,
    TransactionClass,
    TransactionType,
)

INVOICE = "invoice"
LINE = "invoicedetail"
DETAIL = "msdyn_invoicelinetransaction"
FINAL = frozenset({InvoiceStatus.CONFIRMED, InvoiceStatus.PAID, InvoiceStatus.POSTED})
"""Statuses of an invoice that is read-only (R407)."""
INVOICE_TOTALS = ("totallineitemamount", "totalamountlessfreight", "totalamount")

_PROJECT_SERVICE = 5  # invoicedetail.producttypecode [D]
_ZERO = Decimal(0)
_LINE_TOTALS = ("priceperunit", "baseamount", "extendedamount")
_BY_BILLING_TYPE = {
    BillingType.CHARGEABLE: "msdyn_chargeableamount",
    BillingType.NON_CHARGEABLE: "msdyn_nonchargeableamount",
    BillingType.COMPLIMENTARY: "msdyn_complimentaryamount",
}


@dataclass(frozen=True, slots=True)
class Charge:
    """Something that waits to be invoiced.

    Attributes:
        payer: GUID of the contract customer who pays, None for the contract's first.
        detail: Values of the line detail that bills it.
    """

    payer: str | None
    detail: Row


def detail_of(unbilled: Row) -> Row:
    """Return the values of the line detail that bills unbilled sales as they were approved."""
    return {
        **{name: unbilled[name] for name in SHARED},
        "msdyn_transactiontypecode": TransactionType.BILLED_SALES,
        "msdyn_unbilledactual": unbilled[ACTUAL_ID],
    }


def scheduled_detail(
    contract: Mapping[str, Any],
    line: Mapping[str, Any] | None,
    customer: str | None,
    classification: TransactionClass,
    amount: Decimal,
    day: str,
) -> Row:
    """Return the values of a line detail that bills no work: a milestone's or a retainer's.

    Args:
        contract: The stored salesorder.
        line: The stored contract line, None where none is meant.
        customer: GUID of the account that pays.
        classification: Milestone or retainer.
        amount: In the contract's currency.
        day: ISO date of the transaction.
    """
    line_id = None if line is None else line["salesorderdetailid"]
    return dict.fromkeys(SHARED) | {
        "msdyn_accountcustomer": customer,
        "msdyn_customertype": CustomerType.ACCOUNT,
        "msdyn_amount": amount,
        "msdyn_amountmethod": AmountMethod.FIXED_PRICE,
        "msdyn_billingtype": BillingType.CHARGEABLE,
        "msdyn_contractorganizationalunitid": contract["msdyn_contractorganizationalunitid"],
        "msdyn_documentdate": f"{day}T12:00:00Z",
        "msdyn_price": amount,
        "msdyn_quantity": Decimal(1),
        "msdyn_project": None if line is None else line["msdyn_project"],
        "msdyn_salescontract": contract["salesorderid"],
        "msdyn_salescontractline": None if line is None else line["msdyn_contractlinenumber"],
        "msdyn_salescontractlineid": line_id,
        "msdyn_transactionclassification": classification,
        "msdyn_transactiontypecode": TransactionType.BILLED_SALES,
        "transactioncurrencyid": contract["transactioncurrencyid"],
    }


def add_details(desk: Desk, invoice: Mapping[str, Any], details: Sequence[Row]) -> None:
    """Put details on an invoice, one invoice line a contract line, and add them up.

    Args:
        desk: Dataverse.
        invoice: The stored invoice.
        details: Values of line details, without invoice and invoice line.
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
    header = {"msdyn_invoice": invoice["invoiceid"]}
    written = [
        {**detail, **header, DETAIL_ID: str(uuid4()), "msdyn_invoicelineid": line_id}
        for line_id, members in zip(line_ids, by_line.values(), strict=True)
        for detail in members
    ]
    desk.create_many(DETAIL, written)
    add_to_invoice(desk, invoice["invoiceid"], charged(written))


def charged(details: Iterable[Mapping[str, Any]]) -> Decimal:
    """Return what a customer owes for details, in the invoice's currency."""
    owed = (_counted(it) for it in details if it["msdyn_billingtype"] in {BillingType.CHARGEABLE, None})
    return sum(owed, _ZERO)


def line_sums(details: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return what an invoice line says of its details: amounts by billing type, and what is owed."""
    sums = {
        name: sum((_counted(it) for it in details if it["msdyn_billingtype"] == kind), _ZERO)
        for kind, name in _BY_BILLING_TYPE.items()
    }
    return sums | dict.fromkeys(_LINE_TOTALS, charged(details))


def add_to_invoice(desk: Desk, invoice_id: str | None, owed: Decimal) -> None:
    """Raise what an invoice is over in all, or lower it by a negative amount."""
    invoice = desk.first(INVOICE, invoiceid=invoice_id) if invoice_id else None
    if invoice is not None and owed:
        totals = {name: (invoice[name] or _ZERO) + owed for name in INVOICE_TOTALS}
        desk.update(INVOICE, invoice["invoiceid"], totals)


def _counted(detail: Mapping[str, Any]) -> Decimal:
    """A correction counts with the difference to what was billed before (R406)."""
    before = detail.get("msdyn_previousamount") if detail.get("msdyn_correction") else None
    amount: Decimal = detail["msdyn_amount"] or _ZERO
    return amount - (before or _ZERO)


def _line(
    invoice: Mapping[str, Any], contract_line: Mapping[str, Any] | None, details: Sequence[Row], place: int
) -> Row:
    line: Row = {
        "invoiceid": invoice["invoiceid"],
        "lineitemnumber": place,
        "sequencenumber": place,
        "producttypecode": _PROJECT_SERVICE,
        "transactioncurrencyid": invoice["transactioncurrencyid"],
        "quantity": Decimal(1),
        **line_sums(details),
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
