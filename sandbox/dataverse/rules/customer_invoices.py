"""Customer invoices: what Finance made of proforma invoices when it posted them (R806)."""

from decimal import Decimal

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.invoice_lines import INVOICE
from sandbox.dataverse.rules.options import InvoiceStatus
from sandbox.rules.hooks import Change, Verb, effect

_STATUS = "msdyn_projectinvoicestatus"


def mark_posted(desk: Desk, change: Change) -> None:
    """Give the proforma invoice its customer invoice's number, date and tax, and the status Posted (R806).

    An invoice that is paid stays so. Source: DOC invoicing/format-update-project-invoice-proposals.md.
    """
    posted = change.after
    proforma = posted.get("msdyn_proformainvoice")
    invoice = desk.first(INVOICE, invoiceid=proforma) if proforma else None
    if invoice is None:
        return
    tax: Decimal = posted.get("msdyn_taxamount") or Decimal(0)
    net: Decimal = invoice["totalamountlessfreight"] or Decimal(0)
    paid = invoice[_STATUS] == InvoiceStatus.PAID
    values = {
        "msdyn_customerinvoicenumber": posted["msdyn_customerinvoicenumber"],
        "msdyn_customerinvoicedate": posted["msdyn_customerinvoicedate"],
        _STATUS: InvoiceStatus.PAID if paid else InvoiceStatus.POSTED,
        "totaltax": tax,
        "totalamount": net + tax,
    }
    if any(invoice[name] != value for name, value in values.items()):
        desk.update(INVOICE, invoice["invoiceid"], values)


HOOKS = (effect("msdyn_customerinvoice", [Verb.CREATE, Verb.UPDATE], mark_posted),)
