"""The month-end gate as frozen values: the period, what is judged, what stands in the way, the verdict.

`gate` reads the evidence, `obstacles` judges it.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from projops.errors import ConfigurationError
from projops.reconcile.model import Finding, Invariant
from projops.run import LegRef
from projops.standing import LegStatus

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_FIRST_YEAR = 1900  # Finance knows no day before


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar month, the accounting period of the companies' own days.

    Attributes:
        first: Its first day.
    """

    first: date

    @classmethod
    def of(cls, text: str) -> Self:
        """Read it: "2026-10".

        Raises:
            ConfigurationError: It is no month.
        """
        found = _MONTH.fullmatch(text)
        if found is None or not (_FIRST_YEAR <= int(found[1]) < MAXYEAR and 0 < int(found[2]) <= 12):
            raise ConfigurationError(f"{text:.40} is no month.", remedy="Write it like 2026-10.")
        return cls(date(int(found[1]), int(found[2]), 1))

    @property
    def last(self) -> date:
        """Its last day."""
        return self.first.replace(day=monthrange(self.first.year, self.first.month)[1])

    def ended_at(self, zone: str) -> datetime:
        """Give the moment, in UTC, at which it ends in a time zone (IANA)."""
        return datetime.combine(self.last + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Held:
    """A live dead letter, with what can be told of its company and period.

    Attributes:
        id: Its number.
        leg: Map and leg.
        status: open, parked or awaiting_approval.
        key: Integration key text, or None.
        source_id: Identity of the source row.
        company: Company code in lower case; None where it cannot be told.
        period: "2026-10"; None where it cannot be told.
    """

    id: int
    leg: LegRef
    status: str
    key: str | None
    source_id: str
    company: str | None
    period: str | None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that stands in the way of closing a period.

    Attributes:
        kind: A verdict (`pending`, `drift`, `parked`, `dead_letter`, `awaiting_approval`), an invariant
            (`clearing_expense`, `lines_posted`, ...), how a leg stands (`paused`, `stopped`, ...), `behind`
            or `not_compared`.
        subject: The map and leg, or the thing in the books.
        count: How many rows or things it is.
        message: What is the matter; keys of rows among it.
        remedy: What to do; "" where the message says it.
    """

    kind: str
    subject: str
    count: int
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is judged.

    Attributes:
        findings: Differing rows of the period and company, of all maps whose rows belong to a period.
        held: Live dead letters of all companies and periods.
        books: What the books of the company say of the period.
        standings: How each leg of the maps that are on stands.
        not_compared: Maps that could not be compared, with the reason.
        areas: Area of each map.
        unread_since: Where Finance was last read before this, UTC, a leg is behind.
    """

    findings: Sequence[Finding]
    held: Iterable[Held]
    books: Sequence[Invariant]
    standings: Sequence[LegStatus]
    not_compared: Mapping[str, str]
    areas: Mapping[str, str]
    unread_since: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a period of a company can be closed.

    Attributes:
        company: Company code in lower case.
        period: The month, "2026-10".
        obstacles: What stands in the way; none if it can be closed.
        is_over: Whether the month has ended; until then more may come.
    """

    company: str
    period: str
    obstacles: tuple[Obstacle, ...]
    is_over: bool

    @property
    def can_be_closed(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.obstacles

    @property
    def sentence(self) -> str:
        """The verdict for people."""
        name = f"{self.company.upper()} {self.period}"
        if not self.can_be_closed:
            things = "1 thing stands" if len(self.obstacles) == 1 else f"{len(self.obstacles)} things stand"
            return f"{name} cannot be closed: {things} in the way."
        if not self.is_over:
            return f"Nothing stands in the way of {name}, which is not over."
        return f"{name} can be closed."
