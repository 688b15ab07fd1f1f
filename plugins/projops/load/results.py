"""From what a system said of a row to what it means for the load."""

from dataclasses import replace

from projops.load.documented_errors import recognise
from projops.load.target import Outcome, Result
from projops.systems.outcomes import RowOutcome, Status

_RESULTS = {
    Status.OK: Result.WRITTEN,
    Status.REJECTED: Result.REFUSED,
    Status.PARENT_MISSING: Result.WAITS,
    Status.DUPLICATE: Result.LOOK_AGAIN,
    Status.NOT_FOUND: Result.LOOK_AGAIN,
    Status.CONFLICT: Result.LOOK_AGAIN,
    Status.UNKNOWN: Result.LOOK_AGAIN,
}
# What sounds like a missing parent may be a documented refusal (E6: a line property that does not exist).
_REFUSALS = (Status.REJECTED, Status.PARENT_MISSING)


def outcome_of(row: RowOutcome, target_id: str | None = None) -> Outcome:
    """Say what an answer means for the load.

    Args:
        row: What the system said.
        target_id: GUID under which a row was written, where the answer does not tell it.
    """
    if row.status in _REFUSALS and recognise(row.message) is not None:
        return refused(f"{row.code}: {row.message}" if row.code else row.message, row.code)
    return Outcome(_RESULTS[row.status], row.entity_id or target_id, row.code, row.message)


def refused(message: str, code: str, *, retriable: bool = False) -> Outcome:
    """Give the outcome of a row that cannot go, under the id of the documented error if it is one.

    Args:
        message: One sentence for people.
        code: Rule or code where the sentence is no documented error.
        retriable: Whether each run tries the row again by itself.
    """
    return Outcome(Result.REFUSED, code=rule_of(message, code), message=message, retriable=retriable)


def out_of_luck(outcome: Outcome) -> Outcome:
    """A row that stayed without a clear answer is set aside, and tried again by the next run."""
    return replace(outcome, result=Result.REFUSED, code=outcome.code or "no_answer", retriable=True)


def rule_of(message: str, code: str) -> str:
    """Give the id of the documented error that a sentence speaks of, else the code."""
    documented = recognise(message)
    return documented.id if documented is not None else code
