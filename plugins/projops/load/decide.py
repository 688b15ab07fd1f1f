"""What to do with each row, decided from values alone.

Inputs are the row as transformed, what the crosswalk says was last in step, and, where it was read,
the row that the target holds now. The output is an action; nothing here does I/O, so that `plan`
and a dry run say exactly what a run would do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any

from projops.load.shared import Sides, judge
from projops.mapping.keys import fold
from projops.mapping.model import Deletes, Leg, System, TableMap, WriteMode
from projops.mapping.paths import shared_of
from projops.state.conflicts import Conflict
from projops.state.crosswalk import Entry, shared_in_step
from projops.transform.shared import Digests


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
        source_shared: Digests of the shared columns as the source has them; None without any.
        target_shared: Digests of the shared columns as they would stand at the target; None without any.
        identity: Values of the target's key columns, by name.
        payload: Values of the other target columns, by name.
    """

    source_id: str
    key: str
    hash: str
    source_shared: Digests | None
    target_shared: Digests | None
    identity: Mapping[str, Any]
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A row as the target holds it now.

    Attributes:
        id: Dataverse GUID, or None for Finance.
        values: Values of the payload columns, by name.
        shared: Digests of its shared columns; None without any.
    """

    id: str | None
    values: Mapping[str, Any]
    shared: Digests | None


@dataclass(frozen=True, slots=True)
class Action:
    """What is to happen to a row, and why.

    Attributes:
        kind: Skip, create, update, delete or reject.
        row: The row.
        target_id: Dataverse GUID of the target row, where it is known.
        columns: Names of the payload columns to write.
        conflict: Set where both sides changed shared columns.
        leaves_shared: Whether shared columns differ and are left to the other leg.
        shared: Digests of the shared columns that are in step once it is done; None leaves what is known.
        reason: For people, on a reject.
    """

    kind: Kind
    row: Row
    target_id: str | None = None
    columns: tuple[str, ...] = ()
    conflict: Conflict | None = None
    leaves_shared: bool = False
    shared: Sides | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a leg's mapping says about writing.

    Attributes:
        write: Write mode.
        source: System that rows come from.
        winner: System that wins where both changed a shared column, or None.
        shared: Names of the shared columns, the source's by the target's.
        references: Those of them, at the target, that stand for a lookup: they hold keys.
        create_only: Names of the columns that belong to the target once the row is there.
    """

    write: WriteMode
    source: System
    winner: System | None
    shared: Mapping[str, str]
    references: frozenset[str] = frozenset()
    create_only: frozenset[str] = frozenset()

    @classmethod
    def of(cls, table_map: TableMap, leg: Leg) -> "Policy":
        """Read the policy of a leg."""
        shared = shared_of(table_map, leg)
        references = frozenset(each for each, source in shared.items() if "." in each or "." in source)
        create_only = frozenset(rule.target for rule in leg.fields if rule.create_only)
        return cls(leg.write, leg.direction.source, table_map.conflict, shared, references, create_only)

    def kept_in_step(self, row: "Row") -> tuple[str, ...]:
        """Name the columns of a row that an update may write."""
        if not self.create_only:
            return tuple(row.payload)
        return tuple(name for name in row.payload if name not in self.create_only)

    def same(self, name: str, ours: object, theirs: object) -> bool:
        """Say whether two values of a column are the same; keys of other rows are compared folded."""
        if self.compares_folded(name) and isinstance(ours, str) and isinstance(theirs, str):
            return fold(ours) == fold(theirs)
        return ours == theirs

    def compares_folded(self, name: str) -> bool:
        """Say whether a column's values are keys of other rows: those are compared folded."""
        return "." in name or name in self.references


def in_step(rows: Iterable[tuple[str, str, str]], entries: Mapping[str, Entry], policy: Policy) -> list[bool]:
    """Say of rows whether the crosswalk knows that this very payload of this very row is at the target.

    Args:
        rows: Identity of the source row, integration key and payload hash of each.
        entries: What was last in step, by key.
        policy: What the mapping allows.
    """
    hash_of, by_id = _hash_of(policy), policy.source is System.DATAVERSE
    known = ((source_id, digest, entries.get(key)) for source_id, key, digest in rows)
    return [
        entry is not None and hash_of(entry) == digest and (not by_id or entry.dataverse_id == source_id)
        for source_id, digest, entry in known
    ]


def is_of(row: Row, entry: Entry, policy: Policy) -> bool:
    """Say whether an entry is the row's own: a Dataverse key may have passed to another GUID."""
    return policy.source is not System.DATAVERSE or entry.dataverse_id == row.source_id


def _hash_of(policy: Policy) -> Callable[[Entry], str | None]:
    """Give what tells the hash of the payload that this leg has last brought to the target."""
    forth = policy.source is System.DATAVERSE
    return attrgetter("hash_dataverse_to_finance" if forth else "hash_finance_to_dataverse")


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
        return Action(Kind.CREATE, row, columns=tuple(row.payload), shared=_created(row))
    if policy.write is WriteMode.CREATE_ONLY:
        return Action(Kind.SKIP, row, target_id=target.id)
    different = tuple(
        name
        for name in policy.kept_in_step(row)
        if not policy.same(name, row.payload[name], target.values.get(name))
    )
    if not policy.shared:
        return Action(Kind.UPDATE if different else Kind.SKIP, row, target.id, different)
    return _decide_shared(row, entry, target, policy, different)


def decide_unread(row: Row, entry: Entry, policy: Policy) -> Action:
    """Decide on a row of a one-way map that the crosswalk knows.

    It is there, and nobody else writes these columns. Where only its GUID is new, nothing is written.
    """
    if policy.write is WriteMode.CREATE_ONLY or _hash_of(policy)(entry) == row.hash:
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
    verdict = judge(
        policy.shared,
        different,
        Sides(row.source_shared or {}, target.shared or {}),
        row.target_shared or {},
        Sides(*shared_in_step(entry, policy.source)),
        source_wins=policy.winner is policy.source,
    )
    columns = tuple(name for name in different if name not in verdict.left)
    return Action(
        Kind.UPDATE if columns else Kind.SKIP,
        row,
        target.id,
        columns,
        _conflict(row, target, policy, verdict.contested),
        leaves_shared=bool(verdict.left),
        shared=verdict.in_step,
    )


def _created(row: Row) -> Sides | None:
    if row.source_shared is None:
        return None
    return Sides(row.source_shared, row.target_shared or {})


def _conflict(row: Row, target: TargetRow, policy: Policy, contested: Sequence[str]) -> Conflict | None:
    if not contested or policy.winner is None:
        return None
    ours, theirs = ({name: values.get(name) for name in contested} for values in (row.payload, target.values))
    return Conflict(row.key, policy.winner.value, ours, theirs)
