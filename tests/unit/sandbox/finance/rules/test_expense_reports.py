"""Posting of expense reports."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.expense_reports import post_expense_reports
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.posting import post_journals
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from sandbox.rules.jobs import JobRefusedError
from sandbox.store.defaults import ZERO_GUID
from tests.unit.sandbox.finance.rules.expenses import line, report
from tests.unit.sandbox.finance.rules.purchasing import DAY, entries, expense_category, only, open_firm


@pytest.fixture(autouse=True)
def firm(books: Books) -> None:
    open_firm(books)
    expense_category(books)


def test_r902_project_cost_with_non_recoverable_tax_goes_to_the_expense_integration_account(
    books: Books,
) -> None:
    report(books)
    line(books, TaxAmount=Decimal("20.00"), NonRecoverableTaxAmount=Decimal("5.00"), BillingType="Chargeable")
    assert post_expense_reports(books, {"company": "USPM"}) == {
        "USPM": {"posted": 1, "refused": 0},
        "messages": [],
    }
    assert entries(books, "uspm") == {
        "ExpenseIntegration": Decimal("105.00"),
        "SalesTax": Decimal("15.00"),
        "VendorBalance": Decimal("-120.00"),
    }
    owed = only(books, "VendorTransactions")
    assert (owed["VendorAccountNumber"], owed["Amount"], owed["Approved"]) == (
        "USPM-V1",
        Decimal("-120.00"),
        "Yes",
    )
    posted = only(books, "ExpenseReports")
    assert (posted["ExpenseReportStatus"], posted["Voucher"]) == ("Posted", owed["Voucher"])
    expense = only(books, "ProjExpensesExport")
    assert (expense["ExpTransNumber"], expense["ReferenceDataAreaId"], expense["InterCompanyLE"]) == (
        "EXP-1",
        "uspm",
        "",
    )
    assert (expense["NetAmount"], expense["TaxAmount"], expense["Amount"]) == (
        Decimal("105.00"),
        Decimal("15.00"),
        Decimal("120.00"),
    )
    assert (expense["CostType"], expense["BillingType"], expense["TransDate"]) == (
        "TRAVEL",
        "Chargeable",
        DAY,
    )
    assert expense["ProjCostTransExists"] == 0


def test_r902_only_project_lines_are_synced(books: Books) -> None:
    report(books)
    line(books)
    line(books, "EXP-2", "30.00", ProjectId="", CostType="")
    post_expense_reports(books, {})
    assert [row["ExpTransNumber"] for row in books.find("ProjExpensesExport")] == ["EXP-1"]
    assert entries(books, "uspm") == {
        "ExpenseIntegration": Decimal("120.00"),
        "PurchaseExpenditure": Decimal("30.00"),
        "VendorBalance": Decimal("-150.00"),
    }


@pytest.mark.parametrize(
    ("currency", "amount", "booked"),
    [("JPY", "12345", "80.24"), ("KWD", "12.345", "40.20"), ("GBP", "99.99", "124.99")],
)
def test_r902_other_currencies_are_booked_in_the_ledgers(
    books: Books, currency: str, amount: str, booked: str
) -> None:
    report(books)
    line(books, amount=amount, CurrencyCode=currency)
    post_expense_reports(books, {})
    assert entries(books, "uspm") == {
        "ExpenseIntegration": Decimal(booked),
        "VendorBalance": -Decimal(booked),
    }
    owed = only(books, "VendorTransactions")
    assert (owed["CurrencyCode"], owed["Amount"]) == (currency, -Decimal(amount))
    assert only(books, "ProjExpensesExport")["NetAmount"] == Decimal(amount)


@pytest.mark.parametrize(
    ("currency", "amount", "cost"),
    [("JPY", "999.6", "1000"), ("KWD", "1.2345", "1.235"), ("USD", "1.005", "1.01")],
)
def test_r902_amounts_are_booked_and_sent_in_the_coins_of_their_currency(
    books: Books, currency: str, amount: str, cost: str
) -> None:
    report(books)
    line(books, amount=amount, CurrencyCode=currency)
    post_expense_reports(books, {})
    assert only(books, "ProjExpensesExport")["NetAmount"] == Decimal(cost)
    assert only(books, "VendorTransactions")["Amount"] == -Decimal(cost)


def test_r902_lines_in_several_currencies_are_owed_in_the_accounting_currency(books: Books) -> None:
    report(books)
    line(books)
    line(books, "EXP-2", "10.00", CurrencyCode="GBP")
    post_expense_reports(books, {})
    owed = only(books, "VendorTransactions")
    assert (owed["CurrencyCode"], owed["Amount"], owed["AccountingAmount"]) == (
        "USD",
        Decimal("-132.50"),
        Decimal("-132.50"),
    )


def test_r903_the_journal_clears_what_the_report_put_on_the_integration_account(books: Books) -> None:
    """The cost actual that comes back carries NetAmount; its journal line credits the same account."""
    report(books)
    line(books, amount="99.99", CurrencyCode="GBP", TaxAmount=Decimal("16.67"))
    post_expense_reports(books, {})
    expense = only(books, "ProjExpensesExport")
    assert entries(books, "uspm")["ExpenseIntegration"] == Decimal("104.15")
    integration_line(books, expense)
    assert post_journals(books, {"company": "USPM"})["messages"] == []
    assert "ExpenseIntegration" not in entries(books, "uspm")
    assert entries(books, "uspm")["ProjectCost"] == Decimal("104.15")


def integration_line(books: Books, expense: Any) -> None:
    """Put the expense's cost actual on an integration journal, as the import does (R601)."""
    journal = {"dataAreaId": "uspm", "JournalId": "USPM-J1"}
    books.insert("ProjectIntegrationJournals", journal | {"NumberOfLines": 1})
    books.insert(
        "ProjectIntegrationJournalLines",
        journal
        | {
            "LineNumber": 1,
            "ActualsImportId": ZERO_GUID[:-1] + "1",
            "TransactionType": "Cost",
            "TransactionClassification": 192350001,
            "ProjectId": expense["ProjId"],
            "ContractId": "ORD-USPM",
            "TransactionDate": expense["TransDate"],
            "AccountingDate": expense["TransDate"],
            "Quantity": expense["Quantity"],
            "UnitPrice": expense["NetAmount"],
            "Amount": expense["NetAmount"],
            "CurrencyCode": expense["ExchangeCode"],
            "ExchangeRate": Decimal("1.25"),
            "AccountingAmount": Decimal("104.15"),
            "OffsetPostingType": "ExpenseIntegration",
            "Voucher": "USPM-V000001",
        },
    )


