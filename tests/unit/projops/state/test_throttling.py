import heapq
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from projops.mapping.model import System
from projops.settings import Settings
from projops.state import StateStore, throttling
from projops.state.tables import throttle_holder, throttle_use
from projops.state.throttling import SharedLimits, budget_today
from projops.systems.allowance import TURN_SECONDS, Ask, Left
from projops.systems.limits import Limits

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
TENTH = Limits(concurrent=5, requests=20, execution_seconds=4.0, window_seconds=10.0)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self, _: Connection) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(throttling, "present", clock)
    return clock


def shared(store: StateStore, limits: Limits = TENTH) -> SharedLimits:
    return SharedLimits(store, System.DATAVERSE, "dataverse https://org app", limits)


def rows(store: StateStore) -> list[tuple[str, int, int]]:
    with store.begin() as connection:
        held = connection.execute(
            select(throttle_holder.c.holder, throttle_holder.c.slots, throttle_holder.c.requests)
        )
        return [tuple(row) for row in held]


def test_what_is_not_used_is_given_back(store: StateStore, clock: Clock) -> None:
    ledger = shared(store)
    given = ledger.turn(Ask("a", wanted=4, requests=8))
    assert (given.slots, given.requests, given.wait) == (4, 8, 0.0)
    assert rows(store) == [("a", 4, 8)]
    ledger.turn(Ask("a", sent=3))
    assert rows(store) == []
    assert ledger.turn(Ask("b", wanted=5, requests=100)).requests <= 20 - 3


def test_a_retry_after_is_obeyed_by_all(store: StateStore, clock: Clock) -> None:
    ledger = shared(store)
    ledger.turn(Ask("a", wanted=1))
    ledger.turn(Ask("a", sent=1, refused_for=17.0))
    given = ledger.turn(Ask("b", wanted=1))
    assert (given.requests, given.wait) == (0, 17.0)
    clock.passes(17.1)
    assert ledger.turn(Ask("b", wanted=1)).requests == 1


def test_the_day_counts_refusals_and_a_wait_that_several_tell_of_once(
    store: StateStore, clock: Clock
) -> None:
    ledger = shared(store)
    ledger.turn(Ask("a", sent=3, refused=2, refused_for=10.0))
    clock.passes(4.0)
    ledger.turn(Ask("b", sent=1, refused=1, refused_for=6.0))  # until the same moment
    ledger.turn(Ask("a", refused=1, refused_for=8.0))  # two seconds more
    clock.passes(60.0)
    ledger.turn(Ask("a", sent=1, refused=1))  # it does not say for how long
    with store.begin() as connection:
        today = budget_today(connection, Settings())
    assert today.by_system == {"dataverse": 5}
    assert today.refused == {"dataverse": 5}
    assert today.still == {"dataverse": timedelta(seconds=12)}


def test_slots_are_never_more_than_the_limit_and_none_is_left_out(store: StateStore, clock: Clock) -> None:
    ledger = shared(store, Limits(concurrent=5))
    first = ledger.turn(Ask("a", wanted=5))
    second = ledger.turn(Ask("b", wanted=5))
    assert (first.slots, second.slots, second.requests) == (5, 0, 0)
    clock.passes(0.2)
    again = ledger.turn(Ask("a", under_way=2, wanted=5, sent=5))  # with b in the line, no more than a share
    assert again.slots == 2
    clock.passes(0.1)
    assert ledger.turn(Ask("b", wanted=5)).slots == 2  # one of the three is due to a by its share
    assert sum(slots for _, slots, _ in rows(store)) <= 5


def test_who_waits_longest_comes_first(store: StateStore, clock: Clock) -> None:
    ledger = shared(store, Limits(concurrent=1))
    assert ledger.turn(Ask("a", wanted=1)).slots == 1
    for name in ("b", "c"):
        clock.passes(0.01)
        assert ledger.turn(Ask(name, wanted=1)).requests == 0
    ledger.turn(Ask("a", sent=1))
    clock.passes(0.1)
    assert ledger.turn(Ask("c", wanted=1)).requests == 0
    assert ledger.turn(Ask("b", wanted=1)).requests == 1
    ledger.turn(Ask("b", sent=1))
    assert ledger.turn(Ask("c", wanted=1)).requests == 1


def test_who_waited_and_never_came_back_holds_nobody_up(store: StateStore, clock: Clock) -> None:
    ledger = shared(store, Limits(concurrent=1))
    ledger.turn(Ask("a", wanted=1))
    ledger.turn(Ask("killed", wanted=1))
    clock.passes(0.01)
    ledger.turn(Ask("c", wanted=1))
    ledger.turn(Ask("a", sent=1))
    clock.passes(1.0)
    assert ledger.turn(Ask("c", wanted=1)).requests == 0
    clock.passes(0.1)
    assert ledger.turn(Ask("c", wanted=1)).requests == 1


def test_what_a_killed_task_reserved_expires_and_counts_as_sent(store: StateStore, clock: Clock) -> None:
    ledger = shared(store)
    killed = ledger.turn(Ask("killed", wanted=5, requests=6))
    assert (killed.slots, killed.requests) == (5, 6)
    clock.passes(5.9)
    assert ledger.turn(Ask("b", wanted=5)).requests == 0
    clock.passes(0.2)
    assert ledger.turn(Ask("b", wanted=5)).slots == 5
    with store.begin() as connection:
        assert connection.execute(select(throttle_use.c.requests)).scalars().all() == [6]


