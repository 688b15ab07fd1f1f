from datetime import UTC, datetime, timedelta

import pytest

from projops.due import SHORTEST_INTERVAL, rested
from projops.state.batches import LegState

NOW = datetime(2026, 11, 23, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("committed_ago", "interval", "expected"),
    [
        (timedelta(minutes=4, seconds=30), SHORTEST_INTERVAL, True),  # each run of a five-minute schedule
        (timedelta(minutes=3), SHORTEST_INTERVAL, False),
        (timedelta(minutes=9, seconds=30), timedelta(minutes=20), False),
        (timedelta(minutes=19, seconds=30), timedelta(minutes=20), True),
    ],
)
def test_a_leg_rests_between_looks(committed_ago: timedelta, interval: timedelta, expected: bool) -> None:
    assert rested(LegState(committed_at=NOW - committed_ago), interval, NOW) is expected


def test_a_leg_that_never_ran_has_rested() -> None:
    assert rested(LegState(), SHORTEST_INTERVAL, NOW)
