"""What a trace tells of a row, as values: a command prints them, a page may show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projops.lineage.trace.records import Record
from projops.lineage.trace.walking import Walk
from projops.mapping.model import Direction, System


@dataclass(frozen=True, slots=True)
class Side:
    """The row on one side, read at this moment.

    Attributes:
        system: The side.
        table: Table or entity set.
        id: Dataverse GUID, or None for Finance.
        version: The system's version of it (etag).
        modified: When it was changed last, in UTC; Finance does not tell.
        values: Its columns that the map looks at, by column or lookup path.
        link: Address under which a person opens it.
    """

    system: System
    table: str
    id: str | None
    version: str | None
    modified: datetime | None
    values: Mapping[str, Any]
    link: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The batch that last had the row in step in one direction.

    Attributes:
        batch: Number.
        dag_id: DAG that ran it, or the command.
        run_id: Its run.
        status: How the batch ended.
        mode: Whether it read what changed, or all.
        mapping_version: Version of the map at the time.
        fingerprint: Meaning of the mapping at the time.
        started_at: UTC.
        finished_at: UTC, or None.
        link: The run in Airflow's UI, or "".
    """

    batch: int
    dag_id: str
    run_id: str
    status: str
    mode: str
    mapping_version: str
    fingerprint: str
    started_at: datetime
    finished_at: datetime | None
    link: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one operator did to a value.

    Attributes:
        operator: Its name.
        argument: What the mapping gives it.
        before: The value before it.
        after: The value that it made.
        fault: Why it could make none, or "".
    """

    operator: str
    argument: Any
    before: Any
    after: Any
    fault: str = ""


@dataclass(frozen=True, slots=True)
class FieldTrace:
    """How one target field comes about, and what the target holds.

    Attributes:
        target: Target field or path.
        source: Source column or path, or None of a field that is made of nothing.
        value: What the source has.
        changes: What each operator does to it, in order.
        made: What the mapping makes of it in the end; None also of a row that is set aside.
        held: What the target holds at this moment.
        equal: Whether both are the same to the map; None where one of the rows is not there, and of a
            field that is the target's own once the row is there.
    """

    target: str
    source: str | None
    value: Any
    changes: tuple[Change, ...]
    made: Any
    held: Any
    equal: bool | None


@dataclass(frozen=True, slots=True)
class Check:
    """What one rule says of the row at this moment.

    Attributes:
        rule: Its id.
        field: The field that it looks at.
        message: What it says where it is broken, and what to do.
        written: Whether a person wrote it; else map and schema imply it.
        severity: What becomes of a row that breaks it.
        passed: Whether the row keeps it; None where it does not apply to the row.
    """

    rule: str
    field: str
    message: str
    written: bool
    severity: str
    passed: bool | None


@dataclass(frozen=True, slots=True)
class LegTrace:
    """One direction of the row.

    Attributes:
        direction: Which.
        version: Version of the map.
        fingerprint: Meaning of the mapping.
        takes: Whether the map's filter takes the row; None where the source has no such row.
        moved: The batch that last had it in step, or None where none is known to have.
        hash_then: Payload hash last in step; "" where a write's outcome is in doubt; None where it never was.
        hash_now: Payload hash of the source row as it stands, or None of a row that cannot be made.
        fields: How each target field comes about.
        checks: What each rule says.
        rejects: Why the row would be set aside now, one sentence each.
    """

    direction: Direction
    version: str
    fingerprint: str
    takes: bool | None
    moved: Moved | None
    hash_then: str | None
    hash_now: str | None
    fields: tuple[FieldTrace, ...] = ()
    checks: tuple[Check, ...] = ()
    rejects: tuple[str, ...] = ()

    @property
    def remapped(self) -> bool:
        """Whether the mapping means something else than when the row was moved last."""
        return self.moved is not None and self.moved.fingerprint != self.fingerprint

    @property
    def standing(self) -> str:
        """Say in words how the row stands in this direction."""
        if self.takes is None:
            return "the source does not have the row"
        if not self.takes:
            return "the map's filter leaves the row out"
        if self.hash_now is None:
            return "the row cannot be moved as it stands"
        if not self.hash_then:
            return "not in step yet" if self.hash_then is None else "in doubt: the next run compares it"
        return "in step" if self.hash_then == self.hash_now else "changed since it was moved"


@dataclass(frozen=True, slots=True)
class RowTrace:
    """All that is known of one row of a map.

    Attributes:
        map: Map id.
        title: Its title.
        key: Integration key text.
        in_step_at: When it was last in step in either direction, in UTC.
        sides: The row on each side; a side that does not have it is left out.
        legs: Each direction of the map.
        letters: Dead letters of the row, live and past, the newest first; values of the row among them.
        conflicts: Conflicts of the row, the newest first; both sides' values among them.
    """

    map: str
    title: str
    key: str
    in_step_at: datetime | None
    sides: Mapping[System, Side]
    legs: tuple[LegTrace, ...]
    letters: tuple[Mapping[str, Any], ...]
    conflicts: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Where something comes from, and what became of it.

    Attributes:
        asked: What was asked for, as people say it.
        starts: The rows from which the trace sets out.
        row: The row of a map that it is about, or None of a document that is about several.
        ends: That row on both sides, as far as they have it and it is none of the starts.
        others: Rows of maps that bear what was asked for, where they are several: map and key.
        origins: What the starts follow from; its ends are where it all comes from.
        outcomes: What followed from the starts and the row's ends.
        around: What the row belongs to, and what belongs to it.
        unread: What could not be read, one sentence each.
    """

    asked: str
    starts: Sequence[Record]
    row: RowTrace | None
    ends: Sequence[Record]
    others: Sequence[tuple[str, str]]
    origins: Walk
    outcomes: Walk
    around: Sequence[Walk]
    unread: Sequence[str]

    @property
    def comes_from(self) -> tuple[Record, ...]:
        """Where it all comes from: the rows behind which nothing lies."""
        return self.origins.ends
