"""What to do with each row, decided from values alone.

Inputs are the row as transformed, what the crosswalk says was last in step, and, where it was read,
the row that the target holds now. The output is an action; nothing here does I/O, so that `plan`
and a dry run say exactly what a run would do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from projops.mapping.keys import fold
from projops.mapping.model import Deletes, Leg, System, TableMap, WriteMode
from projops.state.crosswalk import Entry


class Kind(StrEnum):
    """What is to happen to a row."""

    SKIP = "skip"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    DEACTIVATE = "deactivate"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Row:
    """A transformed row.

    Attributes:
        source_id: Identity of the source row.
        key: Integration key text.
        hash: Hash of the payload.
        source_shared: Hash of the shared columns as the source has them, or None.
        target_shared: Hash of the shared columns as they will stand at the target, or None.
        identity: Values of the target's key columns, by name.
        payload: Values of the other target columns, by name.
    """

    source_id: str
    key: str
    hash: str
    source_shared: str | None
    target_shared: str | None
    identity: Mapping[str, Any]
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A row as the target holds it now.

    Attributes:
        id: Dataverse GUID, or None for Finance.
        values: Values of the payload columns, by name.
        shared: Hash of its shared columns, or None.
    """

    id: str | None
    values: Mapping[str, Any]
    shared: str | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both sides changed shared columns, and the source's values are to be written."""

    key: str
    winner: System
    source_values: Mapping[str, Any]
    target_values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """What is to happen to a row, and why.

    Attributes:
        kind: Skip, create, update, delete or reject.
        row: The row.
        target_id: Dataverse GUID of the target row, where it is known.
        columns: Names of the payload columns to write.
        conflict: Set where the source overwrites what the target changed.
        leaves_shared: Whether shared columns differ and are left to the other leg.
        reason: For people, on a reject.
    """

    kind: Kind
    row: Row
    target_id: str | None = None
    columns: tuple[str, ...] = ()
    conflict: Conflict | None = None
    leaves_shared: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a leg's mapping says about writing.

    Attributes:
        write: Write mode.
        source: System that rows come from.
        winner: System that wins where both changed a shared column, or None.
        shared: Names of the shared columns at the target.
        create_only: Names of the columns that belong to the target once the row is there.
    """

    write: WriteMode
    source: System
    winner: System | None
    shared: frozenset[str]
    create_only: frozenset[str] = frozenset()

    @classmethod
    def of(cls, table_map: TableMap, leg: Leg) -> "Policy":
        """Read the policy of a leg."""
        side = 0 if leg.direction.target is System.FINANCE else 1
        shared = frozenset(pair[side] for pair in table_map.shared_fields())
        create_only = frozenset(rule.target for rule in leg.fields if rule.create_only)
        return cls(leg.write, leg.direction.source, table_map.conflict, shared, create_only)

    def kept_in_step(self, row: "Row") -> tuple[str, ...]:
        """Name the columns of a row that an update may write."""
        return tuple(name for name in row.payload if name not in self.create_only)


def is_in_step(row: Row, entry: Entry | None, policy: Policy) -> bool:
    """Say whether the crosswalk knows that this very payload of this very row is at the target."""
    return entry is not None and is_of(row, entry, policy) and _has_payload(row, entry, policy)


def is_of(row: Row, entry: Entry, policy: Policy) -> bool:
    """Say whether an entry is the row's own: a Dataverse key may have passed to another GUID."""
    return policy.source is not System.DATAVERSE or entry.dataverse_id == row.source_id


def _has_payload(row: Row, entry: Entry, policy: Policy) -> bool:
    forth = policy.source is System.DATAVERSE
    return row.hash == (entry.hash_dataverse_to_finance if forth else entry.hash_finance_to_dataverse)


