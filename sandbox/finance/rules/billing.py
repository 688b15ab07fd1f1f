"""What billed sales rest on: posted unbilled sales, an on-account transaction, or an invoice to credit.

R802: an invoice proposal has its lines only when all of that is there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import transactions
from sandbox.finance.rules.accounting import ON_ACCOUNT_CLASSES
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
JOURNAL_LINES = "ProjectIntegrationJournalLines"


@dataclass(frozen=True, slots=True)
class Basis:
    """A billed sales actual with what it rests on.

    Attributes:
        billed: Row of ProjActualsImports.
        ready: Whether everything that it rests on is posted.
        transaction: ProjectTransactions row of the unbilled sales that it bills, or None.
        credited: Proposal line that it takes back (R406), or None.
    """

    billed: Row
    ready: bool
    transaction: Row | None = None
    credited: Row | None = None

    @property
    def on_account(self) -> bool:
        """Whether it bills a milestone or a retainer, which have no unbilled sales (R405)."""
        return self.billed["TransactionClassification"] in ON_ACCOUNT_CLASSES


def read_bases(books: Books, company: str, billed: Sequence[Row]) -> list[Basis]:
    """Return what billed sales rest on, in their order (R802).

    - Of a credit the original billed sales must be posted.
    - A milestone or a retainer rests on nothing that a journal posts.
    - Anything else rests on unbilled sales: there is at least one, each has come in and is posted, and
      so is the fee line that was made for it, if any (R613).
    """
    partners = connected(books, [str(each["ActualId"]) for each in billed])
    posted = _transactions(books, company, partners)
    fees = _waiting_fees(books, company)
    credited = _credited(books, company, partners)
    return [_basis(each, partners, posted, fees, credited) for each in billed]


def _basis(
    billed: Row, partners: Connected, posted: Mapping[str, Row], fees: set[str], credited: Mapping[str, Row]
) -> Basis:
    actual = str(billed["ActualId"])
    if partners.ids(actual, ORIGINAL, REVERSING):
        originals = partners.rows(actual, ORIGINAL, REVERSING)
        line = next((credited.get(str(row["ActualsImportId"])) for row in originals), None)
        return Basis(billed, bool(originals and line and originals[0]["VoucherNumber"]), credited=line)
    if billed["TransactionClassification"] in ON_ACCOUNT_CLASSES:
        return Basis(billed, ready=True)
    unbilled = [str(row["ActualsImportId"]) for row in partners.rows(actual, UNBILLED_SALES)]
    found = [posted[each] for each in unbilled if each in posted]
    expected = len(partners.ids(actual, UNBILLED_SALES))
    ready = bool(found) and len(found) == expected and fees.isdisjoint(unbilled)
    return Basis(billed, ready, transaction=found[0] if found else None)


def _transactions(books: Books, company: str, partners: Connected) -> dict[str, Row]:
    """Return posted transactions by the import id of their unbilled sales."""
    actuals = [
        str(row["ActualsImportId"]) for row in partners.staged.values() if row["TransactionType"] == "Sales"
    ]
    found: dict[str, Row] = {}
    for part in chunks(actuals):
        found |= transactions.of_sales(books, company, part)
    return found


def _credited(books: Books, company: str, partners: Connected) -> dict[str, Row]:
    """Return the proposal lines of billed sales that some billed sales may credit, by import id."""
    actuals = [
        str(row["ActualsImportId"])
        for row in partners.staged.values()
        if row["TransactionType"] == "BilledSales"
    ]
    rows = (
        row for part in chunks(actuals) for row in books.find(LINES, dataAreaId=company, ActualsImportId=part)
    )
    return {str(row["ActualsImportId"]): row for row in rows}


def _waiting_fees(books: Books, company: str) -> set[str]:
    """Return the actuals whose extra fee line is not posted yet (R613)."""
    states = ("Draft", "Error", "Processing", "Unrecoverable", "InvalidActuals")
    lines = books.find(JOURNAL_LINES, dataAreaId=company, LineStatus=states)
    return {str(line["SourceActualId"]) for line in lines}
