"""One row of a map read from both systems at this moment: what a run would write beside what is there."""

import asyncio
from dataclasses import dataclass
from typing import Any

from projops.console.limited import within
from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.lineage.trace.model import RowTrace
from projops.lineage.trace.rows import trace_row
from projops.mapping.model import Direction
from projops.payload import value_text

_SECONDS = 15.0
_NO_KEY = "The row has no key by which it could be found on both sides."


@dataclass(frozen=True, slots=True)
class Compared:
    """One target field.

    Attributes:
        target: Its name.
        source: The source column that it comes from, or None of a field that is made of nothing.
        value: What the source holds, as text; None for nothing.
        made: What the mapping would write.
        held: What the target holds.
        word: How both compare: "differs", "the same", or "not compared".
    """

    target: str
    source: str | None
    value: str | None
    made: str | None
    held: str | None
    word: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row on both sides.

    Attributes:
        finding: One sentence: which side has it, how many fields differ.
        rejects: Why a run would set it aside now, one sentence each.
        fields: Field by field.
    """

    finding: str
    rejects: tuple[str, ...] = ()
    fields: tuple[Compared, ...] = ()


def compare(engine: Engine, map_id: str, leg: str, key: str | None) -> Comparison:
    """Compare a row on both sides; what goes wrong is told as the finding.

    Args:
        engine: Maps and connections.
        map_id: Map.
        leg: Direction in which it is to go.
        key: Integration key text, or None.
    """
    if key is None:
        return Comparison(_NO_KEY)
    try:
        row = within(_SECONDS, "The comparison", lambda: asyncio.run(_read(engine, map_id, key)))
    except ProjOpsError as error:
        return Comparison(f"The row cannot be compared: {error}")
    return _comparison(row, Direction(leg))


async def _read(engine: Engine, map_id: str, key: str) -> RowTrace:
    table_map = engine.map(map_id)
    async with engine.systems() as systems:
        return await trace_row(engine, systems, systems.lookups(), table_map, key)


def _comparison(row: RowTrace, direction: Direction) -> Comparison:
    leg = next((each for each in row.legs if each.direction is direction), None)
    if leg is None:
        return Comparison("The map goes this way no more.")
    fields = tuple(
        Compared(
            each.target, each.source, _text(each.value), _text(each.made), _text(each.held), _word(each.equal)
        )
        for each in leg.fields
    )
    return Comparison(_finding(row, direction, leg.takes, fields), leg.rejects, fields)


def _finding(row: RowTrace, direction: Direction, takes: bool | None, fields: tuple[Compared, ...]) -> str:
    source, target = direction.source.value.capitalize(), direction.target.value.capitalize()
    if direction.source not in row.sides:
        there = "has it still" if direction.target in row.sides else "has none either"
        return f"{source} has no such row any more; {target} {there}."
    if takes is False:
        return f"The map's filter does not take the row as it stands in {source} now."
    if direction.target not in row.sides:
        return f"{target} has no such row yet."
    differing = sum(each.word == "differs" for each in fields)
    if differing == 0:
        return "Both sides hold the same in every field that can be compared."
    return f"{differing} {'field differs' if differing == 1 else 'fields differ'}."


def _word(equal: bool | None) -> str:
    return {None: "not compared", True: "the same", False: "differs"}[equal]


def _text(value: Any) -> str | None:
    return None if value is None else value_text(value)
