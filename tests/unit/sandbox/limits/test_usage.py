"""Service protection limits over a sliding window, by a clock of the test's own (protocol 1.7)."""

import pytest

from sandbox.limits import Limits, LimitsError, read_limits
from sandbox.limits.usage import Facet, Refusal, Usage

LIMITS = Limits(window_seconds=100, requests=20, execution_seconds=10, concurrent=3)


def ask(usage: Usage, now: float, seconds: float = 0.0) -> Refusal | None:
    """Ask once, and be done at once."""
    refusal = usage.arrive(now)
    if refusal is None:
        usage.leave(now, seconds)
    return refusal


def asked(usage: Usage, times: int, *, every: float = 1.0, seconds: float = 0.0) -> None:
    for number in range(times):
        assert ask(usage, number * every, seconds) is None


def test_requests_are_counted_over_the_window_and_let_in_when_a_twentieth_is_free() -> None:
    usage = Usage(LIMITS)
    asked(usage, 20)
    assert ask(usage, 20) == Refusal(Facet.REQUESTS, 80)  # the first one leaves after 100 seconds
    assert ask(usage, 100) is None
    assert ask(usage, 100.5) == Refusal(Facet.REQUESTS, 1)


def test_execution_time_is_added_up_over_the_window() -> None:
    usage = Usage(LIMITS)
    asked(usage, 5, every=10, seconds=2)
    # A twentieth is free when the first one's two seconds have left.
    assert ask(usage, 45) == Refusal(Facet.EXECUTION, 55)
    assert usage.remaining(45) == (15, 0.0)
    assert ask(usage, 100) is None
    assert usage.remaining(100, running=0.5) == (15, 1.5)


def test_too_many_at_once_are_refused_at_once_and_the_next_one_is_let_in() -> None:
    usage = Usage(LIMITS)
    assert [usage.arrive(0) for _ in range(3)] == [None] * 3
    assert usage.arrive(0) == Refusal(Facet.CONCURRENCY, 1)
    usage.leave(0, 1)
    assert usage.arrive(0) is None
    again = [usage.arrive(1) for _ in range(6)]
    assert [refusal and refusal.retry_after for refusal in again] == [1, 2, 2, 2, 3, 3]


def test_the_wait_grows_for_who_does_not_wait() -> None:
    usage = Usage(LIMITS)
    asked(usage, 20)
    on_their_way = [ask(usage, 20.5) for _ in range(5)]
    assert {refusal and refusal.retry_after for refusal in on_their_way} == {80}
    ends = []
    for now in range(30, 60):
        refusal = ask(usage, now)
        assert refusal is not None
        ends.append(now + refusal.retry_after)
    assert ends == list(range(101, 131))
    assert ask(usage, ends[-1]) is None


def test_the_wait_is_never_longer_than_the_window() -> None:
    usage = Usage(LIMITS)
    asked(usage, 20, every=0)
    assert ask(usage, 1) == Refusal(Facet.REQUESTS, 99)
    refusals = [ask(usage, 3) for _ in range(300)]
    assert refusals[-1] == Refusal(Facet.REQUESTS, 100)


def test_documented_limits_are_the_default() -> None:
    limits = read_limits({})
    assert (limits.window_seconds, limits.requests, limits.execution_seconds, limits.concurrent) == (
        300,
        6_000,
        1_200,
        52,
    )
    assert limits.finance is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"requests": 0}, "Expected `int` >= 1 - at `$.requests`"),
        ({"window_seconds": "1"}, "Expected `float`, got `str` - at `$.window_seconds`"),
        ({"limit": 1}, "unknown field `limit`"),
        ({"finance": {"retry_after": 1}}, "missing required field `concurrent` - at `$.finance`"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_limits_that_cannot_be_say_why(body: object, said: str) -> None:
    with pytest.raises(LimitsError) as refused:
        read_limits(body)
    assert said in str(refused.value)
