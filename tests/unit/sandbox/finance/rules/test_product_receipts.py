"""Product receipts of subcontracts, and the accruals that invoices end."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.product_receipts import generate_product_receipts, post_product_receipts
from sandbox.finance.rules.receipt_accruals import Layer, received
from sandbox.finance.rules.vendor_invoices import post_vendor_invoices
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.purchasing import DAY, TRAVEL, entries, only, open_firm
from tests.unit.sandbox.finance.rules.subcontracts import change, posted_work, subcontract, subcontract_line

_OTHER_DAY = date(2026, 10, 21)


@pytest.fixture(autouse=True)
def order(books: Books) -> str:
    """The number of a confirmed order of four hours at 90 dollars."""
    open_firm(books)
    hours = {
        "TransactionType": "Hour",
        "ProcurementCategoryName": "Consulting",
        "ProjectCategoryId": f"{TRAVEL}-1",
    }
    books.insert("ProjectSubcontractCategories", {"dataAreaId": "uspm"} | hours)
    subcontract(books, SubConStatus="Confirmed")
    subcontract_line(books)
    return str(books.get("PurchaseOrderHeadersV2")["PurchaseOrderNumber"])


def receive(books: Books) -> None:
    generate_product_receipts(books, {"company": "USPM"})
    assert post_product_receipts(books, {"company": "USPM"})["messages"] == []


def bill(books: Books, number: str = "V-1", **values: Any) -> None:
    """Enter the vendor's invoice of the order; its line says only which order line it is."""
    order = books.get("PurchaseOrderHeadersV2")["PurchaseOrderNumber"]
    key = {"dataAreaId": "uspm", "HeaderReference": f"PVI-{number}"}
    header = {"InvoiceNumber": number, "PurchaseOrderNumber": order, "InvoiceDate": DAY}
    books.insert("VendorInvoiceHeaders", key | header, Caller.USER)
    line = {"InvoiceLineNumber": 1, "PurchaseOrderLineNumber": 1, **values}
    books.insert("VendorInvoiceLines", key | line, Caller.USER)
    assert post_vendor_invoices(books, {"company": "USPM"})["messages"] == []


def test_r1103_one_receipt_an_accounting_date_of_what_is_posted(books: Books, order: str) -> None:
    first = posted_work(books, "a", "1")
    posted_work(books, "b", "2")
    posted_work(books, "c", "1", _OTHER_DAY)
    posted_work(books, "d", "9", status="Draft")
    done = generate_product_receipts(books, {"company": "USPM"})
    assert done == {"USPM": {"receipts": 2, "lines": 3}, "messages": []}
    receipts = books.find("ProductReceiptHeaders")
    assert [(row["AccountingDate"], row["ReceiptStatus"]) for row in receipts] == [
        (DAY, "Draft"),
        (noon(_OTHER_DAY), "Draft"),
    ]
    lines = books.find("ProductReceiptLines", ProductReceiptNumber=receipts[0]["ProductReceiptNumber"])
    assert [(row["ReceivedQuantity"], row["PurchaseOrderNumber"]) for row in lines] == [
        (Decimal(1), order),
        (Decimal(2), order),
    ]
    assert lines[0]["ActualsImportId"] == first
    assert generate_product_receipts(books, {})["USPM"] == {"receipts": 0, "lines": 0}


def test_r1103_a_posted_receipt_accrues_and_shows_on_order_and_subcontract(books: Books) -> None:
    posted_work(books, "a", "3")
    receive(books)
    assert entries(books, "uspm") == {
        "PurchaseReceipt": Decimal("270.00"),
        "PurchaseAccrual": Decimal("-270.00"),
    }
    assert only(books, "PurchaseOrderLinesV2")["ReceivedQuantity"] == Decimal(3)
    assert only(books, "PurchaseOrderLinesV2")["PurchaseOrderLineStatus"] == "Backorder"
    assert only(books, "ProductReceiptHeaders")["ReceiptStatus"] == "Posted"
    posted_work(books, "b", "1")
    receive(books)
    assert only(books, "PurchaseOrderHeadersV2")["PurchaseOrderStatus"] == "Received"
    assert only(books, "SubContractPurchaseOrderHeaders")["PurchStatus"] == "Received"
    assert only(books, "ProjSubContractPurchaseOrderLines")["PurchStatus"] == "Received"


def test_r1103_receipts_by_hand_are_blocked(books: Books, order: str) -> None:
    receipt = {"dataAreaId": "uspm", "ProductReceiptNumber": "PR-1", "PurchaseOrderNumber": order}
    with pytest.raises(FinanceError, match="Use 'Generate product receipt'"):
        books.insert("ProductReceiptHeaders", receipt, Caller.USER)
    with pytest.raises(FinanceError, match="Use 'Generate product receipt'"):
        books.insert("ProductReceiptLines", receipt | {"LineNumber": 1}, Caller.USER)


