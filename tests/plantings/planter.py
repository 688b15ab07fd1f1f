"""Plants differences into a map: drawn by chance, written beside the running sandbox, and booked.

Rows are changed in the sandbox's database, as a restored backup or a script would: no version moves, so
that no change tracking sees it, and no rule looks at it.
"""

import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from projops.mapping import catalog
from projops.mapping.catalog import Column, ColumnType
from projops.mapping.expressions import columns_of, parse
from projops.mapping.model import Deletes, Direction, FieldRule, System
from runner.wire import Row
from sandbox.store import Store
from sandbox.store.tables import REC_ID
from tests.plantings.book import Cell, entries_of
from tests.plantings.kinds import alterations
from tests.plantings.standing import Ground, Pair

_NAMESPACE = uuid.UUID("b0a0c6d4-55e8-4f3b-9a53-3a1de6c6a6f1")
# Deletes that are propagated pass a guard, which asks a person where they are many.
_MOST_PROPAGATED = 4
_ATTEMPTS = 200
# What no longer goes through a filter, by map: column and value.
_LEAVES: Mapping[str, tuple[str, Any]] = {
    "actuals": ("msdyn_skipsync", True),
    "contract_headers": ("msdyn_ordertype", 192350000),
    "project_tasks": ("msdyn_islinetask", True),
    "projects": ("msdyn_istemplate", True),
}


@dataclass(frozen=True)
class Planting:
    """What was planted.

    Attributes:
        map: Map.
        side: "source" or "target" of the leg that it was aimed at.
        kind: What was done.
        key: Key text of the row.
        cells: What must be reported of it; none where the mapping declares that it is no difference.
    """

    map: str
    side: str
    kind: str
    key: str
    cells: frozenset[Cell]


