"""From what is seen in a leg's columns to expectations that a person may take over.

What map, schema or file say already is left out. A proposal is a warning: what held of some rows need not
hold of the next, and a person who knows the business is to say whether it must. It names no values but
options and short codes that come again and again: longer texts may be about people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from projops.mapping.catalog import Column, ColumnType
from projops.mapping.model import Leg, TableMap
from projops.mapping.paths import key_paths, source_column
from projops.validate.expectations import RowExpectation, Severity
from projops.validate.profile.facts import ColumnFacts

LEAST_ROWS = 20  # fewer prove nothing
_TIMES = 5  # how often a code must come to be one of a set
_LONGEST_CODE = 20
_MOST_EXACT = 2**53  # bounds are compared as floats
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SHAPE = re.compile(r"[Aa9_.\-/#]+")
_OF_SHAPES = {"A": "[A-Z]+", "a": "[a-z]+", "9": "[0-9]+"}
_BOUNDS_OF_SYSTEMS = ("day", "range", "key_blank")  # implied rules that say little of a column itself
_CHOICES = (ColumnType.OPTION, ColumnType.ENUM, ColumnType.BOOLEAN)
_NUMBERS = (ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.DOUBLE)
_REMEDY = "look at the row, or take this expectation out."
_PRESENT = "expect_column_values_to_not_be_null"
_UNIQUE = "expect_column_values_to_be_unique"


@dataclass(frozen=True, slots=True)
class Proposal:
    """An expectation that held of the rows seen.

    Attributes:
        expectation: What held.
        evidence: Of how many rows, for people.
    """

    expectation: RowExpectation
    evidence: str


def proposals(
    table_map: TableMap, leg: Leg, facts: Mapping[str, ColumnFacts], known: Sequence[RowExpectation]
) -> tuple[Proposal, ...]:
    """Propose what held of all rows seen, column by column.

    Args:
        table_map: The map.
        leg: The leg.
        facts: What was seen, by column.
        known: What map, schema and file say already.
    """
    said = {(each.type, each.field) for each in known if each.rule not in _BOUNDS_OF_SYSTEMS}
    key = key_paths(table_map, leg.direction.source)
    if len(key) == 1:
        said.add((_UNIQUE, key[0]))  # judged over the whole batch already
    return tuple(
        each
        for name, seen in facts.items()
        if seen.present >= LEAST_ROWS and not _is_hop(name, facts)
        for propose in _PROPOSERS
        for each in propose(seen, source_column(table_map, leg, name))
        if (each.expectation.type, name) not in said
    )


def _is_hop(name: str, facts: Iterable[str]) -> bool:
    """Whether a column is but the lookup that a path leads through."""
    return any(each.startswith(f"{name}.") for each in facts)


def _present(seen: ColumnFacts, _: Column) -> Iterator[Proposal]:
    if not seen.missing:
        yield _proposal(seen, "present", _PRESENT, {}, f"{seen.name} is empty, as it was in no row seen")


def _choice(seen: ColumnFacts, column: Column) -> Iterator[Proposal]:
    """One of a few values: options, and short codes that come again and again."""
    if seen.values is None or not (column.type in _CHOICES or _are_codes(seen.values, column)):
        return
    if column.type is ColumnType.BOOLEAN and len(seen.values) > 1:
        return  # it can be nothing else
    values = sorted(seen.values)
    message = f"{seen.name} is none of the values seen"
    yield _proposal(seen, "choice", "expect_column_values_to_be_in_set", {"value_set": values}, message)


def _are_codes(values: Mapping[Any, int], column: Column) -> bool:
    short = column.is_text and column.length is not None and column.length <= _LONGEST_CODE
    return short and all(rows >= _TIMES and _CODE.fullmatch(value) for value, rows in values.items())


def _length(seen: ColumnFacts, column: Column) -> Iterator[Proposal]:
    """No longer than any text seen, rounded up to tens, where the schema allows more or says nothing."""
    if not column.is_text:
        return
    most = -(-max(int(seen.most), 1) // 10) * 10
    if column.length is None or most < column.length:
        message = f"{seen.name} is longer than any text seen"
        kind = "expect_column_value_lengths_to_be_between"
        yield _proposal(seen, "length_seen", kind, {"max_value": most}, message)


def _shape(seen: ColumnFacts, column: Column) -> Iterator[Proposal]:
    """Codes of one build, such as PRJ-01049: runs of letters and digits with marks between them."""
    shapes = sorted(seen.shapes or ())
    if not column.is_text or not any("9" in shape for shape in shapes):
        return  # words have a shape too, which says nothing
    if not all(map(_SHAPE.fullmatch, shapes)):
        return
    builds = ["".join(_OF_SHAPES.get(each, re.escape(each)) for each in shape) for shape in shapes]
    regex = f"^(?:{'|'.join(builds)})$"
    message = f"{seen.name} is not built like the codes seen"
    yield _proposal(seen, "shape", "expect_column_values_to_match_regex", {"regex": regex}, message)


def _range(seen: ColumnFacts, column: Column) -> Iterator[Proposal]:
    """Between what was seen: numbers in a range widened to a power of ten, days in the years seen."""
    bounds: dict[str, Any] | None = None
    if column.type in _NUMBERS:
        bounds = _number_range(seen.least, seen.most)
    elif isinstance(seen.least, datetime):
        bounds = {"min_value": date(seen.least.year, 1, 1), "max_value": _after(seen.most.year)}
    elif isinstance(seen.least, date):
        bounds = {"min_value": date(seen.least.year, 1, 1), "max_value": date(seen.most.year, 12, 31)}
    if bounds is not None:
        message = f"{seen.name} lies outside of what was seen"
        yield _proposal(seen, "range", "expect_column_values_to_be_between", bounds, message)


def _after(year: int) -> date:
    """The first day after a year, before which its last moment lies."""
    return date(year + 1, 1, 1) if year < date.max.year else date.max


def _number_range(least: Any, most: Any) -> dict[str, Any] | None:
    low, high = _rounded(Decimal(least), ROUND_FLOOR), _rounded(Decimal(most), ROUND_CEILING)
    return {"min_value": low, "max_value": high} if max(abs(low), abs(high)) <= _MOST_EXACT else None


def _rounded(number: Decimal, rounding: str) -> int:
    """The nearest power of ten, or 0, on the far side of a number."""
    if (rounding == ROUND_FLOOR) == (number >= 0):  # towards 0: a bound at 0 says what matters, the sign
        return 0
    return int(Decimal(10) ** len(str(int(abs(number)))) * (1 if number > 0 else -1)) if number else 0


def _unique(seen: ColumnFacts, column: Column) -> Iterator[Proposal]:
    if seen.unique and (column.is_text or column.type in (ColumnType.GUID, ColumnType.LOOKUP)):
        yield _proposal(seen, "unique", _UNIQUE, {}, f"{seen.name} is that of another row too")


_PROPOSERS: Sequence[Callable[[ColumnFacts, Column], Iterator[Proposal]]] = (
    _present,
    _choice,
    _length,
    _shape,
    _range,
    _unique,
)


def _proposal(seen: ColumnFacts, what: str, kind: str, options: Mapping[str, Any], message: str) -> Proposal:
    rule = f"{seen.name.replace('.', '_').lower()}_{what}"
    expectation = RowExpectation(
        rule,
        seen.name,
        f"{message}; {_REMEDY}",
        kind,
        {"column": seen.name},
        options,
        severity=Severity.WARNING,
    )
    empty = f", {seen.missing / seen.rows:.1%} of them empty" if seen.missing else ""
    return Proposal(expectation, f"held of all {seen.present:,} values in {seen.rows:,} rows{empty}")
