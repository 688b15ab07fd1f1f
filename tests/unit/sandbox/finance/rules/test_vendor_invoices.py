"""Posting of vendor invoices, and what Dataverse sees of them."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.vendor_invoices import post_vendor_invoices
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.purchasing import DAY, TRAVEL, entries, only, open_firm

_ONE = {"USPM": {"posted": 1, "refused": 0}, "GBPM": {"posted": 0, "refused": 0}, "messages": []}


@pytest.fixture(autouse=True)
def firm(books: Books) -> None:
    open_firm(books)
    mapped = {"ProcurementCategoryName": "Consulting", "ProjectCategoryId": f"{TRAVEL}-1"}
    books.insert("ProcurementCategoryProjectCategories", {"dataAreaId": "uspm"} | mapped)


def invoice(books: Books, reference: str = "PVI-1", number: str = "V-77", **values: Any) -> None:
    books.insert(
        "VendorInvoiceHeaders",
        {
            "dataAreaId": "uspm",
            "HeaderReference": reference,
            "InvoiceNumber": number,
            "InvoiceAccount": "USPM-V1",
            "InvoiceDate": DAY,
            **values,
        },
        Caller.USER,
    )


def line(books: Books, place: int = 1, amount: str = "500.00", **values: Any) -> None:
    books.insert(
        "VendorInvoiceLines",
        {
            "dataAreaId": "uspm",
            "HeaderReference": "PVI-1",
            "InvoiceLineNumber": place,
            "ProcurementCategoryName": "Consulting",
            "Quantity": Decimal(5),
            "UnitPrice": Decimal(amount) / 5,
            "UnitSymbol": "hr",
            "ProjectId": "PRJ-USPM",
            **values,
        },
        Caller.USER,
    )


def test_r1002_cost_with_non_recoverable_tax_goes_to_the_procurement_integration_account(
    books: Books,
) -> None:
    invoice(books)
    line(books, SalesTaxAmount=Decimal("44.38"), NonRecoverableTaxAmount=Decimal("4.38"))
    assert post_vendor_invoices(books, {}) == _ONE
    assert entries(books, "uspm") == {
        "ProcurementIntegration": Decimal("504.38"),
        "SalesTax": Decimal("40.00"),
        "VendorBalance": Decimal("-544.38"),
    }
    owed = only(books, "VendorTransactions")
    assert (owed["InvoiceNumber"], owed["Amount"], owed["Approved"]) == ("V-77", Decimal("-544.38"), "Yes")
    assert only(books, "VendorInvoiceHeaders")["InvoiceStatus"] == "Posted"
    assert only(books, "ProjVendInvoiceLinesExportEntity")["LineAmount"] == Decimal("504.38")
    assert post_vendor_invoices(books, {})["USPM"] == {"posted": 0, "refused": 0}


def test_r1001_header_and_project_lines_are_synced_and_no_others(books: Books) -> None:
    invoice(books, InvoiceDescription="Review")
    line(books, ActivityNumber="T1", BillingType="Chargeable", RoleId="RCN-0001")
    line(books, 2, "100.00", ProjectId="")
    post_vendor_invoices(books, {})
    header = only(books, "VendInvoiceExportsV2")
    assert (header["VendorInvoiceNum"], header["InvoiceAccount"], header["ProjVendInvoiceStatus"]) == (
        "V-77",
        "USPM-V1",
        "Draft",
    )
    assert (header["CurrencyCode"], header["Description"], header["TransDate"]) == ("USD", "Review", DAY)
    assert only(books, "ProjVendInvoicesExport")["TableRefId"] == "PVI-1"
    exported = only(books, "ProjVendInvoiceLinesExportEntity")
    named = books.get("VendorInvoiceLines", InvoiceLineNumber=1)["ProjTransId"]
    assert (exported["ProjTransId"], exported["ProjDataAreaId"], exported["DAreaId"]) == (
        named,
        "uspm",
        "uspm",
    )
    assert (exported["QtyReceiveNow"], exported["PurchPrice"], exported["PurchUnit"]) == (
        Decimal(5),
        Decimal(100),
        "hr",
    )
    assert (exported["ProjId"], exported["ProjTaskNumber"], exported["RoleId"]) == (
        "PRJ-USPM",
        "T1",
        "RCN-0001",
    )
    assert (exported["TransactionCategoryId"], exported["CategoryType"]) == (TRAVEL, "Hour")
    assert exported["BillingType"] == "Chargeable"
    assert entries(books, "uspm") == {
        "ProcurementIntegration": Decimal("500.00"),
        "PurchaseExpenditure": Decimal("100.00"),
        "VendorBalance": Decimal("-600.00"),
    }


def test_r1001_an_invoice_without_project_lines_is_not_synced(books: Books) -> None:
    invoice(books)
    line(books, ProjectId="")
    post_vendor_invoices(books, {})
    for entity_set in ("VendInvoiceExportsV2", "ProjVendInvoicesExport", "ProjVendInvoiceLinesExportEntity"):
        assert books.find(entity_set) == []


def test_r1007_a_procurement_category_without_project_category_is_the_item_default(books: Books) -> None:
    invoice(books)
    line(books, ProcurementCategoryName="Office furniture")
    post_vendor_invoices(books, {})
    exported = only(books, "ProjVendInvoiceLinesExportEntity")
    assert (exported["CategoryType"], exported["TransactionCategoryId"]) == ("Item", TRAVEL)
    assert only(books, "VendorInvoiceLines")["ProjectCategoryId"] == f"{TRAVEL}-3"


def test_r1007_without_a_default_the_invoice_is_refused_and_told(books: Books) -> None:
    books.update(
        "ProjectParametersV2", books.get("ProjectParametersV2", dataAreaId="uspm"), {"ItemCategory": ""}
    )
    invoice(books)
    line(books, ProcurementCategoryName="Office furniture")
    assert post_vendor_invoices(books, {})["USPM"] == {"posted": 0, "refused": 1}
    (message,) = open_messages(books, "uspm")
    assert (message["ErrorId"], message["DocumentNumber"]) == ("R1007", "PVI-1")
    assert entries(books, "uspm") == {}
    assert books.find("VendInvoiceExportsV2") == []


def block(books: Books) -> None:
    books.insert("ProjectIntegrationParameters", {"dataAreaId": "uspm", "BlockVendorPayments": "Yes"})


def test_r1006_a_blocked_payment_goes_when_the_project_manager_has_confirmed(books: Books) -> None:
    block(books)
    invoice(books)
    line(books)
    post_vendor_invoices(books, {})
    assert only(books, "VendorTransactions")["Approved"] == "No"
    header = books.get("VendInvoiceExportsV2")
    header = books.update("VendInvoiceExportsV2", header, {"ProjVendInvoiceStatus": "InReview"}, Caller.USER)
    assert only(books, "VendorTransactions")["Approved"] == "No"
    header = books.update("VendInvoiceExportsV2", header, {"ProjVendInvoiceStatus": "Confirmed"}, Caller.USER)
    assert only(books, "VendorTransactions")["Approved"] == "Yes"
    books.update("VendInvoiceExportsV2", header, {"ProjVendInvoiceStatus": "Canceled"}, Caller.USER)
    assert only(books, "VendorTransactions")["Approved"] == "No"


@pytest.mark.parametrize(("blocks", "project"), [(True, ""), (False, "PRJ-USPM")])
def test_r1006_other_payments_are_not_blocked(books: Books, blocks: bool, project: str) -> None:
    if blocks:
        block(books)
    invoice(books)
    line(books, ProjectId=project)
    post_vendor_invoices(books, {})
    assert only(books, "VendorTransactions")["Approved"] == "Yes"
    for header in books.find("VendInvoiceExportsV2"):
        books.update("VendInvoiceExportsV2", header, {"ProjVendInvoiceStatus": "Canceled"})
    assert only(books, "VendorTransactions")["Approved"] == "Yes"


@pytest.mark.parametrize(
    ("currency", "amount", "booked"), [("JPY", "12345", "80.24"), ("KWD", "12.345", "40.20")]
)
def test_r1002_amounts_in_other_currencies(books: Books, currency: str, amount: str, booked: str) -> None:
    invoice(books, CurrencyCode=currency)
    line(books, amount=amount)
    post_vendor_invoices(books, {})
    assert entries(books, "uspm") == {
        "ProcurementIntegration": Decimal(booked),
        "VendorBalance": -Decimal(booked),
    }
    assert only(books, "ProjVendInvoiceLinesExportEntity")["LineAmount"] == Decimal(amount)


def test_a_second_invoice_of_the_same_number_is_refused(books: Books) -> None:
    invoice(books)
    line(books)
    post_vendor_invoices(books, {})
    invoice(books, "PVI-2")
    line(books, HeaderReference="PVI-2")
    done = post_vendor_invoices(books, {})
    assert done["messages"] == [
        "PVI-2: Vendor USPM-V1 has a posted invoice V-77 already. Enter another invoice number."
    ]


def test_the_same_number_of_two_vendors_are_two_causes(books: Books) -> None:
    books.insert("VendorsV2", {"dataAreaId": "uspm", "VendorAccountNumber": "USPM-V2", "CurrencyCode": "SEK"})
    invoice(books)
    line(books)
    invoice(books, "PVI-2", InvoiceAccount="USPM-V2")
    line(books, HeaderReference="PVI-2")
    assert post_vendor_invoices(books, {})["USPM"] == {"posted": 1, "refused": 1}
    (message,) = open_messages(books, "uspm")
    assert (message["ErrorId"], message["DocumentNumber"]) == ("R607", "PVI-2")


def test_who_is_paid_comes_from_the_vendor(books: Books) -> None:
    vendor = {
        "VendorAccountNumber": "USPM-V2",
        "CurrencyCode": "GBP",
        "InvoiceVendorAccountNumber": "USPM-V1",
    }
    books.insert("VendorsV2", {"dataAreaId": "uspm"} | vendor)
    invoice(books, InvoiceAccount="", OrderAccount="USPM-V2")
    row = only(books, "VendorInvoiceHeaders")
    assert (row["InvoiceAccount"], row["OrderAccount"], row["CurrencyCode"]) == ("USPM-V1", "USPM-V2", "GBP")


def test_what_is_entered_must_exist_and_what_is_posted_stays(books: Books) -> None:
    with pytest.raises(FinanceError, match="Vendor account NOBODY does not exist"):
        invoice(books, InvoiceAccount="NOBODY")
    with pytest.raises(FinanceError, match="Vendor invoice PVI-1 does not exist"):
        line(books)
    invoice(books)
    with pytest.raises(FinanceError, match="Project PRJ-9 does not exist in the company USPM"):
        line(books, ProjectId="PRJ-9")
    line(books)
    post_vendor_invoices(books, {})
    with pytest.raises(FinanceError, match="is posted and can't be changed"):
        line(books, 2)
    with pytest.raises(FinanceError, match="posted by the job"):
        books.update(
            "VendorInvoiceHeaders", books.get("VendorInvoiceHeaders"), {"InvoiceNumber": "X"}, Caller.USER
        )


@pytest.mark.parametrize("missing", ["InvoiceNumber", "InvoiceDate", "lines"])
def test_an_incomplete_invoice_is_refused(books: Books, missing: str) -> None:
    blank = {"InvoiceNumber": "", "InvoiceDate": "1900-01-01T12:00:00Z"}
    invoice(books, **{missing: blank[missing]} if missing in blank else {})
    if missing != "lines":
        line(books)
    assert post_vendor_invoices(books, {})["USPM"] == {"posted": 0, "refused": 1}
    assert entries(books, "uspm") == {}


def test_r1002_an_invoice_of_nobody_is_refused(books: Books) -> None:
    invoice(books, InvoiceAccount="", CurrencyCode="USD")
    line(books)
    done = post_vendor_invoices(books, {"company": "USPM"})
    assert done["messages"] == [
        "PVI-1: The vendor invoice has no vendor account. Complete it and post again."
    ]
    assert books.find("VendorTransactions") == books.find("VendInvoiceExportsV2") == []
