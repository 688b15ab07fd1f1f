"""Rows and sums of money by company and accounting period, exact, of both sides of a leg.

The sums are in the currency of each row, so that of many currencies they are a checksum and no amount.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping import catalog
from projops.mapping.catalog import Behavior, Column, ColumnType
from projops.mapping.companies import Company
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.paths import period_paths, source_column, table_of, target_column
from projops.reconcile.model import Scope, Total
from projops.transform.context import zones_of
from projops.transform.dates import days_of
from projops.transform.outcome import one_array

_EXACT = Context(prec=76)  # a sum of decimal128(38, 16) has more digits than Python's own context keeps


@dataclass(slots=True)
class Group:
    """Rows of one side in one company and period, and the sum of each money column."""

    rows: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What has been counted of one side.

    Attributes:
        money: Columns that are summed.
        groups: By company ("" of a global map) and period ("" of a map that has none).
    """

    money: tuple[str, ...]
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all companies and periods."""
        return sum(group.rows for group in self.groups.values())

    def copy(self) -> "Tally":
        """Give a tally that counts on from here."""
        groups = {place: Group(group.rows, dict(group.sums)) for place, group in self.groups.items()}
        return Tally(self.money, groups)

    def add(self, rows: pa.Table, sign: int = 1) -> None:
        """Count rows, or take them off again.

        Args:
            rows: `_company`, `_day` and the money columns.
            sign: 1 to count, -1 to take off.
        """
        places = {
            "company": pc.fill_null(rows["_company"], ""),
            "period": pc.fill_null(periods(rows["_day"]), ""),
        }
        grouped = pa.table(places | {name: rows[name] for name in self.money}).group_by([*places])
        sums = grouped.aggregate([([], "count_all"), *((name, "sum") for name in self.money)])
        for found in sums.to_pylist():
            group = self.groups.setdefault((found["company"], found["period"]), Group())
            group.rows += sign * found["count_all"]
            for name in self.money:
                more = _EXACT.multiply(found[f"{name}_sum"] or Decimal(0), Decimal(sign))
                group.sums[name] = _EXACT.add(group.sums.get(name, Decimal(0)), more)


def totals_of(expected: Tally, found: Tally) -> tuple[Total, ...]:
    """Put the tallies of both sides beside each other, by company and period."""
    places = sorted({*expected.groups, *found.groups})
    return tuple(_total(place, expected, found) for place in places)


def money_columns(table_map: TableMap, leg: Leg) -> tuple[str, ...]:
    """Name the target columns to sum: those that are kept in step and hold money at either end.

    Finance has no type for money of its own (all is Real), so that the Dataverse end says it.
    """
    money = ColumnType.MONEY
    return tuple(
        rule.target
        for rule in leg.fields
        if not rule.create_only
        and (
            target_column(table_map, leg, rule.target).type is money
            or (rule.source is not None and source_column(table_map, leg, rule.source).type is money)
        )
    )


def days(table_map: TableMap, system: System, rows: pa.Table, companies: Mapping[str, Company]) -> pa.Array:
    """Give the day that decides on each row's accounting period (date32); null where it has none.

    Args:
        table_map: The map.
        system: The side whose columns the rows have.
        rows: Rows with the columns of `period_paths` and the map's key.
        companies: Companies by code: a UserLocal moment is a day of the company's zone.
    """
    paths = period_paths(table_map, system)
    if not paths:
        return pa.nulls(rows.num_rows, pa.date32())
    zones = zones_of(table_map, system, rows, companies)
    table = table_of(table_map, system)
    found = [_days(catalog.resolve(table, path).column, one_array(rows[path]), zones) for path in paths]
    return one_array(pc.coalesce(*found))


def in_scope(scope: Scope, table_map: TableMap, values: pa.Array) -> pa.Array:
    """Say which days the scope takes; of a map without periods, or without bounds, all."""
    taken = pa.array([True] * len(values), pa.bool_())
    if not table_map.period:
        return taken
    if scope.since is not None:
        taken = pc.and_(taken, pc.fill_null(pc.greater_equal(values, scope.since), False))
    if scope.until is not None:
        taken = pc.and_(taken, pc.fill_null(pc.less_equal(values, scope.until), False))
    return taken


def periods(days: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Give the accounting period of each day, "2026-10"; null where there is none."""
    return pc.strftime(days, format="%Y-%m")


def _days(column: Column, values: pa.Array, zones: pa.Array) -> pa.Array:
    if pa.types.is_date32(values.type):
        return values
    local = column.behavior is Behavior.USER_LOCAL
    return days_of(values, zones if local else pa.array(["UTC"] * len(values), pa.string()))


def _total(place: tuple[str, str], expected: Tally, found: Tally) -> Total:
    ours, theirs = expected.groups.get(place, Group()), found.groups.get(place, Group())
    nothing = dict.fromkeys(expected.money, Decimal(0))
    return Total(*place, ours.rows, theirs.rows, nothing | ours.sums, nothing | theirs.sums)
