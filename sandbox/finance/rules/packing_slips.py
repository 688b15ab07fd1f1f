"""Packing slips of item requirements: Finance posts the material's cost, Dataverse hears of the usage.

The cost actual that Dataverse makes of the usage becomes no journal line: it is posted already (R505).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import TransactionClass
from sandbox.finance.rules.documents import (
    DocumentRefusedError,
    PostingJob,
    accounting_amount,
    post_documents,
)
from sandbox.finance.rules.ledger import Entry, post_voucher
from sandbox.finance.rules.periods import accounting_date
from sandbox.finance.rules.project_stages import require_open
from sandbox.finance.rules.purchase_categories import category_of_product
from sandbox.finance.rules.transactions import Posting, post_cost
from sandbox.rules.days import day_of
from sandbox.rules.hooks import Row
from sandbox.rules.money import money

_LINES, _EXPORT = "PackingSlipLines", "ProjMaterialUsageExports"


def post_packing_slips(books: Books, parameters: Row) -> dict[str, Any]:
    """Post all packing slips that wait: job post-packing-slips."""
    job = PostingJob("post-packing-slips", "R505", "PackingSlipNumber", _slips, _post)
    return post_documents(books, parameters, job)


def _slips(books: Books, company: str) -> Sequence[Row]:
    """Return the first line of each packing slip with lines that are not posted."""
    waiting = books.find(_LINES, dataAreaId=company, IsPosted="No")
    return list({row["PackingSlipNumber"]: row for row in reversed(waiting)}.values())[::-1]


def _post(books: Books, slip: Row) -> None:
    """Post a slip in one voucher: Dr project cost / Cr cost of the items (R703)."""
    company, number = slip["dataAreaId"], slip["PackingSlipNumber"]
    lines = books.find(_LINES, dataAreaId=company, PackingSlipNumber=number, IsPosted="No")
    wanted = day_of(slip["PackingSlipDate"])
    if wanted is None or not all(line["ProjectId"] and line["ItemNumber"] for line in lines):
        raise DocumentRefusedError(
            "R505", f"Packing slip {number} lacks a date, a project or an item. Complete its lines."
        )
    require_open(books, lines)
    day = accounting_date(books, company, wanted)
    voucher = books.next_number(company, "PackingSlipVoucher")
    costs = [_cost(books, line, (wanted, day), voucher) for line in lines]
    entries = [entry for cost in costs for entry in _entries(cost)]
    post_voucher(books, company, voucher, day, entries, number)
    for line, cost in zip(lines, costs, strict=True):
        post_cost(books, cost)
        books.insert(_EXPORT, _usage(books, line))
        books.update(_LINES, line, {"IsPosted": "Yes", "Voucher": voucher})


def _cost(books: Books, line: Row, days: tuple[date, date], voucher: str) -> Posting:
    """Return the project cost of a line; the days are those of the slip and of its voucher."""
    company, currency = line["dataAreaId"], line["CurrencyCode"]
    amount = money(line["Quantity"] * line["CostPrice"], currency)
    project = books.first("ProjectsV2", dataAreaId=company, ProjectId=line["ProjectId"])
    if project is None:
        raise DocumentRefusedError(
            "R505",
            f"Packing slip {line['PackingSlipNumber']} names the project {line['ProjectId']}, which is none "
            f"of the company {company.upper()}. Correct the line.",
        )
    return Posting(
        company=company,
        project=line["ProjectId"],
        classification=TransactionClass.MATERIAL,
        category=category_of_product(books, company, line["ItemNumber"]),
        day=days[0],
        accounting_day=days[1],
        quantity=line["Quantity"],
        currency=currency,
        price=line["CostPrice"],
        amount=amount,
        accounting_amount=accounting_amount(books, company, amount, currency, days[1]),
        voucher=voucher,
        contract=project["ProjectContractId"],
        activity=line["ActivityNumber"],
    )


def _entries(cost: Posting) -> list[Entry]:
    return [
        Entry(posting_type, sign * cost.amount, cost.currency, sign * cost.accounting_amount, cost.project)
        for posting_type, sign in (("ProjectCost", Decimal(1)), ("CostItem", Decimal(-1)))
    ]


def _usage(books: Books, line: Row) -> dict[str, Any]:
    """Return what Dataverse gets to know: the material that a project has used (map M24)."""
    return {
        "dataAreaId": line["dataAreaId"],
        "MaterialUsageId": books.next_number(line["dataAreaId"], "MaterialUsage"),
        "ProjectId": line["ProjectId"],
        "ActivityNumber": line["ActivityNumber"],
        "ItemNumber": line["ItemNumber"],
        "Quantity": line["Quantity"],
        "UnitSymbol": line["UnitSymbol"],
        "CostPrice": line["CostPrice"],
        "CurrencyCode": line["CurrencyCode"],
        "PackingSlipDate": line["PackingSlipDate"],
    }


JOBS = {"post-packing-slips": post_packing_slips}
