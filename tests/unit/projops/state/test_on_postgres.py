"""What SQL says differently on Postgres: whose clock judges, who waits for whom."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from projops.errors import LeaseHeldError, SystemUnavailableError
from projops.fates import fates
from projops.replay import approve, dismiss, replay
from projops.state import StateStore, crosswalk, dead_letters, digests, in_flight, letter_groups, signals
from projops.state.audit import actions, record_action
from projops.state.batches import Counts, NewBatch, commit_batch, open_batch, superseded_by
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin
from projops.state.in_flight import Doubt, Writing
from projops.state.leases import acquire, held
from projops.state.row_search import rows_bearing
from projops.state.selection import Selection

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


def test_a_page_reads_one_state_and_cannot_write(on_postgres: StateStore) -> None:
    with on_postgres.reading() as reader:
        before = len(actions(reader))
        with on_postgres.begin() as writer:
            record_action(writer, "ann", "pause", "roles")
        assert len(actions(reader)) == before
    with pytest.raises(SystemUnavailableError, match="read-only"), on_postgres.reading() as reader:
        record_action(reader, "ann", "pause", "roles")
    with on_postgres.begin() as writer:
        record_action(writer, "ann", "resume", "roles")
        assert len(actions(writer)) == before + 2


def test_dead_letters_are_grouped_listed_and_decided_on_as_on_sqlite(on_postgres: StateStore) -> None:
    letters = [
        *(Letter(f"g{number}", f'["k{number}"]', "open", "load", "E6", "No.") for number in range(5)),
        Letter("p", '["p"]', "parked", "load", "parent_missing", "Waits.", waits_for_map="projects"),
        Letter("h", '["h"]', "awaiting_approval", "load", "mass_delete", "One of 500."),
    ]
    with on_postgres.begin() as connection:
        dead_letters.record(connection, Origin("actuals", LEG, 1, "1.0"), letters)
        crosswalk.put(connection, "actuals", 1, [Entry('["h"]', "h"), Entry('["k1"]', "g1")])
    with on_postgres.reading() as connection:
        groups = {each.rule: each for each in letter_groups.groups(connection, Selection(everything=True))}
        first = letter_groups.rows_of(connection, groups["E6"].selection, 2)
        rest = letter_groups.rows_of(connection, groups["E6"].selection, 9, first[-1]["id"])
        found = letter_groups.groups(connection, Selection(text="K3"))
    assert {rule: each.count for rule, each in groups.items()} == {
        "E6": 5,
        "parent_missing": 1,
        "mass_delete": 1,
    }
    assert groups["parent_missing"].waits_for == "projects"
    assert [row["source_id"] for row in (*first, *rest)] == ["g4", "g3", "g2", "g1", "g0"]
    assert [each.count for each in found] == [1]
    replayed = replay(on_postgres, groups["E6"].selection, "ann")
    assert (replayed.count, fates(on_postgres, replayed.at).counts) == (5, {"untried": 5})
    assert approve(on_postgres, Selection(map="actuals"), "ann").count == 1
    stays = replay(on_postgres, Selection(status="awaiting_approval"), "ann")
    assert (stays.count, list(stays.staying.values())) == (0, [1])
    assert dismiss(on_postgres, Selection(everything=True), "A test", "ann").count == 7
    with on_postgres.begin() as connection:
        left = crosswalk.by_keys(connection, "actuals", ['["h"]', '["k1"]'])
        assert list(left) == ['["k1"]']  # the pair of the delete alone is forgotten


def test_a_days_digest_is_taken_once_by_many_at_once(on_postgres: StateStore) -> None:
    now = datetime.now(UTC)

    def take(_: int) -> bool:
        with on_postgres.begin() as connection:
            return digests.take(connection, now.date(), "mail", now)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]
    with on_postgres.begin() as connection:
        assert digests.take(
            connection, now.date(), "mail", now + timedelta(minutes=6)
        )  # who took it fell silent
        digests.note_sent(connection, now.date(), "mail", now)
        assert not digests.take(connection, now.date(), "mail", now + timedelta(hours=1))


def test_rows_are_found_by_guid_part_and_piece_as_on_sqlite(on_postgres: StateStore) -> None:
    guid, whole, piece = "00000000-0000-4000-8000-00000000000a", '["p-7","uspm"]', '["xp-70","gbpm"]'
    with on_postgres.begin() as connection:
        crosswalk.put(connection, "searched", 1, [Entry(piece), Entry(whole, guid)])
        crosswalk.put(connection, "another", 1, [Entry(whole)])
        assert rows_bearing(connection, ["searched"], guid, 9) == [("searched", whole)]
        assert rows_bearing(connection, ["searched"], "P-7", 9) == [("searched", whole), ("searched", piece)]
        assert rows_bearing(connection, ["searched"], "p-70 / gbpm", 9) == [("searched", piece)]
        assert rows_bearing(connection, ["searched"], "p_7", 9) == []


def test_signals_of_many_senders_are_one_row_a_leg_and_are_taken_once(on_postgres: StateStore) -> None:
    legs = {("customers", LEG): 2, ("units", LEG): 1}

    def note(_: int) -> None:
        with on_postgres.begin() as connection:
            signals.note(connection, legs)
            signals.count(connection, {("dataverse", signals.Fate.NOTED): 3})

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(note, range(8)))
    with on_postgres.begin() as connection:
        assert [(each.map, each.number) for each in signals.signals(connection)] == [
            ("customers", 16),
            ("units", 8),
        ]
        assert signals.counted_today(connection) == {("dataverse", signals.Fate.NOTED): 24}
        signals.take(connection, [("customers", LEG)], "run 1")
        assert set(signals.waiting(connection)) == {("units", LEG)}
        assert signals.offered(connection, "run 1") == {("customers", LEG), ("units", LEG)}
        assert signals.offered(connection, "run 2") == {("units", LEG)}
