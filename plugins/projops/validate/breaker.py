"""The circuit breaker: a leg stops before anything is loaded when too many of its rows are bad.

How many are too many is said by the settings, by a map for itself, and by a map for single rules
(`breaker:` in `include/expectations/<map>.yaml`); what a narrower one leaves open, the wider one says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from projops.errors import BreakerOpenError
from projops.mapping.documents import Document, Located


@dataclass(frozen=True, slots=True)
class Limit:
    """What is tolerated: the breaker opens where more rows and a greater share than this are bad.

    Attributes:
        share: Share of all rows, 0 to 1.
        rows: Number of rows.
    """

    share: float
    rows: int


@dataclass(frozen=True, slots=True)
class PartialLimit:
    """A limit as a file says it; what is None, the wider one says.

    Attributes:
        share: Share of all rows, 0 to 1.
        rows: Number of rows.
    """

    share: float | None = None
    rows: int | None = None

    def within(self, wider: Limit) -> Limit:
        """Fill in what is left open."""
        share = wider.share if self.share is None else self.share
        return Limit(share, wider.rows if self.rows is None else self.rows)


@dataclass(frozen=True, slots=True)
class Breaker:
    """What a map tolerates.

    Attributes:
        whole: Of the rows that are set aside.
        rules: Of the rows that break a rule, by its id; also of rules that are warnings.
    """

    whole: PartialLimit = PartialLimit()
    rules: Mapping[str, PartialLimit] = field(default_factory=lambda: MappingProxyType({}))


def check_breaker(
    rejected: int,
    total: int,
    limit: Limit,
    *,
    breaker: Breaker | None = None,
    broken: Mapping[str, int] | None = None,
    leg: str = "",
) -> None:
    """Let a batch pass unless a limit is exceeded.

    Args:
        rejected: Rows set aside in the batch.
        total: Rows read in the batch.
        limit: What the settings tolerate.
        breaker: What the map says of itself.
        broken: Rows that break a rule, by its id.
        leg: Name of the leg, for the message.

    Raises:
        BreakerOpenError: More rows, and a greater share of all, are bad than the map or a rule tolerates.
    """
    own = breaker or Breaker()
    whole = own.whole.within(limit)
    _check(rejected, total, whole, leg, "are bad")
    for rule, narrower in own.rules.items():
        _check((broken or {}).get(rule, 0), total, narrower.within(whole), leg, f"break the rule {rule}")


def _check(bad: int, total: int, limit: Limit, leg: str, what: str) -> None:
    if bad > limit.rows and bad > limit.share * total:
        raise BreakerOpenError(
            f"{bad} of {total} rows{f' of {leg}' if leg else ''} {what}, "
            f"more than {limit.share:.0%} and more than {limit.rows}: nothing of this batch was loaded.",
            remedy="Look at the dead letters, correct the source or the mapping, then clear the task.",
            leg=leg or None,
            rejected=bad,
            total=total,
        )


def read_breaker(document: Document, located: Located | None, known: Collection[str]) -> Breaker:
    """Read the entry `breaker` of a file of expectations; what is wrong with it goes to the document.

    Args:
        document: The file.
        located: The entry, or None where there is none.
        known: Ids of the rules that the map has.
    """
    entries = document.section(located, "breaker", frozenset({"share", "rows", "rules"}))
    named = document.section(entries.get("rules"), "rules of breaker")
    for name, each in named.items():
        if name not in known:
            document.report(
                each.key_line,
                f"breaker limits the rule {name}, which this map does not have.",
                f"Name one of: {', '.join(sorted(known))}.",
            )
    limits = {str(name): _limit(document, each, f"breaker of {name}") for name, each in named.items()}
    return Breaker(_limit_of(document, entries, "breaker"), limits)


def _limit(document: Document, located: Located, what: str) -> PartialLimit:
    return _limit_of(document, document.section(located, what, frozenset({"share", "rows"})), what)


def _limit_of(document: Document, entries: Mapping[Any, Located], what: str) -> PartialLimit:
    share = document.number(entries, "share", what)
    if share is not None and not 0 <= share <= 1:
        line = entries["share"].line
        document.report(line, f"share of {what} is {share}.", "Write a number from 0 to 1, such as 0.1.")
    rows = document.number(entries, "rows", what)
    if rows is not None and (isinstance(rows, Decimal) or rows < 0):
        line = entries["rows"].line
        document.report(line, f"rows of {what} is {rows}.", "Write a whole number from 0 up.")
    return PartialLimit(None if share is None else float(share), None if rows is None else int(rows))
