"""The loser's value is kept before it is overwritten, whatever happens in between, and once only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from projops.load.decide import Action, Kind, Row, TargetRow, in_step
from projops.load.outcomes import Done, commit_chunk
from projops.load.shared import Sides
from projops.load.stage import load_tables
from projops.load.target import Outcome, Result
from projops.mapping.model import System
from projops.state import StateStore, conflicts, crosswalk
from projops.state.batches import Counts
from projops.state.crosswalk import Entry
from projops.transform.shared import read_digests, shared_digests
from tests.unit.projops.load.memory import BACK, MAPS, Memory, frame, job

KEY = '["c1","uspm"]'
GUID = "00000000-0000-0000-0000-000000000001"


class Killed(BaseException):
    """The process dies."""


@dataclass
class Account(Memory):
    """Dataverse with one account; its name changes, or the process dies, when it is written."""

    name: str = "Ours"
    changes: list[str] = field(default_factory=list)
    dies: bool = False

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        names = [path for _, path in MAPS["customers"].shared_fields()]
        values = {path: self.name if path == "name" else None for path in names}
        held = pa.table({path: pa.array([value], pa.string()) for path, value in values.items()})
        [digests] = read_digests(shared_digests(MAPS["customers"], System.DATAVERSE, held))
        return {KEY: TargetRow(GUID, values, digests)}

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        if self.dies:
            raise Killed
        outcomes = await super().write(actions)
        if self.changes:
            self.name = self.changes.pop(0)
        elif outcomes and outcomes[0].result is Result.WRITTEN:
            self.name = str(actions[0].row.payload["name"])
        return outcomes


def theirs() -> pa.Table:
    digests = json.dumps({finance: "now" for finance, _ in MAPS["customers"].shared_fields()})
    row = {"_id": KEY, "_key": KEY, "_hash": "h", "name": "Theirs", "_source_shared": digests}
    return frame("customers", row, direction=BACK)


def kept(store: StateStore) -> list[object]:
    with store.begin() as connection:
        return [row["target_values"]["name"] for row in conflicts.listed(connection, None, 100)]


async def load(store: StateStore, account: Account, run: str) -> Counts:
    return await load_tables(job(store, account, "customers", direction=BACK, run=run), [theirs()])


async def test_what_a_dying_process_was_about_to_overwrite_is_kept_and_kept_once(store: StateStore) -> None:
    account = Account(dies=True)
    with pytest.raises(Killed):
        await load(store, account, "first")
    assert kept(store) == ["Ours"]
    account.dies = False
    assert await load(store, account, "second") == Counts(loaded=1)
    assert account.name == "Theirs"
    assert kept(store) == ["Ours"]


async def test_a_value_that_came_in_between_is_kept_too(store: StateStore) -> None:
    account = Account(answers=[Outcome(Result.LOOK_AGAIN)], changes=["Ours again"])
    assert await load(store, account, "first") == Counts(loaded=1)
    assert kept(store) == ["Ours again", "Ours"]


async def test_a_row_moved_in_part_is_not_in_step_as_it_was_before_either(store: StateStore) -> None:
    """A column was left to the way back: if the source takes its own change back, that is still to move."""
    mine = job(store, Account(), "customers", direction=BACK)
    row = Row(KEY, KEY, "new", {}, {}, {}, {})
    with store.begin() as connection:
        crosswalk.put(connection, "customers", 1, [Entry(KEY, GUID, hash_finance_to_dataverse="old")])
    left = Action(Kind.UPDATE, row, GUID, ("city",), leaves_shared=True, shared=Sides({}, {}))
    commit_chunk(mine, [Done(left, Outcome(Result.WRITTEN, GUID))], in_step=True)
    with store.begin() as connection:
        pair = crosswalk.by_keys(connection, "customers", [KEY])[KEY]
    assert in_step([(KEY, KEY, "old")], {KEY: pair}, mine.policy) == [False]
