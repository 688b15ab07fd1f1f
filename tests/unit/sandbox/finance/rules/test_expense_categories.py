"""Expense categories of legal entities."""

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.expense_categories import transaction_category
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.purchasing import TRAVEL, expense_category, only, open_firm

CATEGORY = {"dataAreaId": "uspm", "CategoryId": "TRAVEL", "SharedCategoryId": f"{TRAVEL}-4"}


def test_r901_a_saved_expense_category_goes_to_dataverse_per_company(books: Books) -> None:
    open_firm(books)
    expense_category(books, "uspm")
    expense_category(books, "gbpm", "TRIPS")
    rows = books.find("ProjExpenseCategoriesExport")
    assert [(row["dataAreaId"], row["CostType"], row["ExpType"]) for row in rows] == [
        ("uspm", "TRAVEL", "Hotel"),
        ("gbpm", "TRIPS", "Hotel"),
    ]
    assert {row["TransactionCategoryId"] for row in rows} == {TRAVEL}
    assert {row["IsInactive"] for row in rows} == {"No"}


def test_r901_only_a_shared_category_that_can_be_used_in_expense(books: Books) -> None:
    open_firm(books)
    with pytest.raises(FinanceError, match=r"cannot be used in Expense"):
        books.insert("Categories", CATEGORY | {"UseInExpense": "Yes"}, Caller.USER)
    books.insert("Categories", CATEGORY, Caller.USER)
    assert books.find("ProjExpenseCategoriesExport") == []


def test_r901_only_a_shared_category_of_class_expense(books: Books) -> None:
    open_firm(books)
    hours = books.get("SharedCategories", CategoryId=f"{TRAVEL}-1")
    books.update("SharedCategories", hours, {"UseInExpense": "Yes"})
    with pytest.raises(FinanceError, match=r"not of the class Expense"):
        values = CATEGORY | {"SharedCategoryId": f"{TRAVEL}-1", "UseInExpense": "Yes"}
        books.insert("Categories", values, Caller.USER)


def test_r901_changes_follow_and_a_deleted_category_becomes_inactive(books: Books) -> None:
    open_firm(books)
    expense_category(books)
    row = books.get("Categories", CategoryId="TRAVEL")
    row = books.update("Categories", row, {"CategoryName": "Business travel"})
    assert only(books, "ProjExpenseCategoriesExport")["CostTxt"] == "Business travel"
    shared = books.get("SharedCategories", CategoryId=f"{TRAVEL}-4")
    books.update("SharedCategories", shared, {"ExpenseType": "Airline"})
    assert only(books, "ProjExpenseCategoriesExport")["ExpType"] == "Airline"
    books.delete("Categories", row)
    assert only(books, "ProjExpenseCategoriesExport")["IsInactive"] == "Yes"


def test_r901_a_category_that_is_no_longer_for_expense_becomes_inactive(books: Books) -> None:
    open_firm(books)
    expense_category(books)
    row = books.get("Categories", CategoryId="TRAVEL")
    row = books.update("Categories", row, {"UseInExpense": "No"})
    assert only(books, "ProjExpenseCategoriesExport")["IsInactive"] == "Yes"
    books.update("Categories", row, {"UseInExpense": "Yes"})
    assert only(books, "ProjExpenseCategoriesExport")["IsInactive"] == "No"


@pytest.mark.parametrize(
    ("category", "expected"), [(f"{TRAVEL}-4", TRAVEL), ("EXPENSES", ""), ("TCN-UNKNOWN-4", ""), (TRAVEL, "")]
)
def test_the_transaction_category_of_a_category(books: Books, category: str, expected: str) -> None:
    open_firm(books)
    assert transaction_category(books, category) == expected
