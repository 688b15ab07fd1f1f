"""What came of expectations, in numbers: added up over the frames of a batch, in constant memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from projops.state.quality import Breach
from projops.validate.expectations import RowExpectation


@dataclass(frozen=True, slots=True)
class Count:
    """What came of one expectation.

    Attributes:
        rows: Rows that it was judged on.
        missing: Of those, rows without a value: only an expectation of presence is broken by them.
        broken: Of those, rows that break it.
    """

    rows: int = 0
    missing: int = 0
    broken: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.rows + other.rows, self.missing + other.missing, self.broken + other.broken)


@dataclass(slots=True)
class Tally:
    """What came of a batch's expectations so far.

    Attributes:
        expectations: Those of map, schema and file, then those of keys (OF_KEYS).
        rows: Rows judged.
        rejected: Rows set aside.
        counts: By place of the expectation.
    """

    expectations: tuple[RowExpectation, ...]
    rows: int = 0
    rejected: int = 0
    counts: tuple[Count, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = (Count(),) * len(self.expectations)

    def add(self, rows: int, rejected: int, counts: Sequence[Count]) -> None:
        """Add what came of one frame."""
        self.rows += rows
        self.rejected += rejected
        self.counts = tuple(old + new for old, new in zip(self.counts, counts, strict=True))


def breaches(expectations: Sequence[RowExpectation], counts: Sequence[Count]) -> tuple[Breach, ...]:
    """Give the rules that rows break, by rule and field, with the number of their rows."""
    return tuple(
        Breach(each.rule, each.field, each.severity.value, count.broken)
        for each, count in zip(expectations, counts, strict=True)
        if count.broken
    )
