from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from projops.mapping.model import Direction
from projops.state import StateStore, dead_letters, quality
from projops.state.batches import Batch, Counts, NewBatch, commit_batch, open_batch
from projops.state.dead_letters import Letter, Origin
from projops.state.quality import Breach, Trend

LEG = Direction.DATAVERSE_TO_FINANCE.value
AMOUNT = Breach("amount", "msdyn_amount", "error", 3)
SOON = Breach("day", "msdyn_date", "warning", 5)


def opened(store: StateStore, run_id: str = "r", map_id: str = "actuals") -> Batch:
    with store.begin() as connection:
        return open_batch(
            connection, NewBatch("d", run_id, map_id, LEG, "incremental", "1.0.0.22", "f", True)
        )


def found(store: StateStore, batch: Batch) -> list[tuple[str, Breach]]:
    with store.begin() as connection:
        return [(each.stage, each.breach) for each in quality.of_batch(connection, batch.id)]


def test_a_stage_that_runs_again_replaces_what_it_found(store: StateStore) -> None:
    batch = opened(store)
    with store.begin() as connection:
        quality.record(connection, batch, "validate", [AMOUNT, SOON])
        quality.record(connection, batch, "transform", [AMOUNT])
        quality.record(connection, batch, "validate", [replace(AMOUNT, rows=1)])
    assert found(store, batch) == [("transform", AMOUNT), ("validate", replace(AMOUNT, rows=1))]


def test_breaches_of_one_rule_and_field_are_added_up(store: StateStore) -> None:
    batch = opened(store)
    warning = replace(AMOUNT, severity="warning")
    with store.begin() as connection:
        quality.record(connection, batch, "validate", [warning, AMOUNT, replace(AMOUNT, field="x" * 300)])
    assert found(store, batch) == [
        ("validate", replace(AMOUNT, rows=6)),
        ("validate", replace(AMOUNT, field="x" * 200)),
    ]


def test_a_superseded_batch_tells_nothing(store: StateStore) -> None:
    old, later = opened(store, "r1"), opened(store, "r2")
    with store.begin() as connection:
        assert commit_batch(connection, later, Counts()) is None
        quality.record(connection, old, "validate", [AMOUNT])
    assert found(store, old) == []


def test_refusals_of_the_target_are_counted_and_rows_that_wait_are_not(store: StateStore) -> None:
    batch = opened(store)
    origin = Origin("actuals", LEG, batch.id, "1.0.0.22")
    letters = [
        Letter("a", "k1", "open", "load", "E6", "No line property.", field="BillingType"),
        Letter("b", "k2", "open", "load", "E6", "No line property.", field="BillingType"),
        Letter("c", "k3", "open", "load", "E8", "The project is closed."),
        Letter("d", "k4", "parked", "load", "missing_parent", "It waits."),
        Letter("e", "k5", "open", "validate", "amount", "Not the product."),
    ]
    with store.begin() as connection:
        dead_letters.record(connection, origin, letters)
        dead_letters.record(
            connection, replace(origin, batch=batch.id + 1), [replace(letters[2], source_id="f")]
        )
        quality.record_refusals(connection, batch)
        quality.record_refusals(connection, batch)
    assert found(store, batch) == [
        ("load", Breach("E6", "BillingType", "error", 2)),
        ("load", Breach("E8", "", "error", 1)),
    ]


def test_the_trend_adds_up_rows_by_rule_and_day(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 10, 30, 12, tzinfo=UTC)
    told = [
        (noon, "r1", "actuals", [AMOUNT, SOON]),
        (noon + timedelta(hours=1), "r2", "actuals", [AMOUNT, replace(AMOUNT, field="msdyn_price")]),
        (noon + timedelta(days=1), "r3", "actuals", [AMOUNT]),
        (noon, "r4", "projects", [AMOUNT]),
    ]
    for at, run_id, map_id, breaches in told:
        monkeypatch.setattr(quality, "datetime", _clock(at))
        batch = opened(store, run_id, map_id)
        with store.begin() as connection:
            quality.record(connection, batch, "validate", breaches)
    place = ("actuals", LEG, "validate")
    expected = [
        Trend(noon.date(), *place, "amount", "error", 9, 2),
        Trend(noon.date(), *place, "day", "warning", 5, 1),
        Trend(noon.date() + timedelta(days=1), *place, "amount", "error", 3, 1),
    ]
    with store.begin() as connection:
        assert quality.trend(connection, "actuals", noon) == expected
        assert quality.trend(connection, "actuals", noon + timedelta(hours=2)) == expected[2:]
        assert {each.map for each in quality.trend(connection, None, noon)} == {"actuals", "projects"}


def _clock(at: datetime) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return at

    return Clock