def test_r1104_the_invoice_ends_the_accrual_and_takes_what_was_received(books: Books) -> None:
    posted_work(books, "a", "4")
    receive(books)
    bill(books)
    line = only(books, "VendorInvoiceLines")
    assert (line["Quantity"], line["UnitPrice"], line["LineAmount"]) == (
        Decimal(4),
        Decimal(90),
        Decimal(360),
    )
    assert (line["SubcontractLineNumber"], line["RoleId"], line["ActivityNumber"]) == (
        "SUBL-1",
        "RCN-0001",
        "T1",
    )
    assert entries(books, "uspm") == {
        "ProcurementIntegration": Decimal("360.00"),
        "VendorBalance": Decimal("-360.00"),
    }
    assert only(books, "PurchaseOrderHeadersV2")["PurchaseOrderStatus"] == "Invoiced"
    assert only(books, "VendInvoiceExportsV2")["SubcontractInvoice"] == "Yes"
    exported = only(books, "ProjVendInvoiceLinesExportEntity")
    assert (exported["ProjSubcontractLineNumber"], exported["CategoryType"]) == ("SUBL-1", "Hour")


def test_r1104_reversal_and_new_cost_of_the_invoice_make_no_receipts(books: Books) -> None:
    posted_work(books, "a", "4")
    receive(books)
    bill(books)
    posted_work(books, "reversal of a", "-4")
    posted_work(books, "cost of the invoice line", "4", vendor_line="USPM-000001")
    assert generate_product_receipts(books, {})["USPM"] == {"receipts": 0, "lines": 0}
    assert "PurchaseAccrual" not in entries(books, "uspm")


def test_r1103_work_is_received_though_the_vendor_has_billed_more_than_that(books: Books) -> None:
    """A difference in quantity only warns (R1104): each day's work is received all the same."""
    bill(books, Quantity=Decimal(4))
    for name, quantity, day in (("a", "1", date(2026, 10, 20)), ("b", "3", _OTHER_DAY)):
        posted_work(books, name, quantity, day)
        receive(books)
    assert only(books, "PurchaseOrderLinesV2")["ReceivedQuantity"] == Decimal(4)
    assert "PurchaseAccrual" not in entries(books, "uspm")


def test_r1103_work_that_was_recalled_is_given_back(books: Books) -> None:
    posted_work(books, "a", "4")
    receive(books)
    posted_work(books, "reversal of a", "-4", _OTHER_DAY)
    receive(books)
    assert entries(books, "uspm") == {}
    assert only(books, "PurchaseOrderLinesV2")["ReceivedQuantity"] == 0


def test_partial_receipts_and_invoices_in_yen_leave_no_penny_accrued(books: Books) -> None:
    order = books.get("PurchaseOrderHeadersV2")
    books.update("PurchaseOrderHeadersV2", order, {"CurrencyCode": "JPY"})
    change(
        books, "ProjSubContractPurchaseOrderLines", "SUBL-1", PurchPrice=Decimal("333.5"), PurchQty=Decimal(3)
    )
    for name, quantity in (("a", "1.3"), ("b", "0.7"), ("c", "1")):
        posted_work(books, name, quantity)
        receive(books)
    for number, quantity in (("V-1", "0.4"), ("V-2", "1.9"), ("V-3", "0.7")):
        bill(books, number, Quantity=Decimal(quantity))
    balances = entries(books, "uspm")
    assert "PurchaseAccrual" not in balances
    assert "PurchaseReceipt" not in balances
    assert only(books, "PurchaseOrderHeadersV2")["PurchaseOrderStatus"] == "Invoiced"


def test_more_invoiced_than_received_ends_only_what_was_accrued(books: Books) -> None:
    posted_work(books, "a", "2")
    receive(books)
    bill(books, Quantity=Decimal(4))
    assert entries(books, "uspm") == {
        "ProcurementIntegration": Decimal("360.00"),
        "VendorBalance": Decimal("-360.00"),
    }


def test_what_was_invoiced_before_it_is_received_is_not_accrued(books: Books) -> None:
    bill(books, Quantity=Decimal(3))
    posted_work(books, "a", "4")
    receive(books)
    assert entries(books, "uspm")["PurchaseAccrual"] == Decimal("-90.00")
    bill(books, "V-2", Quantity=Decimal(1))
    assert "PurchaseAccrual" not in entries(books, "uspm")


def test_corrections_take_from_the_newest_layer() -> None:
    first, second = (Layer(Decimal(3), Decimal(price), date(2026, 10, 20)) for price in (10, 20))
    layers = received((first, second), Layer(Decimal("-4"), Decimal(20), date(2026, 10, 22)))
    assert layers == (Layer(Decimal(2), Decimal(10), date(2026, 10, 20)),)