def test_r607_the_contracts_fixed_rate_holds_for_its_projects_costs(books: Books) -> None:
    fixed = {"ProjectContractId": "ORD-USPM", "FromCurrencyCode": "GBP", "ExchangeRate": Decimal("1.30")}
    books.insert("ProjectContractExchangeRates", {"dataAreaId": "uspm"} | fixed)
    report(books)
    line(books, amount="10.00", CurrencyCode="GBP")
    post_expense_reports(books, {})
    assert entries(books, "uspm")["ExpenseIntegration"] == Decimal("13.00")


def test_r604_the_rate_is_that_of_the_day_to_which_a_closed_period_moves(books: Books) -> None:
    """The journal books the actual there too, at that day's rate: the account can clear."""
    year = books.get("LedgerFiscalPeriods", dataAreaId="uspm")
    books.update("LedgerFiscalPeriods", year, {"StartDate": noon(date(2026, 11, 1))})
    parameters = books.get("ProjectParametersV2", dataAreaId="uspm")
    books.update("ProjectParametersV2", parameters, {"IsAccountingDateUpdateAllowed": "Yes"})
    pair = {"ExchangeRateTypeName": "Default", "FromCurrencyCode": "GBP", "ToCurrencyCode": "USD"}
    days = {"ValidFrom": noon(date(2026, 11, 1)), "ValidTo": noon(date(2026, 11, 30))}
    books.insert("ExchangeRatesCDSEntity", pair | days | {"Rate": Decimal("1.40")})
    report(books)
    line(books, amount="10.00", CurrencyCode="GBP")
    post_expense_reports(books, {})
    assert entries(books, "uspm")["ExpenseIntegration"] == Decimal("14.00")
    assert only(books, "ProjExpensesExport")["TransDate"] == DAY


