"""Sums are exact to the last digit, and periods are those of the company's own days."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from projops.mapping.model import System
from projops.reconcile.compare.totals import Tally, days, in_scope, totals_of
from projops.reconcile.model import Scope
from tests.unit.projops.reconcile.compare.pairs import LOADED, terms_of, with_period

MONEY = pa.decimal128(38, 16)
LARGE, SMALL = Decimal("922337203685477.5807"), Decimal("0.0000000000000001")


def _rows(*rows: tuple[str | None, date | None, Decimal | None]) -> pa.Table:
    company, day, amount = (list(each) for each in zip(*rows, strict=True))
    return pa.table(
        {
            "_company": pa.array(company, pa.string()),
            "_day": pa.array(day, pa.date32()),
            "a": pa.array(amount, MONEY),
        }
    )


def test_a_sum_keeps_every_digit_over_many_pages() -> None:
    tally = Tally(("a",))
    for _ in range(40):
        tally.add(_rows(("uspm", date(2026, 10, 31), LARGE), ("uspm", date(2026, 10, 1), SMALL)))
    assert tally.groups["uspm", "2026-10"].sums == {"a": Decimal("36893488147419103.2280000000000040")}
    assert tally.rows == 80


def test_rows_are_told_apart_by_company_and_period_and_missing_ones_have_a_place_too() -> None:
    ours, theirs = Tally(("a",)), Tally(("a",))
    ours.add(
        _rows(
            ("uspm", date(2026, 10, 31), Decimal(1)),
            ("gbpm", date(2026, 11, 1), None),
            (None, None, Decimal(2)),
        )
    )
    theirs.add(_rows(("uspm", date(2026, 11, 1), Decimal(1))))
    found = [
        (each.company, each.period, each.expected_rows, each.found_rows) for each in totals_of(ours, theirs)
    ]
    assert found == [
        ("", "", 1, 0),
        ("gbpm", "2026-11", 1, 0),
        ("uspm", "2026-10", 1, 0),
        ("uspm", "2026-11", 0, 1),
    ]
    assert [each.found_sums["a"] for each in totals_of(ours, theirs)] == [0, 0, 0, 1]


def test_what_is_taken_off_is_gone_and_a_copy_counts_on_by_itself() -> None:
    rows = _rows(("uspm", None, Decimal("1.10")), ("uspm", None, Decimal("2.20")))
    tally = Tally(("a",))
    tally.add(rows)
    copy = tally.copy()
    copy.add(rows.slice(0, 1), -1)
    assert (copy.rows, copy.groups["uspm", ""].sums["a"]) == (1, Decimal("2.20"))
    assert (tally.rows, tally.groups["uspm", ""].sums["a"]) == (2, Decimal("3.30"))


def test_money_is_what_either_end_holds_as_money() -> None:
    assert terms_of().money == ("msdyn_totalamount",)


def test_a_moment_is_a_day_of_the_company_as_the_mapping_has_it() -> None:
    """In Dataverse a day is kept as the midnight of the company (R504)."""
    table_map = with_period(LOADED.maps["expenses"])
    rows = pa.table(
        {
            "msdyn_externalid": ["1", "2"],
            "msdyn_owningcompany.cdm_companycode": ["DEMF", "USPM"],
            "msdyn_transactiondate": pa.array(
                [datetime(2026, 10, 31, 23, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")
            ),
        }
    )
    found = days(table_map, System.DATAVERSE, rows, LOADED.companies).to_pylist()
    assert found == [date(2026, 11, 1), date(2026, 10, 31)]


@pytest.mark.parametrize(
    ("scope", "taken"),
    [
        (Scope(), [True, True, True]),
        (Scope(since=date(2026, 11, 1)), [False, True, False]),
        (Scope(until=date(2026, 10, 31)), [True, False, False]),
    ],
)
def test_only_days_within_the_scope_are_taken_of_maps_with_periods(scope: Scope, taken: list[bool]) -> None:
    values = pa.array([date(2026, 10, 31), date(2026, 11, 1), None], pa.date32())
    assert in_scope(scope, with_period(LOADED.maps["expenses"]), values).to_pylist() == taken
    assert in_scope(scope, LOADED.maps["units"], values).to_pylist() == [True, True, True]
