"""Vendor invoices: pending until they are posted, then shown to Dataverse (R1001, R1002)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.documents import DocumentRefusedError, PostingJob, post_documents
from sandbox.finance.rules.intercompany_vendor_invoices import book_project_costs
from sandbox.finance.rules.periods import accounting_date
from sandbox.finance.rules.project_stages import require_open
from sandbox.finance.rules.purchase_orders import count_quantity, order_line
from sandbox.finance.rules.receipt_accruals import end_accruals
from sandbox.finance.rules.vendor_invoice_export import export_invoice, is_project_line
from sandbox.finance.rules.vendor_invoice_lines import HEADERS, LINES
from sandbox.finance.rules.vendor_posting import (
    NO_PROJECT,
    Cost,
    Payable,
    blocks_payments,
    post_payable,
    project_contract,
)
from sandbox.rules.days import NEVER, day_of, noon
from sandbox.rules.hooks import Row
from sandbox.rules.money import money

_CLEARING = "ProcurementIntegration"
_INTERCOMPANY = "ProjectCost"


def _pending(books: Books, company: str) -> Sequence[Row]:
    return books.find(HEADERS, dataAreaId=company, InvoiceStatus="Pending")


def _post(books: Books, invoice: Row) -> None:
    """Post one invoice: its voucher, what the vendor is owed, and the rows for Dataverse (R1002).

    An intercompany invoice books the project cost by itself and goes to nobody: the cost actual in
    Dataverse is not synced either (R1203).
    """
    company = invoice["dataAreaId"]
    lines = books.find(LINES, dataAreaId=company, HeaderReference=invoice["HeaderReference"])
    _require_postable(books, invoice, lines)
    require_open(books, lines)
    intercompany = invoice["IsIntercompany"] == "Yes"
    payable = _payable(books, invoice, blocked=not intercompany and any(map(is_project_line, lines)))
    costs = [_cost(books, invoice, line) for line in lines]
    booked = post_payable(books, payable, costs, end_accruals(books, invoice, lines))
    if intercompany:
        book_project_costs(books, payable, lines, list(zip(costs, booked, strict=True)))
    else:
        export_invoice(books, invoice, lines, costs)
    _count_invoiced(books, invoice, lines)
    posted = {"InvoiceStatus": "Posted", "Voucher": payable.voucher, "PostingDate": noon(payable.day)}
    books.update(HEADERS, invoice, posted)


def _count_invoiced(books: Books, invoice: Row, lines: Sequence[Row]) -> None:
    """Let the order lines that were invoiced show it (R1101)."""
    for line in lines:
        ordered = order_line(
            books, invoice["dataAreaId"], invoice["PurchaseOrderNumber"], line["PurchaseOrderLineNumber"]
        )
        if ordered is not None:
            count_quantity(books, ordered, received=Decimal(0), invoiced=line["Quantity"])


def _payable(books: Books, invoice: Row, blocked: bool) -> Payable:
    """Return what the invoice owes; with project lines it waits for the project manager (R1006)."""
    company = invoice["dataAreaId"]
    wanted = day_of(invoice["PostingDate"]) or day_of(invoice["InvoiceDate"]) or books.now.date()
    return Payable(
        company,
        invoice["InvoiceAccount"],
        invoice["InvoiceNumber"],
        books.next_number(company, "VendorInvoiceVoucher"),
        accounting_date(books, company, wanted),
        approved=not (blocked and blocks_payments(books, company)),
    )


def _posting_type(invoice: Row, line: Row) -> str:
    if not is_project_line(line):
        return NO_PROJECT
    return _INTERCOMPANY if invoice["IsIntercompany"] == "Yes" else _CLEARING


def _cost(books: Books, invoice: Row, line: Row) -> Cost:
    """Return what a line costs: its net amount and the tax that cannot be recovered (R1002)."""
    currency = invoice["CurrencyCode"]
    return Cost(
        _posting_type(invoice, line),
        money(line["LineAmount"] + line["NonRecoverableTaxAmount"], currency),
        money(line["SalesTaxAmount"] - line["NonRecoverableTaxAmount"], currency),
        currency,
        day_of(invoice["InvoiceDate"]) or day_of(invoice["PostingDate"]) or NEVER,
        line["ProjectId"],
        project_contract(books, line),
        line["Description"],
    )


def _require_postable(books: Books, invoice: Row, lines: Sequence[Row]) -> None:
    number, vendor = invoice["InvoiceNumber"], invoice["InvoiceAccount"]
    needed = {"invoice number": number, "vendor account": vendor, "lines": lines}
    missing = [what for what, value in needed.items() if not value]
    if missing:
        raise DocumentRefusedError(
            "R1002", f"The vendor invoice has no {', '.join(missing)}. Complete it and post again."
        )
    if day_of(invoice["InvoiceDate"]) is None:
        raise DocumentRefusedError("R1002", f"Vendor invoice {number} has no invoice date. Enter it.")
    if books.first(
        "VendorTransactions",
        dataAreaId=invoice["dataAreaId"],
        VendorAccountNumber=vendor,
        InvoiceNumber=number,
    ):
        raise DocumentRefusedError(
            "R1002", f"Vendor {vendor} has a posted invoice {number} already. Enter another invoice number."
        )


def post_vendor_invoices(books: Books, parameters: Row) -> dict[str, Any]:
    """Post all pending vendor invoices: job post-vendor-invoices."""
    job = PostingJob("post-vendor-invoices", "R1002", "HeaderReference", _pending, _post)
    return post_documents(books, parameters, job)


JOBS = {"post-vendor-invoices": post_vendor_invoices}
