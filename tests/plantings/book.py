"""What a reconciliation must report of a row, worked out one rule at a time and apart from the engine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from projops.mapping import catalog
from projops.mapping.catalog import Column
from projops.mapping.model import (
    Deletes,
    Direction,
    FieldRule,
    Leaves,
    Leg,
    Strategy,
    System,
    TableMap,
    WriteMode,
)
from runner.expected import expected_value
from runner.wire import Row
from tests.plantings.standing import Ground, Pair, Sides
from tests.plantings.values import expected_form, found_value, same

DRIFT, PENDING, KEPT = "drift", "pending", "kept"
_FOLLOWS = {Deletes.IGNORE: KEPT}


@dataclass(frozen=True, order=True)
class Cell:
    """What is reported: one column of one row, or the row itself.

    Attributes:
        map: Map id.
        key: Key text.
        column: Leg and target column; both names of a shared one; of a row that is missing, extra or
            rejected, its leg alone.
    """

    map: str
    key: str
    column: str


@dataclass(frozen=True)
class Entry:
    """What must be said of a cell.

    Attributes:
        kind: missing, extra, changed or rejected.
        values: What is expected and what is found, by leg that may report it.
        columns: Target column that the values stand in, by leg.
        at_once: Verdict of the first reconciliation.
        later: Verdict of one after the legs have run; None where their run has healed it.
        say: How much say the leg has: 2 where its source was changed, 1 where its source wins conflicts.
    """

    kind: str
    values: Mapping[Direction, tuple[Any, Any]]
    columns: Mapping[Direction, str]
    at_once: str
    later: str | None
    say: int = 0


def entries_of(ground: Ground, pair: Pair) -> dict[Cell, Entry]:
    """Say what must be reported of a row as it stands now."""
    found: dict[Cell, Entry] = {}
    for direction in ground.table_map.legs:
        for cell, entry in _leg(ground, pair, direction):
            found[cell] = _merged(found.get(cell), entry)
    return found


def _merged(known: Entry | None, entry: Entry) -> Entry:
    """A shared column differs for both legs: the one whose source was changed has the say."""
    if known is None:
        return entry
    values, columns = {**known.values, **entry.values}, {**known.columns, **entry.columns}
    teller = max(known, entry, key=lambda each: each.say)
    return Entry(entry.kind, values, columns, teller.at_once, teller.later)


def _leg(ground: Ground, pair: Pair, direction: Direction) -> Iterator[tuple[Cell, Entry]]:
    source, target = pair.now[direction.source], pair.now[direction.target]
    moves = ground.moves(direction, pair.now)
    name, leg = ground.table_map.map, ground.table_map.legs[direction]
    row = Cell(name, pair.key, direction.value)
    if moves and source is not None and _is_rejected(ground, direction, source):
        yield row, Entry("rejected", {direction: (None, None)}, {}, *_verdicts(ground, pair, direction))
    elif moves and target is None:
        yield row, Entry("missing", {direction: (None, None)}, {}, *_verdicts(ground, pair, direction))
    elif not moves and target is not None and _makes_rows(ground, direction):
        yield row, Entry("extra", {direction: (None, None)}, {}, *_of_extra(ground, pair, leg))
    elif moves and source is not None and target is not None:
        yield from _columns(ground, pair, direction)


def _columns(ground: Ground, pair: Pair, direction: Direction) -> Iterator[tuple[Cell, Entry]]:
    before = dict(_by_target(ground, direction, pair.before[direction.source]))
    wins = ground.table_map.conflict is direction.source
    for rule, (expected, found) in compared(ground, direction, pair.now):
        if not same(expected, found, _folding_path(ground, direction, rule)):
            column = column_name(ground.table_map, direction, rule.target)
            cell = Cell(ground.table_map.map, pair.key, column)
            values, columns = {direction: (expected, found)}, {direction: rule.target}
            say = 2 * (before.get(rule.target, expected) != expected) + wins
            yield cell, Entry("changed", values, columns, *_verdicts(ground, pair, direction), say)


def column_name(table_map: TableMap, direction: Direction, target: str) -> str:
    """One name for a column: a shared one has the same for both legs."""
    shared = {part: f"{one} = {other}" for one, other in table_map.shared_fields() for part in (one, other)}
    return shared.get(target, f"{direction}: {target}")


def compared(
    ground: Ground, direction: Direction, sides: Sides
) -> Iterator[tuple[FieldRule, tuple[Any, Any]]]:
    """Give what a leg's rules expect and what the target holds, of a row that both sides have."""
    target_side, row = ground.sides[direction.target], sides[direction.target]
    assert row is not None
    zone = target_side.zone(row)
    for rule, expected in _expected(ground, direction, sides[direction.source]):
        cell = target_side.rows.cell(target_side.table, row, rule.target)
        yield rule, (expected, found_value(cell, zone, direction.target))


