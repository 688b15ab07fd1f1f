"""When to wake an area whose signals wait: at once, again while nobody takes them, and never a storm.

Airflow may lose a wake-up in a burst (a run takes only events up to its first), so that one is not enough; a
run that is queued takes what waits by itself when it looks, so that many are of no use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

GATHER = 2.0
"""Seconds between two wake-ups of an area at least: what comes meanwhile joins the next."""
_AGAIN = 15.0
_LONGEST = 300.0  # by then the time schedule has come round too


@dataclass(frozen=True, slots=True)
class Woken:
    """How an area was woken last.

    Attributes:
        since: When the youngest of its legs' signals began to wait, UTC, by the state's clock.
        at: When it was woken, monotonic seconds.
        times: How often for these signals.
    """

    since: datetime
    at: float
    times: int = 1


def wake(
    waiting: Mapping[str, datetime], woken: Mapping[str, Woken], now: float
) -> tuple[frozenset[str], dict[str, Woken]]:
    """Say which areas to wake now.

    Args:
        waiting: When the youngest signal of each area began to wait that no run has taken, UTC.
        woken: How each area was woken last; those whose signals were taken drop out.
        now: Monotonic seconds.

    Returns:
        Areas to wake, and how each that waits was woken last.
    """
    kept = {}
    for area, since in waiting.items():
        before = woken.get(area)
        if before is None:
            kept[area] = Woken(since, now)
        elif since > before.since and now >= before.at + GATHER:
            kept[area] = Woken(since, now)
        elif now >= before.at + min(_AGAIN * 2.0 ** (before.times - 1), _LONGEST):
            kept[area] = Woken(since, now, before.times + 1)
        else:
            kept[area] = before
    return frozenset(area for area, each in kept.items() if each is not woken.get(area)), kept
