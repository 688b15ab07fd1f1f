"""What a restored state forgets, and what it keeps."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from projops.mapping.model import Direction
from projops.state import StateStore, batches, crosswalk, dead_letters, environments, exports, recovery
from projops.state.batches import Batch, Counts, NewBatch
from projops.state.crosswalk import UNKNOWN, Entry
from projops.state.dead_letters import Letter, Origin
from projops.state.exports import Execution
from projops.state.tables import lease

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
KEEPS = {("projects", FORTH): True, ("workers", BACK): False}
ORIGIN = Origin("projects", FORTH, 1, "1.0")


def begun(store: StateStore, map_id: str, leg: str, run: str = "r1") -> Batch:
    with store.begin() as connection:
        new = NewBatch("area", run, map_id, leg, "incremental", "1.0", "f", True)
        batch = batches.open_batch(connection, new)
        batches.record_extracted(connection, batch, '{"delta_link": "x"}', "f", "1.0")
        return batches.get_batch(connection, batch.id)


def ended(store: StateStore, batch: Batch) -> None:
    with store.begin() as connection:
        batches.commit_batch(connection, batch, Counts(loaded=1))


def forgotten(store: StateStore) -> recovery.Forgotten:
    with store.begin() as connection:
        return recovery.forget(connection, "restore-1", KEEPS)


def test_delta_links_stay_and_marks_of_exports_do_not(store: StateStore) -> None:
    for map_id, leg in KEEPS:
        ended(store, begun(store, map_id, leg))
    done = forgotten(store)
    assert (done.legs, done.legs_in_full) == ((("projects", FORTH),), (("workers", BACK),))
    with store.begin() as connection:
        here = batches.leg_state(connection, "projects", FORTH)
        there = batches.leg_state(connection, "workers", BACK)
    assert (here.watermark, here.fingerprint) == ('{"delta_link": "x"}', "f")
    assert (there.watermark, there.fingerprint) == (None, "f")


def test_what_had_begun_is_superseded_and_numbers_are_not_given_again(store: StateStore) -> None:
    ended(store, begun(store, "projects", FORTH))
    open_one = begun(store, "projects", FORTH, "r2")
    assert forgotten(store).batches == 1
    with store.begin() as connection:
        assert batches.superseded_by(connection, open_one) is not None
    assert begun(store, "projects", FORTH, "r3").id > open_one.id + 1_000_000


def test_pairs_stay_and_what_was_in_step_is_unknown(store: StateStore) -> None:
    shared = {"name": "d1"}
    entry = Entry("k", "g", hash_dataverse_to_finance="h", shared_dataverse=shared, shared_finance=shared)
    with store.begin() as connection:
        crosswalk.put(connection, "projects", 1, [entry])
    assert forgotten(store).pairs == 1
    with store.begin() as connection:
        after = crosswalk.by_keys(connection, "projects", ["k"])["k"]
    assert after.payload_hash(Direction.DATAVERSE_TO_FINANCE) == UNKNOWN
    assert after.payload_hash(Direction.FINANCE_TO_DATAVERSE) is None  # it never was in step that way
    assert (after.dataverse_id, after.shared_dataverse, after.shared_finance) == ("g", shared, shared)


def test_rows_set_aside_are_tried_again_but_for_those_that_wait_for_a_person(store: StateStore) -> None:
    letters = [
        Letter("a", "a", "open", "load", "E6", "No."),
        Letter("b", "b", "parked", "load", "parent_missing", "Waits."),
        Letter("c", "c", "awaiting_approval", "load", "mass_delete", "Many."),
        Letter("d", "d", "open", "finance", "E9", "Not posted."),
    ]
    with store.begin() as connection:
        dead_letters.record(connection, ORIGIN, letters)
    assert forgotten(store).letters == 2
    with store.begin() as connection:
        assert sorted(dead_letters.to_retry(connection, "projects", FORTH)) == ["a", "b"]


def test_exports_are_settled_and_the_next_ones_go_to_groups_of_their_own(store: StateStore) -> None:
    with store.begin() as connection:
        environments.bind_environment(connection, "finance", "host")
        exports.record_request(connection, "workers", BACK, Execution("e1", "", 1, False))
        before = environments.bound_at(connection, "finance")
    forgotten(store)
    with store.begin() as connection:
        assert exports.uncommitted(connection, "workers", BACK) == []
        assert environments.bound_at(connection, "finance") > before
        environments.bind_environment(connection, "finance", "host")  # and to no other


def test_leases_of_dead_writers_are_gone(store: StateStore) -> None:
    with store.begin() as connection:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        values = {"map": "projects", "token": "t", "owner": "batch 1 load", "expires_at": yesterday}
        connection.execute(insert(lease).values(**values))
    forgotten(store)
    with store.begin() as connection:
        assert connection.execute(lease.select()).all() == []
