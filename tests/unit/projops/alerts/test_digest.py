"""The daily digest: what it says of how everything stands, and that each channel has each day's once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from projops.alerts.digest import gather, send_digest
from projops.alerts.digest_text import Facts
from projops.alerts.digest_text import digest as written
from projops.alerts.model import Channel, Line, Message, MessageKind
from projops.cli import main
from projops.engine import Engine
from projops.errors import DeliveryError
from projops.mapping.model import System
from projops.reconcile.model import Scope
from projops.settings import Settings
from projops.state import digests, reconciliations
from projops.state.tables import alert, batch, digest, leg, request_count
from projops.state.throttling import Budget
from projops.systems.connection import Connection

NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
CONSOLE = "https://airflow.example.com/projops"
FILE = """\
channels:
  mail: {type: smtp, connection: smtp_default, to: [a@example.com]}
  slack: {type: slack, connection: hook}
rules: {}
digest: {at: "06:00", zone: Europe/Stockholm, notify: [mail, slack]}
"""
IN_STEP = Facts(date(2026, 11, 24), {"in step": 36}, {}, (), (), 0, 0, None, 0, Budget(50_000, {}))


@dataclass
class Mailbox:
    taken: list[tuple[str, str]] = field(default_factory=list)
    refusing: set[str] = field(default_factory=set)

    def send(self, channel: Channel, message: Message) -> None:
        if channel.name in self.refusing:
            raise DeliveryError(f"{channel.name} is away.", again=True)
        self.taken.append((channel.name, message.reference))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("digest")
    (folder / "alerts.yaml").write_text(FILE)
    settings = Settings(
        state_url=f"sqlite:///{folder / 'state.db'}", staging=str(folder), alerts=folder / "alerts.yaml"
    )
    with Engine.open(settings, _no_connection) as opened:
        yield opened


def _no_connection(system: System) -> Connection:
    raise AssertionError(f"{system} is asked for something")


@pytest.fixture
def engine(kept: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr("projops.alerts.digest.present", lambda _: NOW)
    with kept.state.begin() as connection:
        for table in (alert, batch, digest, leg, request_count):
            connection.execute(delete(table))
    return kept


def test_all_in_step_is_a_few_sentences() -> None:
    told = written(IN_STEP, CONSOLE)
    assert (told.kind, told.reference) == (MessageKind.DIGEST, "digest-2026-11-24")
    assert told.subject == "2026-11-24: nothing needs a person"
    assert told.happened == (
        "All 36 legs are in step. Nothing moved in the last 24 hours. Nothing has been reconciled yet. "
        "No alert. Requests of the day before: 0 of 50,000."
    )
    assert (told.lines, told.link) == ((), f"{CONSOLE}/maps")


def test_the_maps_that_moved_most_are_named() -> None:
    moved = {f"m{number}": 1000 - number for number in range(7)}
    assert "6,979 rows moved: m0 1,000, m1 999, m2 998, m3 997, m4 996, and others." in (
        written(replace(IN_STEP, moved=moved), "").happened
    )
    assert "1 row moved: m0 1." in written(replace(IN_STEP, moved={"m0": 1}), "").happened


def test_it_tells_what_the_state_knows(engine: Engine) -> None:
    stopped = {"title": "customers has stopped", "happened": "h", "meaning": "m", "remedy": "r", "rows": 1}
    with engine.state.begin() as connection:
        _batch(connection, 1, "units", "committed", loaded=12, finished_at=NOW)
        _batch(connection, 2, "customers", "running", stopped_because="60 of 100 rows are bad.")
        connection.execute(
            insert(leg).values(
                map="units", leg="finance_to_dataverse", watermark="w", batch=1, committed_at=NOW
            )
        )
        for number, severity, page in ((1, "warning", "alerts"), (2, "critical", "maps/customers")):
            facts = {"kind": "stopped", "rule": "r", "severity": severity, "page": page, "tells_end": True}
            times = {"opened_at": NOW - timedelta(hours=number), "last_seen": NOW}
            named = {"id": number, "cause": f"c{number}", "action": "none"}
            connection.execute(insert(alert).values(**named, **facts, **stopped, **times))
        connection.execute(insert(request_count).values(day="2026-11-22", system="finance", requests=41_000))
        proof = reconciliations.begin(connection, "nightly_reconciliation", "r", Scope(), 0)
        reconciliations.finish(connection, proof, [])
    told = written(gather(engine, "Europe/Stockholm", NOW), CONSOLE)
    assert told.reference == "digest-2026-11-24"  # there it is half past midnight
    assert told.subject == "2026-11-24: 2 things need a person"
    assert told.lines == (
        Line("Critical: customers has stopped", f"{CONSOLE}/maps/customers"),
        Line("Warning: customers has stopped", f"{CONSOLE}/alerts"),
    )  # and not once more that the leg has stopped: the first line leads there
    assert told.happened.startswith("1 of 36 legs are in step; 1 stopped, 34 not running.")
    assert "12 rows moved: units 12." in told.happened
    assert "The last reconciliation of everything ended at" in told.happened
    assert "no drift" in told.happened
    assert "Alerts: 2 new, 0 over, 2 open." in told.happened
    assert told.happened.endswith("Requests of the day before: 41,000 of 50,000.")


def _batch(connection: Any, number: int, map_id: str, status: str, **facts: Any) -> None:
    values = {
        "id": number,
        "dag_id": "reference_data",
        "run_id": f"r{number}",
        "map": map_id,
        "leg": "finance_to_dataverse",
        "mode": "incremental",
        "status": status,
        "mapping_version": "1.0.0.0",
        "fingerprint": "f",
        "advances": True,
        "watermark_from": "w",
        "started_at": datetime.now(UTC),
    }
    connection.execute(insert(batch).values(values | facts))


def test_each_channel_has_each_days_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    box = Mailbox(refusing={"slack"})
    first = send_digest(engine, box.send, CONSOLE)
    assert (first.to, first.before, first.unsent) == (("mail",), (), ("slack is away.",))
    box.refusing.clear()
    again = send_digest(engine, box.send, CONSOLE)
    assert (again.to, again.before, again.unsent) == (("slack",), ("mail",), ())
    assert send_digest(engine, box.send, CONSOLE).before == ("mail", "slack")
    monkeypatch.setattr("projops.alerts.digest.present", lambda _: NOW + timedelta(days=40))
    assert send_digest(engine, box.send, CONSOLE).to == ("mail", "slack")
    days = ["digest-2026-11-24"] * 2 + ["digest-2027-01-03"] * 2
    assert box.taken == list(zip(["mail", "slack"] * 2, days, strict=True))
    with engine.state.reading() as connection:
        assert set(connection.execute(select(digest.c.day)).scalars()) == {"2027-01-03"}  # others are old


def test_who_takes_it_and_falls_silent_is_given_up(engine: Engine) -> None:
    day = NOW.date()

    def take(after: timedelta) -> bool:
        with engine.state.begin() as connection:
            return digests.take(connection, day, "mail", NOW + after)

    assert [take(timedelta(minutes=each)) for each in (0, 4, 6, 7)] == [True, False, True, False]
    with engine.state.begin() as connection:
        digests.note_sent(connection, day, "mail", NOW)
    assert not take(timedelta(hours=1))


def test_of_many_at_once_one_takes_it(engine: Engine) -> None:
    def take(_: int) -> bool:
        with engine.state.begin() as connection:
            return digests.take(connection, NOW.date(), "mail", NOW)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]


def test_the_command_prints_it_and_sends_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROJOPS_STATE_URL", str(engine.state.url))
    monkeypatch.setenv("PROJOPS_ALERTS", str(engine.settings.alerts))
    for arguments in ([], ["--json"]):
        monkeypatch.setattr("sys.argv", ["projops", "digest", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
    text, _, last = capsys.readouterr().out.strip().rpartition("\n")
    assert text.splitlines()[0].endswith("nothing needs a person")
    assert json.loads(last)["kind"] == "digest"
    with engine.state.reading() as connection:
        assert connection.execute(select(digest)).all() == []
