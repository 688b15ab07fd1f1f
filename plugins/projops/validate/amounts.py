"""Expectations on amounts that Great Expectations lacks, for `include/expectations`.

The last column of `column_list` is what the others must give. `suites` imports this module, which
makes them known by name: expect_multicolumn_values_to_multiply, expect_multicolumn_values_to_add_up.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd  # type: ignore[import-untyped]

from projops.validate.arithmetic import products, sums
from projops.validate.gx import (
    MulticolumnMapExpectation,
    MulticolumnMapMetricProvider,
    PandasExecutionEngine,
    multicolumn_condition_partial,
)

_DOMAIN = ("batch_id", "table", "column_list", "row_condition", "condition_parser", "ignore_row_if")


def _columns(frame: pd.DataFrame) -> list[pd.Series]:
    """Split a frame into its columns by place: an expectation may name one of them twice."""
    return [frame.iloc[:, place].astype(object) for place in range(frame.shape[1])]


class MulticolumnValuesMultiply(MulticolumnMapMetricProvider):
    """Whether the last column is the product of the others, rounded to the digits that it has."""

    condition_metric_name = "multicolumn_values.multiply"
    condition_domain_keys = _DOMAIN

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:
        *factors, amount = _columns(column_list)
        return products(factors, amount)


class MulticolumnValuesAddUp(MulticolumnMapMetricProvider):
    """Whether the last column is the sum of the others."""

    condition_metric_name = "multicolumn_values.add_up"
    condition_domain_keys = _DOMAIN

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_list: pd.DataFrame, **_: Any) -> pd.Series:
        *parts, total = _columns(column_list)
        return sums(parts, total)


class ExpectMulticolumnValuesToMultiply(MulticolumnMapExpectation):
    """Expect the last column to be the product of the others, rounded to the digits that it has."""

    map_metric: ClassVar[str] = MulticolumnValuesMultiply.condition_metric_name
    args_keys = ("column_list",)


class ExpectMulticolumnValuesToAddUp(MulticolumnMapExpectation):
    """Expect the last column to be the sum of the others."""

    map_metric: ClassVar[str] = MulticolumnValuesAddUp.condition_metric_name
    args_keys = ("column_list",)
