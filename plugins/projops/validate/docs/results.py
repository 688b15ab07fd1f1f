"""A batch's expectations as Great Expectations has them: its validation result, and its words for each.

A batch has many frames, each judged by itself; their counts added up are the result of the whole, which any
tool for Great Expectations reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Template
from typing import Any

from projops.validate.counts import Count, Tally
from projops.validate.docs.summary import Summary
from projops.validate.expectations import RowExpectation
from projops.validate.gx import (
    ExpectationConfiguration,
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
    __version__,
    get_renderer_impl,
)

# Great Expectations has words for its own expectations only.
_OF_AMOUNTS = {
    "expect_multicolumn_values_to_multiply": "{last} must be the product of {others}, rounded to its digits.",
    "expect_multicolumn_values_to_add_up": "{last} must be the sum of {others}.",
}


def in_words(expectation: RowExpectation) -> str:
    """Say what must hold, as Great Expectations words it; its condition aside."""
    own = _OF_AMOUNTS.get(expectation.type)
    if own is not None:
        *others, last = expectation.column_names
        return own.format(last=last, others=" and ".join(others))
    found = get_renderer_impl(object_name=expectation.type, renderer_type="renderer.prescriptive")
    if found is None:
        return expectation.type
    rendered: Any = found[1](configuration=_configured(expectation))
    parts = [part.to_json_dict()["string_template"] for part in rendered]
    text = " ".join(Template(part["template"]).safe_substitute(part["params"]) for part in parts)
    names = list(expectation.column_names)
    return text.removeprefix(f"{names[0]} ") if len(names) == 1 else text


def validation_result(summary: Summary, tally: Tally) -> bytes:
    """Give the result of the batch as Great Expectations writes it: JSON, counts only."""
    results = [_result(each, count) for each, count in zip(tally.expectations, tally.counts, strict=True)]
    good = sum(bool(each.success) for each in results)
    whole: Any = ExpectationSuiteValidationResult(
        success=good == len(results),
        results=results,
        suite_name=f"{summary.map}.{summary.leg}",
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": good,
            "unsuccessful_expectations": len(results) - good,
            "success_percent": 100 * good / len(results),
        },
        meta={
            "great_expectations_version": __version__,
            "run_id": {"run_name": f"batch {summary.batch}", "run_time": summary.at},
            "mapping_version": summary.mapping_version,
        },
    )
    return json.dumps(whole.to_json_dict(), ensure_ascii=False, default=str).encode()


def _result(expectation: RowExpectation, count: Count) -> ExpectationValidationResult:
    present = count.rows - count.missing
    return ExpectationValidationResult(
        success=count.broken == 0,
        expectation_config=_configured(expectation),
        result={
            "element_count": count.rows,
            "missing_count": count.missing,
            "missing_percent": _percent(count.missing, count.rows),
            "unexpected_count": count.broken,
            "unexpected_percent": _percent(count.broken, present),
            "unexpected_percent_total": _percent(count.broken, count.rows),
            "unexpected_percent_nonmissing": _percent(count.broken, present),
            "partial_unexpected_list": [],
        },
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )


def _configured(expectation: RowExpectation) -> ExpectationConfiguration:
    meta: Mapping[str, Any] = {
        "rule": expectation.rule,
        "message": expectation.message,
        "severity": expectation.severity.value,
        "where": expectation.where,
    }
    return ExpectationConfiguration(
        type=expectation.type, kwargs={**expectation.columns, **expectation.options}, meta=dict(meta)
    )


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
