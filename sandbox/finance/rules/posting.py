"""Posting of the integration journal (R701, R702, R704).

Good lines post, each with its voucher and project transaction; bad lines move to a journal of their
own, where they stay until someone sets it back to draft.
"""

from collections.abc import Sequence
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules import messages, staging
from sandbox.finance.rules.documents import legal_entities
from sandbox.finance.rules.integration_journals import JOURNALS, LINES
from sandbox.finance.rules.line_posting import JournalPosting, open_posting
from sandbox.finance.rules.periods import PeriodClosedError
from sandbox.rules.hooks import Row
from sandbox.store.tables import REC_ID
from sandbox.store.types import instant_text

JOB = "post-integration-journal"
BATCH_LINES = 100
"""A journal of more lines is posted in batch by itself (R701)."""

Failure = tuple[dict[str, Any], str]


def post_journals(books: Books, parameters: Row) -> dict[str, Any]:
    """Post every journal that is a draft (R701).

    Args:
        books: Of the transaction.
        parameters: `company`, or nothing for all companies.

    Returns:
        By company the counts `journals`, `in_batch` (journals of more than 100 lines), `posted` and
        `failed` (lines); under `messages` why lines failed, one sentence each.

    Raises:
        JobRefusedError: There is no such company.
    """
    counts: dict[str, Any] = {}
    told: list[str] = []
    for company in legal_entities(books, parameters):
        counts[company.upper()] = _post_company(books, company, told)
    return counts | {"messages": told}


def update_to_draft(books: Books, parameters: Row) -> dict[str, Any]:
    """Set journals with errors and their lines back to draft, so that they are posted again (R702).

    Args:
        books: Of the transaction.
        parameters: `company` and `journal`, its number; nothing for all.

    Raises:
        JobRefusedError: There is no such company.
    """
    named = {"JournalId": parameters["journal"]} if parameters.get("journal") else {}
    counts: dict[str, Any] = {}
    for company in legal_entities(books, parameters):
        journals = books.find(JOURNALS, dataAreaId=company, JournalStatus="Error", **named)
        lines = [_to_draft(books, journal) for journal in journals]
        counts[company.upper()] = {"journals": len(journals), "lines": sum(lines)}
    return counts | {"messages": []}


def _to_draft(books: Books, journal: Row) -> int:
    place = {"dataAreaId": journal["dataAreaId"], "JournalId": journal["JournalId"]}
    lines = books.find(LINES, LineStatus="Error", **place)
    for line in lines:
        books.update(LINES, line, {"LineStatus": "Draft", "MessageText": ""})
    books.update(JOURNALS, journal, {"JournalStatus": "Draft"})
    return len(lines)


def _post_company(books: Books, company: str, told: list[str]) -> dict[str, int]:
    counts = {"journals": 0, "in_batch": 0, "posted": 0, "failed": 0}
    failed_before = {row["ActualsImportId"] for row in messages.open_messages(books, company)}
    for journal in books.find(JOURNALS, dataAreaId=company, JournalStatus="Draft"):
        posted, failures = _post_journal(books, journal)
        told += [reason for _, reason in failures]
        for line in posted:
            if line["ActualsImportId"] in failed_before:
                messages.resolve(books, company, line["ActualsImportId"], line["Voucher"], "E14")
        counts["journals"] += 1
        counts["in_batch"] += len(posted) + len(failures) > BATCH_LINES
        counts["posted"] += len(posted)
        counts["failed"] += len(failures)
    return counts


def _post_journal(books: Books, journal: Row) -> tuple[list[dict[str, Any]], list[Failure]]:
    """Post the lines of a journal that are drafts; return those that did, and those that failed."""
    company = str(journal["dataAreaId"])
    lines = books.find(LINES, dataAreaId=company, JournalId=journal["JournalId"], LineStatus="Draft")
    if not lines:
        return [], []
    journal = books.update(JOURNALS, journal, {"JournalStatus": "Processing"})
    posting = open_posting(books, company, lines)
    reasons = [(line, _attempt(books, posting, line)) for line in lines]
    posted = [line for line, reason in reasons if reason is None]
    failures = [(line, reason) for line, reason in reasons if reason is not None]
    _close(books, journal, len(posted), failures)
    return posted, failures


def _attempt(books: Books, posting: JournalPosting, line: Row) -> str | None:
    """Post a line in a savepoint of its own; return why it failed, None where it is posted."""
    try:
        with books.savepoint():
            posting.post(books, line)
    except (FinanceError, PeriodClosedError) as failed:
        return _failure(line, str(failed))
    return None


def _failure(line: Row, reason: str) -> str:
    """Word E14."""
    return (
        f"Integration journal ({line['JournalId']}): Line with RecId ({line[REC_ID]}) and Voucher "
        f"({line['Voucher']}) failed to post due to ({reason})."
    )


def _close(books: Books, journal: Row, posted: int, failures: Sequence[Failure]) -> None:
    """Give a journal its state; lines that failed beside good ones go to a journal of their own (R701)."""
    if not failures:
        _finish(books, journal, posted)
        return
    target = _split_off(books, journal, len(failures)) if posted else journal
    for number, (line, reason) in enumerate(failures, start=1):
        books.update(LINES, line, {"LineStatus": "Error", "MessageText": reason[:1000]})
        if posted:
            _move(books, line, str(target["JournalId"]), number)
        _tell(books, line, reason)
    if posted:
        _finish(books, journal, posted)
    else:
        books.update(JOURNALS, journal, {"JournalStatus": "Error"})


def _split_off(books: Books, journal: Row, lines: int) -> dict[str, Any]:
    values = {
        "dataAreaId": journal["dataAreaId"],
        "JournalId": books.next_number(journal["dataAreaId"], "IntegrationJournal"),
        "Description": journal["Description"],
        "JournalStatus": "Error",
        "PeriodStart": journal["PeriodStart"],
        "PeriodEnd": journal["PeriodEnd"],
        "NumberOfLines": lines,
        "OriginalJournalId": journal["OriginalJournalId"] or journal["JournalId"],
    }
    return books.insert(JOURNALS, values)


def _move(books: Books, line: Row, journal: str, number: int) -> None:
    books.update(LINES, line, {"JournalId": journal, "LineNumber": number})
    place = {"JournalId": journal, "JournalLineNumber": number}
    staging.mark(books, str(line["dataAreaId"]), str(line["ActualsImportId"]), **place)


def _tell(books: Books, line: Row, reason: str) -> None:
    company, actual = str(line["dataAreaId"]), str(line["ActualsImportId"])
    messages.note(books, company, "E14", reason, JOB, actual=actual, document=str(line["Voucher"]))


def _finish(books: Books, journal: Row, lines: int) -> None:
    values = {"JournalStatus": "Posted", "NumberOfLines": lines, "PostedDateTime": instant_text(books.now)}
    books.update(JOURNALS, journal, values)


JOBS = {JOB: post_journals, "update-journal-to-draft": update_to_draft}
