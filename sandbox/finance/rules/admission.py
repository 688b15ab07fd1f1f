"""Which waiting actuals an import looks at: each once, rested, and as Dataverse has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import staging
from sandbox.finance.rules.connections import chunks
from sandbox.finance.rules.parameters import Parameters
from sandbox.finance.rules.prevalidation import prevalidate
from sandbox.rules.hooks import Row
from sandbox.store.defaults import ZERO_GUID


@dataclass(frozen=True, slots=True)
class Refused:
    """An actual that waits on.

    Attributes:
        actual: Its staging row.
        error_id: Of the documented error (E8), or of the rule where none is documented (R607).
        sentence: What is the matter and what to do.
    """

    actual: Row
    error_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """Waiting actuals, sorted out.

    Attributes:
        actuals: To be imported.
        refused: Those that differ from Dataverse (R612).
        resting: How many came in too lately to be compared (R612).
        duplicates: How many came in before under another import id.
    """

    actuals: Sequence[dict[str, Any]]
    refused: Sequence[Refused] = ()
    resting: int = 0
    duplicates: int = 0


def admit(books: Books, company: str, parameters: Parameters, waiting: Sequence[dict[str, Any]]) -> Admitted:
    """Mark what came in twice, and what differs from Dataverse (R612); return the others."""
    actuals = _once(books, company, waiting)
    duplicates = len(waiting) - len(actuals)
    if not parameters.prevalidates:
        return Admitted(actuals, duplicates=duplicates)
    compared = prevalidate(books, company, actuals)
    for actual, _ in compared.invalid:
        staging.mark(books, company, actual["ActualsImportId"], IsInvalid="Yes")
    refused = [Refused(actual, "E7", difference) for actual, difference in compared.invalid]
    return Admitted(compared.valid, refused, len(compared.resting), duplicates)


def _once(books: Books, company: str, waiting: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mark actuals that came in before under another import id, and leave them out [INF]."""
    first: dict[str, str] = {}
    for part in chunks([row["ActualId"] for row in waiting if row["ActualId"] != ZERO_GUID]):
        for row in books.find(staging.ACTUALS, dataAreaId=company, ActualId=part):
            first.setdefault(row["ActualId"], row["ActualsImportId"])
    kept = [
        row for row in waiting if first.get(row["ActualId"], row["ActualsImportId"]) == row["ActualsImportId"]
    ]
    known = {row["ActualsImportId"] for row in kept}
    for row in waiting:
        if row["ActualsImportId"] not in known:
            staging.mark(books, company, row["ActualsImportId"], IsDuplicate="Yes")
    return kept