@dataclass
class Planter:
    """Plants into one map.

    Attributes:
        ground: The map's rows.
        store: The sandbox's database.
        chance: All that is drawn.
        done: What was planted.
    """

    ground: Ground
    store: Store
    chance: random.Random
    done: list[Planting] = field(default_factory=list)
    _deletes: int = 0
    _pairs: list[Pair] = field(default_factory=list)
    _held: dict[tuple[System, str], Mapping[str, Sequence[Any]]] = field(default_factory=dict)

    def plant(self, count: int) -> None:
        """Plant so many times.

        Raises:
            AssertionError: The map has no room for them.
        """
        self._pairs = list(self.ground.free())
        for _ in range(count):
            assert any(self._once() for _ in range(_ATTEMPTS)), f"{self.ground.table_map.map} is full"

    def _once(self) -> bool:
        names, weights = zip(*_WAYS.items(), strict=True)
        [way] = self.chance.choices(names, weights)
        pair = self.chance.choice(self._pairs)
        direction = self.chance.choice(
            [each for each in self.ground.table_map.legs if self._moves(each, pair)]
        )
        return not pair.closed and bool(getattr(self, f"_{way}")(pair, direction))

    def _moves(self, direction: Direction, pair: Pair) -> bool:
        return self.ground.moves(direction, pair.before)

    # One value of a row.

    def _target_cell(self, pair: Pair, direction: Direction) -> bool:
        rule = self.chance.choice(self.ground.table_map.legs[direction].fields)
        name, dot, _ = rule.target.partition(".")
        names_a_row = dot or "." in dict(self.ground.table_map.shared_fields()).get(rule.target, "")
        choices = self._choices(pair, direction.target, name) if names_a_row else ()
        if names_a_row and not choices:
            return False
        return self._alter(
            pair, direction.target, name, choices or self._outputs(rule, direction, name), "target"
        )

    def _source_cell(self, pair: Pair, direction: Direction) -> bool:
        rules = [rule for rule in self.ground.table_map.legs[direction].fields if rule.source]
        if not rules:
            return False
        rule = self.chance.choice(rules)
        assert rule.source is not None
        name, dot, _ = rule.source.partition(".")
        choices = self._inputs(rule, direction, name)
        if dot or "." in rule.target:
            choices = self._choices(pair, direction.source, name)
            if not choices:
                return False
        return self._alter(pair, direction.source, name, choices, "source")

    def _unowned(self, pair: Pair, direction: Direction) -> bool:
        """A column that no leg of the map writes or reads."""
        side = self.ground.sides[direction.target]
        paths = {
            part
            for each in self.ground.table_map.legs.values()
            for rule in each.fields
            for part in (rule.target, rule.source or "", *(str(step.argument) for step in rule.steps))
        }
        free = [
            column.name
            for column in side.table.columns.values()
            if column.is_text and not any(column.name in path for path in paths)
        ]
        return bool(free) and self._alter(
            pair, direction.target, self.chance.choice(free), (), "target", "unowned"
        )

    def _alter(
        self, pair: Pair, system: System, name: str, choices: Sequence[Any], side: str, kind: str = ""
    ) -> bool:
        table = self.ground.sides[system].table
        column = table.columns[name]
        if (system, name) in pair.touched or name in self._fixed(system):
            return False
        row = pair.now[system]
        assert row is not None
        wire = _wire_name(column)
        kinds = alterations(system, column, row.get(wire), choices)
        if not kinds:
            return False
        chosen = self.chance.choice(list(kinds))
        pair.touched.add((system, name))
        changed = {**row, wire: kinds[chosen]}
        return self._set(pair, system, changed, {name: kinds[chosen]}, kind or chosen, side)

    def _set(
        self, pair: Pair, system: System, changed: Row, values: Mapping[str, Any], kind: str, side: str
    ) -> bool:
        """Write values to a row; a planting that would cover another one is left."""
        before, was = entries_of(self.ground, pair), pair.now[system]
        pair.now[system] = changed
        after = entries_of(self.ground, pair)
        new = frozenset(after.keys() - before.keys())
        if before.keys() - after.keys() or any(before[cell].values != after[cell].values for cell in before):
            pair.now[system] = was
            return False
        if any(after[cell].kind == "rejected" for cell in new):
            if before or pair.touched - {(system, name) for name in values}:
                pair.now[system] = was
                return False
            pair.closed = True
        try:
            self._write(system, pair.ids[system], values)
        except IntegrityError:  # a key that another row has: no database would hold it
            pair.now[system], pair.closed = was, False
            return False
        self._book(side, kind, pair.key, new)
        return True

    def _choices(self, pair: Pair, system: System, name: str) -> Sequence[Any]:
        """What other rows of the same company hold in a column that names a row."""
        if (system, name) not in self._held:
            self._held[system, name] = _by_company(self.ground, self._pairs, system, name)
        return self._held[system, name].get(self.ground.company_of(system, pair.before[system]), ())

    def _outputs(self, rule: FieldRule, direction: Direction, name: str) -> Sequence[Any]:
        """What a value map, or the column itself, lets a target hold."""
        column = self.ground.sides[direction.target].table.columns[name]
        for step in rule.steps:
            if step.operator == "value_map" and column.type is not ColumnType.BOOLEAN:
                found = self.ground.loaded.value_maps[step.argument].towards(direction).values()
                return [_typed(column, each) for each in found if each is not None]
        return _members(column)

    def _inputs(self, rule: FieldRule, direction: Direction, name: str) -> Sequence[Any]:
        column = self.ground.sides[direction.source].table.columns[name]
        for step in rule.steps:
            if step.operator == "value_map" and column.type is not ColumnType.BOOLEAN:
                pairs = self.ground.loaded.value_maps[step.argument].towards(direction)
                return [
                    _typed(column, one)
                    for one, other in pairs.items()
                    if one is not None and other is not None
                ]
        return _members(column)

    def _fixed(self, system: System) -> set[str]:
        """Columns that say which row it is, or whether it is moved."""
        table_map = self.ground.table_map
        dataverse = system is System.DATAVERSE
        names = {(part.dataverse if dataverse else part.finance).partition(".")[0] for part in table_map.key}
        names.add(self.ground.sides[system].table.primary_id or "")
        for direction, leg in table_map.legs.items():
            if direction.source is system and leg.extract.where:
                names |= {path.partition(".")[0] for path in columns_of(parse(leg.extract.where))}
        return names

    # Whole rows.

    def _missing(self, pair: Pair, direction: Direction) -> bool:
        """A row that the target has lost."""
        return self._lose(pair, direction.target, "deleted_at_target", "target")

    def _lost_source(self, pair: Pair, direction: Direction) -> bool:
        """A row that the source has lost, without a word in its change tracking."""
        if len(self.ground.table_map.legs) > 1 or not self._may_delete(direction):
            return False
        return self._lose(pair, direction.source, "deleted_at_source", "source")

    def _lose(self, pair: Pair, system: System, kind: str, side: str) -> bool:
        if pair.touched:
            return False
        pair.now[system] = None
        with self.store.write() as unit:
            unit.connection.execute(self._sql(system).delete().where(self._is(system, pair.ids[system])))
        return self._close(pair, side, kind)

    def _extra(self, pair: Pair, direction: Direction) -> bool:
        """A row that was made at the target."""
        return self._may_delete(direction) and self._add(pair, direction.target, "made_at_target", "target")

    def _made_at_source(self, pair: Pair, direction: Direction) -> bool:
        """A row that appeared at the source, without a word in its change tracking."""
        return self._add(pair, direction.source, "made_at_source", "source")

    def _may_delete(self, direction: Direction) -> bool:
        if self.ground.table_map.legs[direction].deletes is Deletes.IGNORE:
            return True
        self._deletes += 1
        return self._deletes <= _MOST_PROPAGATED

    def _add(self, pair: Pair, system: System, kind: str, side: str) -> bool:
        name, row = self._own_key(system), pair.now[system]
        if row is None or pair.touched:  # what it holds tells whose it is
            return False
        column = self.ground.sides[system].table.columns[name]
        own = _another(column, row[name], len(self.done))
        if own is None:
            return False
        key = self.ground.key_of(system, {**row, name: own})
        if key in self.ground.pairs:
            return False
        values = {name: own, **self._other_keys(system, name, len(self.done))}
        try:
            new_id = self._insert(system, pair.ids[system], values)
        except sa.exc.IntegrityError:  # the key of a row of another map of the same table
            return False
        made = {**row, **values}
        primary_id = self.ground.sides[system].table.primary_id
        if primary_id:
            made[primary_id] = new_id
        added = Pair(key, {system: new_id}, dict.fromkeys(System), {**dict.fromkeys(System), system: made})
        self.ground.pairs[key] = added
        return self._close(added, side, kind)

    def _other_keys(self, system: System, name: str, number: int) -> Mapping[str, Any]:
        """A value of its own for each further key of the table."""
        table = self.ground.sides[system].table
        keys = [key for key in table.keys if name not in key]
        columns = [next(column for column in key if table.columns[column].is_text) for key in keys]
        return {column: _another(table.columns[column], "", number) for column in columns}

    def _left(self, pair: Pair, direction: Direction) -> bool:
        """A row that has left the filter."""
        name, value = _LEAVES.get(self.ground.table_map.map, ("", None))
        row = pair.now[direction.source]
        if (
            not name
            or pair.touched
            or row is None
            or name not in self.ground.sides[direction.source].table.columns
        ):
            return False
        pair.closed = True
        return self._set(
            pair, direction.source, {**row, name: value}, {name: value}, "left_the_filter", "source"
        )

    # Keys.

    def _key_case(self, pair: Pair, direction: Direction) -> bool:
        """Its key in other letters: keys are compared folded."""
        name = self._own_key(direction.target)
        row = pair.now[direction.target]
        column = self.ground.sides[direction.target].table.columns[name]
        if len(self.ground.table_map.legs) > 1 or row is None or not column.is_text:
            return False
        if (direction.target, name) in pair.touched or row[name] == row[name].swapcase():
            return False
        pair.touched.add((direction.target, name))
        value = row[name].swapcase()
        return self._set(pair, direction.target, {**row, name: value}, {name: value}, "key_case", "target")

    def _swapped_keys(self, pair: Pair, direction: Direction) -> bool:
        """Two rows of the target that have taken each other's keys."""
        system = direction.target
        name, other = self._own_key(system), self.chance.choice(self._pairs)
        one_row, other_row = pair.now[system], other.now[system]
        if other is pair or pair.touched or other.touched or other.closed or not (one_row and other_row):
            return False
        if not self.ground.moves(direction, other.before) or len(self.ground.table_map.legs) > 1:
            return False
        # What the rows take along is the key alone: all its other parts must be the same already.
        if self.ground.key_of(system, {**one_row, name: other_row[name]}) != other.key:
            return False
        parking = _another(self.ground.sides[system].table.columns[name], one_row[name], 10**6)
        for row, value in ((pair, parking), (other, one_row[name]), (pair, other_row[name])):
            self._write(system, row.ids[system], {name: value})
        pair.now[system] = {**other_row, name: one_row[name]}
        other.now[system] = {**one_row, name: other_row[name]}
        pair.ids[system], other.ids[system] = other.ids[system], pair.ids[system]
        self._close(other, "target", "swapped_keys")
        return self._close(pair, "target", "swapped_keys")

    def _swapped_values(self, pair: Pair, direction: Direction) -> bool:
        """Two rows of the target that have taken each other's value of one column."""
        system, other = direction.target, self.chance.choice(self._pairs)
        rule = self.chance.choice(self.ground.table_map.legs[direction].fields)
        name = rule.target.partition(".")[0]
        column = self.ground.sides[system].table.columns[name]
        wire = _wire_name(column)
        if other is pair or other.closed or name in self._fixed(system) or column.type is ColumnType.LOOKUP:
            return False
        places = [each for each in (pair, other) if (system, name) not in each.touched and each.now[system]]
        if len(places) < 2 or not self.ground.moves(direction, other.before):
            return False
        one, two = ((each.now[system] or {})[wire] for each in places)
        if one == two:
            return False
        done = [self._one_value(each, system, name, value) for each, value in ((pair, two), (other, one))]
        return any(done)

    def _one_value(self, pair: Pair, system: System, name: str, value: Any) -> bool:
        row = pair.now[system]
        assert row is not None
        pair.touched.add((system, name))
        wire = _wire_name(self.ground.sides[system].table.columns[name])
        return self._set(pair, system, {**row, wire: value}, {name: value}, "swapped_values", "target")

    def _own_key(self, system: System) -> str:
        """The part of the key that tells rows of one company, or of one parent, apart."""
        dataverse = system is System.DATAVERSE
        parts = [part.dataverse if dataverse else part.finance for part in self.ground.table_map.key]
        counted = {
            name: len({(pair.before[system] or {}).get(name) for pair in self._pairs})
            for name in parts
            if "." not in name
        }
        return max(counted, key=lambda name: counted[name])

    # The book and the database.

    def _close(self, pair: Pair, side: str, kind: str) -> bool:
        pair.closed = True
        self._book(side, kind, pair.key, frozenset(entries_of(self.ground, pair)))
        return True

    def _book(self, side: str, kind: str, key: str, cells: frozenset[Cell]) -> None:
        self.done.append(Planting(self.ground.table_map.map, side, kind, key, cells))

    def _sql(self, system: System) -> sa.Table:
        tables = self.store.dataverse if system is System.DATAVERSE else self.store.finance
        return self.store.sql(tables[self.ground.sides[system].table.name])

    def _is(self, system: System, row_id: Any) -> sa.ColumnElement[bool]:
        name = self.ground.sides[system].table.primary_id or REC_ID
        return sa.and_(self._sql(system).c[name] == row_id)

    def _write(self, system: System, row_id: Any, values: Mapping[str, Any]) -> None:
        with self.store.write() as unit:
            changed = sa.update(self._sql(system)).where(self._is(system, row_id)).values(**values)
            assert unit.connection.execute(changed).rowcount == 1

    def _insert(self, system: System, like: Any, values: Mapping[str, Any]) -> Any:
        """Insert a copy of a row, of the same version; give its id."""
        sql, name = self._sql(system), self.ground.sides[system].table.primary_id or REC_ID
        with self.store.write() as unit:
            row = unit.connection.execute(sa.select(sql).where(self._is(system, like))).mappings().one()
            primary = {
                name: unit.next_recid() if name == REC_ID else str(uuid.uuid5(_NAMESPACE, f"{like} {values}"))
            }
            made = {**row, **primary, **values}
            unit.connection.execute(sa.insert(sql).values(**made))
        return made[name]


