"""Milestones: on-account transactions and revenue estimate projects."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.milestones import ESTIMATE_PROJECTS, MILESTONES, ON_ACCOUNT


@pytest.fixture
def contract(books: Books) -> Books:
    books.insert("ProjectIntegrationParameters", {"dataAreaId": "uspm", "CostRevenueProfileId": "STANDARD"})
    for sequence, method, project in (
        (1, "FixedPrice", "PRJ-1"),
        (2, "FixedPrice", ""),
        (3, "TimeAndMaterial", "P"),
    ):
        key = {"dataAreaId": "uspm", "ProjectContractId": "ORD-1", "LineSequenceNumber": sequence}
        values = {"ContractLineId": f"CLN-{sequence}", "BillingMethod": method, "LineProjectId": project}
        books.insert("ProjectContractLines", key | values)
    return books


def milestone(books: Books, number: str, line: str = "CLN-1", **values: Any) -> dict[str, Any]:
    row = {
        "dataAreaId": "uspm",
        "ContractLineMilestoneIdentifier": number,
        "ProjectContractId": "ORD-1",
        "ContractLineId": line,
        "ProjectNumber": "PRJ-1",
        "Description": "Go-live",
        "CurrencyCode": "USD",
        "Amount": Decimal(5000),
        "TransactionDate": "2026-11-30T12:00:00Z",
        "LedgerTransactionDate": "2026-11-30T12:00:00Z",
    }
    return books.insert(MILESTONES, row | values)


def test_r106_a_milestone_becomes_an_on_account_transaction(contract: Books) -> None:
    milestone(contract, "MS-1")
    made = contract.get(ON_ACCOUNT, dataAreaId="uspm", TransId="MS-1")
    assert (made["ProjID"], made["TotalSalesAmountCur"], made["CurrencyId"]) == (
        "PRJ-1",
        Decimal(5000),
        "USD",
    )
    assert (made["TransactionOrigin"], made["TransDate"]) == ("Milestone", "2026-11-30T12:00:00Z")
    assert (made["PSAIsOnAccount"], made["TransStatus"]) == ("Yes", "NotPosted")


def test_r106_the_first_milestone_of_a_fixed_price_makes_the_one_estimate_project(contract: Books) -> None:
    milestone(contract, "MS-1")
    milestone(contract, "MS-2")
    made = contract.find(ESTIMATE_PROJECTS)
    assert [(row["ProjectId"], row["ContractLineId"], row["CostRevenueProfileId"]) for row in made] == [
        ("PRJ-1", "CLN-1", "STANDARD")
    ]
    assert len(made[0]["EstimateProjectId"]) <= 20


@pytest.mark.parametrize("line", ["CLN-2", "CLN-3", "CLN-9"])
def test_r106_a_line_without_project_or_fixed_price_makes_no_estimate_project(
    contract: Books, line: str
) -> None:
    milestone(contract, "MS-1", line)
    assert contract.find(ESTIMATE_PROJECTS) == []
    assert len(contract.find(ON_ACCOUNT)) == 1


def test_r106_the_transaction_follows_its_milestone_until_it_is_invoiced(contract: Books) -> None:
    row = milestone(contract, "MS-1")
    row = contract.update(MILESTONES, row, {"Amount": Decimal(4500)})
    made = contract.get(ON_ACCOUNT)
    assert (made["Amount"], made["TotalSalesAmountCur"]) == (Decimal(4500), Decimal(4500))
    contract.update(ON_ACCOUNT, made, {"TransStatus": "Invoiced"})
    row = contract.update(MILESTONES, row, {"Amount": Decimal(1)})
    contract.delete(MILESTONES, row)
    made = contract.get(ON_ACCOUNT)
    assert (made["Amount"], made["TransStatus"]) == (Decimal(4500), "Invoiced")


@pytest.mark.parametrize("status", ["InvoiceProposed", "FullyInvoiced"])
def test_r106_no_write_of_a_milestone_reopens_what_is_on_an_invoice(contract: Books, status: str) -> None:
    row = milestone(contract, "MS-1")
    contract.update(ON_ACCOUNT, contract.get(ON_ACCOUNT), {"TransStatus": status})
    contract.update(MILESTONES, row, {"Description": "Go-live 2", "TransStatus": "NotPosted"})
    made = contract.get(ON_ACCOUNT)
    assert (made["Description"], made["TransStatus"]) == ("Go-live", status)


def test_r106_what_posting_made_of_the_status_stays_when_the_milestone_is_sent_again(contract: Books) -> None:
    row = milestone(contract, "MS-1")
    contract.update(ON_ACCOUNT, contract.get(ON_ACCOUNT), {"TransStatus": "Posted"})
    contract.update(MILESTONES, row, {"Description": "Go-live 2"})
    made = contract.get(ON_ACCOUNT)
    assert (made["Description"], made["TransStatus"]) == ("Go-live 2", "Posted")


def test_r106_a_withdrawn_milestone_takes_its_transaction_along(contract: Books) -> None:
    contract.delete(MILESTONES, milestone(contract, "MS-1"))
    assert contract.find(ON_ACCOUNT) == []


def test_r106_a_cutover_says_how_far_a_milestone_has_come(contract: Books) -> None:
    milestone(contract, "MS-1", TransStatus="FullyInvoiced", ProjectContractLineMilestoneHeader="H-1")
    made = contract.get(ON_ACCOUNT)
    assert (made["TransStatus"], made["TransactionOrigin"]) == ("FullyInvoiced", "ProgressBillingRule")