def decide(row: Row, entry: Entry | None, target: TargetRow | None, policy: Policy) -> Action:
    """Decide on a row whose target was read.

    Args:
        row: The transformed row.
        entry: What was last in step, or None at first contact.
        target: What the target holds now, or None where it has no such row.
        policy: What the mapping allows.
    """
    if target is None:
        if policy.write is WriteMode.UPDATE_ONLY:
            return Action(
                Kind.REJECT, row, reason="the target has no such row, and this leg never creates one."
            )
        return Action(Kind.CREATE, row, columns=tuple(row.payload))
    if policy.write is WriteMode.CREATE_ONLY:
        return Action(Kind.SKIP, row, target_id=target.id)
    different = tuple(
        name
        for name in policy.kept_in_step(row)
        if not _same(name, row.payload[name], target.values.get(name))
    )
    shared = tuple(name for name in different if name in policy.shared)
    if not shared:
        return _write(row, target, different)
    return _decide_shared(row, entry, target, policy, different)


def decide_unread(row: Row, entry: Entry, policy: Policy) -> Action:
    """Decide on a row of a one-way map that the crosswalk knows.

    It is there, and nobody else writes these columns. Where only its GUID is new, nothing is written.
    """
    if policy.write is WriteMode.CREATE_ONLY or _has_payload(row, entry, policy):
        return Action(Kind.SKIP, row, entry.dataverse_id)
    return Action(Kind.UPDATE, row, entry.dataverse_id, policy.kept_in_step(row))


def deletion(deletes: Deletes) -> Kind:
    """Say what a delete at the source does at the target."""
    return {Deletes.PROPAGATE: Kind.DELETE, Deletes.DEACTIVATE: Kind.DEACTIVATE, Deletes.IGNORE: Kind.SKIP}[
        deletes
    ]


def too_many_deletes(deletes: int, known_rows: int, share: float, rows: int) -> bool:
    """Say whether deletes are so many that a person must approve them.

    A share counts only from ten deletes on: one of three rows is no mass delete.
    """
    return deletes > rows or (deletes > 10 and deletes > share * known_rows)


def _decide_shared(
    row: Row, entry: Entry | None, target: TargetRow, policy: Policy, different: tuple[str, ...]
) -> Action:
    own = tuple(name for name in different if name not in policy.shared)
    source_before, target_before = _last_in_step(entry, policy)
    source_wins = policy.winner is policy.source
    if source_before is None or target_before is None:
        # First contact: the map's winner is the master.
        return _write(row, target, different) if source_wins else _leave_shared(row, target, own)
    source_changed = row.source_shared != source_before
    target_changed = target.shared != target_before
    if not target_changed:
        return _write(row, target, different)
    if not source_changed or not source_wins:
        # The target's change is on its way here by the other leg, which records the conflict if it is one.
        return _leave_shared(row, target, own)
    shared = [name for name in different if name in policy.shared]
    conflict = Conflict(row.key, policy.source, _pick(row.payload, shared), _pick(target.values, shared))
    return Action(Kind.UPDATE, row, target.id, different, conflict)


def _last_in_step(entry: Entry | None, policy: Policy) -> tuple[str | None, str | None]:
    if entry is None:
        return None, None
    if policy.source is System.DATAVERSE:
        return entry.shared_dataverse, entry.shared_finance
    return entry.shared_finance, entry.shared_dataverse


def _write(row: Row, target: TargetRow, columns: tuple[str, ...]) -> Action:
    if not columns:
        return Action(Kind.SKIP, row, target_id=target.id)
    return Action(Kind.UPDATE, row, target_id=target.id, columns=columns)


def _leave_shared(row: Row, target: TargetRow, own: tuple[str, ...]) -> Action:
    kind = Kind.UPDATE if own else Kind.SKIP
    return Action(kind, row, target_id=target.id, columns=own, leaves_shared=True)


def _same(path: str, ours: object, theirs: object) -> bool:
    """Compare values; what stands for a lookup is a key of another row, and keys are compared folded."""
    if "." in path and isinstance(ours, str) and isinstance(theirs, str):
        return fold(ours) == fold(theirs)
    return ours == theirs


def _pick(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values.get(name) for name in names}
