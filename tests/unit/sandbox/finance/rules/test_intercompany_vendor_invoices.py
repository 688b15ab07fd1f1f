"""What a lender has invoiced, in the borrower's books."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.intercompany_vendor_invoices import create_pending
from sandbox.finance.rules.transactions import Posting, post_sales
from sandbox.finance.rules.vendor_invoices import post_vendor_invoices
from tests.unit.sandbox.finance.rules.purchasing import DAY, TRAVEL, entries, only, open_firm

RELATION = {
    "LendingLegalEntityId": "GBPM",
    "BorrowingLegalEntityId": "USPM",
    "CustomerAccountNumber": "GBPM-C1",
    "VendorAccountNumber": "USPM-V1",
    "ProcurementCategoryName": "Intercompany",
}
INVOICE = {"dataAreaId": "gbpm", "InvoiceId": "GBPM-CI-000001", "InvoiceDate": DAY, "CurrencyCode": "USD"}
SOLD, COST, UNBILLED = (str(uuid5(NAMESPACE_OID, name)) for name in ("sold", "cost", "unbilled"))


def lent_work(books: Books) -> Mapping[str, Any]:
    """Ten hours lent at 120 dollars (R1201): the actuals of both companies, and what the lender billed."""
    for company, actual, kind in (("gbpm", SOLD, "InterOrgSales"), ("uspm", UNBILLED, "Sales")):
        ids = {"ActualsImportId": actual, "ActualId": actual, "TransactionType": kind}
        values = {"dataAreaId": company, "TaskNumber": "T1", "UnitOfMeasure": "hr"}
        books.insert("ProjActualsImports", values | ids)
    for place, (actual, role) in enumerate(
        ((SOLD, "Inter-Organizational Sales"), (UNBILLED, "Unbilled Sales"))
    ):
        ends = {"Transaction1Id": actual, "Transaction1Role": role, "Transaction2Id": COST}
        row = {"ConnectionId": str(uuid5(NAMESPACE_OID, str(place))), "Transaction2Role": "Cost"}
        books.insert("ProjCDSTransactionRelationshipImports", row | ends)
    return {
        "ActualsImportId": SOLD,
        "ProjectId": "PRJ-USPM",
        "CategoryId": f"{TRAVEL}-1",
        "Quantity": Decimal(10),
        "SalesPrice": Decimal(120),
        "LineAmount": Decimal(1200),
        "SalesTaxAmount": Decimal(0),
        "Description": "Design",
    }


def test_r1203_the_lenders_invoice_waits_in_the_borrower_under_the_same_number(books: Books) -> None:
    open_firm(books)
    line = lent_work(books)
    create_pending(books, INVOICE, RELATION, [line])
    create_pending(books, INVOICE, RELATION, [line])
    header = only(books, "VendorInvoiceHeaders")
    assert (header["dataAreaId"], header["InvoiceNumber"], header["InvoiceStatus"]) == (
        "uspm",
        "GBPM-CI-000001",
        "Pending",
    )
    assert (header["InvoiceAccount"], header["CurrencyCode"], header["InvoiceDate"]) == (
        "USPM-V1",
        "USD",
        DAY,
    )
    row = only(books, "VendorInvoiceLines")
    assert (row["Quantity"], row["UnitPrice"], row["LineAmount"]) == (
        Decimal(10),
        Decimal(120),
        Decimal(1200),
    )
    assert (row["ProjectId"], row["ActivityNumber"], row["ProjectCategoryId"]) == (
        "PRJ-USPM",
        "T1",
        f"{TRAVEL}-1",
    )


def test_r1203_posting_it_books_the_project_cost_and_dataverse_hears_nothing(books: Books) -> None:
    open_firm(books)
    line = lent_work(books)
    sales = post_sales(
        books,
        Posting(
            "uspm", "PRJ-USPM", 192350000, f"{TRAVEL}-1", date(2026, 10, 20), date(2026, 10, 20), Decimal(10),
            "USD", Decimal(200), Decimal(2000), Decimal(2000), "USPM-V000001", UNBILLED,
        ),
        accrued=False,
    )  # fmt: skip
    create_pending(books, INVOICE, RELATION, [line])
    books.insert("ProjectIntegrationParameters", {"dataAreaId": "uspm", "BlockVendorPayments": "Yes"})
    assert post_vendor_invoices(books, {"company": "USPM"})["USPM"] == {"posted": 1, "refused": 0}
    assert entries(books, "uspm") == {
        "ProjectCost": Decimal("1200.00"),
        "VendorBalance": Decimal("-1200.00"),
    }
    transaction = only(books, "ProjectTransactions")
    assert transaction["TransId"] == sales["TransId"]
    assert (transaction["CostAmount"], transaction["SalesAmount"]) == (Decimal(1200), Decimal(2000))
    assert (transaction["CostPrice"], transaction["Quantity"]) == (Decimal(120), Decimal(10))
    assert only(books, "VendorTransactions")["Approved"] == "Yes"
    assert books.find("VendInvoiceExportsV2") == books.find("ProjVendInvoiceLinesExportEntity") == []


def test_r1203_without_posted_sales_the_cost_stands_alone(books: Books) -> None:
    open_firm(books)
    create_pending(books, INVOICE, RELATION, [lent_work(books)])
    post_vendor_invoices(books, {"company": "USPM"})
    transaction = only(books, "ProjectTransactions")
    assert (transaction["TransactionType"], transaction["CostAccountingAmount"]) == ("Hour", Decimal(1200))
    assert (transaction["ActivityNumber"], transaction["ProjectContractId"]) == ("T1", "ORD-USPM")


def test_r1203_a_relation_without_a_vendor_is_refused(books: Books) -> None:
    with pytest.raises(FinanceError, match="of GBPM and USPM names no vendor"):
        create_pending(books, INVOICE, RELATION | {"VendorAccountNumber": ""}, [])
