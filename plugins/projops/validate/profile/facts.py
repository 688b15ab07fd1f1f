"""What is seen in a column: gathered page by page in constant memory, whole columns at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from projops.identities import Identities
from projops.transform.outcome import one_array

MOST_VALUES = 12  # different values of a column that are a choice rather than a text
MOST_SHAPES = 3  # different shapes of texts that are codes rather than words
# Runs of letters and digits, each as one letter: PRJ-01049-CCNID0 has the shape A-9-A9.
_RUNS = ((r"[A-Z]+", "A"), (r"[a-z]+", "a"), (r"[0-9]+", "9"))


@dataclass(slots=True)
class ColumnFacts:
    """What is seen in one column.

    Attributes:
        name: Column or lookup path.
        rows: Rows seen.
        missing: Of those, rows without a value.
        values: Rows by value, or None where there are too many different ones.
        shapes: Rows by shape of a text, or None where there are too many different ones.
        least: Least value of a number, day or moment; shortest text; None where nothing was seen.
        most: Greatest value, or longest text.
        unique: Whether no value came twice.
    """

    name: str
    rows: int = 0
    missing: int = 0
    values: dict[Any, int] | None = field(default_factory=dict)
    shapes: dict[str, int] | None = field(default_factory=dict)
    least: Any = None
    most: Any = None
    unique: bool = True
    _seen: Identities = field(default_factory=Identities, init=False, repr=False)

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    def add(self, column: pa.ChunkedArray) -> None:
        """Look at a page of the column."""
        values = one_array(column)
        self.rows += len(values)
        self.missing += values.null_count
        values = values.drop_null()
        if len(values):
            is_text = pa.types.is_string(values.type)
            self.values = _counted(self.values, values, MOST_VALUES)
            self.shapes = _counted(self.shapes, _shapes(values), MOST_SHAPES) if is_text else None
            self._measure(pc.utf8_length(values) if is_text else values)
            self._compare(values)

    def _measure(self, values: pa.Array) -> None:
        if pa.types.is_boolean(values.type):
            return
        found = pc.min_max(values).as_py()
        self.least = found["min"] if self.least is None else min(self.least, found["min"])
        self.most = found["max"] if self.most is None else max(self.most, found["max"])

    def _compare(self, values: pa.Array) -> None:
        """See whether a value came before; once one did, nothing needs to be remembered any more."""
        if not self.unique:
            return
        texts = values.cast(pa.string()).to_pylist()
        self.unique = len(set(texts)) == len(texts) and not self._seen.among(texts)
        if self.unique:
            self._seen.note((text, "") for text in texts)
        else:
            self._seen = Identities()


def gather(facts: dict[str, ColumnFacts], page: pa.Table) -> None:
    """Look at a page of rows, column by column; the engine's own columns aside."""
    for name in page.column_names:
        if not name.startswith("_"):
            facts.setdefault(name, ColumnFacts(name)).add(page[name])


def _counted(before: dict[Any, int] | None, values: pa.Array, most: int) -> dict[Any, int] | None:
    """Add up the rows of each value, as long as there are not too many different ones."""
    if before is None or pc.count_distinct(values).as_py() > most:
        return None
    found = dict(before)
    for each in pc.value_counts(values).to_pylist():
        found[each["values"]] = found.get(each["values"], 0) + each["counts"]
    return found if len(found) <= most else None


def _shapes(texts: pa.Array) -> pa.Array:
    for pattern, letter in _RUNS:
        texts = pc.replace_substring_regex(texts, pattern=pattern, replacement=letter)
    return texts
