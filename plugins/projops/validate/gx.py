"""Great Expectations as the rest of this package takes it: no telemetry, no warnings at import."""

from __future__ import annotations

import os
import warnings

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when great_expectations is imported

with warnings.catch_warnings():
    # It imports modules of the standard library that Python has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from great_expectations import ExpectationSuite, __version__, get_context
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.expectations.expectation import MulticolumnMapExpectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
        multicolumn_condition_partial,
    )
    from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (
        MulticolumnMapMetricProvider,
    )
    from great_expectations.expectations.registry import get_renderer_impl
    from tqdm import tqdm  # type: ignore[import-untyped]

# No bar is ever shown: a thread that watches bars would only be in the way of a worker that forks.
tqdm.monitor_interval = 0

__all__ = [
    "ExpectationConfiguration",
    "ExpectationSuite",
    "ExpectationSuiteValidationResult",
    "ExpectationValidationResult",
    "GreatExpectationsError",
    "MulticolumnMapExpectation",
    "MulticolumnMapMetricProvider",
    "PandasExecutionEngine",
    "ProgressBarsConfig",
    "__version__",
    "get_context",
    "get_renderer_impl",
    "multicolumn_condition_partial",
]
