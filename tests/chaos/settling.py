"""Letting the engine run in peace until nothing moves any more."""

from collections.abc import Mapping, Sequence

from tests.e2e.engine.world import World

_MOST_PASSES = 8


def settle(world: World, maps: Sequence[str]) -> Mapping[str, int]:
    """Run all legs until a pass moves nothing; what was refused under faults is tried again.

    Returns:
        Rows that still moved in the last of many passes, by leg; none where there is peace.
    """
    world.no_faults()
    moved: dict[str, int] = {}
    for _ in range(_MOST_PASSES):
        for name in maps:
            world.replay(name)
        outcomes = world.sync(*maps)
        moved = {leg: each.loaded for leg, each in outcomes.items() if each.loaded}
        if not moved:
            break
    return moved
