"""Lines of vendor invoices: what is accepted (E3, E4), and what stays once it is booked (R1001, R1003)."""

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.options import (
    TransactionClass,
    VendorInvoiceStatus,
)
from sandbox.dataverse.rules.vendor_invoice_booking import line_name, record_line
from sandbox.dataverse.rules.verification import INVOICE, LINE
from sandbox.rules.hooks import Change, Verb, effect, guard

_BOOKED = (
    "msdyn_project",
    "msdyn_transactionclassification",
    "msdyn_quantity",
    "transactioncurrencyid",
    "msdyn_vendorinvoice",
    "msdyn_price",
    "msdyn_amount",
    "msdyn_transactiondate",
    "msdyn_task",
    "msdyn_resourcecategory",
    "msdyn_transactioncategory",
    "msdyn_product",
    "msdyn_subcontractline",
)
"""Columns that actuals are made of."""


def demand_product(_desk: Desk, change: Change) -> None:
    """Refuse material that is neither a product nor, of a procurement category, in a category (E3, R1007).

    Raises:
        ApiError: 0x80040265, as documented.
    """
    line = change.after
    if line.get("msdyn_transactionclassification") != TransactionClass.MATERIAL:
        return
    if line.get("msdyn_product") is None and line.get("msdyn_transactioncategory") is None:
        raise refused(
            f"Product id is mandatory. Vendor invoice line {line.get('msdyn_externalinvoiceline')} is of "
            "class Material: choose a product of the catalog, and sync the products if it is missing there."
        )


def demand_category(desk: Desk, change: Change) -> None:
    """Refuse an expense whose transaction category is missing or inactive (E4).

    Raises:
        ApiError: 0x80040265, as documented.
    """
    line = change.after
    if line.get("msdyn_transactionclassification") != TransactionClass.EXPENSE:
        return
    category = desk.first(
        "msdyn_transactioncategory", msdyn_transactioncategoryid=line.get("msdyn_transactioncategory")
    )
    if category is None or category["statecode"] != 0:
        raise refused(
            f"The transaction category of vendor invoice line {line.get('msdyn_externalinvoiceline')} is "
            "invalid: select an active transaction category for expenses."
        )


def keep_confirmed(desk: Desk, change: Change) -> None:
    """Refuse to change or delete what a confirmed invoice has booked (R1001).

    Raises:
        ApiError: 0x80040265, naming line and invoice.
    """
    line = change.before
    invoice = desk.first(INVOICE, msdyn_projectvendorinvoiceid=line["msdyn_vendorinvoice"])
    if invoice is None or invoice["statuscode"] != VendorInvoiceStatus.CONFIRMED:
        return
    differs = any(change.after[name] != line[name] for name in _BOOKED)
    if differs or change.verb is Verb.DELETE:
        raise refused(
            f"{line_name(invoice, line)} is confirmed and stays as it is: cancel the invoice, or have "
            "Finance correct it by another one."
        )


def record_late(desk: Desk, change: Change) -> None:
    """Record a line that comes after its invoice was confirmed, so that no posted cost is missing (R1003)."""
    invoice = desk.first(INVOICE, msdyn_projectvendorinvoiceid=change.values["msdyn_vendorinvoice"])
    if invoice is not None and invoice["statuscode"] == VendorInvoiceStatus.CONFIRMED:
        record_line(desk, invoice, change.after)


HOOKS = (
    guard(
        LINE,
        [Verb.CREATE, Verb.UPDATE],
        demand_product,
        ["msdyn_transactionclassification", "msdyn_product", "msdyn_transactioncategory"],
    ),
    guard(
        LINE,
        [Verb.CREATE, Verb.UPDATE],
        demand_category,
        ["msdyn_transactionclassification", "msdyn_transactioncategory"],
    ),
    guard(LINE, [Verb.UPDATE], keep_confirmed, _BOOKED),
    guard(LINE, [Verb.DELETE], keep_confirmed),
    effect(LINE, [Verb.CREATE], record_late),
)
