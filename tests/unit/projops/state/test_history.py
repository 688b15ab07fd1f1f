"""A map's past: its batches and the versions that moved it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from projops.state import StateStore, history
from projops.state.batches import Counts
from projops.state.tables import batch

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
LEGS = ("dataverse_to_finance", "finance_to_dataverse")


def row(number: int, **facts: Any) -> dict[str, Any]:
    at = BEGAN + timedelta(minutes=number)
    return {
        "id": number,
        "dag_id": "a",
        "run_id": f"r{number}",
        "map": "customers",
        "leg": LEGS[0],
        "status": "committed",
        "mode": "incremental",
        "mapping_version": "1.0",
        "fingerprint": "f",
        "advances": True,
        "started_at": at,
        "finished_at": at + timedelta(seconds=4),
        **dict.fromkeys(Counts.__slots__, 0),
        **facts,
    }


def keep(store: StateStore, *rows: dict[str, Any]) -> None:
    with store.begin() as connection:
        for each in rows:
            connection.execute(insert(batch).values(**each))


def test_batches_come_newest_first_a_page_at_a_time(store: StateStore) -> None:
    keep(store, *(row(number, leg=LEGS[number % 2]) for number in range(1, 8)), row(9, map="vendors"))
    with store.reading() as connection:
        first = history.batches(connection, "customers", LEGS, 3)
        then = history.batches(connection, "customers", LEGS, 3, before=first[-1].id)
        one_leg = history.batches(connection, "customers", LEGS[1:], 9)
    assert [each.id for each in first] == [7, 6, 5]
    assert [each.id for each in then] == [4, 3, 2]
    assert [each.id for each in one_leg] == [7, 5, 3, 1]


def test_a_batch_says_how_long_it_took_and_what_it_set_aside(store: StateStore) -> None:
    keep(store, row(1, read=10, loaded=4, parked=1, rejected=2, failed=3), row(2, finished_at=None, read=5))
    with store.reading() as connection:
        running, done = history.batches(connection, "customers", LEGS, 9)
    assert (done.seconds, done.rows_a_second, done.set_aside, done.counts.loaded) == (4.0, 2.5, 6, 4)
    assert (running.seconds, running.rows_a_second) == (None, None)


def test_versions_tell_which_batches_they_opened(store: StateStore) -> None:
    keep(
        store,
        row(1, mapping_version="1.0", fingerprint="f1"),
        row(2, mapping_version="1.0", fingerprint="f1", leg=LEGS[1]),
        row(3, mapping_version="1.1", fingerprint="f2"),
        row(4, mapping_version="1.1", fingerprint="f2"),
        row(5, map="vendors"),
    )
    with store.reading() as connection:
        found = history.versions(connection, "customers")
    assert [(each.leg, each.version, each.batches, each.first, each.last) for each in found] == [
        (LEGS[0], "1.1", 2, 3, 4),
        (LEGS[1], "1.0", 1, 2, 2),
        (LEGS[0], "1.0", 1, 1, 1),
    ]
    assert (found[0].since, found[0].until) == (BEGAN + timedelta(minutes=3), BEGAN + timedelta(minutes=4))
