"""What both targets can do: read rows by key, write actions, and say what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pyarrow as pa

from projops.load.decide import Action, Row, TargetRow

# The rule of a row whose lookup leads to a row that the other side knows under another key.
PARENT_KEY_CHANGED = "parent_key_changed"


class Result(StrEnum):
    """What became of a row at the target."""

    WRITTEN = "written"
    REFUSED = "refused"
    WAITS = "waits"
    AWAITS_APPROVAL = "awaits_approval"
    LOOK_AGAIN = "look_again"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that refers to a row which the target does not have yet.

    Attributes:
        index: Row number in the table.
        field: The field that refers to it.
        table: Dataverse table or map of the missing row.
        id: GUID or key text of the missing row.
        message: One sentence for people.
        map: Map that brings the missing row, or None where no map does, or the other side lacks it too.
        rule: Why it waits.
    """

    index: int
    field: str
    table: str
    id: str
    message: str
    map: str | None
    rule: str = "parent_missing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action.

    Attributes:
        result: Written; refused for good; waits for another row; or to be decided again after
            reading the target (duplicate, gone, changed, or unknown).
        target_id: Dataverse GUID of the written row, or None for Finance.
        code: Error code or rule id of a row that was not written.
        message: The target's own sentence.
        waiting: What a waiting row waits for.
        retriable: Whether a refused row may go by itself another time: it met no rule, but bad luck.
    """

    result: Result
    target_id: str | None = None
    code: str = ""
    message: str = ""
    waiting: Waiting | None = None
    retriable: bool = False


class Target(Protocol):
    """The side that a leg writes to."""

    async def resolve(self, table: pa.Table) -> Sequence[Waiting]:
        """Look up the rows that a chunk refers to; give the rows whose references are not there."""
        ...

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        """Read the target's rows by key text; rows that it does not have are left out."""
        ...

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        """Create, update and delete; one outcome an action, in order."""
        ...