# What is planted, and how often.
_WAYS = {
    "target_cell": 52,
    "source_cell": 22,
    "missing": 4,
    "extra": 4,
    "lost_source": 3,
    "made_at_source": 3,
    "left": 1,
    "unowned": 4,
    "key_case": 3,
    "swapped_keys": 2,
    "swapped_values": 2,
}


def _by_company(
    ground: Ground, pairs: Iterable[Pair], system: System, name: str
) -> Mapping[str, Sequence[Any]]:
    wire = _wire_name(ground.sides[system].table.columns[name])
    found: dict[str, set[Any]] = {}
    for pair in pairs:
        row = pair.before[system]
        if row is not None and row[wire]:
            found.setdefault(ground.company_of(system, row), set()).add(row[wire])
    return {company: sorted(held) for company, held in found.items()}


def _wire_name(column: Column) -> str:
    return f"_{column.name}_value" if column.type is ColumnType.LOOKUP else column.name


def _typed(column: Column, text: str) -> Any:
    return int(text) if column.type in (ColumnType.OPTION, ColumnType.INTEGER, ColumnType.BIGINT) else text


def _members(column: Column) -> Sequence[Any]:
    if column.type is ColumnType.ENUM:
        return catalog.finance_enums()[column.enum or ""]
    return list(column.options) if column.type is ColumnType.OPTION else ()


def _another(column: Column, value: Any, number: int) -> Any:
    """A key that no row has; None where it would be too long."""
    if column.type in (ColumnType.INTEGER, ColumnType.BIGINT):
        return int(value) + 10**6 + number
    if isinstance(value, str) and len(value) == 36 and value.count("-") == 4:
        return str(uuid.uuid5(_NAMESPACE, f"{value} {number}"))
    if column.type in (ColumnType.DATE, ColumnType.DATETIME):
        return (date(2031, 1, 1) + timedelta(days=number)).isoformat() + value[10:]
    if isinstance(value, str) and len(value) == 3 and value.isupper():  # a currency
        return f"Z{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}"
    made = f"X{number}"
    return made if len(made) <= (column.length or len(made)) else None
