"""What billed sales rest on: posted unbilled sales, an on-account transaction, or an invoice to credit.

R802: an invoice proposal has its lines only when all of that is there.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.finance.books import Books
from sandbox.finance.rules import integration_journals, transactions
from sandbox.finance.rules.accounting import BILLED_SALES, ON_ACCOUNT_CLASSES, SALES
from sandbox.finance.rules.connections import (
    ORIGINAL,
    REVERSING,
    UNBILLED_SALES,
    Connected,
    chunks,
    connected,
)

Row = Mapping[str, Any]
LINES = "ProjectInvoiceProposalLines"
_T = TypeVar("_T")
_UNPOSTED = ("Draft", "Error", "Processing", "Unrecoverable", "InvalidActuals")


@dataclass(frozen=True, slots=True)
class Basis:
    """A billed sales actual with what it rests on.

    Attributes:
        billed: Row of ProjActualsImports.
        ready: Whether everything that it rests on is posted.
        transaction: ProjectTransactions row of the unbilled sales that it bills, or None.
        extras: ProjectTransactions rows of the fee and the discount made for these (R613).
        credited: Proposal lines that it takes back (R406).
    """

    billed: Row
    ready: bool
    transaction: Row | None = None
    extras: Sequence[Row] = ()
    credited: Sequence[Row] = ()


@dataclass(frozen=True)
class _Posted:
    """What is posted around the billed sales of an invoice, by import id."""

    partners: Connected
    sales: Mapping[str, Row]
    extras: Mapping[str, Sequence[Row]]
    waiting: set[str]
    lines: Mapping[str, Sequence[Row]]


def read_bases(books: Books, company: str, billed: Sequence[Row]) -> list[Basis]:
    """Return what billed sales rest on, in their order (R802).

    - Of a credit the original billed sales must be posted.
    - A milestone or a retainer rests on nothing that a journal posts (R405).
    - Anything else rests on unbilled sales: there is at least one, each has come in and is posted, and
      so is the fee or discount line that was made for it, if any (R613).
    """
    partners = connected(books, [str(each["ActualId"]) for each in billed])
    unbilled, originals = _staged(partners, SALES), _staged(partners, BILLED_SALES)
    posted = _Posted(
        partners,
        _by_part(lambda part: transactions.of_sales(books, company, part), unbilled),
        _by_part(lambda part: transactions.of_sources(books, company, part), unbilled),
        _waiting_extras(books, company),
        _by_part(lambda part: _lines(books, company, part), originals),
    )
    return [_basis(each, posted) for each in billed]


def _basis(billed: Row, posted: _Posted) -> Basis:
    actual, partners = str(billed["ActualId"]), posted.partners
    if partners.ids(actual, ORIGINAL, REVERSING):
        return _credit(billed, posted)
    if billed["TransactionClassification"] in ON_ACCOUNT_CLASSES:
        return Basis(billed, ready=True)
    unbilled = [str(row["ActualsImportId"]) for row in partners.rows(actual, UNBILLED_SALES)]
    found = [posted.sales[each] for each in unbilled if each in posted.sales]
    complete = len(found) == len(partners.ids(actual, UNBILLED_SALES))
    return Basis(
        billed,
        ready=bool(found) and complete and posted.waiting.isdisjoint(unbilled),
        transaction=found[0] if found else None,
        extras=[row for each in unbilled for row in posted.extras.get(each, ())],
    )


def _credit(billed: Row, posted: _Posted) -> Basis:
    originals = posted.partners.rows(str(billed["ActualId"]), ORIGINAL, REVERSING)
    lines = [line for row in originals for line in posted.lines.get(str(row["ActualsImportId"]), ())]
    return Basis(billed, ready=bool(lines) and all(row["VoucherNumber"] for row in originals), credited=lines)


def _staged(partners: Connected, transaction_type: str) -> list[str]:
    """Return the import ids of the partners of a type that have come in."""
    rows = partners.staged.values()
    return [str(row["ActualsImportId"]) for row in rows if row["TransactionType"] == transaction_type]


def _by_part(read: Callable[[Sequence[str]], Mapping[str, _T]], actuals: Sequence[str]) -> dict[str, _T]:
    """Read by import ids, as many at once as a query can name."""
    return {key: value for part in chunks(actuals) for key, value in read(part).items()}


def _lines(books: Books, company: str, actuals: Sequence[str]) -> dict[str, list[Row]]:
    """Return proposal lines by the import id of their billed sales."""
    found: dict[str, list[Row]] = defaultdict(list)
    for line in books.find(LINES, dataAreaId=company, ActualsImportId=actuals):
        found[str(line["ActualsImportId"])].append(line)
    return found


def _waiting_extras(books: Books, company: str) -> set[str]:
    """Return the unbilled sales whose fee or discount line is not posted yet (R613)."""
    lines = books.find(integration_journals.LINES, dataAreaId=company, LineStatus=_UNPOSTED)
    return {str(line["SourceActualId"]) for line in lines}
