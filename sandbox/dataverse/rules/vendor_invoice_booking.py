"""What a confirmed vendor invoice line becomes: a cost of its own, or one in the place of others (R1004)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import Role, Row, connect, connected, origin, record, reversal, reverse
from sandbox.dataverse.rules.intercompany import Lending, record_lending
from sandbox.dataverse.rules.matching import match_by_subcontract, matched
from sandbox.dataverse.rules.options import (
    AmountMethod,
    BillingType,
    CustomerType,
    TransactionClass,
)
from sandbox.dataverse.rules.recording import demand_facts
from sandbox.dataverse.rules.verification import LINE
from sandbox.dataverse.rules.work import Work, record_work
from sandbox.rules.days import NEVER, day_of, noon
from sandbox.rules.money import money

_OPEN = (
    "msdyn_adjustmentstatus",
    "msdyn_matchedvendorinvoiceline",
    "msdyn_amount",
    "msdyn_basisquantity",
    "msdyn_basisamount",
    "msdyn_accountingdate",
    "msdyn_startdatetime",
    "msdyn_enddatetime",
    "msdyn_exchangeratedate",
)
"""Columns that a new actual does not take over from the one that it replaces; dates follow the document's."""


_FACTS = {
    "msdyn_project": "project",
    "msdyn_transactionclassification": "transaction class",
    "msdyn_quantity": "quantity",
    "transactioncurrencyid": "currency",
}
_BOUGHT = {TransactionClass.TIME, TransactionClass.EXPENSE, TransactionClass.MATERIAL}


def record_line(desk: Desk, invoice: Row, line: Row) -> None:
    """Record the actuals of a confirmed line.

    A line that bills recorded costs takes their place: the originals are reversed, and one new cost is
    recorded; what is billed to the customer stays as it was approved (R1004, R1104). Any other is work
    of its own: a cost, and unbilled sales where the project is billed by time and material (R1003); one
    that another company was invoiced for has that company's actuals too (R1008).
    """
    work = work_of(invoice, line)
    originals = matched(desk, line) or match_by_subcontract(desk, line)
    if originals:
        _replace(desk, work, line, originals)
    else:
        record_work(desk, work)


def line_name(invoice: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """Return what people call a line of a vendor invoice."""
    number = invoice["msdyn_vendorinvoicenumber"]
    return f"Line {line['msdyn_externalinvoiceline']} of vendor invoice {number}"


def work_of(invoice: Row, line: Row) -> Work:
    """Return what a line bills; its cost is the invoiced amount with the tax that stays cost (R1002).

    Raises:
        ApiError: 0x80040265, when it lacks a fact, or is of a class that nobody buys.
    """
    name = line_name(invoice, line)
    demand_facts(name, line, _FACTS)
    if line["msdyn_transactionclassification"] not in _BOUGHT:
        raise refused(f"{name} is of a class that cannot be bought: choose time, expense or material.")
    return Work(
        project=line["msdyn_project"],
        classification=TransactionClass(line["msdyn_transactionclassification"]),
        quantity=line["msdyn_quantity"],
        date=_noon(line["msdyn_transactiondate"] or invoice["msdyn_invoicedate"] or line["createdon"]),
        task=line["msdyn_task"],
        role=line["msdyn_resourcecategory"],
        resource=line["msdyn_bookableresource"],
        category=line["msdyn_transactioncategory"],
        product=line["msdyn_product"],
        writein_product=_writein_product(line),
        unit=line["msdyn_unit"],
        cost_price=line["msdyn_price"],
        cost_amount=line["msdyn_amount"],
        cost_currency=line["transactioncurrencyid"],
        billing_type=None if line["msdyn_billingtype"] is None else BillingType(line["msdyn_billingtype"]),
        resourcing_company=line["msdyn_owningcompany"],
        vendor=invoice["msdyn_vendor"],
        description=line["msdyn_description"],
        origin=(LINE, line["msdyn_projectvendorinvoicelineid"]),
        vendor_invoice_line=line["msdyn_projectvendorinvoicelineid"],
        subcontract_line=line["msdyn_subcontractline"],
        external_origin_reference=line["msdyn_externalinvoiceline"],
    )


def _noon(day: str) -> str:
    return noon(day_of(day) or NEVER)


def _writein_product(line: Row) -> str | None:
    material = line["msdyn_transactionclassification"] == TransactionClass.MATERIAL
    return line["msdyn_description"] if material and line["msdyn_product"] is None else None


def _replace(desk: Desk, work: Work, line: Row, originals: Sequence[Row]) -> None:
    """Put one cost in the place of others, and the lender's actuals in the place of theirs."""
    lent = _lent(desk, originals[0], Role.RESOURCING_UNIT_COST)
    for original in originals:
        sold = _lent(desk, original, Role.INTERORGANIZATIONAL_SALES)
        for actual in (original, *_lent(desk, original, Role.RESOURCING_UNIT_COST), *sold):
            reverse(desk, actual)
    cost = record(desk, _in_place_of(originals[0], work) | _priced(desk, work))
    for original in originals:
        connect(desk, cost, Role.REPLACING, original, Role.ORIGINAL)
    recorded = [cost]
    for spent in lent:
        company, unit = spent["msdyn_owningcompany"], spent["msdyn_resourceorganizationalunitid"]
        lender = Lending(company, unit, bool(spent["msdyn_isintercompany"]))
        recorded += record_lending(desk, work, lender, _in_place_of(spent, work), cost)
    for actual in recorded:
        origin(desk, actual, LINE, line["msdyn_projectvendorinvoicelineid"])


def _lent(desk: Desk, cost: Row, role: Role) -> list[Row]:
    """Return the lender's open actuals beside a cost."""
    beside = connected(desk, cost, Role.COST, role)
    return [actual for actual in beside if actual["msdyn_adjustmentstatus"] is None]


def _in_place_of(original: Row, work: Work) -> Row:
    """Return the values of an actual that a vendor's invoice puts in the place of another, but its price."""
    return {
        **reversal(original),
        **dict.fromkeys(_OPEN),
        "msdyn_documentdate": work.date,
        "msdyn_quantity": work.quantity,
        "msdyn_unit": work.unit or original["msdyn_unit"],
        "msdyn_accountvendor": work.vendor,
        "msdyn_vendortype": CustomerType.ACCOUNT,
        "msdyn_description": work.description or original["msdyn_description"],
        "msdyn_externaloriginreference": work.external_origin_reference,
        "msdyn_vendorinvoiceline": work.vendor_invoice_line,
    }


def _priced(desk: Desk, work: Work) -> Row:
    """Return what the vendor charges; with tax that stays cost it is not quantity by price."""
    code = desk.get("transactioncurrency", work.cost_currency)["isocurrencycode"]
    price = work.given_cost or Decimal(0)
    follows = work.cost_amount in {None, money(work.quantity * price, code)}
    return {
        "msdyn_price": price,
        "msdyn_pricelist": None,
        "msdyn_amount": work.cost_amount,
        "msdyn_amountmethod": AmountMethod.QUANTITY_BY_PRICE if follows else AmountMethod.FIXED_PRICE,
        "transactioncurrencyid": work.cost_currency,
    }
