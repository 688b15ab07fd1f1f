"""One thing that must hold of each source row: what map and schema imply, or what a person has written down.

`implied` derives the first kind, `written` reads the second from `include/expectations/<map>.yaml`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from projops.mapping.keys import LONGEST_KEY


class Severity(StrEnum):
    """What becomes of a row that breaks an expectation."""

    ERROR = "error"
    """It is set aside."""
    WARNING = "warning"
    """It goes on, and is counted."""


@dataclasses.dataclass(frozen=True, slots=True)
class RowExpectation:
    """One thing that must hold of each row.

    Attributes:
        rule: Id under which a row that breaks it is set aside.
        field: Source column, for messages.
        message: One sentence: what is wrong and what to do.
        type: Great Expectations' name of it.
        columns: Source columns by the argument that takes them.
        options: Its further arguments.
        where: Condition that limits it to some rows, or None.
        severity: What becomes of a row that breaks it.
        file: File that states it, "" where map and schema imply it.
        line: Line in that file, from 1.
    """

    rule: str
    field: str
    message: str
    type: str
    columns: Mapping[str, Any]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    where: str | None = None
    severity: Severity = Severity.ERROR
    file: str = ""
    line: int = 1

    @property
    def column_names(self) -> Iterator[str]:
        """The source columns that it looks at, `where` aside."""
        for value in self.columns.values():
            yield from value if isinstance(value, list) else [value]


# What is judged of the key text itself, by the stage and not by Great Expectations: a batch has many frames.
LONG_KEY = RowExpectation(
    "key_length",
    "_key",
    f"The integration key (_key) is longer than {LONGEST_KEY} characters; correct it at the source.",
    "expect_column_value_lengths_to_be_between",
    {"column": "_key"},
    {"max_value": LONGEST_KEY},
)
SAME_KEY = RowExpectation(
    "unique_key",
    "_key",
    "Two rows have the same integration key; give one of them another key.",
    "expect_column_values_to_be_unique",
    {"column": "_key"},
)
OF_KEYS = (LONG_KEY, SAME_KEY)
