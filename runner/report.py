"""What the demo says at its end: a table for people, JSON for checks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from projops.state.batches import Counts
from runner.proof import Proof

COUNTS = ("read", "unchanged", "loaded", "parked", "rejected", "failed")


@dataclass(frozen=True, slots=True)
class LegReport:
    """What a leg moved over the whole demo; see `projops.run.LegOutcome` for the counts."""

    map: str
    leg: str
    read: int
    unchanged: int
    loaded: int
    parked: int
    rejected: int
    failed: int
    seconds: float

    @classmethod
    def of(cls, map_id: str, leg: str, counts: Counts, seconds: float) -> "LegReport":
        """Report what the batches of a leg counted, and the seconds that they took."""
        return cls(
            map_id,
            leg,
            read=counts.read,
            unchanged=counts.unchanged,
            loaded=counts.loaded,
            parked=counts.parked,
            rejected=counts.rejected,
            failed=counts.failed,
            seconds=round(seconds, 1),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a demo.

    Attributes:
        legs: One entry a leg.
        drift: Rows that differ between the systems, found by reading both.
        dead_letters: Rows set aside.
        clearing_accounts: Balance of each clearing account by company.
        reconciliation: What the product's own reconciliation came to.
        setup_seconds: What making the environment took when it was last made.
        seconds: What the demo took, set-up not counted.
    """

    legs: tuple[LegReport, ...]
    drift: int
    dead_letters: int
    clearing_accounts: Mapping[str, Mapping[str, Decimal]]
    reconciliation: Proof
    setup_seconds: int
    seconds: float

    def write(self, file: Path) -> None:
        """Write the report as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=2, default=str) + "\n")


def leg_table(legs: Sequence[LegReport], areas: Mapping[str, str]) -> Table:
    """Lay out one line a leg, area by area.

    Args:
        legs: What moved.
        areas: Area by map, in the order in which they are shown.
    """
    table = Table(title="What moved, in rows", box=SIMPLE)
    for name in ("map", "leg"):
        table.add_column(name, no_wrap=True)
    for name in (*COUNTS, "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    order, above = list(areas), ""
    for leg in sorted(legs, key=lambda leg: order.index(leg.map)):
        if areas[leg.map] != above:
            above = areas[leg.map]
            table.add_row(above, style="bold")
        counts = [str(getattr(leg, name)) for name in COUNTS]
        table.add_row(f"  {leg.map}", f"to {leg.leg.rpartition('_to_')[2]}", *counts, f"{leg.seconds:.1f}")
    return table
