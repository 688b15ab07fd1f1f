"""Rows and sums of both sides by company and period, one line each, what differs first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from projops.reconcile.model import LegResult, Total
from projops.run import LegRef

ROWS = "rows"
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Sum:
    """A number that both sides should agree on.

    Attributes:
        company: Company code, or "" of a global map.
        period: "2026-10", or "".
        measure: `rows`, or the money column that is added up.
        expected: What the target should hold; a count is whole, a sum exact.
        found: What it holds.
    """

    company: str
    period: str
    measure: str
    expected: int | Decimal
    found: int | Decimal

    @property
    def difference(self) -> int | Decimal:
        """How much the target has too much; negative: too little."""
        return self.found - self.expected


@dataclass(frozen=True, slots=True)
class SumsOfLeg:
    """The sums of a leg.

    Attributes:
        leg: The leg.
        shown: The first of them, those that differ before the others.
        differ: How many differ.
        left_out: How many are not shown.
    """

    leg: LegRef
    shown: tuple[Sum, ...]
    differ: int
    left_out: int


def sums_of(legs: Sequence[LegResult]) -> list[SumsOfLeg]:
    """Lay out the sums of each leg that has any."""
    return [_of_leg(leg) for leg in legs if leg.totals]


def _of_leg(found: LegResult) -> SumsOfLeg:
    lines = sorted((line for total in found.totals for line in _lines(total)), key=_order)
    return SumsOfLeg(
        found.leg,
        shown=tuple(lines[:_SHOWN]),
        differ=sum(1 for line in lines if line.difference),
        left_out=max(0, len(lines) - _SHOWN),
    )


def _lines(total: Total) -> Iterator[Sum]:
    yield Sum(total.company, total.period, ROWS, total.expected_rows, total.found_rows)
    for column in sorted({*total.expected_sums, *total.found_sums}):
        expected, found = (sums.get(column, Decimal(0)) for sums in (total.expected_sums, total.found_sums))
        yield Sum(total.company, total.period, column, expected, found)


def _order(line: Sum) -> tuple[bool, str, str]:
    return (not line.difference, line.company, line.period)
