"""*Import from staging*: waiting actuals become lines of the integration journal, or of proposals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import messages, staging
from sandbox.finance.rules.accounting import BILLED_SALES, COST
from sandbox.finance.rules.admission import Refused, admit
from sandbox.finance.rules.documents import legal_entities
from sandbox.finance.rules.import_setup import ActualRefusedError, ImportSetup, read_setup
from sandbox.finance.rules.integration_journals import LINES, OpenJournals
from sandbox.finance.rules.journal_lines import journal_lines
from sandbox.finance.rules.lending import parties
from sandbox.finance.rules.line_amounts import Line
from sandbox.finance.rules.periods import PeriodClosedError
from sandbox.finance.rules.posted_costs import PostedCosts
from sandbox.finance.rules.proposals import import_lines
from sandbox.finance.rules.related_vouchers import relate
from sandbox.rules.hooks import Row
from sandbox.store.defaults import ZERO_GUID

JOB = "import-from-staging"

_TAX = "Tax"
_VOUCHERS = "IntegrationJournalVoucher"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of admitted actuals.

    Attributes:
        refused: Those of which no line can be made.
        lines: How many journal lines were written.
        journals: How many journals were made for them.
        without_line: How many actuals need no line.
    """

    refused: Sequence[Refused]
    lines: int
    journals: int
    without_line: int


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
    setup = read_setup(books, company)
    admitted = admit(books, company, setup.parameters, staging.unprocessed(books, company))
    imported = _import_actuals(books, setup, admitted.actuals)
    refused = [*admitted.refused, *imported.refused]
    _update_messages(books, company, admitted.actuals, refused)
    told += [each.sentence for each in refused]
    return {
        "lines": imported.lines,
        "journals": imported.journals,
        "without_line": imported.without_line,
        "refused": len(refused),
        "resting": admitted.resting,
        "duplicates": admitted.duplicates,
    } | import_lines(books, company)


def _import_actuals(books: Books, setup: ImportSetup, actuals: Iterable[Row]) -> Imported:
    """Write the lines of actuals; billed sales are left to the proposals (R601)."""
    posted = PostedCosts(books, setup.company)
    refused: list[Refused] = []
    lines: list[Line] = []
    without_line = 0
    for actual in (row for row in actuals if row["TransactionType"] != BILLED_SALES):
        if _needs_no_line(posted, actual):
            staging.mark(books, setup.company, actual["ActualsImportId"], IsProcessed="Yes")
            without_line += 1
            continue
        try:
            lines += journal_lines(setup, actual)
        except (ActualRefusedError, PeriodClosedError) as problem:
            refused.append(Refused(actual, problem.error_id, str(problem)))
    journals = _write(books, setup, lines) if lines else 0
    return Imported(refused, len(lines), journals, without_line)


def _needs_no_line(posted: PostedCosts, actual: Row) -> bool:
    """Whether an actual is booked elsewhere, or already.

    Finance reckons taxes itself [INF]; the borrower's cost of an intercompany transaction is booked
    with the lender's invoice (R1201, R1203); some costs Finance has posted before Dataverse knew of
    them (R505); what was journalised before the integration began stays as it is (R601).
    """
    if actual["IsJournalized"] == "Yes" or actual["TransactionType"] == _TAX:
        return True
    return actual["TransactionType"] == COST and (parties(actual).differ or posted.has(actual))


def _write(books: Books, setup: ImportSetup, lines: Sequence[Line]) -> int:
    """Give lines their vouchers and journals, and write them (R602, R603, R605).

    Returns:
        How many journals were made.
    """
    for line in lines:
        line["Voucher"] = books.next_number(setup.company, _VOUCHERS)
    relate(books, setup.company, lines)
    journals = OpenJournals(books, setup.company, setup.parameters)
    states = staging.waiting_states(books, setup.company)
    for line in lines:
        place = journals.place(line)
        books.insert(LINES, {**line, **place})
        if line["ActualsImportId"] != ZERO_GUID:
            where = {"JournalId": place["JournalId"], "JournalLineNumber": place["LineNumber"]}
            books.update(staging.STATES, states[line["ActualsImportId"]], {"IsProcessed": "Yes", **where})
    journals.close()
    return journals.made


def _update_messages(books: Books, company: str, actuals: Sequence[Row], refused: Sequence[Refused]) -> None:
    """Close what was said before of the actuals that were looked at; say what is the matter now."""
    looked_at = {row["ActualsImportId"] for row in (*actuals, *(each.actual for each in refused))}
    before = {row["ActualsImportId"]: None for row in messages.open_messages(books, company)}
    for actual in before:
        if actual in looked_at:
            messages.resolve(books, company, actual=actual)
    for each in refused:
        actual = each.actual["ActualsImportId"]
        messages.note(books, company, each.error_id, each.sentence, JOB, actual=actual)


JOBS = {JOB: import_from_staging}
