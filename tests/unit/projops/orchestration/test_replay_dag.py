"""The replay DAG: its form, what each task asks of the engine and of Airflow, and what it says at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, DagRunTriggerException

from projops.mapping.reader import load_maps
from projops.orchestration import replay_operators
from projops.orchestration.engine_task import one_sentence
from projops.orchestration.replay_dag import replay_dag
from projops.orchestration.replay_operators import CHOSEN, RunAreaOperator
from projops.state import StateStore, dead_letters
from projops.state.audit import actions
from projops.state.dead_letters import Letter, Origin

LEG = "finance_to_dataverse"


class TaskInstance:
    """As much of a task instance as the operators use."""

    try_number = 1

    def __init__(self, *, paused: bool = False) -> None:
        self.pushed: dict[str, Any] = {}
        self._paused = paused

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        assert task_ids == "choose"
        return self.pushed.get(key)

    def get_dag(self, dag_id: str) -> Any:
        return SimpleNamespace(dag_id=dag_id, is_paused=self._paused)


@pytest.fixture
def dag(mappings: Path) -> DAG:
    (mappings / "reference_data" / "companies.yaml").write_text(
        "enabled: false\n" + (mappings / "reference_data" / "companies.yaml").read_text()
    )
    return replay_dag("replay_dead_letters", doc="Replays.")


@pytest.fixture
def state(tmp_path: Path, mappings: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateStore]:
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    store.prepare()

    @contextmanager
    def opened() -> Iterator[Any]:
        with one_sentence():
            yield SimpleNamespace(state=store, maps=load_maps(mappings).maps)

    monkeypatch.setattr(replay_operators, "open_engine", opened)
    yield store
    store.close()


def context(ti: TaskInstance, dag: DAG, **form: object) -> Any:
    params = {name: dag.params[name] for name in dag.params} | form
    run = SimpleNamespace(dag_id=dag.dag_id, run_id="run-1", triggering_user_name="anna")
    return {"params": params, "dag_run": run, "ti": ti}


def put(store: StateStore, source_id: str, map_id: str = "units", status: str = "open") -> int:
    letter = Letter(source_id, f'["{source_id}"]', status, "load", "E6", "No.")
    with store.begin() as connection:
        dead_letters.record(connection, Origin(map_id, LEG, 1, "1"), [letter])
        return int(dead_letters.live(connection)[0]["id"])


def choose(dag: DAG, ti: TaskInstance, **form: object) -> Any:
    task: Any = dag.get_task("choose")
    return task.execute(context(ti, dag, **form))


def report(dag: DAG, ti: TaskInstance) -> None:
    task: Any = dag.get_task("report")
    task.execute(context(ti, dag))


def test_the_form_offers_what_to_do_and_with_which(dag: DAG) -> None:
    assert dag.params["action"] == "replay"
    assert dag.params.get_param("action").schema["enum"] == ["replay", "approve", "dismiss"]
    assert dag.params.get_param("map").schema["enum"] == [None, "companies", "units", "vendors"]
    assert [dag.params[name] for name in ("numbers", "map", "error", "everything", "reason")] == [
        None,
        None,
        None,
        False,
        None,
    ]
    assert dag.schedule is None
    assert [task.task_id for task in dag.tasks if not task.doc_md] == []


def test_what_was_chosen_runs_by_area_and_is_reported_whatever_became_of_it(dag: DAG) -> None:
    assert dag.get_task("run").upstream_task_ids == {"choose"}
    assert dag.get_task("report").upstream_task_ids == {"run"}
    assert dag.get_task("report").trigger_rule == "all_done"


@pytest.mark.parametrize("form", [{}, {"numbers": [], "reason": "Because"}])
def test_without_a_choice_nothing_is_done_and_nothing_fails(
    dag: DAG, state: StateStore, capsys: pytest.CaptureFixture[str], form: dict[str, object]
) -> None:
    put(state, "a")
    ti = TaskInstance()
    assert choose(dag, ti, **form) == []
    report(dag, ti)
    assert "Nothing was chosen" in capsys.readouterr().out
    with state.begin() as connection:
        assert actions(connection) == []


def test_the_areas_of_what_was_chosen_are_run_and_the_user_is_noted(dag: DAG, state: StateStore) -> None:
    put(state, "a")
    put(state, "b", "vendors")
    put(state, "c", "vendors", "awaiting_approval")
    ti = TaskInstance()
    assert choose(dag, ti, everything=True) == [{"area": "reference_data", "maps": ["units", "vendors"]}]
    assert ti.pushed[CHOSEN]["count"] == 2
    assert ti.pushed[CHOSEN]["refused"] == []
    with state.begin() as connection:
        assert {(row["actor"], row["action"]) for row in actions(connection)} == {("anna", "replay")}


def test_a_map_that_is_off_or_gone_is_named(
    dag: DAG, state: StateStore, capsys: pytest.CaptureFixture[str]
) -> None:
    put(state, "a", "companies")
    put(state, "b", "long_gone")
    assert choose(dag, TaskInstance(), everything=True) == []
    said = capsys.readouterr().out
    assert "Map companies is broken or off" in said
    assert "Map long_gone is broken or off" in said


def test_an_approval_is_answered_from_the_form(dag: DAG, state: StateStore) -> None:
    held, refused = put(state, "a", status="awaiting_approval"), put(state, "b")
    ti = TaskInstance()
    assert choose(dag, ti, action="approve", numbers=[held, refused]) == [
        {"area": "reference_data", "maps": ["units"]}
    ]
    assert ti.pushed[CHOSEN]["refused"] == [refused]
    with state.begin() as connection:
        row = dead_letters.get(connection, held)
    assert row is not None
    assert row["approved_by"] == "anna"
    with pytest.raises(AirflowFailException, match=f"Still there: {held}, {refused}"):
        report(dag, ti)


def test_a_dismissal_runs_nothing_and_needs_a_reason(dag: DAG, state: StateStore) -> None:
    number = put(state, "a")
    with pytest.raises(AirflowFailException, match="needs a reason"):
        choose(dag, TaskInstance(), action="dismiss", numbers=[number])
    ti = TaskInstance()
    assert choose(dag, ti, action="dismiss", numbers=[number], reason="Twice") == []
    report(dag, ti)
    assert ti.pushed["became"] == {"dismissed": 1}


def test_a_wrong_number_fails_with_one_sentence(dag: DAG, state: StateStore) -> None:
    ti = TaskInstance()
    with pytest.raises(AirflowFailException, match=r"^There is no dead letter 7\. `projops"):
        choose(dag, ti, numbers=[7])
    with pytest.raises(AirflowFailException, match="Nothing was done: choose failed"):
        report(dag, ti)


def test_the_report_fails_only_for_what_is_still_there(
    dag: DAG, state: StateStore, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = put(state, "a"), put(state, "b")
    ti = TaskInstance()
    choose(dag, ti, map="units")
    with state.begin() as connection:
        dead_letters.resolve(connection, "units", LEG, ["a"], "moved by batch 2")
    with pytest.raises(AirflowFailException, match=rf"^Still there: {two}\."):
        report(dag, ti)
    said = capsys.readouterr().out
    assert ti.pushed["became"] == {"resolved": 1, "open": 1}
    assert f'{one}  units ["a"]  resolved: moved by batch 2' in said
    assert f'{two}  units ["b"]  open: Not tried yet' in said
    with state.begin() as connection:
        dead_letters.resolve(connection, "units", LEG, ["b"], "moved by batch 3")
    report(dag, ti)
    assert ti.pushed["became"] == {"resolved": 2}


def area_run() -> RunAreaOperator:
    return RunAreaOperator(task_id="run", area="reference_data", maps=["units"])


def test_an_area_is_run_in_its_own_dag_and_waited_for_without_a_worker(dag: DAG) -> None:
    with pytest.raises(DagRunTriggerException) as asked:
        area_run().execute(context(TaskInstance(), dag))
    told = asked.value
    assert (told.trigger_dag_id, told.conf) == ("reference_data", {"maps": ["units"]})
    assert told.dag_run_id == "run-1__reference_data__1"
    assert (told.wait_for_completion, told.deferrable) == (True, True)


def test_a_paused_area_is_said_at_once(dag: DAG) -> None:
    with pytest.raises(AirflowFailException, match="DAG reference_data is paused, so the rows of units stay"):
        area_run().execute(context(TaskInstance(paused=True), dag))


def test_the_end_of_an_areas_run_is_taken_from_the_triggerer(dag: DAG) -> None:
    ended = {"run_ids": ["r"], "r": "success"}
    area_run().execute_complete(context(TaskInstance(), dag), ("DagStateTrigger", ended))
    with pytest.raises(AirflowFailException, match="The run r of reference_data failed"):
        area_run().execute_complete(
            context(TaskInstance(), dag), ("DagStateTrigger", ended | {"r": "failed"})
        )
