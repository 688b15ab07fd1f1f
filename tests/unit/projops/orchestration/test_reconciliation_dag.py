"""The reconciliation's DAG: its order, its form, what each task asks of the engine and says at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from projops.errors import ConfigurationError
from projops.orchestration import reconciliation_operators
from projops.orchestration.engine_task import one_sentence
from projops.orchestration.links import DataDocsLink, ReportLink
from projops.orchestration.reconciliation_dag import reconciliation_dag
from projops.orchestration.reconciliation_operators import CompareOperator
from projops.reconcile.model import Invariant, Scope
from projops.reconcile.report.verdict import Numbers
from projops.reconcile.report.writing import Written

TASKS = ["begin", "compare", "repair", "compare_again", "books", "report", "verdict"]
GOOD = Numbers(7, expected=12, matched=10, explained=2, drift=0, threshold=0, broken_invariants=0)
BAD = Numbers(7, 12, 9, 2, drift=1, threshold=0, broken_invariants=2, not_compared=("units",))


class TaskInstance:
    """As much of a task instance as the operators use: what earlier tasks have pushed is there."""

    def __init__(self, **pushed: Any) -> None:
        self.pushed: dict[str, Any] = pushed

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        assert task_ids == {"reconciliation": "begin", "repairs": "repair"}[key]
        return self.pushed.get(key)


@pytest.fixture
def dag(mappings: Path) -> DAG:
    return reconciliation_dag("nightly_reconciliation", doc="Proves.")


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An engine of which the tasks only know that a map of it is broken."""
    opened = SimpleNamespace(loaded=SimpleNamespace(broken=[SimpleNamespace(map="bent")]))

    @contextmanager
    def give() -> Iterator[Any]:
        with one_sentence():
            yield opened

    monkeypatch.setattr(reconciliation_operators, "open_engine", give)
    return opened


def context(dag: DAG, ti: TaskInstance, **form: object) -> Any:
    params = {name: dag.params[name] for name in dag.params} | form
    run = SimpleNamespace(dag_id=dag.dag_id, run_id="run-1", triggering_user_name="anna")
    events = {asset: SimpleNamespace(extra={}) for asset in dag.get_task("report").outlets}
    return {"params": params, "dag_run": run, "ti": ti, "outlet_events": events}


def execute(dag: DAG, task_id: str, ti: TaskInstance, **form: object) -> Any:
    task: Any = dag.get_task(task_id)
    return task.execute(context(dag, ti, **form))


def test_it_runs_at_the_next_two_o_clock_and_never_overlaps_itself(dag: DAG) -> None:
    timetable: Any = dag.schedule
    assert (timetable.expression, str(timetable.timezone)) == ("0 2 * * *", "UTC")
    assert (timetable.run_immediately, dag.start_date) == (timedelta(0), None)
    assert dag.is_paused_upon_creation
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_the_tasks_follow_each_other_and_the_end_comes_whatever_became_of_the_others(dag: DAG) -> None:
    assert [task.task_id for task in dag.topological_sort()] == TASKS  # type: ignore[no-untyped-call]
    for before, after in zip(TASKS, TASKS[1:], strict=False):
        assert dag.get_task(after).upstream_task_ids == {before}
    rules = {task.task_id: task.trigger_rule for task in dag.tasks}
    assert {name for name, rule in rules.items() if rule == "all_done"} == {"repair", "books", "report"}


def test_maps_are_compared_two_at_once_and_named(dag: DAG) -> None:
    for name in ("compare", "compare_again"):
        task: Any = dag.get_task(name)
        assert task.is_mapped
        assert task.max_active_tis_per_dagrun == 2
        assert task.map_index_template == "{{ task.map_id }}"
    assert {task.pool for task in dag.tasks} == {"default_pool", "dataverse", "finance"}


def test_the_report_has_an_asset_and_both_last_tasks_lead_to_it(dag: DAG) -> None:
    assert [asset.uri for asset in dag.get_task("report").outlets] == [
        "projops://reports/nightly_reconciliation"
    ]
    for name in ("report", "verdict"):
        task: Any = dag.get_task(name)
        assert [link.name for link in task.operator_extra_links] == ["Report"]


def test_every_task_is_documented(dag: DAG) -> None:
    assert dag.doc_md == "Proves."
    assert [task.task_id for task in dag.tasks if not task.doc_md] == []


