"""What SQL says differently on Postgres: whose clock judges, who waits for whom."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest

from projops.errors import LeaseHeldError
from projops.state import StateStore, in_flight
from projops.state.batches import Counts, NewBatch, commit_batch, open_batch, superseded_by
from projops.state.in_flight import Doubt, Writing
from projops.state.leases import acquire, held

LEG = "dataverse_to_finance"
PAUSE = timedelta(seconds=60)


def test_a_lease_that_ran_out_is_taken_with_what_was_in_flight(on_postgres: StateStore) -> None:
    silent = acquire(on_postgres, "roles", "run 1", 0.3)
    with pytest.raises(LeaseHeldError, match="run 1"):
        acquire(on_postgres, "roles", "run 2", 60)
    with on_postgres.begin() as connection:
        rows = [Doubt("guid", "[1]", {"Name": "d"})]
        in_flight.record(connection, Writing("roles", LEG, 7, silent.token), rows, timedelta(days=1))
        assert in_flight.look(connection, "roles", LEG, 8, PAUSE) == []
    with held(on_postgres, "roles", "run 2", 60) as taker:
        with pytest.raises(LeaseHeldError, match="run 2"), on_postgres.begin() as connection:
            silent.confirm(connection)
        with on_postgres.begin() as connection:
            taker.confirm(connection)
            assert in_flight.look(connection, "roles", LEG, 8, PAUSE) == rows
    with on_postgres.begin() as connection:
        in_flight.end_look(connection, 8)
        assert not in_flight.is_due(connection, "roles", LEG, PAUSE)


def test_a_map_is_not_taken_while_its_writer_commits(on_postgres: StateStore) -> None:
    """The lease runs out between the writer's check and its commit: the taker waits for the commit."""
    writer = acquire(on_postgres, "units", "run 1", 0.2)
    taken = Event()

    def take() -> None:
        with held(on_postgres, "units", "run 2", 60):
            taken.set()

    with ThreadPoolExecutor(1) as pool:
        with on_postgres.begin() as connection:
            writer.confirm(connection)
            taking = pool.submit(take)
            assert not taken.wait(0.6)
        taking.result(10)
    assert taken.is_set()


def test_a_leg_is_not_moved_while_another_batch_makes_sure_that_it_stands(on_postgres: StateStore) -> None:
    with on_postgres.begin() as connection:
        first, second, third = (
            open_batch(connection, NewBatch("d", run, "roles", LEG, "incremental", "1", "f", True))
            for run in ("r1", "r2", "r3")
        )
        assert commit_batch(connection, first, Counts()) is None
    moved = Event()

    def move() -> int | None:
        with on_postgres.begin() as connection:
            later = commit_batch(connection, second, Counts())
        moved.set()
        return later

    with ThreadPoolExecutor(1) as pool:
        with on_postgres.begin() as connection:
            assert superseded_by(connection, third) == first.id
            moving = pool.submit(move)
            assert not moved.wait(0.3)
        assert moving.result(10) == first.id
