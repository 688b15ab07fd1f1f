"""A target whose rows are read and never written: what a run would write is noted down instead."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from projops.load.decide import Action, Kind, Policy, Row, TargetRow
from projops.load.target import Outcome, Result, Target, Waiting


@dataclass(frozen=True, slots=True)
class Change:
    """One column of a row that would be written.

    Attributes:
        old: What the target holds; None where it has no such row, or no value.
        new: What it would hold.
    """

    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row that would be written.

    Attributes:
        key: Integration key text.
        action: create, update, delete or deactivate.
        columns: What would change, by column; none for a row that is sent though it is equal already.
    """

    key: str
    action: Kind
    columns: Mapping[str, Change]


@dataclass(slots=True)
class RehearsedTarget:
    """Stands before a target and lets nothing through that would change it.

    Attributes:
        real: The target, which is read.
        own: The map whose rows these are.
        policy: What the leg's mapping says about writing.
        shown: Rows that are noted whole; of the others only what is to become of them.
        rows: The rows noted whole, by key.
        actions: What is to become of each row, by key.
        columns: Rows that would change in a column, by column.
    """

    real: Target
    own: str
    policy: Policy
    shown: int
    rows: dict[str, PlannedRow] = field(default_factory=dict)
    actions: dict[str, Kind] = field(default_factory=dict)
    columns: Counter[str] = field(default_factory=Counter)
    _read: Mapping[str, TargetRow] = field(default_factory=dict)

    async def resolve(self, table: pa.Table) -> Sequence[Waiting]:
        """Give the rows that must wait, but for those whose parents would be written before them."""
        waits = await self.real.resolve(table)
        return [wait for wait in waits if wait.map != self.own or wait.id not in self.actions]

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        """Read the target's rows."""
        self._read = await self.real.read(rows)
        return self._read

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        """Note what would be written; each row counts as written."""
        unread = [each.row for each in actions if _may_be_read(each) and each.row.key not in self._read]
        held = {**self._read, **await self.real.read(unread)}
        for action in actions:
            self._note(action, held.get(action.row.key))
        return [Outcome(Result.WRITTEN, action.target_id) for action in actions]

    def _note(self, action: Action, held: TargetRow | None) -> None:
        """Note a row; one that comes twice, first without its references, is one row in the end."""
        key, columns = action.row.key, _changes(action, held, self.policy)
        before = self.rows.get(key)
        kind = self.actions.setdefault(key, action.kind)
        self.columns.update(name for name in columns if before is None or name not in before.columns)
        if before is not None or len(self.rows) < self.shown:
            self.rows[key] = PlannedRow(key, kind, {**(before.columns if before else {}), **columns})


def _may_be_read(action: Action) -> bool:
    """Rows of Dataverse that are to be deleted are known by their GUID alone."""
    return action.kind is not Kind.CREATE and bool(action.row.identity)


def _changes(action: Action, held: TargetRow | None, policy: Policy) -> dict[str, Change]:
    """Give the columns that would change; of a row that would go, what goes with it."""
    old = held.values if held is not None else {}
    if action.kind in (Kind.DELETE, Kind.DEACTIVATE):
        return {name: Change(value, None) for name, value in old.items() if value is not None}
    pairs = {name: Change(old.get(name), action.row.payload[name]) for name in action.columns}
    return {name: pair for name, pair in pairs.items() if not policy.same(name, pair.old, pair.new)}
