from dataclasses import replace

import pytest

from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.systems.connection import Connection
from projops.systems.limits import Limits, limits_of

DATAVERSE = Connection("dataverse_default", System.DATAVERSE, "https://org.crm.dynamics.com")
FINANCE = Connection("finance_default", System.FINANCE, "https://org.operations.dynamics.com")


def test_documented_limits_with_some_headroom() -> None:
    limits = limits_of(DATAVERSE)
    assert (limits.requests, limits.execution_seconds, limits.window_seconds) == (5700, 1140.0, 300.0)
    assert limits.concurrent == 49


def test_finance_has_no_numbers_but_a_ceiling() -> None:
    assert limits_of(FINANCE) == Limits(concurrent=24)


def test_a_connection_sets_some_of_them() -> None:
    chosen = replace(DATAVERSE, options={"limits": {"requests": 600, "concurrent": 5.0}})
    assert limits_of(chosen) == Limits(5, 600, 1140.0, 300.0)


WRONG = (
    *(5, "600", [1], {"request": 5}, {"requests": "600"}),
    *({"requests": 0}, {"requests": 0.5}, {"concurrent": 0.5}, {"requests": float("inf")}),
)


@pytest.mark.parametrize("limits", WRONG)
def test_what_is_no_limit_is_named(limits: object) -> None:
    with pytest.raises(ConfigurationError, match="dataverse_default: its extra limits is wrong.*concurrent"):
        limits_of(replace(DATAVERSE, options={"limits": limits}))
