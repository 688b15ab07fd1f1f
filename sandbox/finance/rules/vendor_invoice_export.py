"""What Dataverse sees of a posted vendor invoice: its header and its project lines (R1001)."""

from collections.abc import Sequence
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.expense_categories import transaction_category
from sandbox.finance.rules.purchase_categories import purchase_category
from sandbox.finance.rules.vendor_posting import Cost
from sandbox.rules.hooks import Row

_HEADER, _HEADER_V1 = "VendInvoiceExportsV2", "ProjVendInvoicesExport"
_LINES = "ProjVendInvoiceLinesExportEntity"


def is_project_line(line: Row) -> bool:
    """Whether a line is for a project: only such lines are synced (R1001)."""
    return bool(line["ProjectId"])


def export_invoice(books: Books, invoice: Row, lines: Sequence[Row], costs: Sequence[Cost]) -> None:
    """Hand a posted invoice with at least one project line to Dataverse, without its other lines (R1001).

    Raises:
        DocumentRefusedError: A line's project category does not exist (R1007).
    """
    projects = [pair for pair in zip(lines, costs, strict=True) if is_project_line(pair[0])]
    if not projects:
        return
    header = _header_values(invoice)
    books.insert(_HEADER, header | {"ProjVendInvoiceStatus": "Draft"})
    books.insert(_HEADER_V1, header)
    for line, cost in projects:
        number = books.next_number(invoice["dataAreaId"], "ProjectTransactionOrigin")
        books.insert(_LINES, {"ProjTransId": number} | _line_values(books, invoice, line, cost))
        books.update("VendorInvoiceLines", line, {"ProjTransId": number})


def _header_values(invoice: Row) -> dict[str, Any]:
    return {
        "dataAreaId": invoice["dataAreaId"],
        "InvoiceAccount": invoice["InvoiceAccount"],
        "VendorInvoiceNum": invoice["InvoiceNumber"],
        "OrderAccount": invoice["OrderAccount"] or invoice["InvoiceAccount"],
        "Description": invoice["InvoiceDescription"],
        "TransDate": invoice["InvoiceDate"],
        "DocumentDate": invoice["InvoiceDate"],
        "CurrencyCode": invoice["CurrencyCode"],
        "PurchId": invoice["PurchaseOrderNumber"],
        "SubcontractInvoice": invoice["IsSubcontractInvoice"],
        "TableRefId": invoice["HeaderReference"],
    }


def _line_values(books: Books, invoice: Row, line: Row, cost: Cost) -> dict[str, Any]:
    """Return an exported line (map M20).

    `LineAmount` is the cost as it stands on the clearing account (R1002; INF).
    """
    category = purchase_category(books, line)
    return {
        "ProjDataAreaId": line["ProjectDataAreaId"] or line["dataAreaId"],
        "DAreaId": invoice["dataAreaId"],
        "VendorInvoiceNum": invoice["InvoiceNumber"],
        "InvoiceAccount": invoice["InvoiceAccount"],
        "OrderAccount": invoice["OrderAccount"] or invoice["InvoiceAccount"],
        "ProjId": line["ProjectId"],
        "ProjTaskNumber": line["ActivityNumber"],
        "TransactionCategoryId": transaction_category(books, category["Category"]),
        "CategoryType": category["TransactionType"],
        "RoleId": line["RoleId"],
        "ItemId": line["ItemNumber"],
        "DisplayProductNumber": line["ProductNumber"] or line["ItemNumber"],
        "Description": line["Description"],
        "QtyReceiveNow": line["Quantity"],
        "PurchUnit": line["UnitSymbol"],
        "PurchPrice": line["UnitPrice"],
        "LineAmount": cost.amount,
        "currencyCode": cost.currency,
        "TransDate": invoice["InvoiceDate"],
        "BillingType": line["BillingType"],
        "ProjSubcontractLineNumber": line["SubcontractLineNumber"],
    }
