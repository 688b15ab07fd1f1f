"""A small firm whose purchases the tests post: two companies, a project each, and their setup."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller

DAY = noon(date(2026, 10, 20))
TRAVEL = "TCN-0000001004-A1B2C"
POSTING_TYPES = (
    "ProjectCost", "PayrollAllocation", "ExpenseIntegration", "ProcurementIntegration", "CostItem",
    "ExpenseOffset", "VendorBalance", "SalesTax", "PurchaseAccrual", "PurchaseReceipt", "PennyDifference",
    "PurchaseExpenditure",
)  # fmt: skip


def open_firm(books: Books) -> None:
    """Set up USPM (USD) and GBPM (GBP), a pound at 1.25 dollars, yen and dinar."""
    open_company(books, "USPM", "USD")
    open_company(books, "GBPM", "GBP")
    for origin, target, rate in (("GBP", "USD", "1.25"), ("JPY", "USD", "0.0065"), ("KWD", "USD", "3.2567")):
        books.insert(
            "ExchangeRatesCDSEntity",
            {
                "ExchangeRateTypeName": "Default",
                "FromCurrencyCode": origin,
                "ToCurrencyCode": target,
                "ValidFrom": noon(date(2026, 1, 1)),
                "ValidTo": noon(date(2154, 12, 31)),
                "Rate": Decimal(rate),
            },
        )
    books.insert("ProjectTransactionCategories", {"CategoryId": TRAVEL, "Name": "Travel"})
    for company in ("uspm", "gbpm"):
        for number, kind in ((1, "Hour"), (3, "Item"), (4, "Expense")):
            books.insert(
                "ProjectCategoryEntities",
                {"dataAreaId": company, "Category": f"{TRAVEL}-{number}", "TransactionType": kind},
            )


def open_company(books: Books, code: str, currency: str) -> None:
    """Set up a company with a project, a vendor, open periods and all main accounts."""
    company = {"dataAreaId": code.lower()}
    books.insert("LegalEntities", {"LegalEntityId": code, "Name": code})
    books.insert(
        "Ledgers",
        {"LegalEntityId": code, "AccountingCurrency": currency, "ExchangeRateType": "Default"},
    )
    period = {"FiscalYear": "2026", "PeriodName": "Year", "PeriodStatus": "Open"}
    days = {"StartDate": noon(date(2026, 1, 1)), "EndDate": noon(date(2026, 12, 31))}
    books.insert("LedgerFiscalPeriods", company | period | days)
    for place, posting_type in enumerate(POSTING_TYPES, start=1):
        account = {"PostingType": posting_type, "MainAccountId": str(place * 1000)}
        books.insert("ProjectPostingAccounts", company | account)
    books.insert("ProjectParametersV2", company | {"ItemCategory": f"{TRAVEL}-3"})
    books.insert(
        "VendorsV2",
        company | {"VendorAccountNumber": f"{code}-V1", "CurrencyCode": currency, "LanguageId": "en-us"},
    )
    project = {"ProjectId": f"PRJ-{code}", "ProjectContractId": f"ORD-{code}"}
    books.insert("ProjectsV2", company | project)


def expense_category(books: Books, company: str = "uspm", name: str = "TRAVEL") -> None:
    """Make an expense category of the transaction category Travel."""
    shared = f"{TRAVEL}-4"
    if (row := books.first("SharedCategories", CategoryId=shared)) is not None:
        books.update("SharedCategories", row, {"UseInExpense": "Yes", "ExpenseType": "Hotel"})
    books.insert(
        "Categories",
        {"dataAreaId": company, "CategoryId": name, "SharedCategoryId": shared, "UseInExpense": "Yes"},
        Caller.USER,
    )


def entries(books: Books, company: str) -> dict[str, Decimal]:
    """Return the balance of each posting type in the accounting currency, those of 0 left out."""
    balances: dict[str, Decimal] = {}
    for row in books.find("GeneralJournalAccountEntries", dataAreaId=company):
        posting_type = row["PostingType"]
        balances[posting_type] = balances.get(posting_type, Decimal(0)) + row["AccountingCurrencyAmount"]
    assert sum(balances.values(), Decimal(0)) == 0
    return {posting_type: balance for posting_type, balance in balances.items() if balance}


def only(books: Books, entity_set: str, **where: Any) -> Mapping[str, Any]:
    """Return the one row that there is."""
    (row,) = books.find(entity_set, **where)
    return row
