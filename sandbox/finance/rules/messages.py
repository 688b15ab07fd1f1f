"""Messages of the project integration workspace: what a job could not do, and why.

A cause has one message, however often a job meets it: it stays open until a later job passes, and
opens again when the cause comes back.
"""

from typing import Any
from uuid import UUID, uuid5

from sandbox.finance.books import Books
from sandbox.store.defaults import ZERO_GUID

MESSAGES = "ProjectIntegrationMessages"

_CAUSES = UUID("0f5e0c0e-53a4-5f0f-9d4b-1c8a3f6f7b52")
_TEXT_LENGTH = 1000
_ID_LENGTH = 20


def note(
    books: Books,
    company: str,
    error_id: str,
    text: str,
    job: str,
    actual: str = ZERO_GUID,
    document: str = "",
) -> None:
    """Write the message of a cause, or refresh and reopen the one that there is.

    Args:
        books: Finance.
        company: Legal entity in which the job ran.
        error_id: Id of the documented error (E9), or of the rule where none is documented (R607).
        text: One sentence with the facts and what to do; what is longer than 1,000 characters is cut.
        job: Name of the job.
        actual: ActualsImportId of the actual that it is about.
        document: Number of the document (journal, proposal, invoice) that it is about.
    """
    key = {"dataAreaId": company.lower(), "MessageId": _message_id(company, error_id, actual, document)}
    values = {
        "MessageText": text[:_TEXT_LENGTH],
        "JobName": job,
        "Severity": "Error",
        "CreatedDateTime": books.now,
        "Resolved": "No",
    }
    known = books.first(MESSAGES, **key)
    if known is not None:
        books.update(MESSAGES, known, values)
        return
    cause = {"ErrorId": error_id, "ActualsImportId": actual, "DocumentNumber": document}
    books.insert(MESSAGES, key | cause | values)


def resolve(
    books: Books,
    company: str,
    actual: str | None = None,
    document: str | None = None,
    error_id: str | None = None,
    job: str | None = None,
) -> int:
    """Close the open messages about an actual, a document, an error, of a job: all that are named together.

    Returns:
        How many messages were closed.
    """
    named = {
        "ActualsImportId": actual,
        "DocumentNumber": document,
        "ErrorId": error_id,
        "JobName": job,
    }
    where: dict[str, Any] = {column: value for column, value in named.items() if value is not None}
    rows = books.find(MESSAGES, dataAreaId=company, Resolved="No", **where)
    for row in rows:
        books.update(MESSAGES, row, {"Resolved": "Yes", "ResolvedDateTime": books.now})
    return len(rows)


def open_messages(books: Books, company: str) -> list[dict[str, Any]]:
    """Return the open messages of a company."""
    return books.find(MESSAGES, dataAreaId=company, Resolved="No")


def _message_id(company: str, error_id: str, actual: str, document: str) -> str:
    """Return the id that a cause always has, so that its message is found by key."""
    return uuid5(_CAUSES, f"{company}/{error_id}/{actual}/{document}".lower()).hex[:_ID_LENGTH]
