"""Each mapping operator by itself, over whole columns."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.mapping.catalog import Behavior, Column, ColumnType
from projops.mapping.model import Direction, Step
from projops.mapping.value_maps import ValueMap
from projops.transform.context import Ends, Rows
from projops.transform.operators import OPERATORS, rule_id
from projops.transform.outcome import Outcome

DECIMAL = pa.decimal128(38, 16)
MOMENT = pa.timestamp("us", "UTC")
TEXT = Column("text", ColumnType.STRING)
DAY = Column("day", ColumnType.DATE, behavior=Behavior.DATE_ONLY)
LOCAL = Column("local", ColumnType.DATETIME, behavior=Behavior.USER_LOCAL)
INDEPENDENT = Column("independent", ColumnType.DATETIME, behavior=Behavior.TIME_ZONE_INDEPENDENT)
STAGE = ValueMap(
    "stage",
    MappingProxyType({"0": "InProcess", "1": "Completed", None: "Created"}),
    MappingProxyType({"InProcess": "0", "Completed": "1", "Created": None}),
    "stage.yaml",
    1,
)
TEXTS = st.text(st.characters(codec="utf-8"))


def run(
    operator: str,
    argument: object,
    values: pa.Array | None,
    *,
    columns: dict[str, pa.Array] | None = None,
    zones: Sequence[str] | None = None,
    source: Column | None = None,
    target: Column = TEXT,
    direction: Direction = Direction.DATAVERSE_TO_FINANCE,
) -> Outcome:
    count = len(values) if values is not None else len(next(iter((columns or {}).values())))
    table = pa.table({"__place": pa.array(range(count)), **(columns or {})})
    rows = Rows(table, direction, pa.array(zones or ["UTC"] * count, pa.string()), {"stage": STAGE})
    return OPERATORS[operator](values, Step(operator, argument, 1), rows, Ends(source, target))


def bad(outcome: Outcome) -> list[bool]:
    return outcome.bad.to_pylist() if outcome.bad is not None else []


def test_value_map_translates_options_and_nulls() -> None:
    outcome = run("value_map", "stage", pa.array([0, 1, None], pa.int64()))
    assert outcome.values.to_pylist() == ["InProcess", "Completed", "Created"]
    assert bad(outcome) == [False, False, False]


def test_value_map_goes_back() -> None:
    outcome = run(
        "value_map",
        "stage",
        pa.array(["Completed", "Created", None]),
        direction=Direction.FINANCE_TO_DATAVERSE,
    )
    assert outcome.values.to_pylist() == ["1", None, None]
    assert bad(outcome) == [False, False, False]


def test_value_map_sets_values_without_a_line_aside() -> None:
    outcome = run("value_map", "stage", pa.array([0, 7], pa.int64()))
    assert bad(outcome) == [False, True]
    assert "value map stage" in outcome.reason


@pytest.mark.parametrize("value", ["x", 3, True, Decimal("1.5")])
def test_constant_fills_every_row(value: object) -> None:
    assert run("constant", value, pa.nulls(2)).values.to_pylist() == [value, value]


def test_default_fills_only_what_is_missing() -> None:
    assert run("default", 5, pa.array([None, 0, 2], pa.int64())).values.to_pylist() == [5, 0, 2]
    money = run("default", 5, pa.array([None, Decimal("0.1")], DECIMAL)).values
    assert money.to_pylist() == [Decimal(5), Decimal("0.1")]


def test_default_may_name_another_column() -> None:
    outcome = run("default", {"from": "code"}, pa.array(["a", None]), columns={"code": pa.array(["x", "y"])})
    assert outcome.values.to_pylist() == ["a", "y"]


@given(st.lists(TEXTS, min_size=1), st.integers(1, 8))
def test_truncate_fits_and_never_cuts_a_character(texts: list[str], limit: int) -> None:
    cut = run("truncate", limit, pa.array(texts)).values.to_pylist()
    for text, short in zip(texts, cut, strict=True):
        assert text.startswith(short)
        assert len(short.encode("utf-16-le")) <= limit * 2
        rest = text[len(short) :]
        assert not rest or len((short + rest[0]).encode("utf-16-le")) > limit * 2


def test_truncate_counts_an_emoji_as_two_as_the_databases_do() -> None:
    assert run("truncate", 3, pa.array(["a😀😀", None])).values.to_pylist() == ["a😀", None]


@given(
    st.lists(st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False, places=8), min_size=1),
    st.integers(0, 6),
)
def test_round_is_half_up_away_from_zero_and_exact(values: list[Decimal], digits: int) -> None:
    rounded = run("round", digits, pa.array(values, DECIMAL)).values.to_pylist()
    step = Decimal(1).scaleb(-digits)
    assert rounded == [value.quantize(step, ROUND_HALF_UP) for value in values]


def test_round_keeps_the_last_digit_of_the_greatest_money() -> None:
    greatest = Decimal("922337203685476.9999")
    assert run("round", 4, pa.array([greatest, -greatest], DECIMAL)).values.to_pylist() == [
        greatest,
        -greatest,
    ]


def test_round_leaves_whole_numbers_and_nulls() -> None:
    assert run("round", 2, pa.array([3, None], pa.int64())).values.to_pylist() == [3, None]


def test_a_user_local_midnight_is_the_day_in_the_zone_of_the_company() -> None:
    moments = pa.array([datetime(2026, 10, 31, 23, tzinfo=UTC)] * 3 + [None], MOMENT)
    zones = ["Europe/Berlin", "America/New_York", "UTC", "UTC"]
    outcome = run("date", True, moments, zones=zones, source=LOCAL, target=DAY)
    assert outcome.values.to_pylist() == [date(2026, 11, 1), date(2026, 10, 31), date(2026, 10, 31), None]


def test_a_time_zone_independent_day_is_the_day_as_written() -> None:
    moments = pa.array([datetime(2028, 2, 29, 23, 59, tzinfo=UTC)], MOMENT)
    outcome = run("date", True, moments, zones=["Europe/Berlin"], source=INDEPENDENT, target=DAY)
    assert outcome.values.to_pylist() == [date(2028, 2, 29)]


def test_a_date_only_value_passes_no_time_zone() -> None:
    days = pa.array([date(2028, 2, 29), None])
    outcome = run("date", True, days, zones=["Pacific/Kiritimati"] * 2, source=DAY, target=DAY)
    assert outcome.values.to_pylist() == [date(2028, 2, 29), None]


def test_a_day_becomes_the_midnight_of_the_company() -> None:
    days = pa.array([date(2026, 11, 1)])
    local = run("date", True, days, zones=["Europe/Berlin"], source=DAY, target=LOCAL)
    assert local.values.to_pylist() == [datetime(2026, 10, 31, 23, tzinfo=UTC)]
    independent = run("date", True, days, zones=["Europe/Berlin"], source=DAY, target=INDEPENDENT)
    assert independent.values.to_pylist() == [datetime(2026, 11, 1, tzinfo=UTC)]


@given(
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]),
)
def test_a_day_comes_back_from_its_midnight(day: date, zone: str) -> None:
    midnight = run("date", True, pa.array([day]), zones=[zone], source=DAY, target=LOCAL).values
    assert run("date", True, midnight, zones=[zone], source=LOCAL, target=DAY).values.to_pylist() == [day]
    moment = midnight.to_pylist()[0].astimezone(ZoneInfo(zone))
    assert moment.date() == day
    assert moment - timedelta(hours=1) < datetime(day.year, day.month, day.day, 2, tzinfo=ZoneInfo(zone))


@given(
    st.lists(
        st.tuples(
            st.none() | st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)),
            st.sampled_from(["Europe/Berlin", "Pacific/Kiritimati", "UTC"]),
        ),
        max_size=8,
    )
)
def test_companies_of_several_zones_stand_in_one_column(rows: list[tuple[datetime | None, str]]) -> None:
    moments = pa.array([moment for moment, _ in rows], MOMENT)
    days = run("date", True, moments, zones=[zone for _, zone in rows], source=LOCAL, target=DAY).values
    expected = [moment and moment.astimezone(ZoneInfo(zone)).date() for moment, zone in rows]
    assert days.to_pylist() == expected


def test_concat_joins_columns_and_literals() -> None:
    columns = {"first": pa.array(["Åsa", None, None]), "last": pa.array(["O'Neill", "Null", None])}
    outcome = run("concat", ("first", "' '", "last"), None, columns=columns)
    assert outcome.values.to_pylist() == ["Åsa O'Neill", " Null", None]
    quoted = run("concat", ("'O''Neill'",), pa.nulls(1))
    assert quoted.values.to_pylist() == ["O'Neill"]


def test_concat_joins_numbers_as_texts() -> None:
    columns = {"number": pa.array([7, None], pa.int64())}
    assert run("concat", ("'L-'", "number"), None, columns=columns).values.to_pylist() == ["L-7", None]


def test_currency_is_three_capitals() -> None:
    outcome = run("currency", True, pa.array([" usd ", "EU", "€", None, ""]))
    assert outcome.values.to_pylist()[0] == "USD"
    assert bad(outcome) == [False, True, True, False, False]


def test_unit_is_trimmed_and_short() -> None:
    outcome = run("unit", True, pa.array([" hr ", "m²", "a symbol far too long", None]))
    assert outcome.values.to_pylist()[:2] == ["hr", "m²"]
    assert bad(outcome) == [False, False, True, False]


def test_when_keeps_a_value_only_where_the_condition_holds() -> None:
    columns = {"kind": pa.array(["A", "b", None])}
    outcome = run("when", "kind eq 'a'", pa.array([1, 2, 3], pa.int64()), columns=columns)
    assert outcome.values.to_pylist() == [1, None, None]


def test_python_calls_a_registered_function() -> None:
    outcome = run("python", "outline_level", pa.array(["1", "1.2.10", None]))
    assert outcome.values.to_pylist() == [1, 3, None]
    named = run(
        "python",
        {"function": "outline_level", "columns": ("wbs",)},
        None,
        columns={"wbs": pa.array(["2.1"])},
    )
    assert named.values.to_pylist() == [2]


def test_a_function_sets_rows_aside_under_its_own_name() -> None:
    assert rule_id(Step("python", "outline_level", 1)) == "python:outline_level"
    assert rule_id(Step("value_map", "stage", 1)) == "value_map"
