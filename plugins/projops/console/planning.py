"""Plans of maps while somebody waits for the page: with a limit to the waiting, one at a time of each map."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from projops.console.limited import within
from projops.engine import Engine
from projops.errors import LeaseHeldError
from projops.mapping.order import leg_order
from projops.run import LegRef

if TYPE_CHECKING:
    from projops.plan import LegPlan

ROWS = 100  # of each leg, shown in full
SECONDS = 60.0
_lock = Lock()
_planned: set[str] = set()


def planned(engine: Engine, map_id: str) -> "list[LegPlan]":
    """Find out what a run of a map would write, in each of its directions.

    Raises:
        ConfigurationError: A connection is missing.
        LeaseHeldError: A plan of the map is being made already.
        SystemUnavailableError: It takes too long, or a system cannot be reached.
    """
    return within(SECONDS, f"The plan of {map_id}", partial(_plan, engine, map_id))


def _plan(engine: Engine, map_id: str) -> "list[LegPlan]":
    from projops.plan import plan  # takes seconds: the stages come with it

    with _alone(map_id):
        order = leg_order({map_id: engine.map(map_id)})
        return [plan(engine, LegRef(name, leg.value), shown=ROWS) for name, leg in order]


@contextmanager
def _alone(map_id: str) -> Iterator[None]:
    """Make sure that no other plan of the map is being made, also none that nobody waits for any more."""
    with _lock:
        if map_id in _planned:
            raise LeaseHeldError(
                f"A plan of {map_id} is being made already.",
                remedy="Wait a minute, or plan it on the command line: `projops plan`.",
                map=map_id,
            )
        _planned.add(map_id)
    try:
        yield
    finally:
        with _lock:
            _planned.discard(map_id)
