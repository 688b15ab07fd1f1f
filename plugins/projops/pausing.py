"""Pausing a map: nothing of it is read or written until it is resumed; then all that changed comes.

A pause keeps nothing and so has no limit: the watermark stays where it is, and what changed meanwhile
is read from there, or by a full read where the delta token has expired. It concerns the map in every
run, of a schedule, of a person, of the command line. Airflow's own pause of a DAG is something else:
it stops the schedule of a whole area, and nothing but the schedule.

A pause lets a load that has begun finish its batch. A stop is a pause that does not: whoever reads or
writes the map asks for it between two chunks, and ends there. What the chunks before have written stays,
with its outcomes; the watermark has not moved, so that after the pause the batch's rows are read again,
and those in step already are left alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from projops.engine import Engine
from projops.errors import ConfigurationError, MapPausedError
from projops.state import StateStore, overview, pauses
from projops.state.audit import record_action
from projops.state.pauses import Pause


@dataclass(frozen=True, slots=True)
class Changed:
    """What a pause or resume did.

    Attributes:
        maps: Maps that it concerned.
        left: Why others stay as they are, by map.
        writers: Who is writing some of them at this moment, by map.
    """

    maps: tuple[str, ...]
    left: dict[str, str]
    writers: dict[str, str]


def pause(
    engine: Engine,
    maps: Sequence[str],
    area: str | None,
    actor: str,
    reason: str,
    at_once: bool = False,
) -> Changed:
    """Pause maps, and all of an area if one is named.

    What has been extracted for a later load is read again after the pause.

    Args:
        engine: The engine.
        maps: Map ids.
        area: All maps of this area that are on, or None.
        actor: Who, for the audit trail.
        reason: Why, in the actor's words.
        at_once: Whether a batch that is under way ends at its next chunk; else its load finishes it. It
            holds of maps that are paused already, too: those keep who paused them, when and why.

    Raises:
        ConfigurationError: There is no such map or area, none is named, or no reason is given.
    """
    if not reason.strip():
        raise ConfigurationError(
            "A pause needs a reason, for whoever wonders why nothing moves.", remedy="Give it with --reason."
        )
    chosen = _chosen(engine, maps, area)
    with engine.state.begin() as connection:
        already = pauses.paused(connection)
        new = [name for name in chosen if name not in already]
        more = [name for name in chosen if at_once and name in already and not already[name].at_once]
        pauses.put(connection, new, actor, reason.strip(), at_once=at_once)
        pauses.stop(connection, more)
        done = tuple(name for name in chosen if name in {*new, *more})
        for name in done:
            record_action(connection, actor, "stop" if at_once else "pause", name, reason.strip())
        writers = overview.writers(connection)
    left = {name: f"It is {described(already[name])}." for name in chosen if name not in done}
    return Changed(done, left, {name: writers[name] for name in done if name in writers})


def resume(engine: Engine, maps: Sequence[str], area: str | None, actor: str, reason: str = "") -> Changed:
    """Resume maps, and all of an area if one is named; the next run catches up.

    Raises:
        ConfigurationError: There is no such map or area, or none is named.
    """
    chosen = _chosen(engine, maps, area)
    with engine.state.begin() as connection:
        held = pauses.paused(connection)
        going = tuple(name for name in chosen if name in held)
        pauses.end(connection, going)
        for name in going:
            record_action(connection, actor, "resume", name, reason.strip())
    return Changed(going, {name: "It is not paused." for name in chosen if name not in held}, {})


def paused_maps(engine: Engine, maps: Iterable[str]) -> dict[str, Pause]:
    """Of some maps, give those that are paused."""
    with engine.state.begin() as connection:
        held = pauses.paused(connection)
    return {name: held[name] for name in maps if name in held}


def paused_in(engine: Engine, area: str) -> dict[str, Pause]:
    """Give the maps of an area that are paused."""
    return paused_maps(engine, [each.map for each in engine.maps.values() if each.area == area])


def refuse_paused(engine: Engine, maps: Iterable[str]) -> None:
    """Insist that none of some maps is paused.

    Raises:
        MapPausedError: One is; says since when, by whom and why.
    """
    for name, held in paused_maps(engine, maps).items():
        raise MapPausedError(
            f"Map {name} is {described(held)}.",
            remedy=f"Resume it first: `projops resume {name}`; everything that changed meanwhile comes then.",
            map=name,
        )


def refuse_stopped(state: StateStore, map_id: str) -> None:
    """Insist, between two chunks of a batch, that nobody has stopped its map meanwhile.

    Raises:
        MapPausedError: Somebody has; says since when, by whom and why.
    """
    with state.reading() as connection:
        held = pauses.stopped(connection, map_id)
    if held is not None:
        raise MapPausedError(
            f"Map {map_id} is {described(held)}: what was under way has ended with its last chunk.",
            remedy=f"Resume it: `projops resume {map_id}`; the rest comes then.",
            map=map_id,
        )


def described(held: Pause) -> str:
    """Say who paused a map, since when and why."""
    how = "stopped" if held.at_once else "paused"
    return f"{how} by {held.by} since {held.since:%Y-%m-%d %H:%M} UTC ({held.reason})"


def _chosen(engine: Engine, maps: Sequence[str], area: str | None) -> tuple[str, ...]:
    """Give the maps that are named, one by one or by their area."""
    in_area = [each.map for each in engine.maps.values() if each.area == area and each.enabled]
    if area is not None and not in_area:
        known = sorted({each.area for each in engine.maps.values()})
        raise ConfigurationError(f"There is no area {area}.", remedy=f"There are: {', '.join(known)}.")
    if not maps and area is None:
        raise ConfigurationError("No map is named.", remedy="Name maps, or an area with --area.")
    return tuple(dict.fromkeys([*(engine.map(name).map for name in maps), *sorted(in_area)]))
