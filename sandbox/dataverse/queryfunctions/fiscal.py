"""Query functions of the fiscal calendar.

The organization's fiscal year begins on the first of January and has four periods, the quarters: what a
new environment is set to [?].
"""

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from sandbox.dataverse.queryfunctions.calls import Call, Condition, Function
from sandbox.dataverse.queryfunctions.moments import Span, calendar, months_on, within
from sandbox.odata.errors import ODataError

_PERIODS = 4
_PERIOD_MONTHS = 3
_YEAR_MONTHS = _PERIODS * _PERIOD_MONTHS


def _period(now: datetime) -> datetime:
    """Begin of the fiscal period of a moment."""
    first = now.month - (now.month - 1) % _PERIOD_MONTHS
    return datetime(now.year, first, 1, tzinfo=UTC)


def _year(now: datetime) -> datetime:
    return datetime(now.year, 1, 1, tzinfo=UTC)


def _one(start: Callable[[datetime], datetime], months: int, place: int) -> Function:
    def span(now: datetime, _number: int) -> Span:
        begin = months_on(start(now), place * months)
        return Span(begin, months_on(begin, months))

    return calendar(span, counted=False)


def _last(start: Callable[[datetime], datetime], months: int) -> Function:
    """From the beginning of the period X before the present one up to now [L Sql4Cds]."""
    return calendar(lambda now, number: Span(months_on(start(now), -number * months), now))


def _next(start: Callable[[datetime], datetime], months: int) -> Function:
    """From now to the end of the period X after the present one [L Sql4Cds]."""
    return calendar(lambda now, number: Span(now, months_on(start(now), (number + 1) * months)))


def _in_period(call: Call) -> Condition:
    """In this period of any year: months stand in the sixth and seventh place of dates and time stamps."""
    first = (_number(call, "PropertyValue", _PERIODS) - 1) * _PERIOD_MONTHS + 1
    months = [f"{month:02}" for month in range(first, first + _PERIOD_MONTHS)]
    return sa.func.substr(call.moment().sql, 6, 2).in_(months)


def _in_year(call: Call) -> Condition:
    begin = datetime(_number(call, "PropertyValue", datetime.max.year - 1), 1, 1, tzinfo=UTC)
    return within(call, Span(begin, months_on(begin, _YEAR_MONTHS)))


def _in_period_and_year(call: Call) -> Condition:
    return within(call, _named_period(call))


def _in_or_after(call: Call) -> Condition:
    return within(call, Span(_named_period(call).begin, None))


def _in_or_before(call: Call) -> Condition:
    return within(call, Span(None, _named_period(call).end))


def _named_period(call: Call) -> Span:
    """The period of PropertyValue1 in the year of PropertyValue2."""
    period = _number(call, "PropertyValue1", _PERIODS)
    year = _number(call, "PropertyValue2", datetime.max.year - 1)
    begin = datetime(year, (period - 1) * _PERIOD_MONTHS + 1, 1, tzinfo=UTC)
    return Span(begin, months_on(begin, _PERIOD_MONTHS))


def _number(call: Call, parameter: str, most: int) -> int:
    number = call.number(parameter)
    if number > most:
        raise ODataError(f"The function '{call.name}' needs a '{parameter}' of {most} at most.")
    return number


FISCAL: dict[str, Function] = {
    "LastFiscalPeriod": _one(_period, _PERIOD_MONTHS, -1),
    "ThisFiscalPeriod": _one(_period, _PERIOD_MONTHS, 0),
    "NextFiscalPeriod": _one(_period, _PERIOD_MONTHS, 1),
    "LastFiscalYear": _one(_year, _YEAR_MONTHS, -1),
    "ThisFiscalYear": _one(_year, _YEAR_MONTHS, 0),
    "NextFiscalYear": _one(_year, _YEAR_MONTHS, 1),
    "LastXFiscalPeriods": _last(_period, _PERIOD_MONTHS),
    "LastXFiscalYears": _last(_year, _YEAR_MONTHS),
    "NextXFiscalPeriods": _next(_period, _PERIOD_MONTHS),
    "NextXFiscalYears": _next(_year, _YEAR_MONTHS),
    "InFiscalPeriod": _in_period,
    "InFiscalYear": _in_year,
    "InFiscalPeriodAndYear": _in_period_and_year,
    "InOrAfterFiscalPeriodAndYear": _in_or_after,
    "InOrBeforeFiscalPeriodAndYear": _in_or_before,
}
