"""Shared categories, and the project categories that accountants make of them."""

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.categories import PROJECT, SHARED, TRANSACTION_CATEGORIES, project_category
from sandbox.rules.hooks import Caller

TRAINING = "TCN-0000001000-D3B43"


@pytest.fixture
def training(books: Books) -> Books:
    books.insert(TRANSACTION_CATEGORIES, {"CategoryId": TRAINING, "Name": "Training"})
    return books


def shared(books: Books) -> dict[str, str]:
    return {row["CategoryId"]: row["CategoryName"] for row in books.find(SHARED)}


def test_r110_a_transaction_category_makes_four_shared_categories(training: Books) -> None:
    assert shared(training) == {
        "TCN-0000001000-D3B43-1": "Training Hour",
        "TCN-0000001000-D3B43-2": "Training Fee",
        "TCN-0000001000-D3B43-3": "Training Item",
        "TCN-0000001000-D3B43-4": "Training Expense",
    }
    assert {row["UseInProject"] for row in training.find(SHARED)} == {"Yes"}


def test_r110_with_the_feature_there_is_a_fifth_for_on_account_of_old_and_new_ones(training: Books) -> None:
    training.insert("ProjectIntegrationParameters", {"dataAreaId": "uspm", "OnAccountCategoryFeature": "Yes"})
    training.insert(TRANSACTION_CATEGORIES, {"CategoryId": "TCN-2", "Name": "Travel"})
    assert shared(training)[f"{TRAINING}-5"] == "Training On-account"
    assert shared(training)["TCN-2-5"] == "Travel On-account"
    assert len(shared(training)) == 10


def test_r110_a_new_name_reaches_the_shared_categories_and_what_accountants_set_stays(
    training: Books,
) -> None:
    expense = training.get(SHARED, CategoryId=f"{TRAINING}-4")
    training.update(SHARED, expense, {"UseInExpense": "Yes"})
    training.update(TRANSACTION_CATEGORIES, training.get(TRANSACTION_CATEGORIES), {"Name": "Courses"})
    expense = training.get(SHARED, CategoryId=f"{TRAINING}-4")
    assert (expense["CategoryName"], expense["UseInExpense"]) == ("Courses Expense", "Yes")
    assert len(shared(training)) == 4


def test_r111_no_project_category_is_made_by_itself(training: Books) -> None:
    assert training.find(PROJECT) == []


def test_r111_an_accountant_makes_a_project_category_of_a_shared_one_and_a_group(training: Books) -> None:
    values = {"dataAreaId": "uspm", "Category": f"{TRAINING}-1", "TransactionType": "Hour"}
    with pytest.raises(FinanceError, match="'CategoryGroup' must be filled in"):
        training.insert(PROJECT, values, Caller.USER)
    made = training.insert(PROJECT, values | {"CategoryGroup": "HOUR"}, Caller.USER)
    assert made["Category"] == f"{TRAINING}-1"
    assert project_category(training, "USPM", TRAINING, 192350000) == f"{TRAINING}-1"
    assert project_category(training, "GBPM", TRAINING, 192350000) is None


@pytest.mark.parametrize(
    ("category", "kind", "reason"),
    [
        (f"{TRAINING}-1", "Expense", "not of the type Expense"),
        ("OTHER", "Hour", "no shared category 'OTHER'"),
    ],
)
def test_r111_a_project_category_needs_a_shared_one_of_its_type(
    training: Books, category: str, kind: str, reason: str
) -> None:
    values = {"dataAreaId": "uspm", "Category": category, "TransactionType": kind, "CategoryGroup": "X"}
    with pytest.raises(FinanceError, match=reason):
        training.insert(PROJECT, values, Caller.USER)


def test_r606_a_class_without_project_categories_has_none(training: Books) -> None:
    assert project_category(training, "uspm", TRAINING, 690970002) is None
    assert project_category(training, "uspm", "", 192350000) is None


def test_r606_on_account_transactions_have_the_default_until_they_have_categories(training: Books) -> None:
    training.insert("ProjectParametersV2", {"dataAreaId": "uspm", "OnAccountCategory": "ONACCOUNT"})
    assert project_category(training, "uspm", TRAINING, 192350003) == "ONACCOUNT"
    own = {"Category": f"{TRAINING}-5", "TransactionType": "OnAccount"}
    training.insert(PROJECT, {"dataAreaId": "uspm", **own})
    assert project_category(training, "uspm", TRAINING, 192350003) == f"{TRAINING}-5"
