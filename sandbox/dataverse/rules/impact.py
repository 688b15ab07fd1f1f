"""What confirming an invoice does to the actuals, as values: nothing is written here."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

from sandbox.dataverse.rules.actuals import ACTUAL_ID, Row, reversal
from sandbox.dataverse.rules.options import (
    BillingStatus,
    TransactionType,
)

DETAIL_ID = "msdyn_invoicelinetransactionid"

_MEASURED = ("msdyn_quantity", "msdyn_amount", "msdyn_basisquantity", "msdyn_basisamount")

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


@dataclass(frozen=True, slots=True)
class Bill:
    """What all line details of an invoice have in common.

    Attributes:
        invoice: GUID of the invoice.
        currency: ISO code of its currency.
        company: GUID of the company that bills.
        payer: GUID of the contract customer, None for a contract that has none.
        accounting_date: Time stamp that billed sales shall have as accounting date, None for that of the
            work (R408).
    """

    invoice: str
    currency: str
    company: str | None = None
    payer: str | None = None
    accounting_date: str | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """What a confirmation writes.

    Attributes:
        recorded: Values of new actuals, their GUIDs among them.
        changed: GUIDs of actuals and what changes in them.
        connections: Values of transaction connections.
        details: GUIDs of line details and what changes in them.
        added: Values of line details that the confirmation adds to the invoice.
    """

    recorded: tuple[Row, ...] = ()
    changed: tuple[tuple[str, Row], ...] = ()
    connections: tuple[Row, ...] = ()
    details: tuple[tuple[str, Row], ...] = ()
    added: tuple[Row, ...] = ()


def joined(impacts: Iterable[Impact]) -> Impact:
    """Return several impacts as one, in their order."""
    every = list(impacts)
    return Impact(
        recorded=tuple(row for it in every for row in it.recorded),
        changed=tuple(change for it in every for change in it.changed),
        connections=tuple(row for it in every for row in it.connections),
        details=tuple(change for it in every for change in it.details),
        added=tuple(row for it in every for row in it.added),
    )


def sale_of(detail: Row, invoice: Bill) -> Row:
    """Return the values of billed sales that bill no work: a milestone's or a retainer's (R405)."""
    return {
        **{name: detail[name] for name in SHARED},
        ACTUAL_ID: descendant(detail, "billed"),
        "msdyn_transactiontypecode": TransactionType.BILLED_SALES,
        "msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_POSTED,
        "msdyn_invoice": invoice.invoice,
        "msdyn_owningcompany": invoice.company,
        "msdyn_contractcustomer": invoice.payer,
        "msdyn_skipsync": False,
        **accounted(invoice),
    }


def successor(actual: Row, new_id: str, values: Row) -> Row:
    """Return the values of an open actual that follows another one with some values of its own."""
    measured = {name: actual.get(name) for name in _MEASURED}
    fresh = {"msdyn_adjustmentstatus": None, "msdyn_skipsync": actual["msdyn_skipsync"], ACTUAL_ID: new_id}
    return reversal(actual) | measured | fresh | values


def descendant(detail: Row, part: str) -> str:
    """Return the GUID of the actual or line detail that a line detail's confirmation makes."""
    return str(uuid5(UUID(detail[DETAIL_ID]), part))


def accounted(invoice: Bill) -> Row:
    """Return the accounting date that the invoice gives to its billed sales, if it gives one (R408)."""
    return {} if invoice.accounting_date is None else {"msdyn_accountingdate": invoice.accounting_date}
