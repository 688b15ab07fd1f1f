"""Sending actions to the target: marked before they go, so that silence is never taken for an outcome."""

from collections.abc import Sequence
from datetime import timedelta

from projops.load.decide import Action
from projops.load.job import LoadJob
from projops.load.target import Outcome
from projops.state import in_flight
from projops.state.in_flight import Doubt


async def send(job: LoadJob, actions: Sequence[Action]) -> list[Outcome]:
    """Write actions to the target; `outcomes.commit_chunk` takes their mark away again.

    Raises:
        LeaseHeldError: Somebody else has taken the map meanwhile: nothing is sent.
    """
    if not actions:
        return []
    with job.state.begin() as connection:
        job.lease.confirm(connection)
        settles_in = timedelta(hours=job.settings.in_flight_hours)
        in_flight.record(connection, job.writing, [sent(action) for action in actions], settles_in)
    return await job.target.write(actions)


def sent(action: Action) -> Doubt:
    """Say of an action what it may leave at the target."""
    shared = action.row.target_shared
    digests = None if shared is None else {name: shared[name] for name in action.columns if name in shared}
    return Doubt(action.row.source_id, action.row.key, digests)
