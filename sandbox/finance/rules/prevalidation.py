"""Actuals prevalidation: what came in is compared with Dataverse before it is imported (R612)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.connections import chunks
from sandbox.finance.rules.staging import waiting_states
from sandbox.rules.hooks import Row

WAIT = timedelta(minutes=5)
"""How long an actual rests before it is compared: Dataverse may still be sending (R612)."""

_COMPARED = {
    "Quantity": "msdyn_quantity",
    "UnitPrice": "msdyn_price",
    "Amount": "msdyn_amount",
    "TransactionClassification": "msdyn_transactionclassification",
}


@dataclass(frozen=True, slots=True)
class Prevalidated:
    """Actuals by what the comparison says.

    Attributes:
        valid: To be imported.
        resting: Came in less than five minutes ago; the next import looks at them.
        invalid: Differ from Dataverse, each with the sentence that says in what.
    """

    valid: Sequence[dict[str, Any]]
    resting: Sequence[dict[str, Any]]
    invalid: Sequence[tuple[dict[str, Any], str]]


def prevalidate(books: Books, company: str, actuals: Sequence[dict[str, Any]]) -> Prevalidated:
    """Compare actuals with Dataverse (R612, E7)."""
    states = waiting_states(books, company)
    due = {row["ActualsImportId"] for row in actuals if not rests(books, states[row["ActualsImportId"]])}
    rested = [row for row in actuals if row["ActualsImportId"] in due]
    sources = _sources(books, [row["ActualId"] for row in rested])
    compared = [(row, _discrepancy(row, sources.get(row["ActualId"]))) for row in rested]
    return Prevalidated(
        valid=[row for row, difference in compared if difference is None],
        resting=[row for row in actuals if row["ActualsImportId"] not in due],
        invalid=[(row, difference) for row, difference in compared if difference is not None],
    )


def rests(books: Books, state: Row) -> bool:
    """Whether an actual came in so lately that it is not compared yet (R612)."""
    return books.now - datetime.fromisoformat(state["ReceivedDateTime"]) < WAIT


def _sources(books: Books, actuals: Sequence[str]) -> Mapping[str, Row]:
    rows: Iterable[Row] = (
        row for part in chunks(actuals) for row in books.dataverse("msdyn_actual", msdyn_actualid=part)
    )
    return {row["msdyn_actualid"]: row for row in rows}


def _discrepancy(actual: Row, source: Row | None) -> str | None:
    """Say in what an actual differs from its source, None where it does not."""
    if source is None:
        return f"Unable to look up msdyn_actuals with values {actual['ActualId']}: it is not in Dataverse."
    differing = [ours for ours, theirs in _COMPARED.items() if (source[theirs] or 0) != actual[ours]]
    if not differing:
        return None
    return (
        f"Actual {actual['ActualId']} is invalid: it differs from Dataverse in {', '.join(differing)}. "
        "Synchronize it again, then import from staging."
    )
