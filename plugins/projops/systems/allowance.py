"""How several tasks share what one user may ask of one system: limits, and whose turn it is.

Values only; `state.throttling` keeps them in the state database, which all tasks see.

A task takes turns: each lets it have so many requests under way and send so many, for half a second.
Whoever comes again gives back what is left, and stands at the end of the line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.systems.connection import Connection

TURN_SECONDS = 0.5
# Requests are let through at this many times the rate that would use up what is left within a
# window. So a quiet system is asked at once, a busy one evenly, and 12/13 of its limit are used.
_EAGERNESS = 12
_SOONEST, _LATEST = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a system allows one user [D for Dataverse].

    Attributes:
        concurrent: Requests under way at once.
        requests: Requests in a sliding window; None for any number.
        execution_seconds: Their execution time in a window; None for any.
        window_seconds: Length of the window.
    """

    concurrent: int
    requests: int | None = None
    execution_seconds: float | None = None
    window_seconds: float = 300.0

    @property
    def window(self) -> timedelta:
        """Length of the window."""
        return timedelta(seconds=self.window_seconds)


# Dataverse: 6000 requests and 1200 s of execution in 300 s, 52 at once [D], less a twentieth for
# whoever uses the same user. Finance has no such numbers any more [D]: a ceiling of our own choice.
LIMITS: Mapping[System, Limits] = {
    System.DATAVERSE: Limits(concurrent=49, requests=5700, execution_seconds=1140.0),
    System.FINANCE: Limits(concurrent=24),
}


def limits_of(connection: Connection) -> Limits:
    """Read the limits that a connection's extra `limits` sets, those of the system where it is silent.

    Raises:
        ConfigurationError: `limits` is no object, names an unknown limit, or one is no positive number.
    """
    chosen = connection.options.get("limits", {})
    fields = Limits.__dataclass_fields__
    valid = isinstance(chosen, Mapping) and all(
        name in fields and _is_positive(value) and (name != "concurrent" or value >= 1)
        for name, value in chosen.items()
    )
    if not valid:
        raise ConfigurationError(
            f"Connection {connection.name}: its extra limits is wrong.",
            remedy=f"Give positive numbers for any of {', '.join(sorted(fields))}.",
            connection=connection.name,
            field="extra limits",
        )
    default = LIMITS[connection.system]
    return Limits(**{name: _typed(name, chosen.get(name, getattr(default, name))) for name in fields})


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
    """

    holder: str
    under_way: int = 0
    wanted: int = 0
    requests: int = 1
    sent: int = 0
    seconds: float = 0.0
    left: Left | None = None
    refused_for: float = 0.0


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
class Picture:
    """What is known of a system and user at one instant, apart from the one that asks.

    Attributes:
        others: Sessions that hold or wait.
        used: Requests sent in the window.
        seconds: Their execution time.
        oldest: When the oldest of them leaves the window, or None. UTC.
        left: What the system itself said just now is left.
        not_before: Nobody sends before, UTC; None for at once.
        paced_until: Up to when requests are given out, so that they go evenly (a turn's length ahead of
            the present at most); None for none. UTC.
        waiting_since: Since when the one that asks has waited; None if it comes anew.
    """

    others: Sequence[Holder] = ()
    used: int = 0
    seconds: float = 0.0
    oldest: datetime | None = None
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
        refused_for = (picture.not_before - now).total_seconds()
        return Turn(kept.slots, wait=refused_for, paced_until=kept.paced_until)
    ahead = _ahead(picture, now)
    slots = _slots(ask, picture, limits, ahead)
    if slots <= ask.under_way:
        return _waiting(kept, _SOONEST)
    left = _left(ask, picture, limits)
    if left is None:
        return Turn(slots, ask.requests)
    pace = limits.window_seconds / (_EAGERNESS * max(left, 1))  # seconds from one request to the next
    begin = max(picture.paced_until or now, now)
    mine = begin + timedelta(seconds=ahead * pace - TURN_SECONDS)
    if left < 1 or mine > now:
        return _waiting(kept, (_freed(picture, now) if left < 1 else mine - now).total_seconds())
    share = TURN_SECONDS / pace / (len(picture.others) + 1)
    requests = int(min(max(share, 1), left, max(ask.requests, 1)))
    return Turn(slots, requests, paced_until=begin + requests * timedelta(seconds=pace))


def _freed(picture: Picture, now: datetime) -> timedelta:
    """Say how long it takes until the oldest requests leave the window."""
    return timedelta(seconds=_LATEST) if picture.oldest is None else picture.oldest - now


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


def _left(ask: Ask, picture: Picture, limits: Limits) -> float | None:
    """Give the requests that are left of the window; None where nothing limits them."""
    promised = sum(other.requests for other in picture.others)
    bounds: list[float] = []
    if limits.requests is not None:
        bounds.append(limits.requests - picture.used - promised)
    if picture.left.requests is not None:
        bounds.append(picture.left.requests - promised)
    seconds = picture.left.seconds
    if seconds is None and limits.execution_seconds is not None:
        seconds = limits.execution_seconds - picture.seconds
    if seconds is not None and picture.seconds > 0:
        bounds.append(seconds / (picture.seconds / max(picture.used, 1)) - promised)
    return min(bounds, default=None)


def _waiting(kept: Turn, seconds: float) -> Turn:
    return Turn(kept.slots, wait=min(max(seconds, _SOONEST), _LATEST), paced_until=kept.paced_until)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _typed(name: str, value: Any) -> Any:
    return int(value) if name in ("concurrent", "requests") and value is not None else value
