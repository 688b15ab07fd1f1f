"""How each leg stands, from what the state says."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from projops import pausing
from projops.alerts.failing import Failure, Task
from projops.commands.status import status as print_status
from projops.engine import Engine
from projops.settings import Settings
from projops.standing import LegStatus, Standing, backlog, deadlines, standing, standings
from projops.state import batches, dead_letters, leases, looks, task_failures
from projops.state.batches import Counts, NewBatch
from projops.state.dead_letters import Letter, Origin
from projops.state.leg_facts import LegFacts, Look, Underway, full_reads
from projops.state.pauses import Pause
from projops.state.tables import batch as batch_table
from projops.state.tables import dead_letter

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FORTH = "dataverse_to_finance"
FIRST = Underway(7, NOW - timedelta(minutes=5), everything=True)
LATER = Underway(7, NOW - timedelta(minutes=5))


@pytest.mark.parametrize(
    ("facts", "paused", "writer", "resumed_at", "expected"),
    [
        (LegFacts(), False, None, None, Standing.NOT_RUNNING),
        (LegFacts(), True, None, None, Standing.PAUSED),
        (LegFacts(underway=FIRST), True, "batch 7 load", None, Standing.PAUSED),
        (LegFacts(underway=FIRST), False, "batch 7 load", None, Standing.INITIAL_SYNC),
        (LegFacts(underway=FIRST), False, None, None, Standing.INITIAL_SYNC),  # it reads, and holds no lease
        (LegFacts(NOW, 6, underway=LATER), False, "batch 7 load", None, Standing.RUNNING),
        (LegFacts(NOW, 6, underway=LATER), False, None, None, Standing.RUNNING),
        (
            LegFacts(NOW - HOUR, 6, underway=LATER),
            False,
            None,
            NOW,
            Standing.CATCHING_UP,
        ),  # given up in a pause
        (LegFacts(NOW, 6, underway=replace(LATER, began_at=NOW - HOUR)), False, None, None, Standing.BEHIND),
        (
            LegFacts(NOW, 6, underway=replace(LATER, failed_because="Away.")),
            False,
            None,
            None,
            Standing.BEHIND,
        ),
        (LegFacts(underway=replace(FIRST, failed_because="Away.")), False, None, None, Standing.NOT_RUNNING),
        (LegFacts(NOW, 6), False, "batch 7 load", None, Standing.IN_STEP),  # the other leg's batch
        (
            LegFacts(NOW, 6, underway=replace(LATER, stopped_because="X.")),
            False,
            None,
            None,
            Standing.STOPPED,
        ),
        (LegFacts(NOW, 6, look=Look(NOW, 3, False)), False, None, None, Standing.BEHIND),
        (LegFacts(NOW, 6, look=Look(NOW, 0, True)), False, None, None, Standing.BEHIND),
        (LegFacts(NOW, 6, look=Look(NOW, 0, False)), False, None, None, Standing.IN_STEP),
        (LegFacts(NOW, 6, afresh=True), False, None, None, Standing.CATCHING_UP),
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
    assert standing(facts, paused, writer, resumed_at, NOW) is expected


@pytest.mark.parametrize(
    ("look", "fresh_at", "waits"),
    [
        (None, NOW - HOUR, "2"),
        (Look(NOW, 0, False, NOW), NOW, "2"),
        (Look(NOW, 5, False), NOW - HOUR, "7"),
        (Look(NOW, 5, True, NOW - HOUR / 2), NOW - HOUR / 2, "at least 7"),
        (Look(NOW - 2 * HOUR, 0, False, NOW - 2 * HOUR), NOW - HOUR, "2"),
    ],
)
def test_a_look_that_finds_nothing_is_as_good_as_a_batch(
    look: Look | None, fresh_at: datetime, waits: str
) -> None:
    facts = LegFacts(NOW - HOUR, 6, look=look, may_go=2)
    assert (facts.fresh_at, backlog(facts)) == (fresh_at, waits)


def test_who_has_a_deadline_is_late_after_it_unless_the_map_is_paused() -> None:
    facts = LegFacts(NOW - HOUR, 6)
    status = LegStatus("projects", FORTH, "a", Standing.IN_STEP, facts, deadline=HOUR)
    assert [status.is_late(NOW + more) for more in (timedelta(0), timedelta(seconds=1))] == [False, True]
    assert not replace(status, deadline=None).is_late(NOW + HOUR)
    assert not replace(status, pause=Pause("projects", NOW, "anna", "x")).is_late(NOW + HOUR)
    assert not replace(status, facts=LegFacts()).is_late(NOW + HOUR)


def test_the_shortest_rule_that_concerns_a_map_is_its_deadline(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(
        "rules:\n"
        "  late: {when: late, hours: 12}\n"
        "  sooner: {when: late, maps: [projects], minutes: 30}\n"
        "  later: {when: late, areas: [setup_and_configuration], hours: 20}\n"
    )
    settings = replace(engine.settings, alerts=file)
    assert isinstance(settings, Settings)
    found = deadlines(replace(engine, settings=settings))
    assert (found["projects"], found["customers"]) == (HOUR / 2, 12 * HOUR)
    assert found.keys() == engine.maps.keys()


def of(engine: Engine, map_id: str, leg: str = FORTH) -> LegStatus:
    [found] = [each for each in standings(engine) if (each.map, each.leg) == (map_id, leg)]
    return found


@contextmanager
def watched(engine: Engine, statements: list[str]) -> Iterator[None]:
    """Note the statements that the state is asked."""

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine.state.engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(engine.state.engine, "before_cursor_execute", note)


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
    assert {each.standing for each in standings(engine)} == {Standing.NOT_RUNNING}


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
    assert (row["state"], row["in_step_at"], row["open"]) == ("not running", None, 1)


def test_what_a_look_has_seen_is_behind_until_a_batch_that_began_later_has_read_it(engine: Engine) -> None:
    commit(engine, begin(engine, "projects", "r1"))
    with engine.state.begin() as connection:
        looks.record(connection, "projects", FORTH, 7, True)
    row = of(engine, "projects").as_row(datetime.now(UTC))
    assert (row["state"], row["backlog"], row["backlog_more"]) == ("behind", 7, True)
    with engine.state.begin() as connection:
        looks.record(connection, "projects", FORTH, 0, False)
    row = of(engine, "projects").as_row(datetime.now(UTC))
    assert (row["state"], row["backlog"], row["fresh_at"]) == ("in step", 0, row["looked_at"])
    with engine.state.begin() as connection:
        looks.record(connection, "projects", FORTH, 7, False)
    # What waits does so since the look that found nothing, not since the commit, which may be days ago.
    assert of(engine, "projects").as_row(datetime.now(UTC))["fresh_at"] == row["fresh_at"]
    commit(engine, begin(engine, "projects", "r2"))
    row = of(engine, "projects").as_row(datetime.now(UTC))
    assert (row["state"], row["backlog"], row["looked_at"]) == ("in step", 0, None)


def test_rows_that_may_go_are_backlog_and_those_that_wait_for_a_person_are_not(engine: Engine) -> None:
    number = begin(engine, "projects", "r1")
    commit(engine, number)
    origin = Origin("projects", FORTH, number, "1.0.0.3")
    letters = [
        Letter("a", None, "open", "load", "E1", "No."),
        Letter("b", None, "open", "load", "E1", "No.", retriable=True),
        Letter("c", None, "parked", "load", "parent", "Waits.", waits_for_map="customers"),
        Letter("d", None, "awaiting_approval", "load", "mass_delete", "Many."),
        Letter("e", None, "awaiting_approval", "load", "mass_delete", "Many."),
    ]
    with engine.state.begin() as connection:
        dead_letters.record(connection, origin, letters)
        approved = dead_letter.update().where(dead_letter.c.source_id == "e").values(approved_at=NOW)
        connection.execute(approved)
    row = of(engine, "projects").as_row(NOW)
    assert (row["state"], row["backlog"], row["may_go"]) == ("awaiting approval", 2, 2)
    assert (row["open"], row["parked"], row["awaiting_approval"]) == (2, 1, 2)


def test_a_day_is_summed_up_over_its_batches_and_no_others(engine: Engine) -> None:
    for run in ("r1", "r2", "r3"):
        commit(engine, begin(engine, "projects", run))
    with engine.state.begin() as connection:
        early = datetime.now(UTC) - timedelta(hours=25)
        changed = batch_table.update().where(batch_table.c.run_id == "r1").values(started_at=early, loaded=90)
        connection.execute(changed)
    row = of(engine, "projects").as_row(NOW)
    assert (row["loaded_last_day"], row["rejected_last_day"], row["failed_last_day"]) == (4, 0, 0)


def test_how_many_rows_the_last_full_read_had(engine: Engine) -> None:
    commit(engine, begin(engine, "projects", "r1"))  # the first
    with engine.state.begin() as connection:
        assert full_reads(connection, ["projects"]) == {("projects", FORTH): 2}
        changed = batch_table.update().where(batch_table.c.run_id == "r1").values(read=50)
        connection.execute(changed)
    commit(engine, begin(engine, "projects", "r2"))  # reads changes only
    with engine.state.begin() as connection:
        assert full_reads(connection, ["projects", "units"]) == {("projects", FORTH): 50}
        assert full_reads(connection, ["customers"]) == {}


def test_a_batch_of_which_a_task_has_failed_does_not_run_any_more(engine: Engine) -> None:
    commit(engine, begin(engine, "projects", "r1"))
    begin(engine, "projects", "r2")
    assert of(engine, "projects").standing is Standing.RUNNING
    task = Task("cli", "r2", "load", "projects", FORTH, "")
    with engine.state.begin() as connection:
        task_failures.note(
            connection, Failure(task, "SystemUnavailableError", "down", "It is away.", "Wait.")
        )
    status = of(engine, "projects")
    assert (status.standing, status.failed_because) == (Standing.BEHIND, "It is away.")


def test_however_many_rows_are_set_aside_few_statements_tell_how_all_legs_stand(engine: Engine) -> None:
    counted = []
    for rows in (1, 200):
        origin = Origin("projects", FORTH, 1, "1.0.0.3")
        letters = [Letter(f"{rows} {place}", None, "open", "load", "E1", "No.") for place in range(rows)]
        with engine.state.begin() as connection:
            dead_letters.record(connection, origin, letters)
        begin(engine, "projects", f"r{rows}")
        statements: list[str] = []
        with watched(engine, statements):
            standings(engine)
        counted.append([each for each in statements if each.startswith(("SELECT", "WITH"))])
    assert len(counted[0]) == len(counted[1]) <= 8


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