def test_the_word_of_the_system_corrects_the_picture(store: StateStore, clock: Clock) -> None:
    ledger = shared(store)
    ledger.turn(Ask("a", wanted=1, left=Left(requests=0)))
    assert ledger.turn(Ask("b", wanted=1)).requests == 0  # others use the same user
    clock.passes(0.6)
    assert ledger.turn(Ask("b", wanted=1)).requests == 1  # said too long ago


def test_execution_time_is_limited_as_well(store: StateStore, clock: Clock) -> None:
    ledger = shared(store)
    ledger.turn(Ask("a", wanted=5, requests=5))
    ledger.turn(Ask("a", sent=5, seconds=3.9))
    given = ledger.turn(Ask("a", wanted=1))
    assert (given.requests, given.wait) == (0, 2.0)
    assert ledger.turn(Ask("a", wanted=1, left=Left(seconds=4.0))).requests == 1


def test_another_user_is_another_matter(store: StateStore, clock: Clock) -> None:
    shared(store).turn(Ask("a", wanted=5, refused_for=60.0))
    other = SharedLimits(store, System.DATAVERSE, "dataverse https://org other", TENTH)
    assert other.turn(Ask("b", wanted=5)).slots == 5


def test_requests_count_against_the_budget_of_their_day(store: StateStore, clock: Clock) -> None:
    finance = SharedLimits(store, System.FINANCE, "finance https://fin app", Limits(concurrent=24))
    clock.now = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)
    finance.turn(Ask("a", sent=7))
    clock.passes(2)
    finance.turn(Ask("a", sent=40))
    finance.turn(Ask("b", sent=2))
    shared(store).turn(Ask("c", sent=9))
    with store.begin() as connection:
        today = budget_today(connection, Settings(request_budget=50))
    assert today.by_system == {"finance": 42, "dataverse": 9}
    assert (today.sent, today.left) == (51, 0)


@pytest.mark.parametrize("database", ["store", "on_postgres"])
def test_sessions_side_by_side_never_hold_more_than_the_limit(
    request: pytest.FixtureRequest, database: str
) -> None:
    store: StateStore = request.getfixturevalue(database)
    ledger = shared(store, Limits(concurrent=5))

    def work(name: str) -> list[int]:
        return [ledger.turn(Ask(name, wanted=2, sent=min(number, 1))).slots for number in range(6)]

    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(work, ("a", "b", "c", "d")))
    assert max(map(max, held)) == 2
    assert 1 <= sum(slots for _, slots, _ in rows(store)) <= 5
    with store.begin() as connection:
        counted = sum(connection.execute(select(throttle_use.c.requests)).scalars())
        assert counted == budget_today(connection, Settings()).by_system["dataverse"] == 4 * 5
    for name in ("a", "b", "c", "d"):
        ledger.turn(Ask(name, refused_for=60.0))
    assert rows(store) == []
    assert 59 < ledger.turn(Ask("e", wanted=1)).wait <= 60


@dataclass
class Leg:
    """A task that has any number of requests to send, one after another."""

    name: str
    seconds: float
    done: list[float] = field(default_factory=list)


@dataclass
class Server:
    """Counts as Dataverse does: each instant looks back over a window."""

    limits: Limits
    arrivals: deque[float] = field(default_factory=deque)
    under_way: int = 0
    refused: int = 0

    def arrive(self, now: float) -> None:
        while self.arrivals and self.arrivals[0] <= now - self.limits.window_seconds:
            self.arrivals.popleft()
        self.arrivals.append(now)
        self.under_way += 1
        assert self.limits.requests is not None
        self.refused += len(self.arrivals) > self.limits.requests or self.under_way > self.limits.concurrent


def run(store: StateStore, clock: Clock, server: Server, legs: list[Leg], seconds: float) -> None:
    """Let legs work side by side, on a clock that jumps from event to event."""
    ledger = shared(store, server.limits)
    line: list[tuple[float, int, Iterator[float]]] = []

    def work(leg: Leg) -> Iterator[float]:
        sent = lately = 0
        while True:
            given = ledger.turn(Ask(leg.name, wanted=1, requests=max(2 * lately, 1), sent=sent))
            ends = clock.now + timedelta(seconds=TURN_SECONDS)
            lately, sent = sent or lately, 0
            if given.wait:
                yield given.wait
            while sent < given.requests and clock.now < ends:
                server.arrive((clock.now - START).total_seconds())
                sent += 1
                yield leg.seconds
                server.under_way -= 1
                leg.done.append((clock.now - START).total_seconds())

    for number, leg in enumerate(legs):
        heapq.heappush(line, (number / 100, number, work(leg)))
    while line[0][0] < seconds:
        at, number, leg_at_work = heapq.heappop(line)
        clock.now = START + timedelta(seconds=at)
        heapq.heappush(line, (at + next(leg_at_work), number, leg_at_work))


def test_eight_legs_use_what_there_is_exceed_nothing_and_none_starves(
    store: StateStore, clock: Clock
) -> None:
    limits = Limits(concurrent=5, requests=20, window_seconds=5.0)
    server = Server(limits)
    legs = [Leg(f"leg {number}", 0.05 if number % 2 else 0.4) for number in range(8)]
    run(store, clock, server, legs, seconds=20.0)
    done = [at for leg in legs for at in leg.done]
    assert server.refused == 0
    assert len(done) >= 0.8 * 80
    for leg in legs:
        quarters = {int(at // 5) for at in leg.done if at < 20}
        assert quarters == {0, 1, 2, 3}, leg.name
        assert len(leg.done) >= len(done) / 8 / 2, leg.name
