"""The day's requests: what is polled is polled less often the less of the budget is left."""

import logging
from datetime import datetime, timedelta

from projops.engine import Engine
from projops.state.clock import present
from projops.state.throttling import Budget, budget_today

_DAY = timedelta(days=1)
_log = logging.getLogger(__name__)


def stretch(budget: Budget, now: datetime) -> float | None:
    """Say by how much to lengthen the time between two looks, so that the budget lasts for the day.

    Args:
        budget: Today's.
        now: UTC.

    Returns:
        1.0 while enough is left for the rest of the day, more where it is not; None where nothing is.
    """
    if budget.left == 0:
        return None
    midnight = datetime.combine(now.date(), datetime.min.time(), now.tzinfo) + _DAY
    rest_of_day = (midnight - now) / _DAY
    return max(rest_of_day * budget.budget / budget.left, 1.0)


def stretched(engine: Engine, interval: timedelta) -> timedelta:
    """Lengthen an interval by what is left of today's budget (UTC); endless where nothing is."""
    with engine.state.begin() as connection:
        budget, now = budget_today(connection, engine.settings), present(connection)
    factor = stretch(budget, now)
    if factor is None:
        _log.warning(
            "Today's budget of %d requests is used up (%d were sent): Finance is not polled before midnight "
            "UTC. Changes of Dataverse and manual runs go on; PROJOPS_REQUEST_BUDGET sets the budget.",
            budget.budget,
            budget.sent,
        )
        return timedelta.max
    return interval * factor


def is_spent(engine: Engine) -> bool:
    """Say whether nothing is left of today's budget (UTC)."""
    with engine.state.begin() as connection:
        return budget_today(connection, engine.settings).left == 0
