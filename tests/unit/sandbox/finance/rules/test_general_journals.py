"""General journals on projects."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.general_journals import post_general_journals
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.posted_costs import PostedCosts
from tests.unit.sandbox.finance.rules.purchasing import (
    DAY,
    TRAVEL,
    entries,
    expense_category,
    only,
    open_firm,
)


@pytest.fixture(autouse=True)
def firm(books: Books) -> None:
    open_firm(books)
    expense_category(books)


def line(books: Books, place: int = 1, journal: str = "GJ-1", **values: Any) -> None:
    books.insert(
        "GeneralJournalLines",
        {
            "dataAreaId": "uspm",
            "JournalBatchNumber": journal,
            "LineNumber": place,
            "ProjectId": "PRJ-USPM",
            "CategoryId": f"{TRAVEL}-4",
            "TransactionDate": DAY,
            "Quantity": Decimal(2),
            "CostPrice": Decimal("40.25"),
            "CurrencyCode": "USD",
            "OffsetAccount": "606100",
            "Text": "Parking",
            "BillingType": "Chargeable",
            **values,
        },
    )


def test_r505_the_cost_is_posted_and_dataverse_is_told_that_it_exists(books: Books) -> None:
    line(books)
    assert post_general_journals(books, {"company": "USPM"}) == {
        "USPM": {"posted": 1, "refused": 0},
        "messages": [],
    }
    assert entries(books, "uspm") == {"ProjectCost": Decimal("80.50"), "ExpenseOffset": Decimal("-80.50")}
    credit = only(books, "GeneralJournalAccountEntries", PostingType="ExpenseOffset")
    assert (credit["MainAccountId"], credit["IsCredit"]) == ("606100", "Yes")
    expense = only(books, "ProjExpensesExport")
    assert (expense["ProjCostTransExists"], expense["CostType"], expense["NetAmount"]) == (
        1,
        "TRAVEL",
        Decimal("80.50"),
    )
    transaction = only(books, "ProjectTransactions")
    assert (transaction["TransactionType"], transaction["CostAmount"], transaction["Quantity"]) == (
        "Cost",
        Decimal("80.50"),
        Decimal(2),
    )
    came_back = {"ExternalOriginReference": expense["ExpTransNumber"]}
    assert PostedCosts(books, "uspm").has(came_back)
    assert not PostedCosts(books, "gbpm").has(came_back)
    posted = only(books, "GeneralJournalLines")
    assert (posted["IsPosted"], posted["Voucher"]) == ("Yes", transaction["CostVoucher"])
    assert post_general_journals(books, {})["USPM"] == {"posted": 0, "refused": 0}


def test_e15_more_than_two_hundred_project_lines(books: Books) -> None:
    for place in range(1, 202):
        line(books, place)
    line(books, journal="GJ-2")
    done = post_general_journals(books, {"company": "USPM"})
    assert done["USPM"] == {"posted": 1, "refused": 1}
    assert "A maximum of 200 project-based lines are supported" in done["messages"][0]
    (message,) = open_messages(books, "uspm")
    assert (message["ErrorId"], message["DocumentNumber"]) == ("E15", "GJ-1")
    assert len(books.find("GeneralJournalLines", IsPosted="Yes")) == 1
    books.delete("GeneralJournalLines", books.get("GeneralJournalLines", LineNumber=201))
    assert post_general_journals(books, {"company": "USPM"})["USPM"] == {"posted": 1, "refused": 0}
    assert open_messages(books, "uspm") == []


def test_e16_a_project_without_a_contract(books: Books) -> None:
    project = books.update(
        "ProjectsV2", books.get("ProjectsV2", ProjectId="PRJ-USPM"), {"ProjectContractId": ""}
    )
    line(books)
    line(books, 2, ProjectId="")
    done = post_general_journals(books, {"company": "USPM"})
    assert "There's no contract that exists for this project: PRJ-USPM" in done["messages"][0]
    assert only(books, "ProjectIntegrationMessages")["ErrorId"] == "E16"
    assert entries(books, "uspm") == {}
    books.update("ProjectsV2", project, {"ProjectContractId": "ORD-USPM"})
    assert post_general_journals(books, {"company": "USPM"})["USPM"] == {"posted": 1, "refused": 0}
    assert open_messages(books, "uspm") == []
    assert entries(books, "uspm") == {
        "ProjectCost": Decimal("80.50"),
        "PurchaseExpenditure": Decimal("80.50"),
        "ExpenseOffset": Decimal("-161.00"),
    }


def test_a_category_that_dataverse_does_not_know_is_refused(books: Books) -> None:
    line(books, CategoryId="OWN")
    assert "'OWN' has no expense category" in post_general_journals(books, {})["messages"][0]
