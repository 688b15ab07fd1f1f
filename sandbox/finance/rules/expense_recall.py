"""Recall of a posted expense report that Dataverse does not accept (R904).

Live, posting itself fails where the write to Dataverse does. Here the two are independent: the report
is posted, the expense is set aside, and the documented remedy is the same: recall the report, choose
another activity, post it again (E1).
"""

from collections.abc import Sequence
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.documents import legal_entities
from sandbox.finance.rules.expense_reports import EXPORT, LINES, REPORTS, project_company
from sandbox.finance.rules.ledger import Entry, post_voucher
from sandbox.finance.rules.periods import accounting_date
from sandbox.rules.days import noon
from sandbox.rules.hooks import Row
from sandbox.rules.jobs import JobRefusedError, required


def recall_expense_report(books: Books, parameters: Row) -> dict[str, Any]:
    """Take a posted report back to a draft: job recall-expense-report.

    Args:
        books: Of the transaction.
        parameters: `company` and `report`, its number.

    Returns:
        By company code the count `recalled`, and `messages`, which is empty.

    Raises:
        JobRefusedError: There is no such posted report, or Dataverse has one of its expenses.
    """
    (company,) = legal_entities(books, {"company": required(parameters, "company")})
    number = required(parameters, "report")
    report = books.first(
        REPORTS, dataAreaId=company, ExpenseReportNumber=number, ExpenseReportStatus="Posted"
    )
    if report is None:
        raise JobRefusedError(f"Company {company.upper()} has no posted expense report {number}.")
    lines = books.find(LINES, dataAreaId=company, ExpenseReportNumber=number)
    projects = [line for line in lines if line["ProjectId"]]
    _require_unknown(books, number, projects)
    for line in projects:
        _withdraw(books, line)
    _reverse(books, report)
    books.update(REPORTS, report, {"ExpenseReportStatus": "Draft", "Voucher": ""})
    return {company.upper(): {"recalled": 1}, "messages": []}


def _require_unknown(books: Books, number: str, lines: Sequence[Row]) -> None:
    for line in lines:
        owners = books.dataverse("cdm_company", cdm_companycode=project_company(line))
        if books.dataverse(
            "msdyn_expense",
            msdyn_externalid=line["ExpTransNumber"],
            msdyn_owningcompany=[owner["cdm_companyid"] for owner in owners],
        ):
            raise JobRefusedError(
                f"Expense report {number} can't be recalled: Project Operations has its expense "
                f"{line['ExpTransNumber']} already. Correct it with another report."
            )


def _withdraw(books: Books, line: Row) -> None:
    exported = books.get(
        EXPORT, ExpTransNumber=line["ExpTransNumber"], ReferenceDataAreaId=project_company(line)
    )
    books.delete(EXPORT, exported)


def _reverse(books: Books, report: Row) -> None:
    """Book the report's voucher back, and what the employee was owed with it."""
    company = report["dataAreaId"]
    day = accounting_date(books, company, books.now.date())
    voucher = books.next_number(company, "ExpenseVoucher")
    booked = books.find("GeneralJournalAccountEntries", dataAreaId=company, Voucher=report["Voucher"])
    entries = [_back(row) for row in booked]
    post_voucher(books, company, voucher, day, entries, report["ExpenseReportNumber"])
    owed = books.get("VendorTransactions", dataAreaId=company, Voucher=report["Voucher"])
    back = {name: -owed[name] for name in ("Amount", "AccountingAmount")}
    same = {
        name: owed[name]
        for name in ("dataAreaId", "VendorAccountNumber", "InvoiceNumber", "CurrencyCode", "Approved")
    }
    values = same | back | {"Voucher": voucher, "TransactionDate": noon(day)}
    books.insert("VendorTransactions", values)


def _back(row: Row) -> Entry:
    """Return the opposite of a booked entry, on the same account."""
    return Entry(
        posting_type=row["PostingType"],
        amount=-row["TransactionCurrencyAmount"],
        currency=row["TransactionCurrencyCode"],
        accounting_amount=-row["AccountingCurrencyAmount"],
        project=row["ProjectId"],
        text=row["Description"],
        main_account=row["MainAccountId"],
    )


JOBS = {"recall-expense-report": recall_expense_report}
