"""How several tasks share what one user may ask of one system: whose turn it is.

Values only; `state.throttling` keeps them in the state database, which all tasks see.

A task takes turns: each lets it have so many requests under way and send so many, for half a second.
Whoever comes again gives back what is left, and stands at the end of the line.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from projops.systems.limits import Limits

TURN_SECONDS = 0.5
# While more than half of a window is left, requests go as fast as if it had to be used this quickly.
_EAGERNESS = 12
_SOONEST, _LATEST = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class Left:
    """What a system says is left of the window, in the headers of an answer [D].

    Attributes:
        requests: `x-ms-ratelimit-burst-remaining-xrm-requests`, or None.
        seconds: Execution time, `x-ms-ratelimit-time-remaining-xrm-requests`, or None.
    """

    requests: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What a task tells and asks when it comes for a turn.

    Attributes:
        holder: Identifies its session.
        under_way: Requests without an answer yet.
        wanted: Requests that it would have under way at once; 0 gives everything back.
        requests: Requests that it expects to send in a turn.
        sent: Requests sent since it came last.
        seconds: What they took, in all.
        left: What the last answer said is left, or None.
        refused_for: Seconds for which the system wants no request (Retry-After); 0 for none.
        refused: Requests that it has refused (429, 503) since it came last.
    """

    holder: str
    under_way: int = 0
    wanted: int = 0
    requests: int = 1
    sent: int = 0
    seconds: float = 0.0
    left: Left | None = None
    refused_for: float = 0.0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """Another session as the one that asks sees it.

    Attributes:
        slots: Requests that it may have under way.
        requests: Requests that it may still send, of its turn.
        waiting_since: When it first asked in vain; None while it does not wait. UTC.
    """

    slots: int
    requests: int
    waiting_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """Requests that were sent in the window.

    Attributes:
        until: When they leave the window, UTC.
        requests: How many.
        seconds: What they took, in all.
    """

    until: datetime
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of a system and user at one instant, apart from the one that asks.

    Attributes:
        others: Sessions that hold or wait.
        uses: Requests sent in the window.
        left: What the system itself said just now is left.
        not_before: Nobody sends before, UTC; None for at once.
        paced_until: Up to when requests are given out, so that they go evenly (a turn's length ahead of
            the present at most); None for none. UTC.
        waiting_since: Since when the one that asks has waited; None if it comes anew.
    """

    others: Sequence[Holder] = ()
    uses: Sequence[Use] = ()
    left: Left = Left()
    not_before: datetime | None = None
    paced_until: datetime | None = None
    waiting_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a session may do now.

    Attributes:
        slots: Requests that it may have under way, those that are included.
        requests: Requests that it may send before it asks again; 0 if it has to wait.
        wait: Seconds after which to ask again, where it has to wait.
        paced_until: Up to when requests are given out now; None for none. UTC.
    """

    slots: int
    requests: int = 0
    wait: float = 0.0
    paced_until: datetime | None = None


def turn(ask: Ask, picture: Picture, limits: Limits, now: datetime) -> Turn:
    """Decide what a session may do: first come, first served, and equal shares of what is scarce.

    Args:
        ask: What it wants.
        picture: Everything else.
        limits: Of the system for this user.
        now: UTC.
    """
    kept = Turn(ask.under_way, paced_until=picture.paced_until)
    if ask.wanted == 0:
        return kept
    if picture.not_before is not None and picture.not_before > now:
        return replace(kept, wait=_seconds(picture.not_before - now))
    ahead = _ahead(picture, now)
    slots = _slots(ask, picture, limits, ahead)
    if slots <= ask.under_way:
        return _waiting(kept, _SOONEST * (1 + ahead))
    rates = _rates(picture, limits, now)
    if not rates:
        return replace(kept, slots=slots, requests=ask.requests)
    return _paced(kept, slots, rates, ahead, ask, picture, now)


def _paced(
    kept: Turn,
    slots: int,
    rates: Sequence[tuple[float, float]],
    ahead: int,
    ask: Ask,
    picture: Picture,
    now: datetime,
) -> Turn:
    """Let as many requests go as is this session's share, as soon as it is its turn."""
    left, rate = min(left for left, _ in rates), min(rate for _, rate in rates)
    if left < 1:
        return _waiting(kept, min((_seconds(use.until - now) for use in picture.uses), default=_LATEST))
    begin = max(picture.paced_until or now, now)
    too_early = _seconds(begin - now) + ahead / rate - TURN_SECONDS
    if too_early > 0:
        return _waiting(kept, too_early)
    share = rate * TURN_SECONDS / (len(picture.others) + 1)
    requests = int(min(max(share, 1), left, max(ask.requests, 1)))
    return Turn(slots, requests, paced_until=begin + timedelta(seconds=requests / rate))


def _rates(picture: Picture, limits: Limits, now: datetime) -> list[tuple[float, float]]:
    """Give what is left of each limit, in requests, and how many a second may go."""
    promised = sum(other.requests for other in picture.others)
    used = sum(use.requests for use in picture.uses)
    took = sum(use.seconds for use in picture.uses)
    rates = []
    if limits.requests is not None:
        left = _least(limits.requests - used, picture.left.requests) - promised
        freed = [(_seconds(use.until - now), float(use.requests)) for use in picture.uses]
        rates.append((left, _rate(left, limits.requests, limits.window_seconds, freed)))
    if limits.execution_seconds is not None and took > 0:
        cost = took / used
        # The system's own word counts more than ours, which takes the time on the line for its work.
        said = picture.left.seconds
        left = (limits.execution_seconds - took if said is None else said) / cost - promised
        freed = [(_seconds(use.until - now), use.seconds / cost) for use in picture.uses]
        rates.append((left, _rate(left, limits.execution_seconds / cost, limits.window_seconds, freed)))
    return rates


def _rate(left: float, limit: float, window: float, freed: Iterable[tuple[float, float]]) -> float:
    """Give the highest even rate that never runs out, and a higher one while over half is left.

    So a quiet system is asked at once and a busy one evenly: nobody waits for a window to end.

    Args:
        left: What is left of the window.
        limit: What it holds.
        window: Its length in seconds.
        freed: Seconds after which something leaves the window, and how much.
    """
    even, total = math.inf, left
    for seconds, amount in sorted(freed):
        even = min(even, total / max(seconds, 0.001))
        total += amount
    return max(even, _EAGERNESS * (2 * left - limit) / window, 0.001)


def _ahead(picture: Picture, now: datetime) -> int:
    """Count the sessions that have waited for longer."""
    since = picture.waiting_since or now
    return sum(other.waiting_since is not None and other.waiting_since < since for other in picture.others)


def _slots(ask: Ask, picture: Picture, limits: Limits, ahead: int) -> int:
    """Give what is free and not due to those ahead; no more than a share where others wait."""
    free = limits.concurrent - sum(other.slots for other in picture.others) - ask.under_way
    share = max(limits.concurrent // (len(picture.others) + 1), 1)
    others_wait = any(other.waiting_since is not None for other in picture.others)
    most = min(ask.wanted, share) if others_wait else ask.wanted
    return min(ask.under_way + max(free - ahead, 0), max(most, ask.under_way))


def _least(own: float, said: float | None) -> float:
    return own if said is None else min(own, said)


def _seconds(duration: timedelta) -> float:
    return duration.total_seconds()


def _waiting(kept: Turn, seconds: float) -> Turn:
    return replace(kept, wait=min(max(seconds, _SOONEST), _LATEST))
