"""The watch: what is told to whom, and what becomes of messages that do not get through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, update

from projops.alerts.failing import Failure, Task
from projops.alerts.model import Channel, Message, MessageKind
from projops.alerts.watch import watch
from projops.engine import Engine
from projops.errors import DeliveryError
from projops.mapping.model import System
from projops.settings import Settings
from projops.state import looks, task_failures
from projops.state.tables import alert, dead_letter, delivery, leg, look, pause, reconciliation, task_failure
from projops.systems.connection import Connection

CONSOLE = "https://airflow.example.com/projops"
Clock = Callable[[timedelta], None]
RULES = """\
channels:
  mail: {type: smtp, connection: smtp_default, to: [a@example.com]}
  slack: {type: slack, connection: hook}
rules:
  failures: {when: failure, notify: [mail]}
  errors: {when: dead_letters, rows: 3, minutes: 60, notify: [mail]}
  strict: {when: dead_letters, maps: [vendors], errors: any, rows: 2, minutes: 10, notify: [slack]}
  late: {when: late, areas: [reference_data], minutes: 30, notify: [mail], resolved: false}
  unproved: {when: unproved, hours: 30}
  broken: {when: broken_map, notify: [mail]}
  budget: {when: budget, percent: 80, notify: [mail]}
  channels: {when: channel, notify: [mail]}
