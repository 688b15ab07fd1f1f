"""General journals: costs on projects that Finance posts by itself (R505, E15, E16).

The cost is posted here, so only the unbilled sales that Dataverse makes of it come back to the
integration journal.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import TransactionClass, default_category
from sandbox.finance.rules.documents import (
    DocumentRefusedError,
    PostingJob,
    accounting_amount,
    post_documents,
)
from sandbox.finance.rules.expense_categories import (
    expense_category,
    require_usable,
    transaction_category,
)
from sandbox.finance.rules.expense_reports import export_expense
from sandbox.finance.rules.ledger import Entry, post_voucher
from sandbox.finance.rules.periods import accounting_date
from sandbox.finance.rules.project_stages import require_open
from sandbox.finance.rules.transactions import Posting, post_cost
from sandbox.finance.rules.vendor_posting import NO_PROJECT, Cost
from sandbox.rules.days import day_of
from sandbox.rules.hooks import Row
from sandbox.rules.money import money

MOST_PROJECT_LINES = 200
"""So many lines of a journal may be project-based (E15)."""

_LINES = "GeneralJournalLines"
_COST, _OFFSET = "ProjectCost", "ExpenseOffset"


def post_general_journals(books: Books, parameters: Row) -> dict[str, Any]:
    """Post all general journals that wait: job post-general-journals."""
    job = PostingJob("post-general-journals", "R505", "JournalBatchNumber", _journals, _post)
    return post_documents(books, parameters, job)


def _journals(books: Books, company: str) -> Sequence[Row]:
    """Return the first line of each journal with lines that are not posted."""
    waiting = books.find(_LINES, dataAreaId=company, IsPosted="No")
    return list({row["JournalBatchNumber"]: row for row in reversed(waiting)}.values())[::-1]


def _post(books: Books, journal: Row) -> None:
    """Post a journal, or nothing of it.

    Raises:
        DocumentRefusedError: It has too many project lines (E15), a project is closed (E8) or has no
            contract (E16), or a line is not complete.
    """
    company, number = journal["dataAreaId"], journal["JournalBatchNumber"]
    lines = books.find(_LINES, dataAreaId=company, JournalBatchNumber=number, IsPosted="No")
    on_projects = sum(bool(line["ProjectId"]) for line in lines)
    if on_projects > MOST_PROJECT_LINES:
        raise DocumentRefusedError(
            "E15",
            f"A maximum of {MOST_PROJECT_LINES} project-based lines are supported: general journal {number} "
            f"has {on_projects}. Split the journal and post its parts.",
        )
    require_open(books, lines)
    for line in lines:
        _post_line(books, line)


def _post_line(books: Books, line: Row) -> None:
    company = line["dataAreaId"]
    wanted = day_of(line["TransactionDate"])
    if wanted is None:
        raise DocumentRefusedError("R505", f"Line {line['LineNumber']} has no transaction date. Enter it.")
    day = accounting_date(books, company, wanted)
    voucher = books.next_number(company, "GeneralJournalVoucher")
    amount = money(line["Quantity"] * line["CostPrice"], line["CurrencyCode"])
    cost = Cost(
        _COST if line["ProjectId"] else NO_PROJECT,
        amount,
        Decimal(0),
        line["CurrencyCode"],
        wanted,
        line["ProjectId"],
        text=line["Text"],
    )
    booked = accounting_amount(books, company, amount, cost.currency, day)
    post_voucher(books, company, voucher, day, _entries(line, cost, booked), line["JournalBatchNumber"])
    if line["ProjectId"]:
        _post_project(books, line, cost, booked, day, voucher)
    books.update(_LINES, line, {"IsPosted": "Yes", "Voucher": voucher})


def _entries(line: Row, cost: Cost, booked: Decimal) -> list[Entry]:
    """Return Dr project cost / Cr the offset account that the line names, else that of the setup."""
    debit = Entry(cost.posting_type, cost.amount, cost.currency, booked, cost.project, text=cost.text)
    credit = Entry(
        _OFFSET,
        -cost.amount,
        cost.currency,
        -booked,
        cost.project,
        text=cost.text,
        main_account=line["OffsetAccount"],
    )
    return [debit, credit]


def _post_project(books: Books, line: Row, cost: Cost, booked: Decimal, day: date, voucher: str) -> None:
    """Write the project transaction, and let Dataverse hear of an expense whose cost is posted (R505)."""
    contract = _contract(books, line)
    category = line["CategoryId"] or default_category(books, line["dataAreaId"], "Expense") or ""
    exported = require_usable(books, line["dataAreaId"], _cost_type(books, line, category))
    posting = Posting(
        company=line["dataAreaId"],
        project=line["ProjectId"],
        classification=TransactionClass.EXPENSE,
        category=category,
        day=cost.day,
        accounting_day=day,
        quantity=line["Quantity"],
        currency=cost.currency,
        price=line["CostPrice"],
        amount=cost.amount,
        accounting_amount=booked,
        voucher=voucher,
        contract=contract,
        description=line["Text"],
    )
    post_cost(books, posting)
    expense = {
        **line,
        "ProjectDataAreaId": line["dataAreaId"],
        "ExpTransNumber": voucher,  # by which the import knows the cost that comes back
        "ActivityNumber": "",
        "AdditionalInformation": line["Text"],
    }
    export_expense(books, expense, cost, exported, posted_cost=True)


def _contract(books: Books, line: Row) -> str:
    project = books.first("ProjectsV2", dataAreaId=line["dataAreaId"], ProjectId=line["ProjectId"])
    if project is None or not project["ProjectContractId"]:
        raise DocumentRefusedError(
            "E16",
            f"There's no contract that exists for this project: {line['ProjectId']} on line "
            f"{line['LineNumber']} of general journal {line['JournalBatchNumber']}. Link the project to a "
            "contract, or leave it out of the journal.",
        )
    return str(project["ProjectContractId"])


def _cost_type(books: Books, line: Row, category: str) -> str:
    """Return the expense category by which Dataverse knows a project category."""
    found = expense_category(books, line["dataAreaId"], transaction_category(books, category))
    if not found:
        raise DocumentRefusedError(
            "R505",
            f"Line {line['LineNumber']} of general journal {line['JournalBatchNumber']}: '{category}' has no "
            "expense category. Choose a category of class Expense that can be used in Expense.",
        )
    return found


JOBS = {"post-general-journals": post_general_journals}
