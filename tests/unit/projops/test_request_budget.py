import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from projops.due import SHORTEST_INTERVAL, poll_interval
from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.request_budget import is_spent, stretch
from projops.settings import Settings
from projops.state.throttling import Budget, SharedLimits
from projops.systems.allowance import Ask
from projops.systems.connection import Connection
from projops.systems.limits import LIMITS


@pytest.mark.parametrize(
    ("sent", "hour", "expected"),
    [
        (0, 0, 1.0),
        (500, 12, 1.0),
        (250, 12, 1.0),  # less than its share so far: nothing is made up for
        (750, 12, 2.0),
        (900, 6, 7.5),
        (1000, 23, None),
        (1200, 0, None),
    ],
)
def test_looks_become_rarer_the_less_is_left_for_the_rest_of_the_day(
    sent: int, hour: int, expected: float | None
) -> None:
    now = datetime(2026, 11, 23, hour, tzinfo=UTC)
    assert stretch(Budget(1000, {"dataverse": sent}), now) == expected


def test_a_day_without_budget_is_not_polled_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def connect(system: System) -> Connection:
        raise ConfigurationError(f"Nobody asks {system} here.")

    settings = Settings(
        state_url=f"sqlite:///{tmp_path / 'state.db'}", staging=str(tmp_path), request_budget=100_000
    )
    with Engine.open(settings, connect) as engine:
        assert poll_interval(engine) == SHORTEST_INTERVAL
        assert not is_spent(engine)
        shared = SharedLimits(engine.state, System.FINANCE, "finance", LIMITS[System.FINANCE])
        shared.turn(Ask("a", sent=100_000))
        with caplog.at_level(logging.WARNING):
            assert poll_interval(engine) == timedelta.max
        assert is_spent(engine)
    assert "Finance is not polled before midnight UTC" in caplog.text
