"""A target in memory, and what it takes to load frames to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from projops.load.decide import Action, Kind, Row, TargetRow
from projops.load.guard import delete_guard
from projops.load.job import LoadJob
from projops.load.target import Outcome, Result, Waiting
from projops.mapping.model import Direction
from projops.mapping.reader import load_maps
from projops.poison import Quarantine
from projops.settings import PROJECT_ROOT, Settings
from projops.staging import Staging
from projops.state import StateStore
from projops.state.batches import NewBatch, open_batch
from projops.state.leases import acquire
from projops.transform.rows import target_schema

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE


@dataclass
class Memory:
    """A target that keeps what is written, and answers as it is told."""

    rows: dict[str, str] = field(default_factory=dict)
    answers: list[Outcome] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)
    columns: list[tuple[str, ...]] = field(default_factory=list)

    async def resolve(self, table: pa.Table) -> Sequence[Waiting]:
        return ()

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        there = [row.key for row in rows if row.key in self.rows]
        return {key: TargetRow(None, {"Kept": self.rows[key]}, None) for key in there}

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        return [self._write(action) for action in actions]

    def _write(self, action: Action) -> Outcome:
        outcome = self.answers.pop(0) if self.answers else Outcome(Result.WRITTEN)
        if outcome.result is Result.WRITTEN:
            self.written.append((action.kind.value, action.row.key))
            self.columns.append(action.columns)
            if action.kind is Kind.DELETE:
                self.rows.pop(action.row.key, None)
            else:
                self.rows[action.row.key] = action.row.hash
        return outcome


def job(
    store: StateStore,
    target: Memory,
    map_id: str,
    deletes: int = 0,
    direction: Direction = FORTH,
    run: str = "r",
) -> LoadJob:
    table_map = MAPS[map_id]
    with store.begin() as connection:
        new = NewBatch("d", run, map_id, direction.value, "incremental", table_map.version, "f", True)
        batch = open_batch(connection, new)
        connection.exec_driver_sql("delete from lease")  # the load before this one has ended
    lease = acquire(store, map_id, "a test", 120.0)
    leg = table_map.legs[direction]
    guard = delete_guard(store, Settings(), leg, batch, deletes)
    quarantine = Quarantine(store, Staging("memory://load"), batch, table_map.version, "load", most=3)
    return LoadJob(
        store, table_map, leg, batch, target, Settings(), guard, lease=lease, quarantine=quarantine
    )


def frame(map_id: str, *rows: Mapping[str, object], direction: Direction = FORTH) -> pa.Table:
    table_map = MAPS[map_id]
    schema = target_schema(table_map, table_map.legs[direction])
    facts = {"_deleted": False, "_parents": []}
    return pa.Table.from_pylist([facts | dict(row) for row in rows], schema=schema)


def source(guid: str, key: str, digest: str = "h") -> dict[str, object]:
    return {"_id": guid, "_key": f'["{key}","ord","uspm"]', "_hash": digest}
