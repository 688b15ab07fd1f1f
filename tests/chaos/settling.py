"""Letting the engine run in peace until nothing moves any more."""

from collections.abc import Mapping, Sequence

from tests.chaos.billing import keep_books
from tests.chaos.blocking import stuck_maps
from tests.e2e.engine.world import World

_MOST_PASSES = 8


def settle(world: World, maps: Sequence[str]) -> Mapping[str, int]:
    """Run all legs until a pass moves nothing; what was refused under faults is tried again.

    Finance's jobs run before each pass, so that the last one brings back what they have posted. Legs of
    batches whose worker died are then read in full, whether or not there is news: they must move on.

    Returns:
        Rows that still moved in the last of many passes, by leg; none where there is peace.
    """
    world.no_faults()
    moved: dict[str, int] = {}
    for _ in range(_MOST_PASSES):
        keep_books(world)
        for name in maps:
            world.replay(name)
        outcomes = world.sync(*maps)
        moved = {leg: each.loaded for leg, each in outcomes.items() if each.loaded}
        if not moved:
            break
    if stuck := stuck_maps(world):
        outcomes = world.sync(*(name for name in maps if name in stuck), mode="full")
        moved |= {leg: each.loaded for leg, each in outcomes.items() if each.loaded}
    return moved
