"""Expense reports as employees enter them."""

from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.purchasing import DAY


def report(books: Books, number: str = "ER-1", **values: Any) -> None:
    """Enter a report of USPM that is approved already."""
    books.insert(
        "ExpenseReports",
        {
            "dataAreaId": "uspm",
            "ExpenseReportNumber": number,
            "PersonnelNumber": "000001",
            "VendorAccountNumber": "USPM-V1",
            "ExpenseReportStatus": "Approved",
            "PostingDate": DAY,
            **values,
        },
        Caller.USER,
    )


def line(books: Books, number: str = "EXP-1", amount: str = "120.00", **values: Any) -> None:
    """Enter an expense of the report ER-1 on the project of USPM."""
    books.insert(
        "ExpenseReportLines",
        {
            "dataAreaId": "uspm",
            "ExpenseReportNumber": "ER-1",
            "ExpTransNumber": number,
            "ProjectId": "PRJ-USPM",
            "CostType": "TRAVEL",
            "TransactionDate": DAY,
            "Quantity": Decimal(1),
            "CurrencyCode": "USD",
            "Amount": Decimal(amount),
            **values,
        },
        Caller.USER,
    )
