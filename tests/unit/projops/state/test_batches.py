import pytest

from projops.errors import StopError
from projops.state import StateStore, dead_letters
from projops.state.batches import (
    Batch,
    Counts,
    NewBatch,
    commit_batch,
    get_batch,
    leg_state,
    mark_superseded,
    open_batch,
    record_extracted,
    renew_watermark,
    superseded_by,
    totals,
)
from projops.state.dead_letters import Letter, Origin


def new(run_id: str, advances: bool = True) -> NewBatch:
    return NewBatch(
        "setup", run_id, "projects", "dataverse_to_finance", "incremental", "1.0.0.3", "f1", advances
    )


NOTHING = Counts()


def run(store: StateStore, run_id: str, watermark: str, counts: Counts = NOTHING) -> Batch:
    with store.begin() as connection:
        batch = open_batch(connection, new(run_id))
        record_extracted(connection, batch, watermark, "f1", "1.0.0.3")
        commit_batch(connection, get_batch(connection, batch.id), counts)
        return batch


def test_a_batch_starts_where_the_last_one_ended(store: StateStore) -> None:
    first = run(store, "r1", "w1")
    with store.begin() as connection:
        second = open_batch(connection, new("r2"))
        assert (second.watermark_from, second.base_batch) == ("w1", first.id)


def test_a_rerun_finds_its_batch_with_the_watermark_that_it_started_from(store: StateStore) -> None:
    run(store, "r1", "w1")
    with store.begin() as connection:
        mine = open_batch(connection, new("r2"))
    run(store, "r3", "w3")
    with store.begin() as connection:
        again = open_batch(connection, new("r2"))
    assert (again.id, again.watermark_from) == (mine.id, "w1")


def test_a_batch_whose_leg_moved_on_is_superseded(store: StateStore) -> None:
    with store.begin() as connection:
        failed = open_batch(connection, new("r1"))
        assert superseded_by(connection, failed) is None
    later = run(store, "r2", "w2")
    with store.begin() as connection:
        assert superseded_by(connection, failed) == later.id
        mark_superseded(connection, failed)
        assert leg_state(connection, "projects", "dataverse_to_finance").batch == later.id


def test_a_committed_batch_may_run_again_until_another_moves_the_leg(store: StateStore) -> None:
    first = run(store, "r1", "w1")
    with store.begin() as connection:
        assert superseded_by(connection, get_batch(connection, first.id)) is None


def test_a_run_for_some_companies_leaves_the_watermark_alone(store: StateStore) -> None:
    run(store, "r1", "w1")
    with store.begin() as connection:
        part = open_batch(connection, new("r2", advances=False))
        record_extracted(connection, part, "w2", "f1", "1.0.0.3")
        commit_batch(connection, get_batch(connection, part.id), Counts(read=3))
        assert leg_state(connection, "projects", "dataverse_to_finance").watermark == "w1"


def test_totals_add_up_runs_by_leg(store: StateStore) -> None:
    run(store, "r1", "w1", Counts(read=5, loaded=4, rejected=1))
    run(store, "r2", "w2", Counts(read=1, loaded=1))
    with store.begin() as connection:
        found = totals(connection, [("setup", "r1"), ("setup", "r2")])
    assert found == {("projects", "dataverse_to_finance"): Counts(read=6, loaded=5, rejected=1)}


def test_a_younger_watermark_takes_the_place_of_the_old_one_and_of_no_other(store: StateStore) -> None:
    run(store, "r1", "w1")
    with store.begin() as connection:
        renew_watermark(connection, "projects", "dataverse_to_finance", "w1", "w1b")
        renew_watermark(connection, "projects", "dataverse_to_finance", "w1", "lost the race")
        assert leg_state(connection, "projects", "dataverse_to_finance").watermark == "w1b"


def test_a_commit_is_refused_when_another_batch_has_moved_the_leg(store: StateStore) -> None:
    with store.begin() as connection:
        old = open_batch(connection, new("r1"))
    later = run(store, "r2", "w2")
    with store.begin() as connection:
        record_extracted(connection, old, "w1", "f1", "1.0.0.3")
        assert commit_batch(connection, get_batch(connection, old.id), Counts(loaded=9)) == later.id
        assert leg_state(connection, "projects", "dataverse_to_finance").watermark == "w2"


def test_what_a_batch_set_aside_beside_the_one_that_moved_the_leg_is_looked_at_again(
    store: StateStore,
) -> None:
    """It may have judged an older version of a row that the other one has moved."""
    with store.begin() as connection:
        beside = open_batch(connection, new("r1"))
    with store.begin() as connection:
        mine = open_batch(connection, new("r2"))
        for batch, row in ((beside, "theirs"), (mine, "mine")):
            origin = Origin(batch.map, batch.leg, batch.id, "1.0.0.3")
            letter = Letter(row, None, "open", "validate", "required", "Empty.")
            dead_letters.record(connection, origin, [letter])
        commit_batch(connection, mine, NOTHING)
        assert dead_letters.to_retry(connection, "projects", "dataverse_to_finance", "", 9) == ["theirs"]
        [status] = connection.exec_driver_sql(f"select status from batch where id = {beside.id}").scalars()
    assert status == "superseded"


def test_a_batch_that_began_after_the_commit_is_not_superseded_when_that_one_is_run_again(
    store: StateStore,
) -> None:
    first = run(store, "r1", "w1")
    with store.begin() as connection:
        after = open_batch(connection, new("r2"))
        commit_batch(connection, get_batch(connection, first.id), NOTHING)
        assert superseded_by(connection, after) is None
        [status] = connection.exec_driver_sql(f"select status from batch where id = {after.id}").scalars()
    assert status == "running"


def test_a_batch_that_a_restored_state_does_not_know_is_one_sentence(store: StateStore) -> None:
    with store.begin() as connection, pytest.raises(StopError, match="knows no batch 7: it was restored"):
        get_batch(connection, 7)
