"""Dataverse as the side that is written."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

import pyarrow as pa

from projops.extract.lookups import Lookups
from projops.load.decide import Action, Kind, Row, TargetRow
from projops.load.missing import MissingRows
from projops.load.references import Reference, References
from projops.load.results import outcome_of
from projops.load.target import Outcome, Result, Waiting
from projops.mapping.catalog import ColumnType, Table
from projops.mapping.keys import key_column
from projops.mapping.model import Leg, System, TableMap, WriteMode
from projops.mapping.paths import alternate_key, company_path, key_paths, table_of
from projops.systems.columns import entity_set, properties
from projops.systems.dataverse import Dataverse
from projops.systems.dataverse_writer import DataverseWriter, RowWrite, Verb
from projops.systems.encoding import Bodies
from projops.systems.outcomes import RowOutcome, Status
from projops.transform.shared import read_digests, shared_digests

# GUIDs of rows that we create follow from map and key, so that a create that was lost on the way
# back is found again, and a second one meets the first.
_NAMESPACE = uuid.UUID("5a3b7a0e-6a58-4f0e-9f53-0d1f6c2b9e11")
_ROWS_A_MESSAGE = 200
_VERBS = {
    WriteMode.UPSERT: Verb.UPSERT,
    WriteMode.UPDATE_ONLY: Verb.UPDATE,
    WriteMode.CREATE_ONLY: Verb.CREATE,
}


@dataclass(slots=True)
class DataverseTarget:
    """Writes one leg's rows to a Dataverse table.

    Attributes:
        dataverse: Reads.
        writer: Writes.
        table_map: The map.
        leg: A leg towards Dataverse.
        references: Finds the rows that lookups should lead to.
        missing: Says where those come from that are not there.
        lookups: Reads lookup paths of existing rows.
        table: The table that is written.
    """

    dataverse: Dataverse
    writer: DataverseWriter
    table_map: TableMap
    leg: Leg
    references: References
    missing: MissingRows
    lookups: Lookups
    table: Table = field(init=False)
    _paths: tuple[str, ...] = field(init=False)
    _bodies: Bodies = field(init=False)
    _guids: dict[str, dict[str, str | None]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.table = table_of(self.table_map, System.DATAVERSE)
        targets = (rule.target for rule in self.leg.fields)
        self._paths = tuple(dict.fromkeys((*key_paths(self.table_map, System.DATAVERSE), *targets)))
        columns = dict.fromkeys(path.partition(".")[0] for path in self._paths)
        self._bodies = Bodies.of(System.DATAVERSE, properties(self.table, columns))

    async def resolve(self, table: pa.Table) -> Sequence[Waiting]:
        """Find the GUIDs that lookups should hold; give the rows that must wait for one."""
        path = company_path(self.table_map, System.DATAVERSE)
        companies = table[path].to_pylist() if path else [None] * table.num_rows
        found = await self.references.resolve(self.table, table, self._paths, companies)
        self._guids.clear()  # of the chunk before
        self._remember(table["_key"].to_pylist(), found)
        own = self.table_map.map
        return [wait for reference in found for wait in await self.missing.awaited(reference, own)]

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        """Read rows by the table's alternate key."""
        if not rows:
            return {}
        key = alternate_key(self.table_map)
        own = {path.partition(".")[0] for path in self._paths} | set(key)
        found = await self.dataverse.by_keys(
            entity_set(self.table),
            properties(self.table, sorted(own)),
            properties(self.table, key),
            [[self._key_value(row, column) for column in key] for row in rows],
        )
        found = await self.lookups.add(self.table.name, found, self._paths)
        return self._target_rows(found)

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        """Write rows by bulk messages side by side, each falling back to single requests; deletes singly."""
        outcomes: dict[int, Outcome] = {}
        for kind in (Kind.CREATE, Kind.UPDATE, Kind.DELETE, Kind.DEACTIVATE):
            places = [index for index, action in enumerate(actions) if action.kind is kind]
            mine = [actions[index] for index in places]
            messages = (
                mine[start : start + _ROWS_A_MESSAGE] for start in range(0, len(mine), _ROWS_A_MESSAGE)
            )
            sends = [partial(self._write_kind, kind, message) for message in messages]
            written = await self.writer.session.all_of(sends)
            outcomes.update(zip(places, chain.from_iterable(written), strict=True))
        return [outcomes[index] for index in range(len(actions))]

    async def _write_kind(self, kind: Kind, actions: Sequence[Action]) -> list[Outcome]:
        table = entity_set(self.table)
        # Of a row whose create was never answered, its GUID is known all the same.
        ids = [action.target_id or self._new_id(action.row) for action in actions]
        if kind in (Kind.DELETE, Kind.DEACTIVATE):
            send = self.writer.delete if kind is Kind.DELETE else self.writer.deactivate
            return [_gone(row) for row in await send(table, ids)]
        verb = Verb.UPDATE if kind is Kind.UPDATE else _VERBS[self.leg.write]
        rows = [
            RowWrite(self._body(action), entity_id=guid) for action, guid in zip(actions, ids, strict=True)
        ]
        written = await self.writer.write_many(verb, table, rows)
        return [outcome_of(row, guid) for row, guid in zip(written, ids, strict=True)]

    def _new_id(self, row: Row) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self.table_map.map} {row.key}"))

    def _body(self, action: Action) -> bytes:
        """Write a row's own columns, and its lookups by GUID; its key too when it is created."""
        row, names = action.row, action.columns
        if action.kind is Kind.CREATE:
            names = (*names, *(path for path in row.identity if path != self.table.primary_id))
        values: dict[str, object] = {}
        for path in names:
            column, dot, _ = path.partition(".")
            if dot:
                values[column] = self._guids[row.key][column]
            else:
                values[column] = row.payload[path] if path in row.payload else row.identity[path]
        return self._bodies.body(values)

    def _key_value(self, row: Row, column: str) -> object:
        if self.table.columns[column].type is ColumnType.LOOKUP:
            return self._guids[row.key][column]
        return row.identity[column]

    def _remember(self, keys: Sequence[str], references: Iterable[Reference]) -> None:
        for reference in references:
            for key, guid in zip(keys, reference.guids, strict=True):
                self._guids.setdefault(key, {})[reference.lookup] = guid

    def _target_rows(self, found: pa.Table) -> dict[str, TargetRow]:
        keys = key_column([found[path] for path in key_paths(self.table_map, System.DATAVERSE)]).to_pylist()
        shared = read_digests(shared_digests(self.table_map, System.DATAVERSE, found))
        payload = found.select([rule.target for rule in self.leg.fields]).to_pylist()
        ids = found["_id"].to_pylist()
        return {
            key: TargetRow(guid, values, digests)
            for key, guid, values, digests in zip(keys, ids, payload, shared, strict=True)
            if key is not None
        }


def _gone(row: RowOutcome) -> Outcome:
    """A row that is not there any more is as good as deleted."""
    if row.status is Status.NOT_FOUND:
        return Outcome(Result.WRITTEN)
    return outcome_of(row)
