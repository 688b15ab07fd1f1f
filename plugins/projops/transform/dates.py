"""Operators on days and times: date.

A day is a day for whoever reads it, a moment is not. Dataverse stores a UserLocal date as the moment
of midnight at the user's place; here the place is the row's company. Time zones come from Python's
zoneinfo and not from Arrow's, which needs a database that the machine may lack.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.catalog import Behavior, Column
from projops.mapping.model import Step
from projops.transform.context import Ends, Rows
from projops.transform.outcome import Outcome

_MOMENT = pa.timestamp("us", "UTC")
_UTC = "UTC"


def to_date(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """The day that a moment stands for, or the moment that a day is stored as.

    From UserLocal: the day in the company's zone, so that 2026-10-31T23:00:00Z is November 1 in
    Berlin. From TimeZoneIndependent: the day as written. To UserLocal: the company's midnight; to
    any other date and time column: midnight in UTC. A DateOnly value passes no time zone.
    """
    del step
    days = values if pa.types.is_date32(values.type) else days_of(values, _zones(rows, ends.source))
    if ends.target.is_day:
        return Outcome(days)
    return Outcome(midnights(days, _zones(rows, ends.target)))


def days_of(moments: pa.Array, zones: pa.Array) -> pa.Array:
    """The day of each moment (timestamp in UTC) in its zone, as date32."""
    # Without saying so, they are UTC still: Python objects with a zone take Arrow four times as long.
    plain = moments.cast(pa.timestamp("us"))
    in_utc = pc.floor_temporal(plain, unit="day").cast(pa.date32())
    return _by_zone(plain, zones, _day, in_utc)


def midnights(days: pa.Array, zones: pa.Array) -> pa.Array:
    """The moment at which each day begins in its zone, as timestamp in UTC."""
    return _by_zone(days, zones, _midnight, days.cast(pa.timestamp("us")).cast(_MOMENT))


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.replace(tzinfo=UTC).astimezone(zone).date()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _zones(rows: Rows, column: Column | None) -> pa.Array:
    if column is not None and column.behavior is Behavior.USER_LOCAL:
        return rows.zones
    return pa.repeat(_UTC, rows.count)


def _by_zone(
    values: pa.Array, zones: pa.Array, convert: Callable[[Any, ZoneInfo], date], in_utc: pa.Array
) -> pa.Array:
    """Convert each distinct value once a zone; what comes of them in UTC is given."""
    result = in_utc
    for name in zones.unique().to_pylist():
        if name != _UTC:
            here, zone = pc.equal(zones, name), ZoneInfo(name)
            encoded = values.filter(here).dictionary_encode()
            converted = [convert(value, zone) for value in encoded.dictionary.to_pylist()]
            made = pa.array(converted, in_utc.type).take(encoded.indices)
            result = pc.replace_with_mask(result, here, made)
    return result
