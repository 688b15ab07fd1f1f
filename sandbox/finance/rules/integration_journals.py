"""Integration journals: which one a new line goes to (R602, R603)."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sandbox.finance.books import Books
from sandbox.finance.rules.parameters import Parameters
from sandbox.rules.days import NEVER, day_of, noon
from sandbox.rules.hooks import Row

JOURNALS = "ProjectIntegrationJournals"
LINES = "ProjectIntegrationJournalLines"

_DRAFT = "Draft"
_SEQUENCE = "IntegrationJournal"

Span = tuple[date, date]


@dataclass
class _Target:
    """A draft journal that takes lines."""

    journal: Row
    lines: int
    last_number: int


class OpenJournals:
    """The draft journals of a legal entity, one a period that takes lines."""

    def __init__(self, books: Books, company: str, parameters: Parameters) -> None:
        """Begin with the journals as they stand; only those that are asked for are looked up."""
        self._books = books
        self._company = company
        self._parameters = parameters
        self._targets: dict[Span, _Target] = {}
        self._made = 0

    @property
    def made(self) -> int:
        """How many journals were made."""
        return self._made

    def place(self, line: Row) -> Mapping[str, str | int]:
        """Return journal and number of a new line.

        A journal holds the lines of one period by transaction date (R602), and no more than the
        parameter says (R603). One that is not a draft any more takes none: a new one is made.
        """
        span = period_of(self._parameters.period_unit, day_of(line["TransactionDate"]) or NEVER)
        target = self._targets.get(span) or self._find(span)
        if target is None or target.lines >= self._parameters.lines_per_journal:
            target = self._make(span)
        self._targets[span] = target
        target.lines += 1
        target.last_number += 1
        return {"JournalId": target.journal["JournalId"], "LineNumber": target.last_number}

    def close(self) -> None:
        """Write how many lines each journal has now."""
        for target in self._targets.values():
            self._count(target)

    def _find(self, span: Span) -> _Target | None:
        """Return a draft of the period that has room, None where there is none."""
        start, end = (noon(day) for day in span)
        drafts = self._books.find(
            JOURNALS, dataAreaId=self._company, JournalStatus=_DRAFT, PeriodStart=start, PeriodEnd=end
        )
        for journal in drafts:
            if journal["NumberOfLines"] < self._parameters.lines_per_journal:
                lines = self._books.find(LINES, dataAreaId=self._company, JournalId=journal["JournalId"])
                last = max((line["LineNumber"] for line in lines), default=0)
                return _Target(journal, len(lines), last)
        return None

    def _make(self, span: Span) -> _Target:
        full = self._targets.get(span)
        if full is not None:
            self._count(full)
        start, end = span
        values = {
            "dataAreaId": self._company,
            "JournalId": self._books.next_number(self._company, _SEQUENCE),
            "Description": f"Project Operations integration {_span_name(span)}".rstrip(),
            "PeriodStart": noon(start),
            "PeriodEnd": noon(end),
        }
        self._made += 1
        return _Target(self._books.insert(JOURNALS, values), 0, 0)

    def _count(self, target: _Target) -> None:
        self._books.update(JOURNALS, target.journal, {"NumberOfLines": target.lines})


def period_of(unit: str, day: date) -> Span:
    """Return the first and the last day of what one journal holds (R602).

    Args:
        unit: Days, Months, Years or All; with All the days are 1900-01-01, Finance's way of saying none.
        day: Transaction date.
    """
    if unit == "Days":
        return day, day
    if unit == "Months":
        return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if unit == "Years":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    return NEVER, NEVER


def _span_name(span: Span) -> str:
    start, end = span
    if start == NEVER:
        return ""
    return str(start) if start == end else f"{start} to {end}"
