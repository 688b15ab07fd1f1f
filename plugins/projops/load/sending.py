"""Sending actions to the target: marked before they go, so that silence is never taken for an outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from projops.load.decide import Action
from projops.load.job import LoadJob
from projops.load.target import Outcome
from projops.state import in_flight
from projops.state.in_flight import Doubt


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends the rows of one chunk, as often as it takes; `outcomes.commit_chunk` takes its marks away again.

    Attributes:
        job: The batch and its target.
        marks: Numbers of the marks that were made, one for each time that something was sent.
    """

    job: LoadJob
    marks: list[int] = field(default_factory=list)

    async def send(
        self, actions: Sequence[Action], *, packed: bool = False, alone: bool = False
    ) -> list[Outcome]:
        """Write actions to the target; one outcome an action, in order.

        Args:
            actions: What is to be written.
            packed: Whether many rows may go as data packages, where their leg has any.
            alone: Whether each goes in a request of its own: a row at which the target breaks down then
                takes no other row with it.

        Raises:
            LeaseHeldError: Somebody else has taken the map meanwhile: nothing is sent.
        """
        outcomes = await self._send_packed(actions) if packed else {}
        rest = {place: action for place, action in enumerate(actions) if place not in outcomes}
        written = await self._send_each(list(rest.values()), alone=alone)
        outcomes |= dict(zip(rest, written, strict=True))
        return [outcomes[place] for place in range(len(actions))]

    async def _send_packed(self, actions: Sequence[Action]) -> dict[int, Outcome]:
        """Send what goes in packages, one after another; give the outcomes that it has of them, by place."""
        outcomes: dict[int, Outcome] = {}
        if self.job.packing is not None:
            for parcel in self.job.packing.parcels(actions):
                self._mark(parcel.actions, parcel.execution)
                outcomes |= await self.job.packing.send(parcel)
        return outcomes

    async def _send_each(self, actions: Sequence[Action], *, alone: bool) -> list[Outcome]:
        if not actions:
            return []
        self._mark(actions)
        if not alone:
            return await self.job.target.write(actions)
        return [outcome for action in actions for outcome in await self.job.target.write([action])]

    def _mark(self, actions: Sequence[Action], execution: str | None = None) -> None:
        job, rows = self.job, [sent(action) for action in actions]
        with job.state.begin() as connection:
            job.lease.confirm(connection)
            settles_in = timedelta(hours=job.settings.in_flight_hours)
            self.marks.append(in_flight.record(connection, job.writing, rows, settles_in, execution))


def sent(action: Action) -> Doubt:
    """Say of an action what it may leave at the target."""
    shared = action.row.target_shared
    digests = None if shared is None else {name: shared[name] for name in action.columns if name in shared}
    return Doubt(action.row.source_id, action.row.key, digests)
