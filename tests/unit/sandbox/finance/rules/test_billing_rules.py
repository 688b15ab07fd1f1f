"""Billing rules of contract lines."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.billing_rules import LINES, RULES


@pytest.fixture
def contract(books: Books) -> Books:
    values = {"dataAreaId": "uspm", "ProjectContractId": "ORD-1", "SalesCurrencyCode": "GBP"}
    books.insert("ProjectContractHeaders", values)
    return books


def line(books: Books, sequence: int, **values: Any) -> dict[str, Any]:
    key = {"dataAreaId": "uspm", "ProjectContractId": "ORD-1", "LineSequenceNumber": sequence}
    return books.insert(LINES, key | {"ContractLineId": f"CLN-{sequence}", "LineProjectId": "PRJ-1"} | values)


@pytest.mark.parametrize(
    ("method", "schedule", "rule"),
    [
        ("TimeAndMaterial", "Fixed", "TimeAndMaterial"),
        ("FixedPrice", "Fixed", "Milestone"),
        ("FixedPrice", "Progress", "Progress"),
    ],
)
def test_r104_a_contract_line_has_the_billing_rule_of_its_billing_method(
    contract: Books, method: str, schedule: str, rule: str
) -> None:
    line(contract, 1, BillingMethod=method, InvoiceScheduleType=schedule, LineAmount=Decimal(5000))
    made = contract.get(RULES)
    assert (made["ContractLineId"], made["BillingRuleType"], made["ProjectId"]) == ("CLN-1", rule, "PRJ-1")
    assert (made["Amount"], made["CurrencyCode"]) == (Decimal(5000), "GBP")


def test_r104_the_rule_follows_its_line_and_goes_with_it(contract: Books) -> None:
    row = line(contract, 1, BillingMethod="FixedPrice", LineAmount=Decimal(5000))
    line(contract, 2, BillingMethod="TimeAndMaterial")
    row = contract.update(LINES, row, {"LineAmount": Decimal(6000), "ContractLineId": "CLN-1A"})
    assert [(rule["ContractLineId"], rule["Amount"]) for rule in contract.find(RULES)] == [
        ("CLN-1A", Decimal(6000)),
        ("CLN-2", Decimal(0)),
    ]
    contract.delete(LINES, row)
    assert [rule["ContractLineId"] for rule in contract.find(RULES)] == ["CLN-2"]


def test_r104_lines_that_exchange_their_ids_have_a_rule_each_in_the_end(contract: Books) -> None:
    one, two = (line(contract, each, LineAmount=Decimal(each)) for each in (1, 2))
    contract.update(LINES, one, {"ContractLineId": "CLN-2"})
    assert [rule["ContractLineId"] for rule in contract.find(RULES)] == ["CLN-2"]
    two = contract.update(LINES, two, {"ContractLineId": "CLN-1"})
    assert {rule["ContractLineId"]: rule["Amount"] for rule in contract.find(RULES)} == {
        "CLN-1": Decimal(2),
        "CLN-2": Decimal(1),
    }
    contract.delete(LINES, two)
    assert [rule["ContractLineId"] for rule in contract.find(RULES)] == ["CLN-2"]


def test_r104_lines_without_an_id_have_rules_of_their_own(contract: Books) -> None:
    line(contract, 1, ContractLineId="")
    line(contract, 2, ContractLineId="")
    assert [rule["ContractLineId"] for rule in contract.find(RULES)] == ["1", "2"]
