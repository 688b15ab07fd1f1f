"""*Import from staging*: waiting actuals become lines of the integration journal, or of proposals."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import messages, staging
from sandbox.finance.rules.accounting import BILLED_SALES, COST
from sandbox.finance.rules.connections import chunks
from sandbox.finance.rules.documents import legal_entities
from sandbox.finance.rules.import_setup import ActualRefusedError, ImportSetup, read_setup
from sandbox.finance.rules.integration_journals import LINES, OpenJournals
from sandbox.finance.rules.journal_lines import journal_lines
from sandbox.finance.rules.lending import parties
from sandbox.finance.rules.line_amounts import Line
from sandbox.finance.rules.periods import PeriodClosedError
from sandbox.finance.rules.posted_costs import PostedCosts
from sandbox.finance.rules.prevalidation import prevalidate
from sandbox.finance.rules.proposals import import_lines
from sandbox.finance.rules.related_vouchers import relate
from sandbox.rules.hooks import Row
from sandbox.store.defaults import ZERO_GUID

JOB = "import-from-staging"

_TAX = "Tax"
_VOUCHERS = "IntegrationJournalVoucher"


@dataclass(frozen=True, slots=True)
class Refused:
    """An actual that waits on, with the documented error and its sentence."""

    actual: Row
    error_id: str
    sentence: str


def import_from_staging(books: Books, parameters: Row) -> dict[str, Any]:
    """Import what waits in the staging table (R601): journal lines first, then proposal lines (R802).

    An actual of which no line can be made leaves a message and waits for the next run; the others
    go on (R607).

    Args:
        books: Of the transaction.
        parameters: `company`, or nothing for all companies.

    Returns:
        By company the counts `lines`, `journals` (made), `without_line`, `refused`, `resting`,
        `duplicates`, and those of proposals; under `messages` why actuals wait, one sentence each.

    Raises:
        JobRefusedError: There is no such company.
    """
    counts: dict[str, Any] = {}
    told: list[str] = []
    for company in legal_entities(books, parameters):
        counts[company.upper()] = _import_company(books, company.lower(), told)
    return counts | {"messages": told}


def _import_company(books: Books, company: str, told: list[str]) -> dict[str, int]:
    counts: Counter[str] = Counter(
        {"lines": 0, "journals": 0, "without_line": 0, "refused": 0, "resting": 0, "duplicates": 0}
    )
    waiting = staging.unprocessed(books, company)
    if waiting:
        setup = read_setup(books, company)
        actuals, refused = _admit(books, setup, waiting, counts)
        refused += _import_actuals(books, setup, actuals, counts)
        counts["refused"] = len(refused)
        _tell(books, company, refused, told)
    return dict(counts) | import_lines(books, company)


def _admit(
    books: Books, setup: ImportSetup, waiting: Sequence[dict[str, Any]], counts: Counter[str]
) -> tuple[list[dict[str, Any]], list[Refused]]:
    """Leave out what came in twice, what rests, and what differs from Dataverse (R612)."""
    actuals = _once(books, setup.company, waiting)
    counts["duplicates"] = len(waiting) - len(actuals)
    if not setup.parameters.prevalidates:
        return actuals, []
    compared = prevalidate(books, setup.company, actuals)
    for actual, _ in compared.invalid:
        staging.mark(books, setup.company, actual["ActualsImportId"], IsInvalid="Yes")
    counts["resting"] = len(compared.resting)
    return list(compared.valid), [Refused(row, "E7", difference) for row, difference in compared.invalid]


def _once(books: Books, company: str, waiting: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mark actuals that came in before under another import id, and leave them out [INF]."""
    first: dict[str, str] = {}
    for part in chunks([row["ActualId"] for row in waiting if row["ActualId"] != ZERO_GUID]):
        for row in books.find(staging.ACTUALS, dataAreaId=company, ActualId=part):
            first.setdefault(row["ActualId"], row["ActualsImportId"])
    again = {
        row["ActualsImportId"]
        for row in waiting
        if first.get(row["ActualId"], row["ActualsImportId"]) != row["ActualsImportId"]
    }
    for actual in again:
        staging.mark(books, company, actual, IsDuplicate="Yes")
    return [row for row in waiting if row["ActualsImportId"] not in again]


def _import_actuals(
    books: Books, setup: ImportSetup, actuals: Iterable[dict[str, Any]], counts: Counter[str]
) -> list[Refused]:
    """Write the lines of actuals; return those of which none can be made."""
    posted = PostedCosts(books, setup.company)
    refused: list[Refused] = []
    lines: list[Line] = []
    for actual in (row for row in actuals if row["TransactionType"] != BILLED_SALES):
        if _needs_no_line(posted, actual):
            staging.mark(books, setup.company, actual["ActualsImportId"], IsProcessed="Yes")
            counts["without_line"] += 1
            continue
        try:
            lines += journal_lines(setup, actual)
        except (ActualRefusedError, PeriodClosedError) as problem:
            refused.append(Refused(actual, problem.error_id, str(problem)))
    _write(books, setup, lines, counts)
    return refused


def _needs_no_line(posted: PostedCosts, actual: Row) -> bool:
    """Whether an actual is booked elsewhere, or already.

    Finance reckons taxes itself [INF]; the borrower's cost of an intercompany transaction is booked
    with the lender's invoice (R1201, R1203); some costs Finance has posted before Dataverse knew of
    them (R505); what was journalised before the integration began stays as it is (R601).
    """
    if actual["IsJournalized"] == "Yes" or actual["TransactionType"] == _TAX:
        return True
    return actual["TransactionType"] == COST and (parties(actual).differ or posted.has(actual))


def _write(books: Books, setup: ImportSetup, lines: Sequence[Line], counts: Counter[str]) -> None:
    """Give lines their journals and vouchers, and write them (R602, R603, R605)."""
    journals = OpenJournals(books, setup.company, setup.parameters)
    for line in lines:
        line["Voucher"] = books.next_number(setup.company, _VOUCHERS)
    relate(books, setup.company, lines)
    states = staging.waiting_states(books, setup.company) if lines else {}
    for line in lines:
        place = journals.place(line)
        books.insert(LINES, {**line, **place})
        if line["ActualsImportId"] != ZERO_GUID:
            _settle(books, states[line["ActualsImportId"]], place)
    journals.close()
    _close_messages(books, setup.company, lines)
    counts["lines"] += len(lines)
    counts["journals"] += journals.made


def _settle(books: Books, state: Row, place: Mapping[str, str | int]) -> None:
    """Note where an actual has gone."""
    where = {"JournalId": place["JournalId"], "JournalLineNumber": place["LineNumber"]}
    books.update(staging.STATES, state, {"IsProcessed": "Yes", **where})


def _close_messages(books: Books, company: str, lines: Iterable[Line]) -> None:
    """Close what was said before of actuals that have lines now."""
    imported = {line["ActualsImportId"] for line in lines} - {ZERO_GUID}
    for actual in {row["ActualsImportId"] for row in messages.open_messages(books, company)} & imported:
        messages.resolve(books, company, actual=actual)


def _tell(books: Books, company: str, refused: Sequence[Refused], told: list[str]) -> None:
    """Leave a message for each actual that waits on; an older one of another cause is closed."""
    before = {row["ActualsImportId"] for row in messages.open_messages(books, company)}
    for it in refused:
        actual = it.actual["ActualsImportId"]
        if actual in before:
            messages.resolve(books, company, actual=actual)
        messages.note(books, company, it.error_id, it.sentence, JOB, actual=actual)
        told.append(it.sentence)


JOBS = {JOB: import_from_staging}
