"""The staging table of actuals: what has come in, and what has become of it.

ProjActualsImports holds the actuals as Dataverse sent them; what the table behind it knows besides
(whether a row was processed, and where to) stands in ProjActualsImportStates, one row an actual.
"""

from typing import Any

from sandbox.finance.books import Books
from sandbox.rules.hooks import Caller, Change, Row, Verb, effect

ACTUALS = "ProjActualsImports"
STATES = "ProjActualsImportStates"

_CHUNK = 500
_NO_LINE = {
    "JournalId": "",
    "JournalLineNumber": 0,
    "InvoiceProposalId": "",
    "InvoiceProposalLineNumber": 0,
}


def unprocessed(books: Books, company: str) -> list[dict[str, Any]]:
    """Return the actuals of a company that wait for *Import from staging*, as they came in (R601)."""
    return staged(books, company, list(waiting_states(books, company)))


def waiting_states(books: Books, company: str) -> dict[str, dict[str, Any]]:
    """Return the states of the actuals that wait, by import id, as they came in.

    Duplicates and actuals that prevalidation found invalid (R612) do not wait.
    """
    waiting = books.find(STATES, dataAreaId=company, IsProcessed="No", IsDuplicate="No", IsInvalid="No")
    return {state["ActualsImportId"]: state for state in waiting}


def staged(books: Books, company: str, actuals: list[str]) -> list[dict[str, Any]]:
    """Return the staging rows of actuals by their import ids, in the order in which they came in."""
    return [
        row
        for start in range(0, len(actuals), _CHUNK)
        for row in books.find(ACTUALS, dataAreaId=company, ActualsImportId=actuals[start : start + _CHUNK])
    ]


def state_of(books: Books, company: str, actual: str) -> dict[str, Any] | None:
    """Return the state of an actual by its import id, None for one that never came in."""
    return books.first(STATES, dataAreaId=company, ActualsImportId=actual)


def states_of(books: Books, company: str, actuals: list[str]) -> dict[str, dict[str, Any]]:
    """Return the states of actuals by their import ids."""
    return {
        state["ActualsImportId"]: state
        for start in range(0, len(actuals), _CHUNK)
        for state in books.find(STATES, dataAreaId=company, ActualsImportId=actuals[start : start + _CHUNK])
    }


def mark(books: Books, company: str, actual: str, **values: object) -> None:
    """Change the state of an actual: `IsProcessed="Yes", JournalId="USPM-000001"`."""
    state = state_of(books, company, actual)
    if state is not None:
        books.update(STATES, state, values)


def reopen(books: Books, company: str, actual: str) -> None:
    """Let an actual wait for the next import again: its line was deleted (R611, R804)."""
    mark(books, company, actual, IsProcessed="No", **_NO_LINE)


def _receive(books: Books, change: Change) -> None:
    """Keep the state of an actual that comes in, for the first time or once more.

    What Finance itself writes on it after posting (R704) is no receipt.
    """
    row = change.after
    state = state_of(books, row["dataAreaId"], row["ActualsImportId"])
    if state is None:
        books.insert(STATES, _first_state(books, row))
    elif change.caller is not Caller.SYSTEM:
        again = {"IntegrationCount": state["IntegrationCount"] + 1, "IsInvalid": "No"}
        books.update(STATES, state, {**again, "ReceivedDateTime": books.now})


def _first_state(books: Books, row: Row) -> dict[str, Any]:
    return {
        "dataAreaId": row["dataAreaId"],
        "ActualsImportId": row["ActualsImportId"],
        "IntegrationCount": 1,
        "ActivityNumber": row["TaskNumber"],
        "ReceivedDateTime": books.now,
    }


def _forget(books: Books, change: Change) -> None:
    """Delete the state of an actual with the actual."""
    state = state_of(books, change.before["dataAreaId"], change.before["ActualsImportId"])
    if state is not None:
        books.delete(STATES, state)


HOOKS = (
    effect(ACTUALS, (Verb.CREATE, Verb.UPDATE), _receive),
    effect(ACTUALS, (Verb.DELETE,), _forget),
)
