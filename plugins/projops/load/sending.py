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

    async def send(self, actions: Sequence[Action]) -> list[Outcome]:
        """Write actions to the target; one outcome an action, in order.

        Raises:
            LeaseHeldError: Somebody else has taken the map meanwhile: nothing is sent.
        """
        if not actions:
            return []
        job, rows = self.job, [sent(action) for action in actions]
        with job.state.begin() as connection:
            job.lease.confirm(connection)
            settles_in = timedelta(hours=job.settings.in_flight_hours)
            self.marks.append(in_flight.record(connection, job.writing, rows, settles_in))
        return await job.target.write(actions)


def sent(action: Action) -> Doubt:
    """Say of an action what it may leave at the target."""
    shared = action.row.target_shared
    digests = None if shared is None else {name: shared[name] for name in action.columns if name in shared}
    return Doubt(action.row.source_id, action.row.key, digests)
