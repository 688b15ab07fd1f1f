"""Filters that know their OData text and, by plain Python, which rows they hold for.

Nothing of the sandbox is asked: rows are what the wire said, and the rules are those of the public
documentation [D], with three truth values: a comparison with a missing value is neither true nor false.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

Row = Mapping[str, Any]
Truth = bool | None

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_ARITHMETIC: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
}


class Filter(Protocol):
    """A condition on rows."""

    def __str__(self) -> str:
        """Give its OData text."""

    def holds(self, row: Row) -> Truth:
        """Say whether a row fulfils it, None where that cannot be said."""


@dataclass(frozen=True)
class Column:
    """A column, how its literals are written, and its values as Python compares them.

    Attributes:
        name: Property.
        literal: Writes a value as OData.
        read: What JSON holds -> what compares.
    """

    name: str
    literal: Callable[[Any], str]
    read: Callable[[Any], Any]

    def value(self, row: Row) -> Any:
        """Give a row's value, None where it has none."""
        raw = row[self.name]
        return None if raw is None else self.read(raw)


@dataclass(frozen=True)
class Compare:
    """Column and literal: numbers, instants, options, GUIDs, texts without wildcards."""

    column: Column
    word: str
    value: Any

    def __str__(self) -> str:
        return f"{self.column.name} {self.word} {self.column.literal(self.value)}"

    def holds(self, row: Row) -> Truth:
        held = self.column.value(row)
        return None if held is None else _COMPARISONS[self.word](held, self.column.read(self.value))


@dataclass(frozen=True)
class Between:
    """Two columns of one type."""

    left: Column
    word: str
    right: Column

    def __str__(self) -> str:
        return f"{self.left.name} {self.word} {self.right.name}"

    def holds(self, row: Row) -> Truth:
        left, right = self.left.value(row), self.right.value(row)
        return None if left is None or right is None else _COMPARISONS[self.word](left, right)


@dataclass(frozen=True)
class Missing:
    """`eq null`, `ne null`."""

    column: Column
    word: str

    def __str__(self) -> str:
        return f"{self.column.name} {self.word} null"

    def holds(self, row: Row) -> Truth:
        return (self.column.value(row) is None) == (self.word == "eq")


@dataclass(frozen=True)
class Like:
    """A text compared with a pattern: `eq`, `ne`, or one of the three functions.

    Attributes:
        column: A text column.
        word: eq, ne, contains, startswith, endswith.
        pattern: With the wildcards of the system.
        star: Finance's `*` instead of SQL Server's `%`, `_`, `[...]`.
    """

    column: Column
    word: str
    pattern: str
    star: bool

    def __str__(self) -> str:
        text = quoted(self.pattern)
        return (
            f"{self.column.name} {self.word} {text}"
            if self.word in _COMPARISONS
            else f"{self.word}({self.column.name},{text})"
        )

    def holds(self, row: Row) -> Truth:
        held = row[self.column.name]
        if held is None:
            return None
        parts = pieces(self.pattern.lower(), self.star)
        if self.word in {"contains", "endswith"}:
            parts = [ANY_RUN, *parts]
        if self.word in {"contains", "startswith"}:
            parts = [*parts, ANY_RUN]
        return fits(held.lower(), parts) != (self.word == "ne")


@dataclass(frozen=True)
class Sum:
    """Finance's arithmetic: `CreditLimit mul 2 gt 10`."""

    column: Column
    sign: str
    by: Decimal
    word: str
    value: Decimal

    def __str__(self) -> str:
        return f"{self.column.name} {self.sign} {self.by} {self.word} {self.value}"

    def holds(self, row: Row) -> Truth:
        result = _ARITHMETIC[self.sign](self.column.value(row), self.by)
        return _COMPARISONS[self.word](result, self.value)


@dataclass(frozen=True)
class Not:
    """Negation: unknown stays unknown."""

    inner: Filter

    def __str__(self) -> str:
        return f"not ({self.inner})"

    def holds(self, row: Row) -> Truth:
        truth = self.inner.holds(row)
        return None if truth is None else not truth


@dataclass(frozen=True)
class Chain:
    """Several conditions, all of them or any."""

    word: str
    parts: Sequence[Filter]

    def __str__(self) -> str:
        return "(" + f" {self.word} ".join(map(str, self.parts)) + ")"

    def holds(self, row: Row) -> Truth:
        decisive = self.word == "or"
        truths = [part.holds(row) for part in self.parts]
        if decisive in truths:
            return decisive
        return None if None in truths else not decisive


def quoted(text: str) -> str:
    """Write a text literal."""
    return "'" + text.replace("'", "''") + "'"


def instant(text: str) -> datetime:
    """Read a time stamp."""
    return datetime.fromisoformat(text)


# What a piece of a pattern takes: one character that a test accepts, or a run of any length.
ANY_RUN = None
Piece = Callable[[str], bool] | None


def pieces(pattern: str, star: bool) -> list[Piece]:
    """Cut a pattern (in lower case) into its pieces."""
    if star:
        return [ANY_RUN if each == "*" else each.__eq__ for each in pattern]
    cut: list[Piece] = []
    while pattern:
        head, closing = pattern[0], pattern.find("]", 2 if pattern[1:2] == "^" else 1)
        inside = pattern[1:closing] if head == "[" and closing > 1 else ""
        negated = inside.startswith("^") and len(inside) > 1
        if inside and inside != "^":
            cut.append(_one_of(inside[1:] if negated else inside, negated))
            pattern = pattern[closing + 1 :]
            continue
        cut.append(ANY_RUN if head == "%" else (lambda _: True) if head == "_" else head.__eq__)
        pattern = pattern[1:]
    return cut


def _one_of(inside: str, negated: bool) -> Piece:
    def accepts(character: str) -> bool:
        rest, found = inside, False
        while rest:
            if len(rest) > 2 and rest[1] == "-":
                low, high = sorted((rest[0], rest[2]))
                found, rest = found or low <= character <= high, rest[3:]
            else:
                found, rest = found or rest[0] == character, rest[1:]
        return found != negated

    return accepts


def fits(text: str, parts: Sequence[Piece]) -> bool:
    """Say whether a whole text (in lower case) is what the pieces say."""
    reached = {0}
    for part in parts:
        if part is ANY_RUN:
            reached = set(range(min(reached), len(text) + 1)) if reached else reached
        else:
            reached = {place + 1 for place in reached if place < len(text) and part(text[place])}
    return len(text) in reached
