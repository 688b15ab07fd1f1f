"""What a task of a leg did, as it remembers it for its lineage and links. Light: operators import it."""

from __future__ import annotations

from dataclasses import dataclass

from projops.run import LegOutcome, LegRef, Staged


@dataclass(frozen=True, slots=True)
class Moved:
    """What a task of a leg did.

    Attributes:
        leg: The leg.
        stage: extract, validate, transform or load.
        taken: What the stage before had staged; None for extract.
        given: What it staged itself; None for load, and for a task that failed.
        outcome: What became of the rows, once they are loaded.
    """

    leg: LegRef
    stage: str
    taken: Staged | None = None
    given: Staged | None = None
    outcome: LegOutcome | None = None

    @property
    def batch(self) -> int | None:
        """Number of the batch; None where a task failed before it had one."""
        known = self.outcome or self.given or self.taken
        return known.batch if known is not None else None

    @property
    def set_aside(self) -> bool:
        """Whether rows were set aside; also of a task that came to no end, which may have done so."""
        if self.outcome is not None:
            return self.outcome.parked + self.outcome.rejected + self.outcome.failed > 0
        if self.taken is None:
            return False
        if self.given is None:
            return True
        return self.given.superseded_by is None and self.given.rows < self.taken.rows
