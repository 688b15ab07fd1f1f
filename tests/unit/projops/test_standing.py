"""How each leg stands, from what the state says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projops import pausing
from projops.commands.status import status as print_status
from projops.engine import Engine
from projops.standing import LegStatus, Standing, standing, standings
from projops.state import batches, dead_letters, leases
from projops.state.batches import Counts, NewBatch
from projops.state.dead_letters import Letter, Origin
from projops.state.overview import LegFacts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FORTH = "dataverse_to_finance"


@pytest.mark.parametrize(
    ("facts", "paused", "writer", "resumed_at", "expected"),
    [
        (LegFacts(), False, None, None, Standing.NOT_STARTED),
        (LegFacts(), True, None, None, Standing.PAUSED),
        (LegFacts(underway=7), False, "batch 7 load", None, Standing.RUNNING),
        (LegFacts(NOW, 6), False, "batch 7 load", None, Standing.IN_STEP),  # the other leg's batch
        (LegFacts(NOW, 6, underway=7, stopped_because="Too many."), False, None, None, Standing.STOPPED),
        (LegFacts(NOW, 6), False, None, NOW + HOUR, Standing.CATCHING_UP),
        (LegFacts(NOW, 6), False, None, NOW - HOUR, Standing.IN_STEP),
        (
            LegFacts(NOW, 6, aside={"awaiting_approval": 2, "open": 1}),
            False,
            None,
            None,
            Standing.AWAITING_APPROVAL,
        ),
        (LegFacts(NOW, 6, aside={"parked": 1}), False, None, None, Standing.BEHIND),
    ],
)
def test_the_most_pressing_comes_first(
    facts: LegFacts, paused: bool, writer: str | None, resumed_at: datetime | None, expected: Standing
) -> None:
    assert standing(facts, paused, writer, resumed_at) is expected


def of(engine: Engine, map_id: str, leg: str = FORTH) -> LegStatus:
    [found] = [each for each in standings(engine) if (each.map, each.leg) == (map_id, leg)]
    return found


def begin(engine: Engine, map_id: str, run: str) -> int:
    with engine.state.begin() as connection:
        new = NewBatch("cli", run, map_id, FORTH, "incremental", "1.0.0.3", "f", True)
        return batches.open_batch(connection, new).id


def commit(engine: Engine, number: int) -> None:
    with engine.state.begin() as connection:
        batch = batches.get_batch(connection, number)
        batches.record_extracted(connection, batch, "{}", "f", "1.0.0.3")
        batches.commit_batch(connection, batches.get_batch(connection, number), Counts(read=2, loaded=2))


def test_every_leg_of_every_map_that_is_on_has_a_line(engine: Engine) -> None:
    legs = {(each.map, each.leg) for each in standings(engine)}
    assert legs == {
        (each.map, leg.value) for each in engine.maps.values() if each.enabled for leg in each.legs
    }
    assert {each.standing for each in standings(engine)} == {Standing.NOT_STARTED}


def test_a_leg_from_its_first_batch_to_its_pause(engine: Engine) -> None:
    first = begin(engine, "projects", "r1")
    commit(engine, first)
    now = datetime.now(UTC)
    row = of(engine, "projects").as_row(now)
    facts = (row["state"], row["batch"], row["loaded"], row["version"], row["age_seconds"])
    assert facts == ("in step", first, 2, "1.0.0.3", 0)

    second = begin(engine, "projects", "r2")
    lease = leases.acquire(engine.state, "projects", f"batch {second} load", 60)
    assert (of(engine, "projects").standing, of(engine, "projects").writer) == (
        Standing.RUNNING,
        f"batch {second} load",
    )
    lease.release()
    with engine.state.begin() as connection:
        batches.record_stop(connection, second, "Too many rows are bad.")
    assert of(engine, "projects").as_row(now)["stopped_because"] == "Too many rows are bad."
    commit(engine, second)
    assert of(engine, "projects").standing is Standing.IN_STEP

    pausing.pause(engine, ["projects"], None, "anna", "Cleaning up")
    row = of(engine, "projects").as_row(now)
    assert (row["state"], row["paused_by"], row["pause_reason"]) == ("paused", "anna", "Cleaning up")
    pausing.resume(engine, ["projects"], None, "anna")
    assert of(engine, "projects").standing is Standing.CATCHING_UP
    commit(engine, begin(engine, "projects", "r3"))
    assert of(engine, "projects").standing is Standing.IN_STEP


def test_what_finance_refused_of_a_leg_that_never_runs_is_counted(engine: Engine) -> None:
    origin = Origin("invoice_proposals", "finance_to_dataverse", 0, "1.0.0.4")
    with engine.state.begin() as connection:
        letter = Letter("m", '["i"]', "open", "finance", "E9", "Not posted.")
        dead_letters.record(connection, origin, [letter])
    row = of(engine, "invoice_proposals", "finance_to_dataverse").as_row(NOW)
    assert (row["state"], row["in_step_at"], row["open"]) == ("not started", None, 1)


def test_the_command_prints_a_line_a_leg_and_what_a_pause_is(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROJOPS_STATE_URL", engine.settings.state_url)
    monkeypatch.setenv("COLUMNS", "250")
    pausing.pause(engine, ["customers"], None, "anna", "Cleaning up")
    print_status()
    out = " ".join(capsys.readouterr().out.split())
    assert "Map customers is paused by anna since" in out
    assert "DAG pause is Airflow's own" in out
    assert "Requests today: 0 of 50000." in out
    print_status(as_json=True)
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert printed["requests_today"] == {"sent": 0, "budget": 50000}
    assert [each["state"] for each in printed["legs"] if each["map"] == "customers"] == ["paused"] * 2