def test_the_form_asks_for_maps_companies_days_repair_and_threshold(
    mappings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJOPS_DRIFT_ROWS", "3")
    params = reconciliation_dag("nightly_reconciliation", doc=None).params
    assert {name: params[name] for name in params} == {
        "maps": None,
        "companies": None,
        "since": None,
        "until": None,
        "repair": False,
        "threshold": 3,
    }
    assert params.get_param("maps").schema["items"]["enum"] == ["companies", "units", "vendors"]
    assert params.get_param("since").schema["format"] == "date"


def began(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    asked: list[Any] = []

    def begin(_engine: object, *what: object) -> int:
        asked.append(what)
        return 7

    monkeypatch.setattr("projops.reconcile.reconciliation.begin", begin)
    monkeypatch.setattr(
        "projops.reconcile.reconciliation.maps_of", lambda _engine, scope: scope.maps or ("units", "vendors")
    )
    return asked


def test_the_form_becomes_the_scope(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ti = began(monkeypatch), TaskInstance()
    form = {"maps": ["units"], "companies": ["USPM"], "since": "2026-10-01", "until": "2026-10-31"}
    assert execute(dag, "begin", ti, **form, threshold=5) == [{"map_id": "units"}]
    scope = Scope(("units",), ("uspm",), date(2026, 10, 1), date(2026, 10, 31))
    assert asked == [("nightly_reconciliation", "run-1", scope, 5)]
    assert ti.pushed == {"reconciliation": 7}


def test_a_broken_map_is_compared_too_and_so_fails_alone(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    began(monkeypatch)
    maps = execute(dag, "begin", TaskInstance())
    assert maps == [{"map_id": "units"}, {"map_id": "vendors"}, {"map_id": "bent"}]


def test_a_map_is_compared_and_numbers_are_handed_on(
    dag: DAG, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leg = {"leg": "finance_to_dataverse", "expected_rows": 20, "matched": 19, "drift": 1}
    result = SimpleNamespace(legs=(leg,), as_json=lambda: {"map": "units"})
    asked: list[Any] = []

    def reconcile_map(_engine: object, *what: object) -> Any:
        asked.append(what)
        return result

    monkeypatch.setattr("projops.reconcile.reconciliation.reconcile_map", reconcile_map)
    task = CompareOperator(task_id="compare", begin_task_id="begin", map_id="units")
    assert task.execute(context(dag, TaskInstance(reconciliation=7))) == {"map": "units"}
    assert asked == [(7, "units", Scope())]
    assert "units finance_to_dataverse: 19 of 20 rows are equal, drift 1" in capsys.readouterr().out


@pytest.mark.parametrize("task_id", ["repair", "books", "report"])
def test_after_a_beginning_that_failed_nothing_is_made_up(dag: DAG, task_id: str) -> None:
    with pytest.raises(AirflowFailException, match="^Nothing was begun: begin failed; its log says why"):
        execute(dag, task_id, TaskInstance(), repair=True)


def test_what_cannot_be_is_one_sentence(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise ConfigurationError("There is no company xxpm.", remedy="Name one that there is.")

    monkeypatch.setattr("projops.reconcile.reconciliation.begin", refuse)
    with pytest.raises(AirflowFailException, match=r"^There is no company xxpm\. Name one that there is\.$"):
        execute(dag, "begin", TaskInstance(), companies=["XXPM"])


def test_nothing_is_repaired_unless_asked_for(dag: DAG) -> None:
    with pytest.raises(AirflowSkipException, match="Nobody asked"):
        execute(dag, "repair", TaskInstance(reconciliation=7))


def test_a_repair_names_who_asked_and_gives_the_maps_to_compare_again(
    dag: DAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def repair(_engine: object, *what: object) -> Any:
        asked.append(what)
        return SimpleNamespace(sentences=["1 row was sent."], maps=("units",))

    monkeypatch.setattr("projops.reconcile.repair.repairing.repair", repair)
    ti = TaskInstance(reconciliation=7)
    assert execute(dag, "repair", ti, repair=True) == [{"map_id": "units"}]
    assert asked == [(7, "anna")]
    assert ti.pushed["repairs"] == ["1 row was sent."]


def test_the_books_are_checked_with_all_maps_only(
    dag: DAG, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = (
        Invariant("debits_equal_credits", "uspm", True, False, "", "Fine."),
        Invariant("clearing_expense", "uspm", False, False, "130700", "It stands at 12.50."),
    )
    monkeypatch.setattr("projops.reconcile.accounting.check_books", lambda *_: found)
    assert execute(dag, "books", TaskInstance(reconciliation=7)) == {"hold": 1, "broken": 1}
    assert "clearing_expense uspm 130700: It stands at 12.50." in capsys.readouterr().out
    with pytest.raises(AirflowSkipException, match="Only some maps"):
        execute(dag, "books", TaskInstance(reconciliation=7), maps=["units"])


def test_the_report_succeeds_whatever_was_found_and_tells_its_asset(
    dag: DAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def write(_engine: object, *what: object) -> Written:
        asked.append(what)
        return Written(BAD, "file:///staging/reconciliations/7/report.html")

    monkeypatch.setattr("projops.reconcile.report.writing.write_report", write)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/base")
    task: Any = dag.get_task("report")
    given = context(dag, TaskInstance(reconciliation=7, repairs=["1 row was sent."]))
    assert task.execute(given) == BAD.as_json()
    assert asked == [(7, ("1 row was sent.",))]
    assert [event.extra for event in given["outlet_events"].values()] == [BAD.as_json()]
    address = ReportLink().get_link(task, ti_key=SimpleNamespace())  # type: ignore[arg-type]
    assert address == "https://airflow.example/base/projops/reports/7"


def test_the_verdict_fails_with_a_sentence_for_each_thing_that_is_wrong(dag: DAG) -> None:
    task: Any = dag.get_task("verdict")
    task.numbers = BAD.as_json()
    with pytest.raises(AirflowFailException) as failed:
        task.execute({})
    assert str(failed.value) == (
        "Drift of 1 row: both systems differ there, and nothing explains it. "
        "2 of the things that must hold of the books do not. Not compared: units. "
        "The report names each: see the link of this task."
    )
    assert ReportLink().get_link(task, ti_key=SimpleNamespace()).endswith("/projops/reports/7")  # type: ignore[arg-type]


def test_the_verdict_says_that_both_sides_are_equal(dag: DAG, capsys: pytest.CaptureFixture[str]) -> None:
    task: Any = dag.get_task("verdict")
    task.numbers = GOOD.as_json()
    task.execute({})
    assert (
        "In step: 10 rows of 12 are equal, and 2 rows differ for a known reason." in capsys.readouterr().out
    )


def test_a_task_that_has_not_come_to_a_page_has_no_link() -> None:
    task = SimpleNamespace(page=None)
    assert DataDocsLink().get_link(task, ti_key=SimpleNamespace()) == ""  # type: ignore[arg-type]
