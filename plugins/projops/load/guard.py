"""When deletes wait for a person: the guard against a source that has lost its rows by mistake."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from projops.load.decide import too_many_deletes
from projops.load.target import Outcome, Result
from projops.mapping.model import Leg
from projops.settings import Settings
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.batches import Batch, deleted_since
from projops.state.dead_letters import MASS_DELETE, Held

# A flood is one in however many batches it comes: what a leg was told to delete within this time counts
# together. Longer, and the day's ordinary deletes of a busy map would add up to one.
WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DeleteGuard:
    """What the deletes of a batch are measured by.

    Attributes:
        deletes: Deletes in the whole batch that nobody has approved.
        earlier: What other batches of the leg have deleted, or held back, within the window.
        known: Rows that the crosswalk knew when the load began.
        share: Share of the known rows above which deletes wait.
        rows: Number above which they wait.
        approved: Deletes that a person has approved before the batch began: source row and key.
        awaiting: Deletes that wait for a person already: however few come again, they go on waiting.
    """

    deletes: int
    earlier: int
    known: int
    share: float
    rows: int
    approved: frozenset[Held]
    awaiting: frozenset[Held]

    def holds(self, here: int) -> Outcome | None:
        """Give the outcome of deletes that must wait, or None where they may go.

        Args:
            here: Deletes at hand; at least so many are in the batch.
        """
        deletes = max(self.deletes, here) + self.earlier
        if not too_many_deletes(deletes, self.known, self.share, self.rows):
            return None
        message = (
            f"One of {deletes} deletes within an hour, of {self.known} rows known: "
            "find out why, then approve them or dismiss them."
        )
        return Outcome(Result.AWAITS_APPROVAL, code=MASS_DELETE, message=message)


def delete_guard(state: StateStore, settings: Settings, leg: Leg, batch: Batch, deletes: int) -> DeleteGuard:
    """Measure the deletes of a batch by what its leg allows.

    Args:
        state: State database.
        settings: Limits where the mapping names none.
        leg: The leg.
        batch: The batch.
        deletes: Deletes in the whole batch that nobody has approved.
    """
    since = datetime.now(UTC) - WINDOW
    limit = leg.approve_deletes_above
    with state.begin() as connection:
        held = dead_letters.held_deletes(connection, batch.map, batch.leg)
        approved = {each for each, at in held.items() if at is not None and at <= batch.started_at}
        return DeleteGuard(
            deletes=deletes,
            earlier=deleted_since(connection, batch.map, batch.leg, since)
            + dead_letters.held_since(connection, batch.map, batch.leg, since, batch.id),
            known=crosswalk.count(connection, batch.map),
            share=settings.delete_share if limit.share is None else limit.share,
            rows=settings.delete_rows if limit.rows is None else limit.rows,
            approved=frozenset(approved),
            awaiting=frozenset(held.keys() - approved),
        )
