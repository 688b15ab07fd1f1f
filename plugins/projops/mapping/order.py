"""In which order maps and legs run, so that a row's parents are there before it."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from projops.mapping.model import Direction, TableMap

Node = tuple[str, Direction]


def cycles(maps: Mapping[str, TableMap]) -> tuple[tuple[str, ...], ...]:
    """The cycles of `needs`: each as map ids along the ring, beginning with the least."""
    left = {name: [need for need in each.needs if need in maps] for name, each in maps.items()}
    found = []
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            # graphlib tells the ring from needed to needing, with the first repeated at the end.
            ring = tuple(reversed(error.args[1][1:]))
            start = ring.index(min(ring))
            found.append(ring[start:] + ring[:start])
            left = {
                name: [need for need in needs if need not in ring]
                for name, needs in left.items()
                if name not in ring
            }
            continue
        return tuple(sorted(found))


def leg_levels(maps: Mapping[str, TableMap]) -> tuple[tuple[Node, ...], ...]:
    """Legs in levels: those of a level need only legs of the levels before it.

    Needs outside the given maps (other areas, broken maps) do not order anything: parking does.
    Of a map that goes both ways, `finance_to_dataverse` comes first.

    Args:
        maps: Maps of one area, by id.

    Returns:
        Levels of (map id, direction), sorted within a level.

    Raises:
        graphlib.CycleError: The maps' needs have a cycle, which lint would have found.
    """
    sorter = TopologicalSorter(leg_parents(maps))
    sorter.prepare()
    levels = []
    while sorter.is_active():
        ready = sorter.get_ready()
        levels.append(tuple(sorted(ready)))
        sorter.done(*ready)
    return tuple(levels)


def leg_order(maps: Mapping[str, TableMap]) -> tuple[Node, ...]:
    """The legs of `leg_levels`, one after another."""
    return tuple(node for level in leg_levels(maps) for node in level)


def leg_parents(maps: Mapping[str, TableMap]) -> dict[Node, tuple[Node, ...]]:
    """For each leg, the legs that must have run before it."""
    parents = {}
    for name, table_map in maps.items():
        needed = tuple((need, leg) for need in table_map.needs if need in maps for leg in maps[need].legs)
        for direction in table_map.legs:
            both = direction is Direction.DATAVERSE_TO_FINANCE and len(table_map.legs) > 1
            first = ((name, Direction.FINANCE_TO_DATAVERSE),) if both else ()
            parents[name, direction] = needed + first
    return parents
