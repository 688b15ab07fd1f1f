"""Trying again what may pass by itself, no sooner than the system asks."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from projops.errors import SystemUnavailableError, ThrottledError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long transient failures are retried before the error goes up.

    Attributes:
        attempts: Most attempts in all.
        total: Seconds after which no further attempt begins.
        base: Seconds of the first backoff; doubles each time.
        longest: Longest backoff in seconds; Retry-After may be longer.
        request_timeout: Seconds that one request may take.
    """

    attempts: int = 6
    total: float = 300.0
    base: float = 0.5
    longest: float = 30.0
    request_timeout: float = 120.0

    def wait(self, state: RetryCallState) -> float:
        """Give the seconds until the next try: what the system asks, and never less than a backoff."""
        backoff = min(self.base * 2.0 ** (state.attempt_number - 1), self.longest)
        jittered = backoff * random.uniform(0.5, 1.0)
        problem = state.outcome.exception() if state.outcome else None
        return max(problem.retry_after if isinstance(problem, ThrottledError) else 0.0, jittered)


def retrying(
    policy: RetryPolicy, clock: Callable[[], float], pause: Callable[[float], Awaitable[None]]
) -> AsyncRetrying:
    """Give what calls a coroutine function until it succeeds or the policy ends.

    Only `SystemUnavailableError` and `ThrottledError` are tried again; the last one goes up.

    Args:
        policy: How often and how long.
        clock: Monotonic seconds.
        pause: Waits for seconds.
    """
    started = clock()

    def exhausted(state: RetryCallState) -> bool:
        elapsed = clock() - started + state.upcoming_sleep
        return state.attempt_number >= policy.attempts or elapsed > policy.total

    return AsyncRetrying(
        retry=retry_if_exception_type((SystemUnavailableError, ThrottledError)),
        wait=policy.wait,
        stop=exhausted,
        sleep=pause,
        reraise=True,
    )
