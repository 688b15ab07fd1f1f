"""What stands on both sides of a map, row by row: as it was, and as the plantings have left it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from projops.mapping.catalog import ColumnType
from projops.mapping.model import Direction, System, TableMap
from projops.mapping.reader import LoadedMaps
from runner.expected import Side, belongs
from runner.rows import Rows
from runner.wire import Row
from sandbox.store import Store
from sandbox.store.tables import REC_ID
from tests.plantings.values import fold, key_text

Sides = Mapping[System, Row | None]


@dataclass
class Pair:
    """A row of a map on both sides; a side that has none is None.

    Attributes:
        key: Key text.
        ids: What tells the row in the database, GUID or record id, by system.
        before: Rows as they came over the wire, in step.
        now: Rows as they are after the plantings.
        touched: Columns that were planted into.
        closed: Whether nothing more may be planted into it.
    """

    key: str
    ids: dict[System, Any]
    before: dict[System, Row | None]
    now: dict[System, Row | None]
    touched: set[tuple[System, str]] = field(default_factory=set)
    closed: bool = False


@dataclass(frozen=True)
class Ground:
    """A map's rows, to plant into.

    Attributes:
        table_map: The map.
        loaded: All maps, value maps and companies.
        sides: How rows of each side are read.
        pairs: Rows by key text.
        taken: GUIDs of rows that others refer to: plantings into those would show in other maps too.
    """

    table_map: TableMap
    loaded: LoadedMaps
    sides: Mapping[System, Side]
    pairs: dict[str, Pair]
    taken: frozenset[str]

    def key_of(self, system: System, row: Row) -> str:
        """The key text of a row."""
        return _key(self.sides[system], row)

    def company_of(self, system: System, row: Row | None) -> str:
        """The company that a row belongs to; empty of a map that has none."""
        assert row is not None
        side = self.sides[system]
        for part in self.table_map.key:
            if part.finance.lower().endswith("dataareaid"):
                path = part.dataverse if system is System.DATAVERSE else part.finance
                return fold(str(side.value(row, path)))
        return ""

    def free(self) -> Iterator[Pair]:
        """Rows that both sides have, that a leg moves and that no other row refers to."""
        for pair in self.pairs.values():
            if None not in pair.before.values() and str(pair.ids[System.DATAVERSE]) not in self.taken:
                if any(self.moves(direction, pair.before) for direction in self.table_map.legs):
                    yield pair

    def moves(self, direction: Direction, sides: Sides) -> bool:
        """Whether a leg moves the row: its source has it, and the filter lets it through."""
        row = sides[direction.source]
        return row is not None and belongs(self.sides[direction.source], direction, row)


def read_ground(table_map: TableMap, loaded: LoadedMaps, rows: Rows, store: Store) -> Ground:
    """Read a map's rows on both sides, and where they stand in the database."""
    sides = {system: Side(table_map, system, rows, loaded) for system in System}
    pairs: dict[str, Pair] = {}
    for system, side in sides.items():
        ids = _ids(store, side)
        for row in rows.of(side.table):
            key = _key(side, row)
            pair = pairs.setdefault(key, Pair(key, {}, dict.fromkeys(System), dict.fromkeys(System)))
            pair.ids[system] = row[side.table.primary_id] if side.table.primary_id else ids[key]
            pair.before[system] = pair.now[system] = row
    return Ground(table_map, loaded, sides, pairs, referred_to(store))


def _key(side: Side, row: Row) -> str:
    dataverse = side.system is System.DATAVERSE
    paths = (part.dataverse if dataverse else part.finance for part in side.table_map.key)
    return key_text([side.value(row, path) for path in paths])


def _ids(store: Store, side: Side) -> dict[str, int]:
    """Record ids of a Finance set by key text."""
    if side.system is System.DATAVERSE:
        return {}
    sql = store.sql(store.finance[side.table.name])
    with store.read() as connection:
        found = [dict(row) for row in connection.execute(sa.select(sql)).mappings()]
    return {_key(side, row): row[REC_ID] for row in found}


def referred_to(store: Store) -> frozenset[str]:
    """GUIDs that a lookup of Dataverse holds."""
    found: set[str] = set()
    with store.read() as connection:
        for table in store.dataverse.values():
            sql = store.sql(table)
            if connection.execute(sa.select(sql.c[str(table.primary_id)]).limit(1)).first() is None:
                continue
            for column in table.columns.values():
                if column.type.value == ColumnType.LOOKUP.value:
                    found.update(connection.execute(sa.select(sql.c[column.name]).distinct()).scalars())
            if table.name == "msdyn_transactionconnection":  # it names actuals in texts
                for name in ("msdyn_transaction1", "msdyn_transaction2"):
                    found.update(connection.execute(sa.select(sql.c[name]).distinct()).scalars())
    return frozenset(each for each in found if each)
