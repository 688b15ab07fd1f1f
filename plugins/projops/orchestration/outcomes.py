"""The table of a run, as text for its log."""

from collections.abc import Sequence

from projops.run import LegOutcome

_COUNTS = ("read", "unchanged", "loaded", "parked", "rejected", "failed")


def outcome_table(outcomes: Sequence[LegOutcome]) -> str:
    """Lay out what became of the rows of each leg, one line a leg."""
    rows: list[tuple[str, ...]] = [("map", "leg", *_COUNTS, "seconds")]
    for outcome in outcomes:
        counts = (str(getattr(outcome, name)) for name in _COUNTS)
        rows.append((outcome.map, outcome.leg, *counts, f"{outcome.seconds:.1f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def describe(outcome: LegOutcome) -> str:
    """Say in one sentence what a load did."""
    if outcome.superseded_by is not None:
        return (
            f"Batch {outcome.batch} was superseded by batch {outcome.superseded_by}, "
            "which has moved this leg on: nothing was written."
        )
    return (
        f"{outcome.read} rows read: {outcome.unchanged} in step already, {outcome.loaded} loaded, "
        f"{outcome.parked} parked, {outcome.rejected} rejected, {outcome.failed} refused by the target."
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
