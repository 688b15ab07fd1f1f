"""What a trace meets: kinds of rows of both systems, rows, and how rows follow from each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from projops.mapping import catalog
from projops.mapping.catalog import Table
from projops.mapping.keys import fold
from projops.mapping.model import System

Values = Mapping[str, Any]
Condition = Callable[[Values], bool]
Node = tuple[System, str, str]


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind of row, and what a trace tells of it.

    Attributes:
        system: The system that holds it.
        name: Table (Dataverse) or entity set (Finance).
        label: What people call one row.
        facts: Numbers, states and days: they identify a row and say what became of it.
        values: What the row holds: names, texts, amounts; shown to those who ask for them.
    """

    system: System
    name: str
    label: str
    facts: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def table(self) -> Table:
        """What the catalog knows of it; Finance's own books are read, and never mapped."""
        if self.system is System.FINANCE:
            return catalog.finance_table(self.name)
        return catalog.table(self.system, self.name)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell one row from all others."""
        table = self.table
        return (table.primary_id,) if table.primary_id is not None else table.keys[0]


@dataclass(frozen=True, slots=True)
class Record:
    """One row that a trace has read.

    Attributes:
        entity: What it is.
        identity: Its GUID (Dataverse), or its key, parts separated by `/` (Finance).
        columns: What was read of it, by column or lookup path.
        link: Address under which a person opens it.
        remark: What must be known of it besides, or "".
    """

    entity: Entity
    identity: str
    columns: Values
    link: str
    remark: str = ""

    @property
    def node(self) -> Node:
        """What tells it from all other rows of both systems."""
        return self.entity.system, self.entity.name, self.identity

    def key(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        """Its values in some columns, as they are compared; None where one is empty."""
        values = [self.columns.get(column) for column in columns]
        return None if any(value in (None, "") for value in values) else tuple(map(compared, values))


class Towards(StrEnum):
    """Which way a trace looks."""

    ORIGIN = "origin"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Link:
    """How one kind of row follows from another: they hold the same in some columns.

    Attributes:
        child: The row that follows.
        child_columns: Its columns; a dotted path leads through lookups.
        parent: The row that it follows from.
        parent_columns: The parent's columns, one for each of the child's.
        how: What the parent is to the child, as people say it: "posted from".
        child_when: Which children follow in this way; None for all.
        parent_when: Which parents others follow from in this way; None for all.
    """

    child: Entity
    child_columns: tuple[str, ...]
    parent: Entity
    parent_columns: tuple[str, ...]
    how: str
    child_when: Condition | None = None
    parent_when: Condition | None = None

    def near(self, towards: Towards) -> tuple[Entity, tuple[str, ...]]:
        """Give the end that a trace comes from."""
        return (self.child, self.child_columns) if towards is Towards.ORIGIN else self._parent_end

    def far(self, towards: Towards) -> tuple[Entity, tuple[str, ...]]:
        """Give the end that a trace goes to."""
        return self._parent_end if towards is Towards.ORIGIN else (self.child, self.child_columns)

    def joins(self, towards: Towards, near: Record, far: Record) -> bool:
        """Say whether it leads from one row that was read to another."""
        child, parent = (near, far) if towards is Towards.ORIGIN else (far, near)
        key = child.key(self.child_columns)
        if key is None or key != parent.key(self.parent_columns):
            return False
        ends = ((self.child_when, child), (self.parent_when, parent))
        return all(when is None or when(record.columns) for when, record in ends)

    @property
    def _parent_end(self) -> tuple[Entity, tuple[str, ...]]:
        return self.parent, self.parent_columns


def compared(value: Any) -> str:
    """Give a value as keys of both systems compare it: case-folded, GUIDs without braces."""
    return fold(str(value)).strip("{}")
