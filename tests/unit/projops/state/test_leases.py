from datetime import UTC, datetime, timedelta

import pytest

from projops.errors import LeaseHeldError
from projops.state import StateStore
from projops.state.leases import DURATION, MARGIN, acquire, acquire_waiting


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_one_writer_a_map(store: StateStore) -> None:
    clock = Clock()
    lease = acquire(store, "projects", "run 1", clock)
    with pytest.raises(LeaseHeldError, match="projects.*run 1"):
        acquire(store, "projects", "run 2", clock)
    acquire(store, "contracts", "run 2", clock)
    lease.release()
    acquire(store, "projects", "run 2", clock)


def test_an_expired_lease_is_taken_and_its_holder_learns_of_it(store: StateStore) -> None:
    clock = Clock()
    frozen = acquire(store, "projects", "run 1", clock)
    clock.now += DURATION + timedelta(seconds=1)
    acquire(store, "projects", "run 2", clock)
    with pytest.raises(LeaseHeldError, match="run 2"):
        frozen.seconds_left()


def test_a_holder_renews_before_too_little_is_left(store: StateStore) -> None:
    clock = Clock()
    lease = acquire(store, "projects", "run 1", clock)
    clock.now += DURATION - MARGIN + timedelta(seconds=1)
    assert lease.seconds_left() > MARGIN.total_seconds()
    with pytest.raises(LeaseHeldError):
        acquire(store, "projects", "run 2", clock)


def test_releasing_a_lease_that_was_taken_does_no_harm(store: StateStore) -> None:
    clock = Clock()
    frozen = acquire(store, "projects", "run 1", clock)
    clock.now += DURATION + timedelta(seconds=1)
    acquire(store, "projects", "run 2", clock)
    frozen.release()
    with pytest.raises(LeaseHeldError):
        acquire(store, "projects", "run 3", clock)


def test_waiting_ends_when_patience_does(store: StateStore) -> None:
    acquire(store, "projects", "run 1")
    with pytest.raises(LeaseHeldError):
        acquire_waiting(store, "projects", "run 2", patience=timedelta(0))
