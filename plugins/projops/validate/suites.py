"""Great Expectations, kept in one place: a suite judges a data frame, and says which rows break what.

No telemetry, no project folder, no progress bars. SUMMARY first, which is cheap; COMPLETE only for
the expectations that failed, since listing the rows of very many failures is what costs. Measured on
two cores, 1,000 rows and ten expectations: 0.05 s, after an import of 3 to 6 s that warm workers
have behind them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when great_expectations is imported

with warnings.catch_warnings():
    # It imports modules of the standard library that Python has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import great_expectations as gx

import pandas as pd  # type: ignore[import-untyped]
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

import projops.validate.amounts  # noqa: F401  it makes expectations known by name
from projops.errors import MappingError
from projops.validate.expectations import RowExpectation

ROW = "_row"
_WITHOUT_VALUES = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
_WITH_ROWS = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "unexpected_index_column_names": [ROW],
    "return_unexpected_index_query": False,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a suite says of a data frame.

    Attributes:
        broken: Row numbers (column `_row`) by place of the expectation that they break.
        result: Great Expectations' own result, without values of rows.
    """

    broken: Mapping[int, Sequence[int]]
    result: ExpectationSuiteValidationResult


def judge(frame: pd.DataFrame, expectations: Sequence[RowExpectation], file: str) -> Verdict:
    """Judge each row of a frame.

    Args:
        frame: Rows with the columns that the expectations name, and `_row`.
        expectations: What must hold.
        file: The map's file, for the message when an expectation cannot be judged.

    Raises:
        MappingError: An expectation cannot be judged, for want of an argument or a type.
    """
    batch = _definition().get_batch(batch_parameters={"dataframe": frame})
    result = batch.validate(_suite(expectations), result_format=_WITHOUT_VALUES)
    failed = [_place(each) for each in result.results if not each.success]
    _check_judged(result, expectations, file)
    if not failed:
        return Verdict({}, result)
    again = batch.validate(_suite([expectations[place] for place in failed]), result_format=_WITH_ROWS)
    broken = {failed[_place(each)]: _rows(each) for each in again.results}
    return Verdict(broken, result)


def write_page(verdict: Verdict, path: Path) -> None:
    """Write a verdict as a page of Data Docs; it holds counts, and no values of rows."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    document = ValidationResultsPageRenderer().render(verdict.result)
    page: str = DefaultJinjaPageView().render(document)  # type: ignore[no-untyped-call]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


@lru_cache(maxsize=1)
def _definition() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all")


def _suite(expectations: Sequence[RowExpectation]) -> gx.ExpectationSuite:
    suite = gx.ExpectationSuite(name="rows")
    for place, each in enumerate(expectations):
        configuration = ExpectationConfiguration(
            type=each.type,
            kwargs={**each.columns, **each.options},
            meta={"place": place, "rule": each.rule},
        )
        suite.add_expectation(configuration.to_domain_obj())
    return suite


def _place(result: Any) -> int:
    return int(result.expectation_config.meta["place"])


def _rows(result: Any) -> list[int]:
    return [int(index[ROW]) for index in result.result.get("unexpected_index_list") or ()]


def _check_judged(
    result: ExpectationSuiteValidationResult, expectations: Sequence[RowExpectation], file: str
) -> None:
    for each in result.results:
        if _raised(each.exception_info):
            expectation = expectations[_place(each)]
            raise MappingError(
                f"The expectation {expectation.rule} on {expectation.field} cannot be judged.",
                file=file,
                line=1,
                remedy="Check its name, columns and options against Great Expectations' documentation.",
            )


def _raised(info: Any) -> bool:
    if not isinstance(info, Mapping):
        return False
    nested = [value for value in info.values() if isinstance(value, Mapping)]
    return bool(info.get("raised_exception")) or any(value.get("raised_exception") for value in nested)
