"""The watch by a clock that the test holds: what wakes, what is said, and how it rests."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from projops.engine import Engine
from projops.errors import SystemUnavailableError
from projops.run import LegRef
from projops.signals import watching
from projops.signals.endpoint import Endpoint
from projops.signals.polling import rest
from projops.signals.watching import TICK, Watch, watched
from projops.state import signals
from projops.state.throttling import Budget

CUSTOMERS = LegRef("customers", "dataverse_to_finance")
ENDPOINT = Endpoint("s3cret-s3cret-s3cret")
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def note(engine: Engine) -> None:
    with engine.state.begin() as connection:
        signals.note(connection, {(CUSTOMERS.map, CUSTOMERS.leg): 1})


def area(engine: Engine) -> str:
    return engine.maps[CUSTOMERS.map].area


def test_a_signal_wakes_its_area_until_it_is_taken(engine: Engine) -> None:
    clock = Clock()
    watch = Watch(lambda: engine, lambda: ENDPOINT, clock)
    assert watch.look() == frozenset()
    note(engine)
    clock.now = 1
    assert watch.look() == {area(engine)}
    clock.now = 2
    assert watch.look() == frozenset()
    with engine.state.begin() as connection:
        signals.take(connection, [(CUSTOMERS.map, CUSTOMERS.leg)], "a run")
    clock.now = 60
    assert watch.look() == frozenset()


@pytest.mark.parametrize(
    "error", [SystemUnavailableError("It is away.", remedy=""), ZeroDivisionError("odd")], ids=repr
)
def test_trouble_is_said_once_rests_longer_and_ends(
    engine: Engine, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    away = [True]

    def opened() -> Engine:
        if away[0]:
            raise error
        return engine

    watch = Watch(opened, lambda: ENDPOINT, Clock())
    note(engine)
    rests = []
    with caplog.at_level(logging.INFO):
        for _ in range(9):
            assert watch.look() == frozenset()
            rests.append(watch.rest)
        away[0] = False
        assert watch.look() == {area(engine)}
    assert rests[:4] == [2, 4, 8, 16] and rests[-1] == 60
    assert watch.rest == TICK
    warnings = [each.message for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1 and "Traceback" not in caplog.text


def polled(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, endpoint: Callable[[], Endpoint | None]
) -> list[float]:
    """When all delta links are looked at within an hour."""
    clock, found = Clock(), list[float]()

    async def look(_: Engine) -> int:
        found.append(clock.now)
        return 0

    monkeypatch.setattr(watching, "look_at_all", look)
    monkeypatch.setattr(watching, "next_look", lambda _: timedelta(seconds=600))
    watch = Watch(lambda: engine, endpoint, clock)
    while clock.now <= 3600:
        watch.look()
        clock.now += 60
    return found


def test_without_an_endpoint_all_delta_links_are_looked_at_now_and_then(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert polled(engine, monkeypatch, lambda: None) == [600.0 * number for number in range(1, 7)]
    assert polled(engine, monkeypatch, lambda: ENDPOINT) == []


def test_looks_cost_half_of_the_budget_at_most_and_nothing_when_it_is_spent() -> None:
    def seconds(links: int, sent: int, hour: int = 0) -> float | None:
        found = rest(links, Budget(50_000, {"dataverse": sent}), MIDNIGHT + timedelta(hours=hour))
        return None if found is None else found.total_seconds()

    usual = seconds(40, 0)
    assert usual is not None and 86_400 / usual * 41 <= 25_000
    assert seconds(1, 0) == 30
    assert seconds(40, 37_500, hour=12) == pytest.approx(2 * usual)
    assert seconds(40, 50_000) is None


def test_the_watch_goes_on_for_ever(engine: Engine) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            note(engine)

    async def first() -> frozenset[str]:
        async for found in watched(Watch(lambda: engine, lambda: ENDPOINT), pause):
            return found
        raise AssertionError("It has ended.")

    assert asyncio.run(first()) == {area(engine)}
    assert pauses == [TICK] * 3
