"""Without an endpoint: one look at all delta links of the environment together, within the budget."""

from datetime import datetime, timedelta

from projops.backlog import look_at
from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.mapping.model import Strategy
from projops.request_budget import stretch
from projops.run import LegRef
from projops.state import pauses, signals
from projops.state.clock import present
from projops.state.throttling import Budget, budget_today
from projops.systems.looking import Pending

_SHARE = 0.5  # of the day's budget: the five-minute runs and what they move need the rest
_SHORTEST = timedelta(seconds=30)
_DAY = timedelta(days=1)


def next_look(engine: Engine) -> timedelta | None:
    """Say how long to rest before the next look at all delta links; None where today's budget is spent.

    Each link counts as a request though they travel together, since Dataverse's entitlements count what a
    $batch holds [D].
    """
    with engine.state.reading() as connection:
        budget, now = budget_today(connection, engine.settings), present(connection)
    return rest(len(_tracked(engine)), budget, now)


def rest(links: int, budget: Budget, now: datetime) -> timedelta | None:
    """Say how long to rest between two looks, so that they cost half of the day's budget at most.

    Args:
        links: Delta links that a look asks for.
        budget: Today's.
        now: UTC.
    """
    factor = stretch(budget, now)
    if factor is None:
        return None
    return max(_SHORTEST, _DAY * (links + 1) / (budget.budget * _SHARE)) * factor


async def look_at_all(engine: Engine) -> int:
    """Ask for the changes since all delta links, in one $batch; what has some is noted like a signal.

    A table that we may not read holds up no other: its own run says so.

    Returns:
        How many legs have changes.
    """
    with engine.state.reading() as connection:
        held = pauses.paused(connection)
        waits = signals.waiting(connection)
    refs = [ref for ref in _tracked(engine) if ref.map not in held and (ref.map, ref.leg) not in waits]
    async with engine.systems() as systems:
        found = await look_at(engine, systems.dataverse, refs)
    changed = {(ref.map, ref.leg): 1 for ref, each in found.items() if _has_changed(each)}
    with engine.state.begin() as connection:
        signals.note(connection, changed)
    return len(changed)


def _has_changed(found: Pending | ProjOpsError) -> bool:
    return isinstance(found, Pending) and found.changed


def _tracked(engine: Engine) -> list[LegRef]:
    """The legs of enabled maps whose source tracks changes."""
    return [
        LegRef(name, direction.value)
        for name, each in engine.maps.items()
        if each.enabled
        for direction, leg in each.legs.items()
        if leg.extract.strategy is Strategy.CHANGE_TRACKING
    ]
