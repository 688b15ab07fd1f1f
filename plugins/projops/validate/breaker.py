"""The circuit breaker: a leg stops before anything is loaded when too many of its rows are bad."""

from projops.errors import BreakerOpenError

DEFAULT_SHARE = 0.20
DEFAULT_ROWS = 50


def check_breaker(
    rejected: int, total: int, share: float = DEFAULT_SHARE, rows: int = DEFAULT_ROWS, *, leg: str = ""
) -> None:
    """Let a batch pass unless both limits are exceeded.

    Args:
        rejected: Rows set aside in the batch.
        total: Rows read in the batch.
        share: Share of bad rows that is still allowed.
        rows: Number of bad rows that is always allowed.
        leg: Name of the leg, for the message.

    Raises:
        BreakerOpenError: More than `rows` rows and more than `share` of all are bad.
    """
    if rejected > rows and rejected > share * total:
        raise BreakerOpenError(
            f"{rejected} of {total} rows{f' of {leg}' if leg else ''} are bad, "
            f"more than {share:.0%} and more than {rows}: nothing of this batch was loaded.",
            remedy="Look at the dead letters, correct the source or the mapping, then clear the task.",
            leg=leg or None,
            rejected=rejected,
            total=total,
        )
