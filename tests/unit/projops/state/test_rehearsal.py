"""A copy of the state takes what is written to it; the state itself takes nothing, and waits for nobody."""

from pathlib import Path

import pytest
from sqlalchemy import select

from projops.state import StateStore, crosswalk, dead_letters, leases
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin
from projops.state.rehearsal import copied
from projops.state.tables import lease
from projops.state.tables import pause as pauses

MAP = "customers"
ORIGIN = Origin(MAP, "dataverse_to_finance", 1, "1.0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "copy"
    made.mkdir()
    return made


def test_a_copy_holds_what_the_state_holds_and_keeps_what_is_written_to_itself(
    store: StateStore, folder: Path
) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, MAP, 1, [Entry(f"k{number}", f"g{number}") for number in range(12_000)])
        dead_letters.record(connection, ORIGIN, [Letter("g", "k", "open", "load", "E6", "No.")])
    with copied(store, folder) as copy:
        with copy.begin() as connection:
            assert crosswalk.count(connection, MAP) == 12_000
            crosswalk.remove(connection, MAP, ["k1"])
            dead_letters.record(connection, ORIGIN, [Letter("h", "l", "open", "load", "E6", "No.")])
            assert len(dead_letters.live(connection, MAP)) == 2
        with store.begin() as connection:
            assert crosswalk.count(connection, MAP) == 12_000
            assert len(dead_letters.live(connection, MAP)) == 1


def test_a_copy_waits_for_no_writer_of_the_state_and_none_for_it(store: StateStore, folder: Path) -> None:
    leases.acquire(store, MAP, "batch 7 load", 60)
    with store.begin() as writing:  # a SQLite file has one writer at a time
        writing.execute(pauses.delete())
        with copied(store, folder) as copy, copy.begin() as connection:
            assert connection.execute(select(lease)).all() == []
