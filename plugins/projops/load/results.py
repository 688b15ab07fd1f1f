"""From what a system said of a row to what it means for the load."""

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


def outcome_of(row: RowOutcome, target_id: str | None = None) -> Outcome:
    """Say what an answer means for the load.

    Args:
        row: What the system said.
        target_id: GUID under which a row was written, where the answer does not tell it.
    """
    return Outcome(_RESULTS[row.status], row.entity_id or target_id, row.code, row.message)
