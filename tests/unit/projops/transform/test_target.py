from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from projops.mapping.catalog import Behavior, Column, ColumnType
from projops.transform.canonical import empty_is_null, finance_canonical, finance_column
from projops.transform.target import conform, faults_of, missing

DECIMAL = pa.decimal128(38, 16)
GUID = "9913d930-8cad-52a5-b9d6-614e576f9d26"


@pytest.mark.parametrize(
    ("column", "values", "expected", "bad"),
    [
        (
            Column("c", ColumnType.GUID),
            pa.array([f"{{{GUID.upper()}}}", "x", None]),
            [GUID, None, None],
            [0, 1, 0],
        ),
        (Column("c", ColumnType.INTEGER), pa.array([Decimal(3), Decimal("3.5")], DECIMAL), [3, None], [0, 1]),
        (
            Column("c", ColumnType.OPTION),
            pa.array(["192350000", "All", None]),
            [192350000, None, None],
            [0, 1, 0],
        ),
        (Column("c", ColumnType.BOOLEAN), pa.array(["true", "false", "yes"]), [True, False, None], [0, 0, 1]),
    ],
)
def test_values_are_brought_into_the_type_of_the_column(
    column: Column, values: pa.Array, expected: list[Any], bad: list[int]
) -> None:
    outcome = conform(values, column)
    assert outcome.values.to_pylist() == expected
    assert outcome.bad.to_pylist() == [bool(each) for each in bad]


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (Column("c", ColumnType.MONEY), pa.array([3, None], pa.int64()), [Decimal(3), None]),
        (Column("c", ColumnType.STRING), pa.array(["a"]), ["a"]),
        (Column("c", ColumnType.DATE), pa.array(["2028-02-29"]), [date(2028, 2, 29)]),
        (Column("c", ColumnType.DATETIME), pa.array(["2028-02-29"]), [datetime(2028, 2, 29, tzinfo=UTC)]),
        (Column("c", ColumnType.DATETIME, behavior=Behavior.DATE_ONLY), pa.nulls(1), [None]),
    ],
)
def test_what_fits_needs_no_check(column: Column, values: pa.Array, expected: list[Any]) -> None:
    outcome = conform(values, column)
    assert (outcome.values.to_pylist(), outcome.bad) == (expected, None)


@pytest.mark.parametrize(
    ("column", "values", "rule", "bad"),
    [
        (
            Column("c", ColumnType.STRING, length=3),
            pa.array(["abc", "abcd", "a😀", "a😀b", None]),
            "length",
            [1, 3],
        ),
        (
            Column("c", ColumnType.MONEY, scale=2),
            pa.array([Decimal("1.25"), Decimal("1.255"), None], DECIMAL),
            "scale",
            [1],
        ),
        (Column("c", ColumnType.INTEGER), pa.array([2**31 - 1, 2**31, -(2**31), None]), "range", [1]),
        (
            Column("c", ColumnType.OPTION, options={1: "One"}),
            pa.array([1, 2, None], pa.int64()),
            "option",
            [1],
        ),
        (Column("c", ColumnType.ENUM, enum="NoYes"), pa.array(["No", "no", None]), "option", [1]),
    ],
)
def test_limits_set_rows_aside(column: Column, values: pa.Array, rule: str, bad: list[int]) -> None:
    (fault,) = faults_of(values, column, "Field")
    assert fault.rule == rule
    assert [place for place, broken in enumerate(fault.bad.to_pylist()) if broken] == bad
    assert fault.message.startswith("Field ")


def test_a_value_within_its_limits_is_no_fault() -> None:
    assert faults_of(pa.array(["abc"]), Column("c", ColumnType.STRING, length=3), "Field") == []


def test_missing_values_are_found_empty_texts_too() -> None:
    (fault,) = missing(pa.array(["a", "", None]), "required", "Name")
    assert fault.bad.to_pylist() == [False, True, True]
    assert missing(pa.array([0], pa.int64()), "required", "Amount") == []


def test_what_finance_answers_for_nothing() -> None:
    assert finance_column(Column("c", ColumnType.DECIMAL), pa.array([None], DECIMAL)).to_pylist() == [
        Decimal(0)
    ]
    assert finance_column(Column("c", ColumnType.INTEGER), pa.array([None], pa.int64())).to_pylist() == [0]
    assert finance_column(
        Column("c", ColumnType.ENUM, enum="NoYes"), pa.nulls(1, pa.string())
    ).to_pylist() == ["No"]
    assert finance_column(Column("c", ColumnType.STRING), pa.array(["", None])).to_pylist() == [None, None]


def test_a_frame_is_made_canonical_by_its_columns() -> None:
    from projops.mapping.catalog import finance_tables

    frame = pa.table({"_id": pa.array([None], pa.string()), "CreditLimit": pa.array([None], DECIMAL)})
    made = finance_canonical(finance_tables()["CustomersV3"], frame)
    assert made.to_pylist() == [{"_id": None, "CreditLimit": Decimal(0)}]


def test_empty_texts_are_nulls_and_numbers_are_not() -> None:
    assert empty_is_null(pa.array(["", " ", None])).to_pylist() == [None, " ", None]
    assert empty_is_null(pa.array([0], pa.int64())).to_pylist() == [0]
