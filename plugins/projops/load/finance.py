"""Finance as the side that is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from projops.load.decide import Action, Kind, Row, TargetRow
from projops.load.results import outcome_of
from projops.load.target import Outcome, Result, Waiting
from projops.mapping.catalog import Table
from projops.mapping.keys import key_column
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.paths import key_paths, table_of
from projops.systems import quoting
from projops.systems.columns import properties
from projops.systems.encoding import Bodies
from projops.systems.finance import Finance, RowWrite, Verb
from projops.systems.outcomes import RowOutcome, Status
from projops.systems.properties import Property
from projops.transform.canonical import finance_canonical
from projops.transform.shared import read_digests, shared_digests

_VERBS = {Kind.CREATE: Verb.CREATE, Kind.UPDATE: Verb.UPDATE, Kind.DELETE: Verb.DELETE}


@dataclass(slots=True)
class FinanceTarget:
    """Writes one leg's rows to a Finance entity set.

    Attributes:
        finance: Reads and writes.
        table_map: The map.
        leg: A leg towards Finance.
        table: The entity set that is written.
    """

    finance: Finance
    table_map: TableMap
    leg: Leg
    table: Table = field(init=False)
    _key: tuple[str, ...] = field(init=False)
    _key_properties: tuple[Property, ...] = field(init=False)
    _properties: tuple[Property, ...] = field(init=False)
    _bodies: Bodies = field(init=False)

    def __post_init__(self) -> None:
        self.table = table_of(self.table_map, System.FINANCE)
        self._key = key_paths(self.table_map, System.FINANCE)
        names = dict.fromkeys((*self._key, *(rule.target for rule in self.leg.fields)))
        self._key_properties = properties(self.table, self._key)
        self._properties = properties(self.table, names)
        self._bodies = Bodies.of(System.FINANCE, self._properties)

    async def resolve(self, table: pa.Table) -> Sequence[Waiting]:
        """Nothing to look up: Finance rows name each other by key."""
        return ()

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        """Read rows by entity key."""
        if not rows:
            return {}
        found = await self.finance.by_keys(
            self.table.entity_set,
            self._properties,
            self._key_properties,
            [[row.identity[name] for name in self._key] for row in rows],
        )
        return self._target_rows(finance_canonical(self.table, found))

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        """Write rows, each in a changeset of its own."""
        if not actions:
            return []
        rows = [self._row_write(action) for action in actions]
        written = await self.finance.write_each(self.table.entity_set, rows)
        return [_outcome(action, row) for action, row in zip(actions, written, strict=True)]

    def _row_write(self, action: Action) -> RowWrite:
        row, verb = action.row, _VERBS[action.kind]
        key = "" if verb is Verb.CREATE else self._predicate(row)
        if verb is Verb.DELETE:
            return RowWrite(verb, key)
        values: dict[str, Any] = {name: row.payload[name] for name in action.columns}
        if verb is Verb.CREATE:
            # Finance fills in its own nulls; what is not there need not be said.
            values = {name: value for name, value in values.items() if value is not None} | dict(row.identity)
        return RowWrite(verb, key, self._bodies.body(values))

    def _predicate(self, row: Row) -> str:
        values = [row.identity[name] for name in self._key]
        return quoting.key_predicate(System.FINANCE, self._key_properties, values)

    def _target_rows(self, found: pa.Table) -> dict[str, TargetRow]:
        keys = key_column([found[name] for name in self._key]).to_pylist()
        shared = read_digests(shared_digests(self.table_map, System.FINANCE, found))
        payload = found.select([rule.target for rule in self.leg.fields]).to_pylist()
        return {
            key: TargetRow(None, values, digests)
            for key, values, digests in zip(keys, payload, shared, strict=True)
            if key is not None
        }


def _outcome(action: Action, row: RowOutcome) -> Outcome:
    if action.kind is Kind.DELETE and row.status is Status.NOT_FOUND:
        return Outcome(Result.WRITTEN)
    return outcome_of(row)
