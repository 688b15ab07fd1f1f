"""What Airflow's side of alerts does where the state is away, and what the callbacks of tasks tell."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from projops.errors import SystemUnavailableError
from projops.orchestration import alert_operators
from projops.orchestration.alert_operators import TOLD, WatchOperator
from projops.orchestration.alerts_dag import alerts_dag
from projops.orchestration.area_dag import area_dag
from projops.orchestration.failures import note_failure, note_success, task_of
from projops.orchestration.reconciliation_dag import reconciliation_dag
from tests.receivers import Webhook, webhook

AWAY = "postgresql+psycopg://nobody:Pl4ntedPassword@127.0.0.1:1/nothing"
RULES = """\
channels:
  slack: {type: slack, connection: hook}
rules:
  failures: {when: failure, notify: [slack]}
"""


class Variables:
    """As much of Airflow's variables as the watch uses."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str, default: Any = None, deserialize_json: bool = False) -> Any:
        text = self.kept.get(key)
        return default if text is None else json.loads(text) if deserialize_json else text

    def set(self, key: str, value: Any, serialize_json: bool = False) -> None:
        self.kept[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        del self.kept[key]


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    (tmp_path / "alerts.yaml").write_text(RULES)
    monkeypatch.setenv("PROJOPS_ALERTS", str(tmp_path / "alerts.yaml"))
    monkeypatch.setenv("PROJOPS_STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("PROJOPS_STATE_URL", AWAY)
    with webhook() as running:
        facts = {"conn_type": "http", "password": running.address}
        monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps(facts))
        yield running


def context(task: Any, task_id: str = "watch", dag_id: str = "alerts") -> Any:
    ti = SimpleNamespace(dag_id=dag_id, run_id="run", task_id=task_id, start_date=datetime.now(UTC))
    return {"task": task, "ti": ti}


def test_a_state_that_is_away_is_told_directly_and_once_and_taken_back(
    hook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = Variables()
    monkeypatch.setattr(alert_operators, "Variable", variables)
    watch = WatchOperator(task_id="watch")
    for _ in range(3):
        with pytest.raises(AirflowFailException, match="The state database"):
            watch.execute(context(watch))
    [told] = hook.posts
    said = json.dumps(told)
    assert "projops_state" in told["text"]
    assert "Check the connection projops_state" in said
    assert "Pl4ntedPassword" not in said + variables.kept[TOLD]
    monkeypatch.setenv("PROJOPS_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    for _ in range(2):
        assert watch.execute(context(watch)) == {"opened": (), "resolved": (), "sent": 0, "unsent": ()}
    assert len(hook.posts) == 2
    assert "Over: " in hook.posts[1]["text"]
    assert variables.kept == {}


def test_a_message_that_no_channel_took_is_tried_again_by_the_next_run(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = Variables()
    monkeypatch.setattr(alert_operators, "Variable", variables)
    hook.answers = [(404, {}, "no_service")]
    watch = WatchOperator(task_id="watch")
    for kept in (False, True):
        with pytest.raises(AirflowFailException):
            watch.execute(context(watch))
        assert (TOLD in variables.kept) is kept


def test_a_defect_of_the_watch_itself_is_told_directly_and_once(
    hook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*arguments: object) -> None:
        raise KeyError("Pl4ntedPassword")

    monkeypatch.setattr(alert_operators, "Variable", Variables())
    monkeypatch.setattr("projops.orchestration.alert_sending.watch_on_airflow", defect)
    monkeypatch.setenv("PROJOPS_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    watch = WatchOperator(task_id="watch")
    for _ in range(2):
        with pytest.raises(KeyError):
            watch.execute(context(watch))
    [told] = hook.posts
    assert "failed unexpectedly" in told["text"]
    assert "Pl4ntedPassword" not in json.dumps(told)


def test_a_problem_with_alerts_is_none_of_the_run(hook: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    task = SimpleNamespace(concludes=True)
    failing = context(task, "detect", "reference_data")
    note_failure({**failing, "exception": AirflowException("x")})  # type: ignore[typeddict-item]
    note_success(failing)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Alerts could not be seen to"
    ] * 2
    assert "Pl4ntedPassword" not in caplog.text


@pytest.mark.parametrize(
    ("task_id", "compared", "place"),
    [
        ("vendors__finance_to_dataverse.load", None, ("vendors", "finance_to_dataverse")),
        ("detect", None, (None, None)),
        ("ledgers__broken", None, (None, None)),
        ("compare", "vendors", ("vendors", None)),
    ],
)
def test_a_task_is_of_the_leg_or_map_that_it_moves_or_compares(
    task_id: str, compared: str | None, place: tuple[str | None, str | None]
) -> None:
    found = task_of(context(SimpleNamespace(map_id=compared), task_id))
    assert (found.map, found.leg) == place


def test_every_task_tells_of_its_end_but_those_that_take_no_worker(mappings: Path) -> None:
    dag: Any
    for dag in (area_dag("reference_data", doc=None), reconciliation_dag("nightly_reconciliation", doc=None)):
        for task in dag.tasks:
            failed, succeeded = task.on_failure_callback, task.on_success_callback
            assert list(failed) == [note_failure], task.task_id
            assert list(succeeded) == ([] if task.task_id.endswith(".needs") else [note_success])


def test_the_watch_runs_from_the_beginning_one_run_at_a_time() -> None:
    dag = alerts_dag("alerts", doc="Watches.")
    assert (dag.max_active_runs, dag.is_paused_upon_creation, dag.catchup) == (1, False, False)
    assert [task.task_id for task in dag.tasks] == ["watch"]


def test_the_error_behind_airflows_is_what_is_noted() -> None:
    from projops.orchestration.engine_task import one_sentence
    from projops.orchestration.failures import _behind

    error = SystemUnavailableError("Down.", remedy="Wait.", connection="finance_default")
    with pytest.raises(AirflowException) as raised, one_sentence():
        raise error
    assert _behind(raised.value) is error
    assert _behind(None) is None
