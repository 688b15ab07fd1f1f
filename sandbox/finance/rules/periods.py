"""Fiscal periods: the day on which a transaction is booked (R604)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sandbox.finance.books import Books
from sandbox.rules.days import NEVER, day_of

_OPEN = "Open"


class PeriodClosedError(ValueError):
    """A day on which nothing may be booked.

    Attributes:
        error_id: E12, or E13 where no later period is open either.
    """

    def __init__(self, error_id: str, message: str) -> None:
        """Keep the documented error's id with its sentence."""
        super().__init__(message)
        self.error_id = error_id


@dataclass(frozen=True, slots=True)
class Period:
    """A fiscal period of a legal entity, both days included."""

    start: date
    end: date
    is_open: bool


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """The fiscal periods of a legal entity.

    Attributes:
        company: The legal entity.
        periods: In the order of their start.
        moves: Whether *Automatically set accounting date to open ledger period* is on.
    """

    company: str
    periods: tuple[Period, ...]
    moves: bool

    def accounting_date(self, day: date) -> date:
        """Return the day itself, or where its period is closed the first day of the next open one.

        R604.

        Raises:
            PeriodClosedError: E12 where days do not move, E13 where no later period is open.
        """
        if any(period.is_open and period.start <= day <= period.end for period in self.periods):
            return day
        if not self.moves:
            raise PeriodClosedError(
                "E12",
                f"No open fiscal period was found for the accounting date {_shown(day)} in company "
                f"{self.company}: open its period, or turn on 'Automatically set accounting date to open "
                "ledger period'.",
            )
        later = [period.start for period in self.periods if period.is_open and period.start > day]
        if not later:
            raise PeriodClosedError(
                "E13",
                f"No open fiscal period was found in or after the accounting date {_shown(day)} "
                f"in company {self.company}: open a period of the fiscal calendar.",
            )
        return min(later)


def read_calendar(books: Books, company: str) -> FiscalCalendar:
    """Return the fiscal periods of a legal entity as they stand."""
    parameters = books.first("ProjectParametersV2", dataAreaId=company)
    moves = parameters is not None and parameters["IsAccountingDateUpdateAllowed"] == "Yes"
    return FiscalCalendar(company.upper(), tuple(sorted(_periods(books, company), key=_start)), moves)


def accounting_date(books: Books, company: str, day: date) -> date:
    """Return the day on which a transaction of `day` is booked (R604).

    Raises:
        PeriodClosedError: E12 or E13.
    """
    return read_calendar(books, company).accounting_date(day)


def _periods(books: Books, company: str) -> Iterable[Period]:
    for row in books.find("LedgerFiscalPeriods", dataAreaId=company):
        start, end = day_of(row["StartDate"]), day_of(row["EndDate"])
        yield Period(start or NEVER, end or NEVER, row["PeriodStatus"] == _OPEN)


def _shown(day: date) -> str:
    """Return a day as the documented messages show it: 11/20/2024."""
    return f"{day.month}/{day.day}/{day.year}"


def _start(period: Period) -> date:
    return period.start
