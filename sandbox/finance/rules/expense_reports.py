"""Expense reports: posting books the costs and hands the project lines to Dataverse (R902, R903)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.documents import DocumentRefusedError, PostingJob, post_documents
from sandbox.finance.rules.expense_categories import require_usable
from sandbox.finance.rules.periods import accounting_date
from sandbox.finance.rules.project_stages import require_open
from sandbox.finance.rules.vendor_posting import NO_PROJECT, Cost, Payable, post_payable, project_contract
from sandbox.rules.days import NEVER, day_of, noon
from sandbox.rules.hooks import Change, Row, Verb, guard
from sandbox.rules.money import money

REPORTS, LINES, EXPORT = "ExpenseReports", "ExpenseReportLines", "ProjExpensesExport"
_CLEARING = "ExpenseIntegration"


def line_cost(books: Books, line: Row) -> Cost:
    """Return what an expense line costs: without the tax that can be recovered (R902).

    `Amount` holds the tax, `TaxAmount` all of it, `NonRecoverableTaxAmount` the part that stays cost.
    """
    currency = line["CurrencyCode"]
    recoverable = money(line["TaxAmount"] - line["NonRecoverableTaxAmount"], currency)
    return Cost(
        _CLEARING if line["ProjectId"] else NO_PROJECT,
        money(line["Amount"] - recoverable, currency),
        recoverable,
        currency,
        day_of(line["TransactionDate"]) or NEVER,
        line["ProjectId"],
        project_contract(books, line),
        line["AdditionalInformation"],
    )


def export_expense(books: Books, line: Row, cost: Cost, category: Row, posted_cost: bool = False) -> None:
    """Hand a posted project expense to Dataverse (R902, map M17; which amount is which is PROPOSED).

    The row belongs to the legal entity of the project; the one that paid, where it is another, is its
    resourcing company (R905). `NetAmount` is the cost as it stands on the clearing account.

    Args:
        books: Of the transaction.
        line: Row of ExpenseReportLines, or one with its columns.
        cost: What it costs.
        category: Row of ProjExpenseCategoriesExport.
        posted_cost: Whether Finance has posted the project cost too, so that none may come back (R505).

    Raises:
        DocumentRefusedError: Another company has posted an expense of that number on the company's projects.
    """
    company, owner = line["dataAreaId"], project_company(line)
    key = {"ExpTransNumber": line["ExpTransNumber"], "ReferenceDataAreaId": owner}
    if books.first(EXPORT, **key) is not None:
        raise DocumentRefusedError(
            "R902",
            f"Company {owner.upper()} has an expense {line['ExpTransNumber']} on its projects already, "
            "posted by another company. Enter the expense with another number.",
        )
    books.insert(
        EXPORT,
        {
            **key,
            "ProjTransId": books.next_number(company, "ProjectTransactionOrigin"),
            "ProjCostTransExists": int(posted_cost),
            "ProjId": line["ProjectId"],
            "ProjActivityNumber": line["ActivityNumber"],
            "CostType": category["CostType"],
            "TransactionCategoryId": category["TransactionCategoryId"],
            "TransDate": noon(cost.day),
            "Quantity": line["Quantity"] or Decimal(1),
            "NetAmount": cost.amount,
            "TaxAmount": cost.tax,
            "Amount": cost.amount + cost.tax,
            "ExchangeCode": cost.currency,
            "BillingType": line["BillingType"],
            "AdditionalInformation": line["AdditionalInformation"],
            "InterCompanyLE": "" if owner.lower() == company.lower() else company.upper(),
        },
    )


def project_company(line: Row) -> str:
    """Return the legal entity of a line's project; where none is named, that of the line."""
    return str(line["ProjectDataAreaId"] or line["dataAreaId"])


def _approved(books: Books, company: str) -> Sequence[Row]:
    return books.find(REPORTS, dataAreaId=company, ExpenseReportStatus="Approved")


def _post(books: Books, report: Row) -> None:
    """Post one report: costs, tax, what the employee is owed, and the rows for Dataverse (R902)."""
    company, number = report["dataAreaId"], report["ExpenseReportNumber"]
    lines = books.find(LINES, dataAreaId=company, ExpenseReportNumber=number)
    _require_postable(report, lines)
    require_open(books, lines)
    day = accounting_date(books, company, day_of(report["PostingDate"]) or books.now.date())
    payable = Payable(
        company, report["VendorAccountNumber"], number, books.next_number(company, "ExpenseVoucher"), day
    )
    costs = [line_cost(books, line) for line in lines]
    post_payable(books, payable, costs)
    for line, cost in zip(lines, costs, strict=True):
        if line["ProjectId"]:
            category = require_usable(books, project_company(line), line["CostType"])
            export_expense(books, line, cost, category)
    posted = {"ExpenseReportStatus": "Posted", "Voucher": payable.voucher, "PostingDate": noon(day)}
    books.update(REPORTS, report, posted)


def _require_postable(report: Row, lines: Sequence[Row]) -> None:
    number = report["ExpenseReportNumber"]
    if not lines:
        raise DocumentRefusedError("R902", f"Expense report {number} has no lines. Add its expenses.")
    if not report["VendorAccountNumber"]:
        raise DocumentRefusedError(
            "R902",
            f"Expense report {number} has no vendor account to which employee {report['PersonnelNumber']} is "
            "reimbursed. Enter it on the report.",
        )
    for line in lines:
        if day_of(line["TransactionDate"]) is None:
            raise DocumentRefusedError(
                "R902",
                f"Expense {line['ExpTransNumber']} of expense report {number} has no date. Enter it.",
            )


def _check_line(books: Books, change: Change) -> None:
    """Refuse a line of a posted report, or one on a project that its category is not for (R901)."""
    line = change.after
    report = books.first(
        REPORTS, dataAreaId=line["dataAreaId"], ExpenseReportNumber=line["ExpenseReportNumber"]
    )
    if report is None:
        raise books.refused(LINES, f"Error: Expense report {line['ExpenseReportNumber']} does not exist")
    if report["ExpenseReportStatus"] == "Posted":
        raise books.refused(
            LINES,
            f"Error: Expense report {line['ExpenseReportNumber']} is posted and can't be changed",
        )
    if not line["ProjectId"] or change.verb is Verb.DELETE:
        return
    owner = project_company(line)
    if books.first("ProjectsV2", dataAreaId=owner, ProjectId=line["ProjectId"]) is None:
        raise books.refused(
            LINES, f"Error: Project {line['ProjectId']} does not exist in the company {owner.upper()}"
        )
    require_usable(books, owner, line["CostType"])


def _refuse_status(books: Books, change: Change) -> None:
    """Refuse to mark a report as posted, or to change a posted one, by hand: the job posts (R902)."""
    if "Posted" in (change.before.get("ExpenseReportStatus"), change.values.get("ExpenseReportStatus")):
        number = change.after["ExpenseReportNumber"]
        raise books.refused(
            REPORTS, f"Error: Expense report {number} is posted by the job post-expense-reports only"
        )


def post_expense_reports(books: Books, parameters: Row) -> dict[str, Any]:
    """Post all approved expense reports: job post-expense-reports."""
    job = PostingJob("post-expense-reports", "R902", "ExpenseReportNumber", _approved, _post)
    return post_documents(books, parameters, job)


_ALL = (Verb.CREATE, Verb.UPDATE, Verb.DELETE)
HOOKS = (guard(LINES, _ALL, _check_line), guard(REPORTS, _ALL, _refuse_status))
JOBS = {"post-expense-reports": post_expense_reports}
