"""What goes after its period, and what stays whatever its age."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import insert, select, update

from projops.alerts.failing import Failure, Task
from projops.alerts.model import Alert, Severity
from projops.alerts.model import Kind as AlertKind
from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.reconcile.model import Finding, Kind, LegResult, RowDifference, Scope, Verdict
from projops.retention import clean, clean_daily, preview
from projops.run import LegRef
from projops.settings import Settings
from projops.state import alerts, dead_letters, differences, exports, reconciliations, task_failures
from projops.state.alerts import Found
from projops.state.audit import actions, record_action
from projops.state.dead_letters import Letter, Origin
from projops.state.differences import Seen
from projops.state.exports import Execution
from projops.state.tables import (
    audit,
    conflict,
    dead_letter,
    delivery,
    export_execution,
    invariant,
    reconciliation,
    request_count,
    task_failure,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGIN = Origin("actuals", "dataverse_to_finance", 1, "1.0.0.0")
NOTHING = {
    "dead letters": 0,
    "conflicts": 0,
    "actions": 0,
    "request counts": 0,
    "signal counts": 0,
    "deliveries of alerts": 0,
    "alerts": 0,
    "failures of tasks": 0,
    "exports": 0,
    "differences": 0,
    "invariants": 0,
    "reconciled legs": 0,
    "reconciliations": 0,
    "rejected rows by rule": 0,
    "evidence": 0,
    "staged batches": 0,
    "reconciliation folders": 0,
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "maps").mkdir()
    settings = Settings(
        mappings=tmp_path / "maps",
        staging=str(tmp_path / "staging"),
        state_url=f"sqlite:///{tmp_path / 'state.db'}",
    )

    def nowhere(system: object) -> None:
        raise ConfigurationError(f"nobody may ask {system}")

    with Engine.open(settings, nowhere) as opened:  # type: ignore[arg-type]
        yield opened


def letter(engine: Engine, source_id: str, status: str, days: float, **facts: str) -> None:
    """Set a row aside and close its entry so many days ago."""
    values = {"key": f'["{source_id}"]', "stage": "load", "rule": "E6"} | facts
    evidence = values.pop("evidence", None)
    with engine.state.begin() as connection:
        row = Letter(source_id=source_id, message="No.", status="open", **values)  # type: ignore[arg-type]
        dead_letters.record(connection, ORIGIN, [row])
        closed = NOW - timedelta(days=days)
        stood = {"status": status, "first_seen": closed, "last_seen": closed, "payload": '{"name": "Ada"}'}
        stood |= {"closed_at": closed} if status in ("resolved", "dismissed") else {}
        connection.execute(
            update(dead_letter).where(dead_letter.c.source_id == source_id).values(**stood, evidence=evidence)
        )


def letters(engine: Engine) -> dict[str, str | None]:
    with engine.state.begin() as connection:
        rows = connection.execute(select(dead_letter.c.source_id, dead_letter.c.payload))
        return {source_id: payload for source_id, payload in rows}


def stage(engine: Engine, batch: int, days: float) -> Path:
    """Stage a batch so many days ago; give its folder."""
    with engine.staging.writer("actuals", "dataverse_to_finance", batch, "extract") as writer:
        writer.write(pa.table({"_id": ["a"]}))
    folder = Path(writer.folder).parent
    written = (NOW - timedelta(days=days)).timestamp()
    for path in folder.rglob("*"):
        os.utime(path, (written, written))
    return folder


def test_closed_letters_go_after_their_period_and_live_ones_never(engine: Engine) -> None:
    for status in ("open", "parked", "awaiting_approval"):
        letter(engine, status, status, 1000)
    letter(engine, "old", "resolved", 91)
    letter(engine, "old too", "dismissed", 91)
    letter(engine, "young", "resolved", 89)
    assert clean(engine, NOW, "ada")["dead letters"] == 2
    assert set(letters(engine)) == {"open", "parked", "awaiting_approval", "young"}


def test_alerts_that_are_over_go_after_their_period_and_open_ones_never(engine: Engine) -> None:
    told = Alert("c", AlertKind.DRIFT, Severity.WARNING, "t", "h", "m", "r", "maps")
    failed = Failure(Task("area", "run", "detect"), "E", "c", "m", "r")
    with engine.state.begin() as connection:
        for days in (366, 364):
            then = NOW - timedelta(days=days)
            alerts.settle(connection, [Found(told, ("drift",), ("mail",))], then)
            connection.execute(update(delivery).values(status="sent"))
            alerts.settle(connection, [], then)
            task_failures.note(connection, failed)
            connection.execute(update(task_failure).values(mended_at=then))
        alerts.settle(connection, [Found(told, ("drift",), ("mail",))], NOW - timedelta(days=1000))
        connection.execute(
            update(task_failure).where(task_failure.c.id == 1).values(mended_at=NOW - timedelta(days=366))
        )
    gone = clean(engine, NOW, "ada")
    assert [gone[name] for name in ("alerts", "deliveries of alerts", "failures of tasks")] == [1, 2, 1]
    with engine.state.begin() as connection:
        assert len(alerts.open_ones(connection)) == len(alerts.closed_ones(connection, 9)) == 1


def test_a_dismissed_message_of_finance_stays_dismissed_without_its_row(engine: Engine) -> None:
    letter(engine, "told", "dismissed", 91, stage="finance")
    assert clean(engine, NOW, "ada")["dead letters"] == 0
    assert letters(engine) == {"told": None}
    with engine.state.begin() as connection:
        assert dead_letters.dismissed(connection, "actuals", "finance") == {("told", "No.")}


def evidence(engine: Engine, name: str, days: float) -> str:
    """Keep evidence so many days ago; give its URI."""
    uri = engine.staging.keep("evidence/actuals/dataverse_to_finance", name, b"{}")
    written = (NOW - timedelta(days=days)).timestamp()
    os.utime(uri.removeprefix("file://"), (written, written))
    return uri


def test_evidence_goes_when_no_letter_names_it_any_longer(engine: Engine) -> None:
    uris = {name: evidence(engine, f"{name}.json", days=100) for name in ("live", "closed", "kept", "orphan")}
    young = evidence(engine, "young.json", days=1)
    letter(engine, "a", "open", 100, evidence=uris["live"])
    letter(engine, "b", "resolved", 91, evidence=uris["closed"])
    letter(engine, "c", "resolved", 89, evidence=uris["kept"])
    assert preview(engine, NOW)["evidence"] == 2
    assert clean(engine, NOW, "ada")["evidence"] == 2
    assert set(engine.staging.kept()) == {uris["live"], uris["kept"], young}


def test_staged_files_go_when_their_batch_has_written_nothing_for_the_period(engine: Engine) -> None:
    old, young = stage(engine, 1, 8), stage(engine, 2, 6)
    again = stage(engine, 3, 8)
    (again / "load.json").write_text("{}")
    os.utime(again / "load.json", (NOW.timestamp(), NOW.timestamp()))  # the batch was rerun
    assert clean(engine, NOW, "ada")["staged batches"] == 1
    assert [path.exists() for path in (old, young, again)] == [False, True, True]


def test_nothing_outside_the_staging_area_goes_through_a_link(engine: Engine, tmp_path: Path) -> None:
    foreign = tmp_path / "books" / "2024" / "7"
    foreign.mkdir(parents=True)
    (foreign / "ledger.csv").write_text("1,2")
    os.utime(foreign / "ledger.csv", (0, 0))
    (tmp_path / "staging").mkdir(exist_ok=True)
    (tmp_path / "staging" / "books").symlink_to(tmp_path / "books")
    clean(engine, NOW, "ada")
    assert (foreign / "ledger.csv").exists()


def test_conflicts_actions_requests_and_exports_go_by_their_own_periods(engine: Engine) -> None:
    with engine.state.begin() as connection:
        for days in (91, 89):
            seen = {"map": "m", "leg": "l", "key": "k", "batch": 1, "winner": "finance"}
            values = {"source_values": "{}", "target_values": "{}"}
            connection.execute(insert(conflict).values(**seen, **values, seen_at=NOW - timedelta(days=days)))
        for days in (366, 364):
            at = NOW - timedelta(days=days)
            record_action(connection, "ada", "pause", f"{days}")
            connection.execute(update(audit).where(audit.c.subject == f"{days}").values(at=at))
            day = at.date().isoformat()
            connection.execute(insert(request_count).values(day=day, system="finance", requests=1))
        for name, committed in (
            ("old", NOW - timedelta(days=8)),
            ("young", NOW - timedelta(days=6)),
            ("open", None),
        ):
            exports.record_request(connection, "m", "l", Execution(name, "", 1, False))
            row = update(export_execution).where(export_execution.c.execution_id == name)
            connection.execute(row.values(committed_at=committed, requested_at=NOW - timedelta(days=400)))
    expected = NOTHING | {"conflicts": 1, "actions": 1, "request counts": 1, "exports": 1}
    assert preview(engine, NOW) == expected
    assert clean(engine, NOW, "ada") == expected
    with engine.state.begin() as connection:
        assert len(exports.uncommitted(connection, "m", "l")) == 1
        assert actions(connection)[0]["reason"] == "1 conflicts, 1 actions, 1 request counts, 1 exports"


def reconciled(engine: Engine, days: float) -> Path:
    """Leave a reconciliation with all that belongs to it so many days ago; give the folder of its files."""
    at = NOW - timedelta(days=days)
    row = RowDifference(LegRef("m", "l"), '["a"]', Kind.MISSING, "a", None, "h")
    with engine.state.begin() as connection:
        number = reconciliations.begin(connection, "cli", f"{days}", Scope(), 0)
        reconciliations.record_legs(connection, number, "m", [(LegResult(row.leg, "1", 1, 1, 0, 0, {}), at)])
        seen = Seen(Finding(row, Verdict.DRIFT, "never_moved", "Send it."), at)
        differences.replace_of_map(connection, number, "m", [seen])
        wrong = {
            "name": "balance",
            "company": "uspm",
            "holds": False,
            "pending": False,
            "subject": "1",
            "message": "No.",
        }
        connection.execute(insert(invariant).values(reconciliation=number, **wrong))
        connection.execute(update(reconciliation).where(reconciliation.c.id == number).values(started_at=at))
    path = f"reconciliations/{number}/m.parquet"
    engine.staging.publish(path, b"rows")
    file = Path(engine.staging.uri_below(path).removeprefix("file://"))
    os.utime(file, (at.timestamp(), at.timestamp()))
    return file.parent


def test_reconciliations_go_with_all_that_they_found(engine: Engine) -> None:
    old, young = reconciled(engine, 32), reconciled(engine, 30)
    gone = {"differences": 1, "invariants": 1, "reconciled legs": 1, "reconciliations": 1}
    expected = NOTHING | gone | {"reconciliation folders": 1}
    assert preview(engine, NOW) == expected
    assert clean(engine, NOW, "ada") == expected
    assert [old.exists(), young.exists()] == [False, True]
    with engine.state.begin() as connection:
        kept = reconciliations.latest(connection)
        assert kept is None  # the one that is left has not finished
        left = reconciliations.get(connection, 2)
        assert left is not None and left.run_id == "30"
        assert len(differences.found(connection, 2)) == len(reconciliations.legs(connection, 2)) == 1


def test_a_preview_removes_nothing(engine: Engine) -> None:
    letter(engine, "old", "resolved", 91)
    folder = stage(engine, 1, 8)
    for _ in range(2):
        assert preview(engine, NOW) == NOTHING | {"dead letters": 1, "staged batches": 1}
    assert folder.exists()


def test_a_period_of_no_days_is_for_ever(engine: Engine) -> None:
    letter(engine, "old", "resolved", 10_000)
    folder = stage(engine, 1, 10_000)
    report = reconciled(engine, 10_000)
    never: dict[str, Any] = {f"keep_{what}_days": 0 for what in ("letters", "staging", "audit", "reports")}
    settings = replace(engine.settings, **never)
    nothing = {"evidence": 0, "staged batches": 0, "reconciliation folders": 0}
    assert clean(replace(engine, settings=settings), NOW, "ada") == nothing
    assert report.exists()
    assert folder.exists()
    assert "old" in letters(engine)


def test_the_engine_cleans_once_a_day(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned: list[datetime] = []

    def note(_: Engine, now: datetime, actor: str) -> None:
        cleaned.append(now)
        with engine.state.begin() as connection:
            record_action(connection, actor, "clean", "retention")
            connection.execute(update(audit).values(at=now))

    monkeypatch.setattr("projops.retention.clean", note)
    later, tomorrow = NOW + timedelta(hours=11), NOW + timedelta(hours=13)
    for moment in (NOW, NOW, later, tomorrow, tomorrow):
        clean_daily(engine, moment)
    assert cleaned == [NOW, tomorrow]
