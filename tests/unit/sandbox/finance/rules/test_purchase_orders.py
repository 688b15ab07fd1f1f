"""Purchase orders of subcontracts."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.purchasing import DAY, TRAVEL, only, open_firm
from tests.unit.sandbox.finance.rules.subcontracts import change, subcontract, subcontract_line


@pytest.fixture(autouse=True)
def firm(books: Books) -> None:
    open_firm(books)


def category(books: Books, kind: str, role: str, transaction: str, procurement: str, project: str) -> None:
    books.insert(
        "ProjectSubcontractCategories",
        {
            "dataAreaId": "uspm",
            "LineNumber": len(books.find("ProjectSubcontractCategories")) + 1,
            "TransactionType": kind,
            "RoleId": role,
            "TransactionCategoryId": transaction,
            "ProcurementCategoryName": procurement,
            "ProjectCategoryId": project,
        },
    )


def test_r1101_a_subcontract_becomes_a_purchase_order_in_the_vendors_language(books: Books) -> None:
    vendor = books.get("VendorsV2", VendorAccountNumber="USPM-V1")
    books.update("VendorsV2", vendor, {"LanguageId": "sv", "CurrencyCode": "SEK"})
    subcontract(books)
    order = only(books, "PurchaseOrderHeadersV2")
    assert (order["ProjSubContractNumber"], order["OrderVendorAccountNumber"]) == ("SUB-1", "USPM-V1")
    assert (order["LanguageId"], order["CurrencyCode"]) == ("sv", "SEK")
    assert (order["PurchaseOrderStatus"], order["DocumentApprovalStatus"]) == ("Backorder", "Draft")
    shown = only(books, "SubContractPurchaseOrderHeaders")
    assert (shown["PurchaseOrderNumber"], shown["PurchStatus"]) == (order["PurchaseOrderNumber"], "Backorder")


def test_r1101_a_confirmed_subcontract_confirms_its_order_and_changes_follow(books: Books) -> None:
    subcontract(books)
    change(books, "SubContractPurchaseOrderHeaders", SubConStatus="Confirmed", SubConName="Renamed")
    order = only(books, "PurchaseOrderHeadersV2")
    assert (order["DocumentApprovalStatus"], order["PurchaseOrderName"]) == ("Confirmed", "Renamed")


def test_r1101_a_subcontract_line_becomes_an_order_line_and_changes_follow(books: Books) -> None:
    subcontract(books)
    subcontract_line(books)
    subcontract_line(books, "SUBL-2", PurchQty=Decimal(1))
    order = only(books, "PurchaseOrderHeadersV2")["PurchaseOrderNumber"]
    lines = books.find("PurchaseOrderLinesV2", PurchaseOrderNumber=order)
    assert [(row["LineNumber"], row["ProjSubContractLineNumber"]) for row in lines] == [
        (1, "SUBL-1"),
        (2, "SUBL-2"),
    ]
    first = lines[0]
    assert (first["OrderedPurchaseQuantity"], first["PurchasePrice"]) == (Decimal(4), Decimal(90))
    assert (first["LineAmount"], first["PurchaseUnitSymbol"]) == (Decimal("360.00"), "hr")
    assert (first["ActivityNumber"], first["ProjectId"], first["RequestedDeliveryDate"]) == (
        "T1",
        "PRJ-USPM",
        DAY,
    )
    shown = books.get("ProjSubContractPurchaseOrderLines", ProjSubContractLineNumber="SUBL-1")
    assert (shown["PurchId"], shown["PurchStatus"]) == (order, "Backorder")
    change(books, "ProjSubContractPurchaseOrderLines", "SUBL-1", PurchQty=Decimal(6))
    changed = books.get("PurchaseOrderLinesV2", ProjSubContractLineNumber="SUBL-1")
    assert (changed["LineNumber"], changed["OrderedPurchaseQuantity"], changed["LineAmount"]) == (
        1,
        Decimal(6),
        Decimal("540.00"),
    )
    assert len(books.find("PurchaseOrderLinesV2")) == 2


def test_r1101_another_vendor_brings_its_language_and_currency(books: Books) -> None:
    other = {"VendorAccountNumber": "USPM-V2", "LanguageId": "ja", "CurrencyCode": "JPY"}
    books.insert("VendorsV2", {"dataAreaId": "uspm"} | other)
    subcontract(books)
    change(books, "SubContractPurchaseOrderHeaders", OrderAccount="USPM-V2")
    order = only(books, "PurchaseOrderHeadersV2")
    assert (order["OrderVendorAccountNumber"], order["LanguageId"], order["CurrencyCode"]) == (
        "USPM-V2",
        "ja",
        "JPY",
    )
    subcontract_line(books, PurchQty=Decimal("1.5"), PurchPrice=Decimal("333.5"))
    assert only(books, "PurchaseOrderLinesV2")["LineAmount"] == Decimal(500)


def test_r1101_a_canceled_subcontract_cancels_its_order(books: Books) -> None:
    subcontract(books)
    subcontract_line(books)
    change(books, "SubContractPurchaseOrderHeaders", SubConStatus="Canceled")
    assert only(books, "PurchaseOrderHeadersV2")["PurchaseOrderStatus"] == "Canceled"
    assert only(books, "PurchaseOrderLinesV2")["PurchaseOrderLineStatus"] == "Canceled"
    assert only(books, "ProjSubContractPurchaseOrderLines")["PurchStatus"] == "Canceled"


def test_r1101_the_order_of_a_subcontract_is_never_created_in_finance(books: Books) -> None:
    subcontract(books)
    values = {"dataAreaId": "uspm", "PurchaseOrderNumber": "PO-1", "ProjSubContractNumber": "SUB-1"}
    with pytest.raises(FinanceError, match="follows the subcontract"):
        books.insert("PurchaseOrderHeadersV2", values, Caller.USER)
    with pytest.raises(FinanceError, match="follows the subcontract"):
        books.delete("PurchaseOrderHeadersV2", books.get("PurchaseOrderHeadersV2"), Caller.USER)
    books.insert("PurchaseOrderHeadersV2", values | {"ProjSubContractNumber": ""}, Caller.USER)


@pytest.mark.parametrize(
    ("role", "transaction", "expected"),
    [
        ("RCN-0001", TRAVEL, "Architects"),
        ("RCN-0001", "TCN-OTHER", "Architects"),
        ("RCN-0009", TRAVEL, "Travellers"),
        ("RCN-0009", "TCN-OTHER", "Consulting"),
    ],
)
def test_r1102_the_entry_that_says_most_gives_the_categories(
    books: Books, role: str, transaction: str, expected: str
) -> None:
    category(books, "Hour", "", "", "Consulting", "HOURS")
    category(books, "Hour", "", TRAVEL, "Travellers", f"{TRAVEL}-1")
    category(books, "Hour", "RCN-0001", "", "Architects", "ARCH")
    category(books, "Expense", "", "", "Expenses", "EXP")
    subcontract(books)
    subcontract_line(books, SubConRoleID=role, SubConTransCategory=transaction)
    line = only(books, "PurchaseOrderLinesV2")
    expected_project = {"Architects": "ARCH", "Travellers": f"{TRAVEL}-1", "Consulting": "HOURS"}[expected]
    assert (line["ProcurementProductCategoryName"], line["ProjectCategoryId"]) == (expected, expected_project)


def test_r1102_an_expense_line_has_the_category_of_its_type(books: Books) -> None:
    category(books, "Hour", "", "", "Consulting", "HOURS")
    category(books, "Expense", "", "", "Expenses", "EXP")
    subcontract(books)
    subcontract_line(books, SubConTransClass="Expense", SubConLineType="Expense")
    assert only(books, "PurchaseOrderLinesV2")["ProjectCategoryId"] == "EXP"


def test_r1102_material_uses_the_released_product_and_its_default_order_settings(books: Books) -> None:
    item = {"dataAreaId": "uspm", "ItemNumber": "ITM-1"}
    books.insert("ReleasedProductsV2", item | {"ProjectCategoryId": "PARTS"})
    settings = {"ProcurementSiteId": "1", "ProcurementWarehouseId": "11"}
    books.insert("ProductDefaultOrderSettings", item | settings)
    subcontract(books)
    material: dict[str, Any] = {"SubConTransClass": "Material", "ItemId": "ITM-1", "PurchUnit": "ea"}
    subcontract_line(books, **material)
    line = only(books, "PurchaseOrderLinesV2")
    assert (line["ItemNumber"], line["ProjectCategoryId"]) == ("ITM-1", "PARTS")
    assert (line["ReceivingSiteId"], line["ReceivingWarehouseId"]) == ("1", "11")
    assert line["ProcurementProductCategoryName"] == ""


@pytest.mark.parametrize(
    ("transaction_class", "item"), [("Material", "ITM-UNKNOWN"), ("Material", ""), ("Expense", "")]
)
def test_r1102_without_an_entry_the_default_of_the_parameters(
    books: Books, transaction_class: str, item: str
) -> None:
    parameters = books.get("ProjectParametersV2", dataAreaId="uspm")
    books.update("ProjectParametersV2", parameters, {"CostCategory": "EXPENSES", "ItemCategory": "ITEMS"})
    subcontract(books)
    subcontract_line(books, SubConTransClass=transaction_class, ItemId=item)
    expected = "ITEMS" if transaction_class == "Material" else "EXPENSES"
    assert only(books, "PurchaseOrderLinesV2")["ProjectCategoryId"] == expected


def test_parents_come_first(books: Books) -> None:
    with pytest.raises(FinanceError, match=r"Vendor account NOBODY does not exist"):
        subcontract(books, OrderAccount="NOBODY")
    with pytest.raises(FinanceError, match=r"is not found in the related table 'Subcontract'"):
        subcontract_line(books)


def test_a_day_of_the_subcontract_is_the_orders(books: Books) -> None:
    subcontract(books, AccountingDate=noon(date(2026, 10, 1)))
    assert only(books, "PurchaseOrderHeadersV2")["AccountingDate"] == noon(date(2026, 10, 1))
