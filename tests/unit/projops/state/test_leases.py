import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from projops.errors import LeaseHeldError
from projops.state import StateStore, in_flight, leases, tables
from projops.state.in_flight import Doubt, Writing
from projops.state.leases import Lease, acquire, acquire_waiting, held

SECONDS = 120.0


class Clock:
    """The database's clock and the machine's, both moved by the test."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.seconds = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def elapsed(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(leases, "present", lambda connection: made.now)
    return made


@pytest.fixture
def take(store: StateStore, clock: Clock) -> Callable[..., Lease]:
    return lambda owner, map_id="projects": acquire(store, map_id, owner, SECONDS, clock.elapsed)


def test_one_writer_a_map(take: Callable[..., Lease]) -> None:
    lease = take("run 1")
    with pytest.raises(LeaseHeldError, match="projects.*run 1"):
        take("run 2")
    take("run 2", "contracts")
    lease.release()
    take("run 2")


def test_an_expired_lease_is_taken_and_its_holder_learns_of_it_before_a_request_and_in_a_commit(
    store: StateStore, clock: Clock, take: Callable[..., Lease]
) -> None:
    frozen = take("run 1")
    clock.pass_by(SECONDS + 1)
    taker = take("run 2")
    with pytest.raises(LeaseHeldError, match="run 2"):
        frozen.seconds_left()
    with pytest.raises(LeaseHeldError, match="run 2"), store.begin() as connection:
        frozen.confirm(connection)
    with store.begin() as connection:
        taker.confirm(connection)


def test_a_holder_that_was_away_too_long_goes_on_if_nobody_came(
    clock: Clock, take: Callable[..., Lease]
) -> None:
    lease = take("run 1")
    clock.pass_by(SECONDS + 1)
    assert lease.seconds_left() == SECONDS - 1
    with pytest.raises(LeaseHeldError):
        take("run 2")


def test_a_holder_renews_before_too_little_is_left(clock: Clock, take: Callable[..., Lease]) -> None:
    lease = take("run 1")
    clock.pass_by(SECONDS / 2 - 1)
    assert lease.seconds_left() == SECONDS / 2
    clock.pass_by(2)
    assert lease.seconds_left() == SECONDS - 1
    clock.pass_by(SECONDS - 10)
    with pytest.raises(LeaseHeldError):
        take("run 2")


def test_requests_end_before_the_lease_does_by_whichever_clock(
    clock: Clock, take: Callable[..., Lease]
) -> None:
    """The holder counts from before it asked; the database from when it answered."""
    lease = take("run 1")
    clock.now -= timedelta(days=3)  # the machine's clock goes its own way
    assert lease.seconds_left() == SECONDS - 1


def test_releasing_a_lease_that_was_taken_does_no_harm(clock: Clock, take: Callable[..., Lease]) -> None:
    frozen = take("run 1")
    clock.pass_by(SECONDS + 1)
    take("run 2")
    frozen.release()
    with pytest.raises(LeaseHeldError):
        take("run 3")


def test_a_lease_says_since_when_and_until_when(store: StateStore, take: Callable[..., Lease]) -> None:
    take("run 1")
    with store.begin() as connection:
        [row] = connection.exec_driver_sql("select owner, since, expires_at from lease").all()
    assert row == ("run 1", "2026-11-23 00:00:00.000000", "2026-11-23 00:02:00.000000")


def test_waiting_ends_when_patience_does(store: StateStore) -> None:
    acquire(store, "projects", "run 1", SECONDS)
    with pytest.raises(LeaseHeldError):
        acquire_waiting(store, "projects", "run 2", SECONDS, patience=0)


def test_who_waits_takes_it_when_it_is_free(store: StateStore) -> None:
    lease = acquire(store, "projects", "run 1", SECONDS)
    threading.Timer(0.1, lease.release).start()
    assert acquire_waiting(store, "projects", "run 2", SECONDS).owner == "run 2"


def test_a_writer_that_is_busy_without_requests_keeps_its_map(store: StateStore) -> None:
    seconds = 4.0
    with held(store, "projects", "run 1", seconds):
        first = until_when(store)
        while until_when(store) == first:  # the heart beats in its own thread, once a second
            with pytest.raises(LeaseHeldError):
                acquire(store, "projects", "run 2", seconds)
    acquire(store, "projects", "run 2", seconds)


def until_when(store: StateStore) -> datetime:
    with store.begin() as connection:
        ends: datetime = connection.execute(select(tables.lease.c.expires_at)).scalar_one()
    return ends


def test_the_heart_stops_with_the_task(store: StateStore) -> None:
    with pytest.raises(RuntimeError), held(store, "projects", "run 1", 0.2):
        raise RuntimeError
    assert [each.name for each in threading.enumerate() if each.name == "lease of projects"] == []
    with store.begin() as connection:
        assert connection.exec_driver_sql("select * from lease").all() == []


def test_a_heart_that_finds_the_map_taken_stops_and_the_next_request_is_refused(store: StateStore) -> None:
    with held(store, "projects", "run 1", 0.2) as lease:
        with store.begin() as connection:
            connection.exec_driver_sql("update lease set token = 'theirs'")
        [beat] = [each for each in threading.enumerate() if each.name == "lease of projects"]
        beat.join(5)
        assert not beat.is_alive()
        with pytest.raises(LeaseHeldError):
            lease.seconds_left()


def test_who_gives_a_map_free_reports_what_it_left_in_flight(store: StateStore) -> None:
    with held(store, "projects", "run 1", SECONDS) as lease:
        writing = Writing("projects", "dataverse_to_finance", 7, lease.token)
        with store.begin() as connection:
            in_flight.record(connection, writing, [Doubt("guid-1", "[1]")], timedelta(days=1))
    with store.begin() as connection:
        [row] = connection.exec_driver_sql("select begun_at, settles_at from in_flight").all()
    begun, settles = (datetime.fromisoformat(each) for each in row)
    assert timedelta(seconds=SECONDS) <= settles - begun < timedelta(seconds=2 * SECONDS)
