"""Query functions of the calendar: yesterday, this week, the last X months, older than X minutes.

Weeks run from Sunday to Saturday [D]. Days are days in UTC; the last X days and longer begin at midnight
and end now, the next X begin now and end with a day [?].
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from sandbox.dataverse.queryfunctions.calls import Call, Condition, Function
from sandbox.odata.errors import ODataError
from sandbox.odata.literals import Kind

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_YEAR = 12


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: from `begin` on, up to `end` but without it; None where it is open. Both UTC."""

    begin: datetime | None
    end: datetime | None


def within(call: Call, span: Span) -> Condition:
    """Return that a property lies in a span."""
    sql = call.moment().sql
    bounds = []
    if span.begin is not None:
        bounds.append(sql >= sa.literal(_bound(call, span.begin), sql.type))
    if span.end is not None:
        bounds.append(sql < sa.literal(_bound(call, span.end), sql.type))
    return sa.and_(*bounds)


def months_on(instant: datetime, months: int) -> datetime:
    """Return the same day and time so many months later, or the last day of a month that is shorter.

    Raises:
        OverflowError: When that is in no year from 1 to 9999.
    """
    year, month = divmod(instant.year * _YEAR + instant.month - 1 + months, _YEAR)
    if not datetime.min.year <= year <= datetime.max.year:
        raise OverflowError(year)
    day = min(instant.day, monthrange(year, month + 1)[1])
    return instant.replace(year=year, month=month + 1, day=day)


def calendar(span_of: Callable[[datetime, int], Span], counted: bool = True) -> Function:
    """Make a query function of a span that follows from the present and, where `counted`, from X."""

    def condition(call: Call) -> Condition:
        call.moment()
        number = call.number() if counted else 1
        try:
            return within(call, span_of(call.caller.now, number))
        except OverflowError:
            raise ODataError(f"The function '{call.name}' leads out of the years 1 to 9999.") from None

    return condition


def _bound(call: Call, instant: datetime) -> datetime | date:
    """A bound as the column compares: a date-only value stands for the beginning of its day."""
    if call.term.kind is Kind.INSTANT:
        return instant
    day = _midnight(instant)
    return day.date() if day == instant else (day + _DAY).date()


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0)


def _sunday(now: datetime) -> datetime:
    return _midnight(now) - _DAY * ((now.weekday() + 1) % 7)


def _month(now: datetime) -> datetime:
    return _midnight(now).replace(day=1)


def _new_year(now: datetime) -> datetime:
    return _month(now).replace(month=1)


def _days(first: int) -> Function:
    def span(now: datetime, _number: int) -> Span:
        begin = _midnight(now) + _DAY * first
        return Span(begin, begin + _DAY)

    return calendar(span, counted=False)


def _weeks(first: int) -> Function:
    def span(now: datetime, _number: int) -> Span:
        begin = _sunday(now) + _DAY * 7 * first
        return Span(begin, begin + _DAY * 7)

    return calendar(span, counted=False)


def _months(start: Callable[[datetime], datetime], first: int, length: int) -> Function:
    def span(now: datetime, _number: int) -> Span:
        begin = months_on(start(now), first)
        return Span(begin, months_on(begin, length))

    return calendar(span, counted=False)


def _last(back: Callable[[datetime, int], datetime], counted: bool = True) -> Function:
    return calendar(lambda now, number: Span(back(now, number), now + _SECOND), counted)


def _next(on: Callable[[datetime, int], datetime], counted: bool = True) -> Function:
    return calendar(lambda now, number: Span(now, on(now, number)), counted)


def _older(back: Callable[[datetime, int], datetime]) -> Function:
    return calendar(lambda now, number: Span(None, back(now, number)))


def _hours(now: datetime, number: int) -> datetime:
    return now + timedelta(hours=number)


def _days_on(now: datetime, number: int) -> datetime:
    return _midnight(now) + _DAY * number


def _months_of_days(now: datetime, number: int) -> datetime:
    return months_on(_midnight(now), number)


MOMENTS: dict[str, Function] = {
    "Yesterday": _days(-1),
    "Today": _days(0),
    "Tomorrow": _days(1),
    "LastWeek": _weeks(-1),
    "ThisWeek": _weeks(0),
    "NextWeek": _weeks(1),
    "LastMonth": _months(_month, -1, 1),
    "ThisMonth": _months(_month, 0, 1),
    "NextMonth": _months(_month, 1, 1),
    "LastYear": _months(_new_year, -_YEAR, _YEAR),
    "ThisYear": _months(_new_year, 0, _YEAR),
    "NextYear": _months(_new_year, _YEAR, _YEAR),
    "Last7Days": calendar(lambda now, _: Span(_days_on(now, -7), _days_on(now, 1)), counted=False),
    "Next7Days": calendar(lambda now, _: Span(now, _days_on(now, 8)), counted=False),
    "LastXHours": _last(lambda now, number: _hours(now, -number)),
    "LastXDays": _last(lambda now, number: _days_on(now, -number)),
    "LastXWeeks": _last(lambda now, number: _days_on(now, -7 * number)),
    "LastXMonths": _last(lambda now, number: _months_of_days(now, -number)),
    "LastXYears": _last(lambda now, number: _months_of_days(now, -_YEAR * number)),
    "NextXHours": _next(_hours),
    "NextXDays": _next(lambda now, number: _days_on(now, number + 1)),
    "NextXWeeks": _next(lambda now, number: _days_on(now, 7 * number + 1)),
    "NextXMonths": _next(lambda now, number: _months_of_days(now, number) + _DAY),
    "NextXYears": _next(lambda now, number: _months_of_days(now, _YEAR * number) + _DAY),
    "OlderThanXMinutes": _older(lambda now, number: now - timedelta(minutes=number)),
    "OlderThanXHours": _older(lambda now, number: _hours(now, -number)),
    "OlderThanXDays": _older(lambda now, number: _days_on(now, -number)),
    "OlderThanXWeeks": _older(lambda now, number: _days_on(now, -7 * number)),
    "OlderThanXMonths": _older(lambda now, number: _months_of_days(now, -number)),
    "OlderThanXYears": _older(lambda now, number: _months_of_days(now, -_YEAR * number)),
}
