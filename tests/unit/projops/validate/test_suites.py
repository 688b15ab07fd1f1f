"""The one place that calls Great Expectations: what it says of a frame is of that frame."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pytest

from projops.errors import MappingError
from projops.validate.expectations import RowExpectation
from projops.validate.rows import data_frame
from projops.validate.suites import Verdict, judge

_ROWS = 400
_THREADS = 4


def _unique(column: str) -> RowExpectation:
    return RowExpectation("unique", column, "Twice.", "expect_column_values_to_be_unique", {"column": column})


def _judge_own_frame(number: int) -> Verdict:
    """Each frame has a column of its own, and its first `number + 2` rows share a value."""
    column = f"column_{number}"
    shared = number + 2
    values = ["same"] * shared + [str(each) for each in range(_ROWS - shared)]
    return judge(pd.DataFrame({column: values}), [_unique(column)], "a.yaml")


def test_threads_of_one_process_judge_each_its_own_rows() -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        verdicts = list(pool.map(_judge_own_frame, range(40)))
    assert [list(each.broken[0]) for each in verdicts] == [list(range(number + 2)) for number in range(40)]


def test_an_expectation_that_cannot_be_judged_says_why() -> None:
    with pytest.raises(MappingError, match=r'unique on amount cannot be judged: .*"amount".* does not exist'):
        judge(pd.DataFrame({"price": [1]}), [_unique("amount")], "a.yaml")


def test_moments_beyond_nanoseconds_are_judged_as_the_others_are() -> None:
    between = RowExpectation(
        "day", "at", "No.", "expect_column_values_to_be_between", {"column": "at"},
        {"min_value": datetime(1900, 1, 2), "max_value": datetime(9998, 12, 31, 23, 59, 59)},
    )  # fmt: skip
    near = [datetime(1900, 1, 1), datetime(2026, 11, 23), None, datetime(1900, 1, 2), datetime(2262, 1, 1)]
    for far, broken in (([], [0]), ([datetime(9999, 12, 31), datetime(9998, 12, 31)], [0, 5])):
        moments = pa.table({"at": pa.array(near + far, pa.timestamp("us", "UTC"))})
        verdict = judge(data_frame(moments, [between], None), [between], "a.yaml")
        assert (list(verdict.broken[0]), verdict.counts[0].missing) == (broken, 1)


def test_whole_numbers_beyond_floats_keep_their_last_digit_beside_nulls() -> None:
    known = RowExpectation(
        "known", "number", "No.", "expect_column_values_to_be_in_set", {"column": "number"},
        {"value_set": [2**53 + 1]},
    )  # fmt: skip
    for given, broken in (([2**53 + 1, 2**53], [1]), ([None, 2**53 + 1, 2**53], [2])):
        numbers = pa.table({"number": pa.array(given, pa.int64())})
        verdict = judge(data_frame(numbers, [known], None), [known], "a.yaml")
        assert list(verdict.broken[0]) == broken