def test_r905_an_expense_on_another_companys_project_names_who_paid(books: Books) -> None:
    expense_category(books, "gbpm", "TRIPS")
    report(books)
    line(books, ProjectId="PRJ-GBPM", ProjectDataAreaId="gbpm", CostType="TRIPS")
    post_expense_reports(books, {})
    expense = only(books, "ProjExpensesExport")
    assert (expense["ReferenceDataAreaId"], expense["InterCompanyLE"], expense["ProjId"]) == (
        "gbpm",
        "USPM",
        "PRJ-GBPM",
    )
    assert entries(books, "uspm")["ExpenseIntegration"] == Decimal("120.00")
    assert entries(books, "gbpm") == {}


def test_r901_a_category_of_another_company_is_refused(books: Books) -> None:
    report(books)
    with pytest.raises(FinanceError, match="'TRAVEL' is not active in the company GBPM"):
        line(books, ProjectId="PRJ-GBPM", ProjectDataAreaId="gbpm")


def test_a_bad_report_is_told_and_the_others_post(books: Books) -> None:
    report(books, "ER-0", VendorAccountNumber="")
    line(books, "EXP-0", ExpenseReportNumber="ER-0")
    report(books)
    line(books)
    done = post_expense_reports(books, {"company": "uspm"})
    assert done["USPM"] == {"posted": 1, "refused": 1}
    assert done["messages"] == [
        "ER-0: Expense report ER-0 has no vendor account to which employee 000001 is reimbursed. "
        "Enter it on the report."
    ]
    (message,) = open_messages(books, "uspm")
    assert (message["ErrorId"], message["DocumentNumber"]) == ("R902", "ER-0")
    refused = books.get("ExpenseReports", ExpenseReportNumber="ER-0")
    books.update("ExpenseReports", refused, {"VendorAccountNumber": "USPM-V1"})
    assert post_expense_reports(books, {})["USPM"] == {"posted": 1, "refused": 0}
    assert open_messages(books, "uspm") == []


def test_r902_an_expense_without_a_date_is_refused_on_a_project_or_not(books: Books) -> None:
    report(books)
    line(books, ProjectId="", CostType="", TransactionDate="1900-01-01T12:00:00Z")
    done = post_expense_reports(books, {"company": "USPM"})
    assert done["messages"] == ["ER-1: Expense EXP-1 of expense report ER-1 has no date. Enter it."]


def test_r902_an_expense_number_that_another_company_used_on_the_project_is_refused(books: Books) -> None:
    expense_category(books, "gbpm", "TRIPS")
    report(books)
    line(books, ProjectId="PRJ-GBPM", ProjectDataAreaId="gbpm", CostType="TRIPS")
    own = {"dataAreaId": "gbpm"}
    report(books, **own)
    line(books, ProjectId="PRJ-GBPM", CostType="TRIPS", CurrencyCode="GBP", **own)
    done = post_expense_reports(books, {})
    posted = [done[company]["posted"] for company in ("USPM", "GBPM")]
    assert (sum(posted), len(done["messages"])) == (1, 1)
    assert "Company GBPM has an expense EXP-1 on its projects already" in done["messages"][0]
    assert len(books.find("ProjExpensesExport")) == len(books.find("VendorTransactions")) == 1


def test_r607_without_an_exchange_rate_nothing_is_posted(books: Books) -> None:
    report(books)
    line(books, CurrencyCode="SEK")
    done = post_expense_reports(books, {})
    assert done["USPM"] == {"posted": 0, "refused": 1}
    assert "No exchange rate from SEK to USD" in done["messages"][0]
    assert entries(books, "uspm") == {}
    assert books.find("ProjExpensesExport") == books.find("VendorTransactions") == []


def test_a_posted_report_cannot_be_changed(books: Books) -> None:
    report(books)
    line(books)
    post_expense_reports(books, {})
    posted = books.get("ExpenseReports")
    with pytest.raises(FinanceError, match="posted by the job"):
        books.update("ExpenseReports", posted, {"Purpose": "x"}, Caller.USER)
    with pytest.raises(FinanceError, match="is posted and can't be changed"):
        line(books, "EXP-9")
    assert post_expense_reports(books, {})["USPM"] == {"posted": 0, "refused": 0}


def test_a_company_that_does_not_exist_is_refused(books: Books) -> None:
    with pytest.raises(JobRefusedError, match="no legal entity 'XXXX'"):
        post_expense_reports(books, {"company": "XXXX"})
