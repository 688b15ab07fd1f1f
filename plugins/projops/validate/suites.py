"""Great Expectations, kept in one place: a suite judges a data frame, and says which rows break what.

No telemetry, no project folder, no progress bars. SUMMARY first, which is cheap; COMPLETE only for
the expectations that failed, since listing the rows of very many failures is what costs. Measured on
two cores, 1,000 rows and ten expectations: 0.05 s, after an import of 3 to 6 s that warm workers
have behind them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd  # type: ignore[import-untyped]

import projops.validate.amounts  # noqa: F401  it makes expectations known by name
from projops.errors import MappingError
from projops.validate.counts import Count
from projops.validate.expectations import RowExpectation
from projops.validate.gx import (
    ExpectationConfiguration,
    ExpectationSuite,
    ExpectationSuiteValidationResult,
    GreatExpectationsError,
    ProgressBarsConfig,
    get_context,
)

REMEDY = "Check its name, columns and options against Great Expectations' documentation."
_REFUSALS = (GreatExpectationsError, ValueError, TypeError)
_one_batch_at_a_time = threading.Lock()
_WITHOUT_VALUES = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
_WITH_ROWS = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a suite says of a data frame.

    Attributes:
        broken: Row numbers (column `_row`) by place of the expectation that they break.
        counts: Of each expectation, by its place: rows that it was judged on, empty ones, bad ones.
    """

    broken: Mapping[int, Sequence[int]]
    counts: tuple[Count, ...]


def judge(frame: pd.DataFrame, expectations: Sequence[RowExpectation], file: str) -> Verdict:
    """Judge each row of a frame.

    Args:
        frame: Rows with the columns that the expectations name, indexed by their place. The index has no
            name: one with a name Great Expectations lists value by value.
        expectations: What must hold.
        file: The map's file, for the message when an expectation cannot be judged.

    Raises:
        MappingError: An expectation cannot be judged, for want of an argument or a type.
    """
    # Great Expectations keeps one of several that say the same under different rules.
    first = {_says(each): place for place, each in reversed(list(enumerate(expectations)))}
    distinct = [expectations[place] for place in sorted(first.values())]
    verdict = _judge(frame, distinct, file)
    number = {_says(each): at for at, each in enumerate(distinct)}
    places = [number[_says(each)] for each in expectations]
    return Verdict(
        {place: verdict.broken[at] for place, at in enumerate(places) if at in verdict.broken},
        tuple(verdict.counts[at] for at in places),
    )


def _judge(frame: pd.DataFrame, expectations: Sequence[RowExpectation], file: str) -> Verdict:
    # Great Expectations judges the batch that its engine was given last, whichever thread gave it.
    with _one_batch_at_a_time:
        return _judge_alone(frame, expectations, file)


def _judge_alone(frame: pd.DataFrame, expectations: Sequence[RowExpectation], file: str) -> Verdict:
    batch = _definition().get_batch(batch_parameters={"dataframe": frame})
    result = batch.validate(_suite(expectations, file), result_format=_WITHOUT_VALUES)
    _check_judged(result, expectations, file)
    counts = {_place(each): _count(each) for each in result.results}
    failed = [_place(each) for each in result.results if not each.success]
    broken: dict[int, Sequence[int]] = {}
    if failed:
        suite = _suite([expectations[place] for place in failed], file)
        again = batch.validate(suite, result_format=_WITH_ROWS)
        broken = {failed[_place(each)]: _rows(each) for each in again.results}
    return Verdict(broken, tuple(counts[place] for place in range(len(expectations))))


def _says(expectation: RowExpectation) -> str:
    """What an expectation says, whatever its rule."""
    return repr((expectation.type, expectation.columns, expectation.options))


@lru_cache(maxsize=1)
def _definition() -> Any:
    context = get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all")


def _suite(expectations: Sequence[RowExpectation], file: str) -> ExpectationSuite:
    suite = ExpectationSuite(name="rows")
    for place, each in enumerate(expectations):
        try:
            suite.add_expectation(_of_gx(each, place))
        except _REFUSALS as error:
            raise _wrong(each, _refusal(each, error), file) from None
    return suite


def problem(expectation: RowExpectation) -> str | None:
    """Say what Great Expectations does not know of an expectation, in a sentence; None where it knows all."""
    try:
        _of_gx(expectation, 0)
    except _REFUSALS as error:
        return _refusal(expectation, error)
    return None


def _refusal(expectation: RowExpectation, error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"The expectation {expectation.rule} on {expectation.field} is none: {said:.200}."


def _of_gx(expectation: RowExpectation, place: int) -> Any:
    configuration = ExpectationConfiguration(
        type=expectation.type,
        kwargs={**expectation.columns, **expectation.options},
        meta={"place": place, "rule": expectation.rule},
    )
    return configuration.to_domain_obj()


def _place(result: Any) -> int:
    return int(result.expectation_config.meta["place"])


def _count(result: Any) -> Count:
    facts = result.result
    names = ("element_count", "missing_count", "unexpected_count")
    return Count(*(int(facts.get(name) or 0) for name in names))


def _rows(result: Any) -> list[int]:
    return [int(place) for place in result.result.get("unexpected_index_list") or ()]


def _check_judged(
    result: ExpectationSuiteValidationResult, expectations: Sequence[RowExpectation], file: str
) -> None:
    for each in result.results:
        said = _raised(each.exception_info)
        if said is not None:
            expectation = expectations[_place(each)]
            named = f"The expectation {expectation.rule} on {expectation.field}"
            raise _wrong(expectation, f"{named} cannot be judged: {said:.200}", file)


def _wrong(expectation: RowExpectation, message: str, file: str) -> MappingError:
    return MappingError(message, file=expectation.file or file, line=expectation.line, remedy=REMEDY)


def _raised(info: Any) -> str | None:
    """What an expectation failed for, of one metric or of several; None where it was judged."""
    if not isinstance(info, Mapping):
        return None
    nested = [value for value in info.values() if isinstance(value, Mapping)]
    failed = [each for each in (info, *nested) if each.get("raised_exception")]
    return " ".join(str(failed[0].get("exception_message") or "no reason given").split()) if failed else None
