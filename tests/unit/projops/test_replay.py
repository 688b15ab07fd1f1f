"""What people do about rows that were set aside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projops.errors import StopError
from projops.replay import dismiss, replay
from projops.state import StateStore, dead_letters
from projops.state.dead_letters import Letter, Origin

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.prepare()
    yield state
    state.close()


def put(
    store: StateStore, source_id: str, *, map_id: str = "actuals", leg: str = FORTH, **facts: str | None
) -> int:
    """Set a row aside; give the number of its entry."""
    values = {"key": f'["{source_id}"]', "status": "open", "stage": "load", "rule": "E6"} | facts
    letter = Letter(source_id=source_id, message="No.", **values)  # type: ignore[arg-type]
    with store.begin() as connection:
        dead_letters.record(connection, Origin(map_id, leg, 1, "1.0.0.0"), [letter])
        [row] = (each for each in dead_letters.live(connection) if each["source_id"] == source_id)
    return int(row["id"])


def may_go(store: StateStore, map_id: str = "actuals", leg: str = FORTH) -> tuple[bool, list[str]]:
    with store.begin() as connection:
        return dead_letters.may_go(connection, map_id, leg), dead_letters.to_retry(connection, map_id, leg)


def test_a_replayed_row_goes_with_the_next_run_and_no_other_does(store: StateStore) -> None:
    number = put(store, "a")
    put(store, "b")
    assert may_go(store) == (False, [])
    done = replay(store, [number])
    assert (done.marked, done.maps, done.left) == ((number,), ("actuals",), {})
    assert may_go(store) == (True, ["a"])


def test_a_newer_failure_takes_the_replay_back(store: StateStore) -> None:
    replay(store, [put(store, "a")])
    put(store, "a", rule="refused")
    assert may_go(store) == (False, [])


def test_a_parked_row_can_be_tried_before_its_parent_is_known(store: StateStore) -> None:
    number = put(store, "a", status="parked", waits_for_map="projects", waits_for_id="g")
    assert may_go(store)[0] is False
    replay(store, [number])
    assert may_go(store) == (True, ["a"])


def test_rows_are_chosen_by_map_by_error_or_all(store: StateStore) -> None:
    one, two = put(store, "a"), put(store, "b", rule="E7")
    three = put(store, "c", map_id="expenses")
    assert set(replay(store, map_id="actuals").marked) == {one, two}
    assert set(replay(store, error="E6").marked) == set(replay(store, error="e6").marked) == {one, three}
    assert replay(store, map_id="actuals", error="E7").marked == (two,)
    assert set(replay(store).marked) == {one, two, three}
    assert replay(store, error="E1").marked == ()


def test_what_cannot_be_replayed_says_why(store: StateStore) -> None:
    waits = put(store, "a", status="awaiting_approval")
    told = put(store, "b", leg=BACK, stage="finance")
    keyless = put(store, "c", leg=BACK, key=None, stage="validate")
    done = replay(store)
    assert done.marked == ()
    assert "approval" in done.left[waits]
    assert "job in Finance" in done.left[told]
    assert "no key" in done.left[keyless]
    assert may_go(store, leg=BACK) == (False, [])


def test_a_number_that_is_not_live_is_named(store: StateStore) -> None:
    number = put(store, "a")
    dismiss(store, number, "Entered by mistake")
    with pytest.raises(StopError, match=f"no live dead letter {number}, {number + 1}"):
        replay(store, [number, number + 1])


def test_a_dismissal_keeps_its_reason(store: StateStore) -> None:
    number = put(store, "a")
    with pytest.raises(StopError, match="needs a reason"):
        dismiss(store, number, "  ")
    dismiss(store, number, "Entered by mistake ")
    with store.begin() as connection:
        row = dead_letters.get(connection, number)
        assert row is not None
        assert (row["status"], row["closed_because"]) == ("dismissed", "Entered by mistake")
        assert dead_letters.live(connection) == []
