from datetime import UTC, datetime, timedelta

import pytest

from projops.state import StateStore, in_flight
from projops.state.in_flight import Doubt, Writing

ROWS = [Doubt("guid-1", '["p1","uspm"]', {"ProjectName": "d1"}), Doubt("guid-2", '["p2","uspm"]')]
LEG = "dataverse_to_finance"
DEAD = Writing("projects", LEG, 7, "token of the dead")
PAUSE, DAY, GRACE = timedelta(minutes=2), timedelta(days=1), timedelta(minutes=2)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, tzinfo=UTC)

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(in_flight, "present", lambda connection: made.now)
    return made


def mark(store: StateStore, writing: Writing = DEAD) -> int:
    with store.begin() as connection:
        return in_flight.record(connection, writing, ROWS, DAY)


def is_due(store: StateStore) -> bool:
    with store.begin() as connection:
        return in_flight.is_due(connection, "projects", LEG, PAUSE)


def look(store: StateStore, batch: int) -> list[Doubt]:
    with store.begin() as connection:
        return in_flight.look(connection, "projects", LEG, batch, PAUSE)


def end(store: StateStore, batch: int) -> None:
    with store.begin() as connection:
        in_flight.end_look(connection, batch)


def marks(store: StateStore) -> int:
    with store.begin() as connection:
        return len(in_flight.of_others(connection, "projects", "mine"))


def test_what_has_landed_is_in_doubt_no_more(store: StateStore, clock: Clock) -> None:
    first, second = mark(store), mark(store)
    with store.begin() as connection:
        in_flight.landed(connection, DEAD.token, [first])
    assert marks(store) == 1  # what was sent apart has not landed
    with store.begin() as connection:
        in_flight.landed(connection, "another's", [second])
        in_flight.landed(connection, DEAD.token, [])
        assert len(in_flight.marked(connection, "projects", LEG)) == 2
        in_flight.landed(connection, DEAD.token, [second])
    assert not is_due(store)
    assert marks(store) == 0


def test_rows_of_others_are_in_doubt_and_own_ones_are_not(store: StateStore, clock: Clock) -> None:
    mark(store)
    with store.begin() as connection:
        assert in_flight.of_others(connection, "projects", DEAD.token) == []
        [found] = in_flight.of_others(connection, "projects", "mine")
        assert in_flight.of_others(connection, "contracts", "mine") == []
    assert (found.leg, found.is_open, list(found.rows)) == (LEG, True, ROWS)


def test_a_writer_that_is_at_work_is_left_in_peace(store: StateStore, clock: Clock) -> None:
    """An extract holds no lease: it must not take what is being written for what was left behind."""
    mark(store)
    with store.begin() as connection:
        until = clock.now + timedelta(seconds=60)
        connection.exec_driver_sql(
            f"insert into lease values ('projects', '{DEAD.token}', 'run', '{until:%Y-%m-%d %H:%M:%S}', null)"
        )
    assert look(store, 8) == []
    clock.pass_by(seconds=61)
    assert look(store, 8) == ROWS


def test_a_look_that_was_not_ended_is_taken_up_by_the_next_batch(store: StateStore, clock: Clock) -> None:
    mark(store)
    assert look(store, 8) == ROWS
    end(store, 9)
    assert look(store, 10) == ROWS
    end(store, 10)
    assert look(store, 11) == []


def test_looks_grow_rarer_and_end_when_the_writer_is_surely_gone(store: StateStore, clock: Clock) -> None:
    mark(store)
    seen = []
    for minute in range(0, 24 * 60 + 10):
        if look(store, minute):
            seen.append(minute)
            end(store, minute)
        clock.pass_by(minutes=1)
    assert seen[:6] == [0, 2, 4, 6, 8, 10]
    assert seen[-1] == 24 * 60
    assert len(seen) < 40
    assert marks(store) == 0


def test_a_writer_that_came_back_is_looked_after_at_once_and_once_more(
    store: StateStore, clock: Clock
) -> None:
    """Its answer was lost, but what it asked for may take effect a moment later."""
    mark(store)
    look(store, 8)
    end(store, 8)
    clock.pass_by(hours=5)
    with store.begin() as connection:
        in_flight.report(connection, DEAD.token, GRACE)
    assert look(store, 9) == ROWS
    end(store, 9)
    assert not is_due(store)
    clock.pass_by(seconds=121)
    assert look(store, 10) == ROWS
    end(store, 10)
    assert marks(store) == 0


def test_a_report_between_look_and_end_asks_for_another_look(store: StateStore, clock: Clock) -> None:
    mark(store)
    clock.pass_by(hours=1)
    look(store, 8)
    with store.begin() as connection:
        in_flight.report(connection, DEAD.token, timedelta(0))
    end(store, 8)
    assert marks(store) == 1
    assert look(store, 9) == ROWS
