"""On-account transactions on invoices: milestones, and retainers that come without one (R106, R405).

A milestone has its on-account transaction since it came in. A retainer has none, and neither has the
credit of a corrected milestone (R406): theirs is made when they are proposed for billing.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import TransactionClass
from sandbox.finance.rules.milestones import ON_ACCOUNT
from sandbox.finance.rules.transactions import FULLY_INVOICED, PROPOSED

_OPEN = ("NotPosted", "Posted")

Row = Mapping[str, Any]


def take(books: Books, company: str, billed: Row, original: str = "") -> dict[str, Any]:
    """Return the on-account transaction that a billed sales actual bills, marked as proposed.

    Args:
        books: Of the transaction.
        company: Legal entity.
        billed: Row of ProjActualsImports of class Milestone or Retainer.
        original: Of a credit, the on-account transaction that it takes back.
    """
    known = _open_one(books, company, billed, original) or _create(books, company, billed, original)
    return books.update(ON_ACCOUNT, known, {"TransStatus": PROPOSED})


def release(books: Books, company: str, transaction: str) -> None:
    """Let an on-account transaction wait for billing again: its proposal line was deleted (R804)."""
    row = books.get(ON_ACCOUNT, dataAreaId=company, TransId=transaction)
    books.update(ON_ACCOUNT, row, {"TransStatus": _OPEN[0]})


def invoiced(books: Books, company: str, transaction: str) -> None:
    """Mark an on-account transaction as invoiced (R805)."""
    row = books.get(ON_ACCOUNT, dataAreaId=company, TransId=transaction)
    books.update(ON_ACCOUNT, row, {"TransStatus": FULLY_INVOICED})


def _open_one(books: Books, company: str, billed: Row, original: str) -> dict[str, Any] | None:
    """Return the first open transaction of the contract line with the billed amount.

    A milestone takes a milestone's only, and a retainer or a credit what was made for one before.
    """
    rows = books.find(
        ON_ACCOUNT,
        dataAreaId=company,
        ProjID=billed["ProjectId"],
        PSAContractLineNum=billed["ContractLineId"],
        AdjRefTransId=original,
        TransactionOrigin=_origins(billed, original),
        TransStatus=_OPEN,
    )
    same = (row for row in rows if row["Amount"] == billed["Amount"])
    return next(same, None)


def _origins(billed: Row, original: str) -> tuple[str, ...]:
    if billed["TransactionClassification"] == TransactionClass.MILESTONE and not original:
        return ("Milestone", "ProgressBillingRule")
    return ("Deduction",) if billed["Amount"] < 0 else ("Prepayment",)


def _create(books: Books, company: str, billed: Row, original: str) -> dict[str, Any]:
    values = {
        "dataAreaId": company,
        "TransId": books.next_number(company, "OnAccountTransaction"),
        "ProjID": billed["ProjectId"],
        "ActivityNumber": billed["TaskNumber"],
        "Description": billed["Description"],
        "CurrencyId": billed["TransactionCurrencyId"],
        "TransDate": billed["DocumentDate"],
        "Qty": billed["Quantity"],
        "TotalSalesAmountCur": billed["Amount"],
        "Amount": billed["Amount"],
        "TransactionOrigin": _origins(billed, original)[0],
        "PSAContractLineNum": billed["ContractLineId"],
        "PSAIsOnAccount": "Yes",
        "AdjRefTransId": original,
    }
    return books.insert(ON_ACCOUNT, values)
