"""Intercompany vendor invoices: what a lender has invoiced waits in the borrower's books (R1203)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.errors import VALIDATION_ERROR, FinanceError
from sandbox.finance.rules.categories import PROJECT, TYPES
from sandbox.finance.rules.connections import COST, UNBILLED_SALES, connected
from sandbox.finance.rules.purchase_categories import purchase_category
from sandbox.finance.rules.transactions import Posting, of_sales, post_cost
from sandbox.finance.rules.vendor_posting import Cost, Payable
from sandbox.rules.hooks import Row

_HEADERS, _LINES, _ACTUALS = "VendorInvoiceHeaders", "VendorInvoiceLines", "ProjActualsImports"
_CLASSES = {category_type: number for number, category_type in reversed(TYPES.items())}


def create_pending(books: Books, invoice_row: Row, relation: Row, lines: Sequence[Row]) -> dict[str, Any]:
    """Make the borrower's pending vendor invoice of a posted intercompany customer invoice (R1203).

    It has the same number, and is made once however often it is asked for.

    Args:
        books: Of the transaction.
        invoice_row: The lender's row of ProjectCustomerInvoices.
        relation: The row of IntercompanyProjectRelations of lender and borrower.
        lines: What was invoiced, in the columns of ProjectInvoiceProposalLines; ProjectId is the
            borrower's project, ActualsImportId the lender's inter-organizational sales.

    Returns:
        The row of VendorInvoiceHeaders.

    Raises:
        FinanceError: The relation names no vendor.
    """
    borrower, vendor = relation["BorrowingLegalEntityId"].lower(), relation["VendorAccountNumber"]
    if not vendor:
        raise FinanceError(
            400,
            f"The intercompany relation of {relation['LendingLegalEntityId']} and {borrower.upper()} names "
            "no vendor. Enter the vendor account that the lender has in the borrower.",
            VALIDATION_ERROR,
        )
    same = {"dataAreaId": borrower, "InvoiceNumber": invoice_row["InvoiceId"], "InvoiceAccount": vendor}
    known = books.first(_HEADERS, **same, IsIntercompany="Yes")
    if known is not None:
        return known
    header = books.insert(_HEADERS, same | _header_values(books, borrower, vendor, invoice_row))
    for number, line in enumerate(lines, start=1):
        key = {"dataAreaId": borrower, "HeaderReference": header["HeaderReference"]}
        books.insert(_LINES, key | {"InvoiceLineNumber": number} | _line_values(books, relation, line))
    return header


def book_project_costs(
    books: Books, payable: Payable, lines: Sequence[Row], costs: Sequence[tuple[Cost, Decimal]]
) -> None:
    """Write the project costs of a posted intercompany invoice (R1203).

    Each goes on the transaction of the unbilled sales that it belongs to, where that is posted.

    Args:
        books: Of the transaction.
        payable: What was posted.
        lines: The invoice's rows of VendorInvoiceLines.
        costs: What each of them costs, and what that is in the accounting currency.

    Raises:
        DocumentRefusedError: A line has no project category (R1007).
    """
    for line, (cost, booked) in zip(lines, costs, strict=True):
        if line["ProjectId"]:
            sales = _unbilled_transaction(books, payable.company, line["ActualsImportId"])
            post_cost(books, _posting(books, payable, line, cost, booked), sales)


def _header_values(books: Books, borrower: str, vendor: str, invoice: Row) -> dict[str, Any]:
    return {
        "HeaderReference": books.next_number(borrower, "PendingVendorInvoice"),
        "OrderAccount": vendor,
        "InvoiceDescription": f"Intercompany invoice of {invoice['dataAreaId'].upper()}",
        "InvoiceDate": invoice["InvoiceDate"],
        "CurrencyCode": invoice["CurrencyCode"],
        "InvoiceStatus": "Pending",
        "IsIntercompany": "Yes",
    }


def _line_values(books: Books, relation: Row, line: Row) -> dict[str, Any]:
    borrower = relation["BorrowingLegalEntityId"].lower()
    actual = _actual(books, relation["LendingLegalEntityId"], line["ActualsImportId"])
    own = books.first(PROJECT, dataAreaId=borrower, Category=line["CategoryId"])
    return {
        "ProcurementCategoryName": relation["ProcurementCategoryName"],
        "ProjectCategoryId": "" if own is None else own["Category"],
        "Description": line["Description"],
        "Quantity": line["Quantity"],
        "UnitSymbol": actual.get("UnitOfMeasure", ""),
        "UnitPrice": line["SalesPrice"],
        "LineAmount": line["LineAmount"],
        "SalesTaxAmount": line["SalesTaxAmount"],
        "ProjectId": line["ProjectId"],
        "ProjectDataAreaId": borrower,
        "ActivityNumber": actual.get("TaskNumber", ""),
        "ActualsImportId": line["ActualsImportId"],
    }


def _actual(books: Books, company: str, actual: str) -> Row:
    return books.first(_ACTUALS, dataAreaId=company, ActualsImportId=actual) or {}


def _unbilled_transaction(books: Books, borrower: str, lender_actual: str) -> Row | None:
    """Return the borrower's transaction of the unbilled sales that the lender's actual belongs to.

    Both are connected with the project's cost in Dataverse, which itself is not synced (R501, R1201).
    """
    actual = books.first(_ACTUALS, ActualsImportId=lender_actual)
    if actual is None:
        return None
    costs = connected(books, [actual["ActualId"]]).ids(actual["ActualId"], COST)
    partners = connected(books, costs)
    sales = [row for cost in costs for row in partners.rows(cost, UNBILLED_SALES)]
    own = [row["ActualsImportId"] for row in sales if row["dataAreaId"].lower() == borrower.lower()]
    return next(iter(of_sales(books, borrower, own).values()), None)


def _posting(books: Books, payable: Payable, line: Row, cost: Cost, booked: Decimal) -> Posting:
    category = purchase_category(books, line)
    return Posting(
        company=payable.company,
        project=line["ProjectId"],
        classification=_CLASSES[category["TransactionType"]],
        category=category["Category"],
        day=cost.day,
        accounting_day=payable.day,
        quantity=line["Quantity"],
        currency=cost.currency,
        price=line["UnitPrice"],
        amount=cost.amount,
        accounting_amount=booked,
        voucher=payable.voucher,
        contract=cost.contract,
        activity=line["ActivityNumber"],
        description=line["Description"],
    )
