"""Recall of posted expense reports."""

from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.finance.books import Books
from sandbox.finance.rules.expense_recall import recall_expense_report
from sandbox.finance.rules.expense_reports import post_expense_reports
from sandbox.rules.hooks import Caller
from sandbox.rules.jobs import JobRefusedError
from tests.unit.sandbox.finance.rules.expenses import line, report
from tests.unit.sandbox.finance.rules.purchasing import entries, expense_category, only, open_firm

RECALL = {"company": "USPM", "report": "ER-1"}


@pytest.fixture(autouse=True)
def posted(books: Books) -> None:
    """A report of 10 pounds on a summary task, posted."""
    open_firm(books)
    expense_category(books)
    report(books)
    line(books, amount="10.00", CurrencyCode="GBP", ActivityNumber="T1")
    post_expense_reports(books, {})


def test_r904_a_report_that_dataverse_refuses_is_recalled_and_posted_again(books: Books) -> None:
    assert recall_expense_report(books, RECALL) == {"USPM": {"recalled": 1}, "messages": []}
    assert entries(books, "uspm") == {}
    assert books.find("ProjExpensesExport") == []
    assert sum(row["AccountingAmount"] for row in books.find("VendorTransactions")) == 0
    draft = only(books, "ExpenseReports")
    assert (draft["ExpenseReportStatus"], draft["Voucher"]) == ("Draft", "")
    summary = books.get("ExpenseReportLines")
    books.update("ExpenseReportLines", summary, {"ActivityNumber": "T1.1"}, Caller.USER)
    books.update("ExpenseReports", draft, {"ExpenseReportStatus": "Approved"}, Caller.USER)
    post_expense_reports(books, {})
    assert entries(books, "uspm") == {
        "ExpenseIntegration": Decimal("12.50"),
        "VendorBalance": Decimal("-12.50"),
    }
    assert only(books, "ProjExpensesExport")["ProjActivityNumber"] == "T1.1"
    vouchers = {row["Voucher"] for row in books.find("GeneralJournalAccountEntries")}
    assert len(vouchers) == 3


def test_r904_what_dataverse_has_accepted_is_not_recalled(books: Books, desk: Desk) -> None:
    company = str(uuid5(NAMESPACE_OID, "USPM"))
    desk.create("cdm_company", {"cdm_companyid": company, "cdm_companycode": "USPM"})
    expense = {"msdyn_externalid": "EXP-1", "msdyn_owningcompany": company}
    desk.create("msdyn_expense", expense | {"msdyn_expensestatus": 192350000})
    with pytest.raises(JobRefusedError, match="Project Operations has its expense EXP-1 already"):
        recall_expense_report(books, RECALL)
    assert only(books, "ExpenseReports")["ExpenseReportStatus"] == "Posted"


@pytest.mark.parametrize("asked", [{"company": "USPM"}, {"report": "ER-1"}, RECALL | {"report": "ER-2"}])
def test_a_recall_names_a_posted_report(books: Books, asked: dict[str, str]) -> None:
    with pytest.raises(JobRefusedError):
        recall_expense_report(books, asked)
