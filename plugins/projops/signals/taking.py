"""A run takes the signals of its legs, just before it asks their sources."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.engine import Engine
from projops.mapping.model import Strategy
from projops.request_budget import stretch
from projops.run import LegRef, RunRequest
from projops.state import signals
from projops.state.batches import LegState, leg_state
from projops.state.clock import present
from projops.state.throttling import Budget, budget_today

SHORTEST_PAUSE = timedelta(seconds=10)
"""Between two reads of a leg whose source is read whole or exported to be asked, however often it signals."""


def take_signals(engine: Engine, refs: Sequence[LegRef], request: RunRequest) -> frozenset[LegRef]:
    """Take what has been told of legs; what comes after this is for the next run.

    What a burst of events would have exported again and again stays waiting for a while, longer the less is
    left of the day's requests. A run for some companies leaves all of it to the next, as it does watermarks.

    Args:
        engine: The engine.
        refs: Legs that the run is about to look at.
        request: The run; a second try of it has what the first has taken.

    Returns:
        Legs whose sources are to be asked because they have told of changes.
    """
    if request.companies:
        return frozenset()
    with engine.state.begin() as connection:
        offered = signals.offered(connection, request.owner)
        ready = readable(engine, connection, [ref for ref in refs if (ref.map, ref.leg) in offered])
        signals.take(connection, [(ref.map, ref.leg) for ref in ready], request.owner)
    return frozenset(ready)


def readable(engine: Engine, connection: Connection, refs: Sequence[LegRef]) -> list[LegRef]:
    """Give those legs that a run which their signals wake could read now.

    Args:
        engine: The engine.
        connection: On its state.
        refs: Legs that have signalled.
    """
    if all(_tells(engine, ref) for ref in refs):
        return list(refs)
    budget, now = budget_today(connection, engine.settings), present(connection)
    return [
        ref
        for ref in refs
        if _tells(engine, ref) or may_read(leg_state(connection, ref.map, ref.leg), budget, now)
    ]


def may_read(state: LegState, budget: Budget, now: datetime) -> bool:
    """Say whether a leg may be read again whose source tells nothing before it is read.

    Args:
        state: The leg's.
        budget: Today's requests.
        now: UTC, by the state's clock.
    """
    factor = stretch(budget, now)
    if factor is None:
        return False
    return state.committed_at is None or now - state.committed_at >= SHORTEST_PAUSE * factor


def _tells(engine: Engine, ref: LegRef) -> bool:
    _, leg = engine.leg(ref)
    return leg.extract.strategy is Strategy.CHANGE_TRACKING