"""


@dataclass
class Mailbox:
    """What channels took, and which of them refuse."""

    taken: list[tuple[str, MessageKind, str]] = field(default_factory=list)
    refusing: dict[str, bool] = field(default_factory=dict)

    def send(self, channel: Channel, message: Message) -> None:
        if channel.name in self.refusing:
            raise DeliveryError(f"{channel.name} is away.", again=self.refusing[channel.name])
        self.taken.append((channel.name, message.kind, message.subject))

    @property
    def channels(self) -> list[tuple[str, MessageKind]]:
        return [(name, kind) for name, kind, _ in self.taken]


class Killed(BaseException):
    """The process of a watch ends while a message is on its way."""


def killed(channel: Channel, message: Message) -> None:
    raise Killed


@pytest.fixture
def box() -> Mailbox:
    return Mailbox()


def now() -> datetime:
    """The present: tests are collected long before they run."""
    return datetime.now(UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the time that watches go by, from when the test began."""
    begun = now()

    def set_to(passed: timedelta) -> None:
        monkeypatch.setattr("projops.alerts.watch.present", lambda _: begun + passed)

    set_to(timedelta(0))
    return set_to


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine for all tests of the module: to open one takes longer than any of them."""
    folder = tmp_path_factory.mktemp("watch")
    settings = Settings(
        state_url=f"sqlite:///{folder / 'state.db'}",
        staging=str(folder / "staging"),
        alerts=folder / "alerts.yaml",
    )
    with Engine.open(settings, _no_connection) as opened:
        yield opened


def _no_connection(system: System) -> Connection:
    raise AssertionError(f"{system} is asked for something")


@pytest.fixture
def watched(kept: Engine, clock: Clock) -> Engine:
    kept.settings.alerts.write_text(RULES)
    with kept.state.begin() as connection:
        for table in (alert, delivery, dead_letter, leg, look, pause, reconciliation, task_failure):
            connection.execute(delete(table))
    return kept


def fail(engine: Engine, task_id: str = "vendors__finance_to_dataverse.load") -> Task:
    task = Task("reference_data", "run", task_id, "vendors", "finance_to_dataverse")
    with engine.state.begin() as connection:
        task_failures.note(connection, Failure(task, "LeaseHeldError", "lease:vendors", "Held.", "Wait."))
    return task


def letters(engine: Engine, map_id: str, rule: str, number: int, age: timedelta = timedelta(0)) -> None:
    facts = {"leg": "finance_to_dataverse", "status": "open", "stage": "load", "message": "No."}
    times = {name: now() - age for name in ("first_seen", "last_seen")}
    rows = [
        {"map": map_id, "source_id": f"{rule}{each}{age}", "rule": rule, "batch": 1, "mapping_version": "1"}
        for each in range(number)
    ]
    with engine.state.begin() as connection:
        connection.execute(insert(dead_letter), [facts | times | row for row in rows])


def alerts(engine: Engine) -> dict[str, Any]:
    with engine.state.reading() as connection:
        rows = connection.execute(select(alert).where(alert.c.resolved_at.is_(None))).mappings()
        return {row["cause"]: dict(row) for row in rows}


def test_what_is_new_is_told_once_and_what_is_over_taken_back(watched: Engine, box: Mailbox) -> None:
    task = fail(watched)
    fail(watched, "vendors__finance_to_dataverse.extract")
    first = watch(watched, box.send, CONSOLE)
    assert (len(first.opened), first.sent, first.unsent) == (1, 1, ())
    for _ in range(3):
        assert watch(watched, box.send, CONSOLE).sent == 0
    assert box.channels == [("mail", MessageKind.OPENED)]
    assert alerts(watched)["lease:vendors"]["rows"] == 2
    with watched.state.begin() as connection:
        task_failures.mend(connection, task)
    assert watch(watched, box.send, CONSOLE).resolved == ()  # the other task has not succeeded yet
    with watched.state.begin() as connection:
        task_failures.mend(connection, replace(task, task_id="vendors__finance_to_dataverse.extract"))
    assert len(watch(watched, box.send, CONSOLE).resolved) == 1
    assert box.channels == [("mail", MessageKind.OPENED), ("mail", MessageKind.RESOLVED)]


def test_a_leg_that_has_moved_on_mends_its_tasks(watched: Engine, box: Mailbox) -> None:
    fail(watched)
    watch(watched, box.send, CONSOLE)
    moved = {"map": "vendors", "leg": "finance_to_dataverse", "committed_at": now() + timedelta(minutes=1)}
    with watched.state.begin() as connection:
        connection.execute(insert(leg).values(moved))
    assert len(watch(watched, box.send, CONSOLE).resolved) == 1


def test_what_was_over_before_it_was_told_is_told_to_nobody(watched: Engine, box: Mailbox) -> None:
    box.refusing["mail"] = True
    task = fail(watched)
    watch(watched, box.send, CONSOLE)
    with watched.state.begin() as connection:
        task_failures.mend(connection, task)
    box.refusing.clear()
    watch(watched, box.send, CONSOLE)
    assert box.taken == []


def test_a_message_that_did_not_get_through_is_tried_later_and_later(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    box.refusing["mail"] = True
    fail(watched)
    tried = []
    for minute in range(16):
        clock(timedelta(minutes=minute))
        if watch(watched, box.send, CONSOLE).unsent:
            tried.append(minute)
    assert tried == [0, 1, 3, 7, 15]
    box.refusing.clear()
    clock(timedelta(minutes=31))
    watch(watched, box.send, CONSOLE)
    assert ("mail", MessageKind.OPENED) in box.channels


def test_a_channel_that_does_not_work_is_told_through_another_until_it_does(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    box.refusing["mail"] = False  # never again: a wrong address
    fail(watched)
    watch(watched, box.send, CONSOLE)
    watch(watched, box.send, CONSOLE)
    assert [(name, subject) for name, _, subject in box.taken] == [
        ("slack", "Warning: Channel mail cannot be reached")
    ]
    clock(timedelta(minutes=5))
    watch(watched, box.send, CONSOLE)
    assert len(box.taken) == 1  # nor is what was given up tried again
    box.refusing.clear()
    letters(watched, "units", "E2", 3)
    watch(watched, box.send, CONSOLE)
    watch(watched, box.send, CONSOLE)
    assert "channel:mail" not in alerts(watched)


def test_who_takes_a_message_and_falls_silent_is_given_up_after_some_minutes(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    fail(watched)
    with pytest.raises(Killed):
        watch(watched, killed, CONSOLE)
    watch(watched, box.send, CONSOLE)
    assert box.taken == []
    clock(timedelta(minutes=6))
    watch(watched, box.send, CONSOLE)
    assert box.channels == [("mail", MessageKind.OPENED)]


def test_errors_are_counted_by_kind_or_all_together_as_the_rule_says(watched: Engine, box: Mailbox) -> None:
    letters(watched, "vendors", "E2", 1)
    letters(watched, "vendors", "E5", 1)
    letters(watched, "units", "E2", 2)
    letters(watched, "units", "E5", 2)
    letters(watched, "customers", "E2", 9, age=timedelta(hours=2))
    watch(watched, box.send, CONSOLE)
    assert list(alerts(watched)) == ["dead_letters:vendors:any"]
    assert box.channels == [("slack", MessageKind.OPENED)]
    letters(watched, "units", "E2", 1, age=timedelta(minutes=1))
    watch(watched, box.send, CONSOLE)
    assert set(alerts(watched)) == {"dead_letters:vendors:any", "dead_letters:units:E2"}


def test_many_errors_are_over_when_few_are_left_and_not_when_time_has_passed(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    letters(watched, "units", "E2", 4)
    watch(watched, box.send, CONSOLE)
    clock(timedelta(days=2))
    assert watch(watched, box.send, CONSOLE).resolved == ()
    with watched.state.begin() as connection:
        two = dead_letter.c.source_id.in_([f"E2{each}{timedelta(0)}" for each in range(2)])
        connection.execute(update(dead_letter).where(two).values(status="resolved"))
    assert len(watch(watched, box.send, CONSOLE).resolved) == 1


def test_a_late_area_is_told_unless_something_known_holds_it_back(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    moved = {"map": "vendors", "leg": "finance_to_dataverse", "committed_at": now()}
    with watched.state.begin() as connection:
        connection.execute(insert(leg).values(moved))
    clock(timedelta(minutes=31))
    held = {"map": "vendors", "paused_at": now(), "paused_by": "ann", "reason": "x", "at_once": False}
    with watched.state.begin() as connection:
        connection.execute(insert(pause).values(held))
    watch(watched, box.send, CONSOLE)
    assert alerts(watched) == {}
    with watched.state.begin() as connection:
        connection.execute(delete(pause))
    task = fail(watched)
    with watched.state.begin() as connection:
        connection.execute(update(task_failure).values(at=now() + timedelta(minutes=1)))
    watch(watched, box.send, CONSOLE)
    assert set(alerts(watched)) == {"lease:vendors"}
    with watched.state.begin() as connection:
        task_failures.mend(connection, task)
    watch(watched, box.send, CONSOLE)
    late = alerts(watched)["late:reference_data"]
    assert "vendors finance_to_dataverse" in late["happened"]
    assert late["page"] == "maps?area=reference_data"
    with watched.state.begin() as connection:
        connection.execute(update(leg).values(committed_at=now() + timedelta(minutes=20)))
    before = len(box.taken)
    assert len(watch(watched, box.send, CONSOLE).resolved) == 1
    assert len(box.taken) == before  # the rule does not ask for the end


def test_that_nobody_reconciles_is_told_once_somebody_has(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    clock(timedelta(hours=31))
    watch(watched, box.send, CONSOLE)
    assert alerts(watched) == {}
    begun = {"dag_id": "cli", "run_id": "1", "status": "in_step", "started_at": now(), "finished_at": now()}
    whole = '{"companies": null, "maps": null, "since": null, "until": null}'
    with watched.state.begin() as connection:
        connection.execute(insert(reconciliation).values(begun | {"scope": whole}))
    watch(watched, box.send, CONSOLE)
    assert set(alerts(watched)) == {"unproved"}


def test_a_file_of_rules_that_is_wrong_is_told_by_those_that_are_right(watched: Engine, box: Mailbox) -> None:
    watched.settings.alerts.write_text(RULES + "  more: {when: drift, maps: [vendros]}\n")
    watch(watched, box.send, CONSOLE)
    [told] = alerts(watched).values()
    assert "maps of rule more names vendros" in told["happened"]
    assert box.channels == [("mail", MessageKind.OPENED)]


def test_a_file_of_rules_that_nobody_can_read_is_shown_and_takes_nothing_back(
    watched: Engine, box: Mailbox
) -> None:
    fail(watched)
    watch(watched, box.send, CONSOLE)
    watched.settings.alerts.write_text(RULES + "  more: {when: drift\n")
    assert watch(watched, box.send, CONSOLE).resolved == ()
    own = "mapping:" + f"{watched.settings.alerts.parent.name}/alerts.yaml"
    assert set(alerts(watched)) == {"lease:vendors", own}
    assert alerts(watched)[own]["severity"] == "critical"
    watched.settings.alerts.write_text(RULES)
    assert len(watch(watched, box.send, CONSOLE).resolved) == 1
    assert set(alerts(watched)) == {"lease:vendors"}
    assert box.channels == [("mail", MessageKind.OPENED)]


def test_a_leg_that_its_map_has_no_longer_is_not_late(watched: Engine, box: Mailbox) -> None:
    long_ago = {"committed_at": now() - timedelta(days=3)}
    with watched.state.begin() as connection:
        connection.execute(insert(leg).values(map="units", leg="former_to_finance", **long_ago))
    watch(watched, box.send, CONSOLE)
    assert alerts(watched) == {}


def test_an_idle_watch_asks_the_state_a_bounded_number_of_things(watched: Engine, box: Mailbox) -> None:
    letters(watched, "vendors", "E2", 500)
    watch(watched, box.send, CONSOLE)
    statements: list[str] = []

    def count(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(watched.state.engine, "before_cursor_execute", count)
    try:
        watch(watched, box.send, CONSOLE)
    finally:
        event.remove(watched.state.engine, "before_cursor_execute", count)
    assert len(statements) < 30


def test_a_leg_that_had_rested_is_not_late_when_its_first_change_is_seen(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    long_ago = now() - timedelta(days=3)
    moved = {"map": "vendors", "leg": "dataverse_to_finance", "committed_at": long_ago}
    with watched.state.begin() as connection:
        connection.execute(insert(leg).values(moved))
        for changes in (0, 1):
            looks.record(connection, "vendors", "dataverse_to_finance", changes, more=False)
    watch(watched, box.send, CONSOLE)
    assert alerts(watched) == {}
    clock(timedelta(minutes=31))
    watch(watched, box.send, CONSOLE)
    assert set(alerts(watched)) == {"late:reference_data"}


def test_who_is_killed_holds_up_one_message_and_the_rest_go_out(watched: Engine, box: Mailbox) -> None:
    fail(watched)
    letters(watched, "units", "E2", 3)
    with pytest.raises(Killed):
        watch(watched, killed, CONSOLE)
    assert watch(watched, box.send, CONSOLE).sent == 1


def test_a_beginning_whose_sender_was_killed_does_not_follow_its_end(
    watched: Engine, box: Mailbox, clock: Clock
) -> None:
    task = fail(watched)
    with pytest.raises(Killed):
        watch(watched, killed, CONSOLE)
    with watched.state.begin() as connection:
        task_failures.mend(connection, task)
    watch(watched, box.send, CONSOLE)
    clock(timedelta(minutes=6))
    watch(watched, box.send, CONSOLE)
    assert box.channels == [("mail", MessageKind.RESOLVED)]


def test_a_slow_channel_takes_no_longer_than_there_is_patience_and_comes_after_the_others(
    watched: Engine, box: Mailbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    monkeypatch.setattr("projops.alerts.watch.time", SimpleNamespace(monotonic=lambda: passed[0]))

    def slow(channel: Channel, message: Message) -> None:
        passed[0] += 30
        box.send(channel, message)

    box.refusing["mail"] = True
    fail(watched)
    letters(watched, "vendors", "E2", 2)
    assert len(watch(watched, slow, CONSOLE).unsent) == 1
    clock(timedelta(minutes=2))
    assert watch(watched, slow, CONSOLE).sent == 1  # slack, though mail is due for longer
    assert box.channels == [("slack", MessageKind.OPENED)]
