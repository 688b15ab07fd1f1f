"""The trace of whatever a person has in hand: a row of a map, or the number of a document."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from projops.engine import Engine, Systems
from projops.errors import ConfigurationError, StopError
from projops.lineage.trace.entities import entity_of
from projops.lineage.trace.finding import Finder, Match
from projops.lineage.trace.kinds import ANY, KINDS
from projops.lineage.trace.links import belongings, parts, provenance
from projops.lineage.trace.model import RowTrace, Trace
from projops.lineage.trace.reading import Reader
from projops.lineage.trace.records import Record, Towards
from projops.lineage.trace.rows import trace_row
from projops.lineage.trace.walking import Bound, walk

WIDE = Bound(rows=500, depth=25)
_AROUND = Bound(rows=100, depth=1)
_LONGEST = 200  # characters of what was asked for, in a sentence


@dataclass(frozen=True, slots=True)
class Candidates:
    """What bears what was asked for, where that is more than one thing.

    Attributes:
        asked: What was asked for.
        found: For each thing the map or kind and the key to ask for it alone with, and what it is.
    """

    asked: str
    found: tuple[tuple[str, str, str], ...]


def trace(engine: Engine, what: str, text: str, bound: Bound = WIDE) -> Trace | Candidates:
    """Trace a row of a map, or a document, through both systems; nothing is written.

    Args:
        engine: State, maps and connections.
        what: A map, or what the number is of: one of `KINDS`, or "any".
        text: A key, a part of one, a GUID, or a number that the row or document bears.
        bound: How far to go at most in each direction.

    Returns:
        The trace; or what there is to choose from.

    Raises:
        ConfigurationError: There is no such map or kind, or no number.
        StopError: Nothing bears it; says where it was looked for.
        ProjOpsError: A system cannot be read.
    """
    if not text.strip():
        raise ConfigurationError("No number or key was given.", remedy="Try `projops trace any NUMBER`.")
    if what not in KINDS and what != ANY:
        _require_map(engine, what)
    return asyncio.run(_trace(engine, what, text.strip(), bound))


async def _trace(engine: Engine, what: str, text: str, bound: Bound) -> Trace | Candidates:
    async with engine.systems() as systems:
        links = (*provenance(engine.maps.values()), *belongings())
        reader = Reader(systems, links, systems.lookups())
        finder = Finder(engine, reader)
        matches = await _matches(finder, what, text)
        asked = f"{what} {text}"
        if not matches:
            raise _nothing(asked, finder)
        if len(matches) > 1:
            return Candidates(asked, tuple(map(_choice, matches)))
        return await _around(engine, systems, reader, asked, matches[0], bound)


async def _matches(finder: Finder, what: str, text: str) -> list[Match]:
    if what == ANY:
        found = [await finder.of_kind(kind, text) for kind in KINDS]
        return [match for each in found for match in each]
    if what in KINDS:
        return await finder.of_kind(what, text)
    keys = await finder.of_map(finder.engine.map(what), text)
    return [Match(what, rows=((what, key),), alone=key) for key in keys]


async def _around(
    engine: Engine, systems: Systems, reader: Reader, asked: str, match: Match, bound: Bound
) -> Trace:
    """Trace what was found: its row, if it is of one, and the rows before, behind and around it."""
    row: RowTrace | None = None
    ends: tuple[Record, ...] = ()
    if len(match.rows) == 1:
        [(map_id, key)] = match.rows
        row = await trace_row(engine, systems, reader.lookups, engine.map(map_id), key)
        ends = await _ends(reader, row)
    starts: Sequence[Record] = match.documents or ends
    known = {each.node for each in starts}
    further = tuple(each for each in ends if each.node not in known)
    follow = provenance(engine.maps.values())
    origins = await walk(starts, follow, Towards.ORIGIN, reader.read, bound)
    outcomes = await walk([*starts, *further], follow, Towards.OUTCOME, reader.read, bound)
    beside = ends or starts
    return Trace(
        asked=asked,
        starts=starts,
        row=row,
        ends=further,
        others=match.rows if row is None else (),
        origins=origins,
        outcomes=outcomes,
        around=(
            await walk(beside, belongings(), Towards.ORIGIN, reader.read, _AROUND),
            await walk(beside, parts(), Towards.OUTCOME, reader.read, _AROUND),
        ),
        unread=tuple(reader.unread),
    )


async def _ends(reader: Reader, row: RowTrace) -> tuple[Record, ...]:
    """Read the row of a map on both sides as a walk begins with it."""
    found: list[Record] = []
    for side in row.sides.values():
        entity = entity_of(side.system, side.table)
        key = [side.id] if side.id is not None else [side.values[name] for name in entity.key]
        found += await reader.read(entity, entity.key, [key])
    return tuple(found)


def _require_map(engine: Engine, name: str) -> None:
    try:
        engine.map(name)
    except ConfigurationError:
        kinds = ", ".join((*KINDS, ANY))
        raise ConfigurationError(
            f"There is no map {name}, and nothing that a number is of: {kinds}.",
            remedy="`projops maps list` shows the maps; `projops trace any NUMBER` looks everywhere.",
        ) from None


def _nothing(asked: str, finder: Finder) -> StopError:
    where = "; ".join(finder.looked)
    unread = "".join(f" {sentence}" for sentence in finder.reader.unread)
    return StopError(
        f"Nothing bears {_named(asked)}. It was looked for in {where}.{unread}",
        remedy="Check the number; of a row that was deleted only what the state remembers is left.",
    )


def _named(asked: str) -> str:
    return asked if len(asked) <= _LONGEST else f"{asked[:_LONGEST]}…"


def _choice(match: Match) -> tuple[str, str, str]:
    """Say how to ask for a match alone, and what it is."""
    if match.documents:
        return match.kind, match.alone, match.documents[0].entity.label
    [(map_id, key)] = match.rows
    return map_id, key, f"row of map {map_id}"