def _expected(ground: Ground, direction: Direction, row: Row | None) -> Iterator[tuple[FieldRule, Any]]:
    assert row is not None
    side = ground.sides[direction.source]
    zone = side.zone(row)
    for rule in ground.table_map.legs[direction].fields:
        if not rule.create_only:
            made = expected_value(side, direction, rule, row)
            column = target_column(ground, direction, rule)
            yield rule, expected_form(made, rule, column, zone, direction.target)


def _by_target(ground: Ground, direction: Direction, row: Row | None) -> Iterator[tuple[str, Any]]:
    if row is not None:
        yield from ((rule.target, value) for rule, value in _expected(ground, direction, row))


def target_column(ground: Ground, direction: Direction, rule: FieldRule) -> Column:
    """The column that a rule's value stands in, at the end of a lookup path."""
    return catalog.resolve(ground.sides[direction.target].table, rule.target).column


def _folding_path(ground: Ground, direction: Direction, rule: FieldRule) -> str:
    """The path by which a value names another row, on whichever side that is a lookup."""
    shared = dict(ground.table_map.shared_fields())
    return shared.get(rule.target, rule.target) if direction.target is System.FINANCE else rule.target


def _is_rejected(ground: Ground, direction: Direction, row: Row) -> bool:
    """Whether a row lacks what the mapping, or the target, insists on."""
    side = ground.sides[direction.source]
    for rule in ground.table_map.legs[direction].fields:
        value = expected_value(side, direction, rule, row)
        column = target_column(ground, direction, rule)
        mandatory = direction.target is System.DATAVERSE and column.required and "." not in rule.target
        if value is None and (rule.required or mandatory):
            return True
    return False


def _makes_rows(ground: Ground, direction: Direction) -> bool:
    """Whether rows come to the target by this leg alone."""
    legs = ground.table_map.legs
    makers = [each for each, leg in legs.items() if leg.write is not WriteMode.UPDATE_ONLY]
    return makers == [direction]


def _source_changed(ground: Ground, pair: Pair, direction: Direction) -> bool:
    before, now = pair.before[direction.source], pair.now[direction.source]
    if before is None or now is None or not ground.moves(direction, pair.before):
        return True
    if before is now:
        return False
    was, is_now = (list(_expected(ground, direction, row)) for row in (before, now))
    return was != is_now


def _verdicts(ground: Ground, pair: Pair, direction: Direction) -> tuple[str, str | None]:
    """Verdicts at once and after a run.

    Dataverse's delta names what has changed, so that what it does not name is drift at once. Finance cannot
    be asked: what differs from what was last in step there waits for the next export, and a snapshot heals.
    """
    strategy = ground.table_map.legs[direction].extract.strategy
    if strategy is Strategy.CHANGE_TRACKING or not _source_changed(ground, pair, direction):
        return DRIFT, DRIFT
    return PENDING, None if strategy is Strategy.SNAPSHOT else DRIFT


def _of_extra(ground: Ground, pair: Pair, leg: Leg) -> tuple[str, str]:
    """A row that was in step stays where deletes are ignored; one that never was is drift.

    It waits as long as the other leg may have something to say of it.
    """
    source = leg.direction.source
    if pair.before[source] is None:
        # Finance cannot be asked whether it has news of the row to send by the other leg.
        other = [each for each in ground.table_map.legs.values() if each is not leg]
        waits = any(each.extract.strategy is not Strategy.CHANGE_TRACKING for each in other)
        return (PENDING if waits else DRIFT), DRIFT
    if pair.now[source] is not None:
        verdict = KEPT if leg.extract.leaves is Leaves.KEEP else DRIFT
    else:
        verdict = _FOLLOWS.get(leg.deletes, DRIFT)
    return verdict, verdict
