"""What the operators hand on, skip and raise, with the engine's stages stood in for."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType, SimpleNamespace
from typing import Any, NoReturn

import pytest
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    DownstreamTasksSkipped,
)

from projops.engine import Engine
from projops.errors import AuthenticationError, MapPausedError, ProjOpsError, SystemUnavailableError
from projops.orchestration import operators
from projops.orchestration.area_dag import area_dag
from projops.orchestration.engine_task import one_sentence
from projops.orchestration.operators import run_request
from projops.run import LegOutcome, LegRef, RunRequest, Staged
from projops.state import quality
from projops.state.batches import NewBatch, open_batch, record_extracted
from projops.state.pauses import Pause
from projops.state.quality import Breach

OUTCOME = LegOutcome(7, "units", "finance_to_dataverse", read=3, loaded=2, unchanged=1, seconds=1.5)


class TaskInstance:
    """As much of a task instance as the operators use."""

    map_index = -1

    def __init__(self, states: dict[str, str] | None = None, pulled: list[Any] | None = None) -> None:
        self.pushed: dict[str, Any] = {}
        self._states = states or {}
        self._pulled = pulled or []

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: list[str]) -> list[Any]:
        assert task_ids == [task_id for task_id, state in self._states.items() if state == "success"]
        return self._pulled

    def get_task_states(self, dag_id: str, run_ids: list[str]) -> dict[str, Any]:
        assert dag_id == "reference_data"
        return {run_ids[0]: self._states}


def context(ti: TaskInstance | None = None, **params: object) -> Any:
    form = {"maps": None, "companies": None, "mode": "incremental"} | params
    run = SimpleNamespace(
        dag_id="reference_data", run_id="run-1", run_type="manual", consumed_asset_events=[]
    )
    return {"params": form, "dag_run": run, "ti": ti or TaskInstance()}


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def nothing() -> Iterator[None]:
        with one_sentence():
            yield None

    monkeypatch.setattr(operators, "open_engine", nothing)


def test_the_form_becomes_the_request() -> None:
    asked = run_request(context(maps=["units"], companies=["USPM"], mode="full"))
    assert asked == RunRequest("reference_data", "run-1", ("units",), ("USPM",), "full", True)
    assert run_request(context()).maps is None


@pytest.mark.parametrize(
    ("error", "raised", "retried"),
    [
        (AuthenticationError("Connection a: refused.", remedy="Renew it."), AirflowFailException, False),
        (SystemUnavailableError("Finance is down.", remedy="Wait."), AirflowException, True),
    ],
)
def test_only_what_may_pass_is_retried(error: ProjOpsError, raised: type[Exception], retried: bool) -> None:
    with pytest.raises(raised) as caught, one_sentence():
        raise error
    assert str(caught.value) == str(error)
    assert caught.value.__suppress_context__
    assert isinstance(caught.value, AirflowFailException) is not retried


def test_a_programming_error_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), one_sentence():
        _ = 1 / 0


def detected(
    monkeypatch: pytest.MonkeyPatch, *due: LegRef, paused: Mapping[str, Pause] = MappingProxyType({})
) -> None:
    monkeypatch.setattr("projops.pipeline.detect", lambda engine, area, request: list(due))
    monkeypatch.setattr("projops.pausing.paused_in", lambda engine, area: paused)


@pytest.mark.usefixtures("mappings")
def test_an_idle_area_skips_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    detected(monkeypatch)
    detect = area_dag("reference_data", doc=None).get_task("detect")
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        detect.execute(context())
    assert set(skipped.value.tasks) == set(detect.dag.task_ids) - {"detect"}


@pytest.mark.usefixtures("mappings")
@pytest.mark.parametrize(
    ("woken_by", "noted"),
    [((), True), (("signals/reference_data",), False), (("signals/reference_data", "finance/Vendors"), True)],
)
def test_that_a_leg_rests_is_only_noted_where_all_were_looked_at(
    monkeypatch: pytest.MonkeyPatch, woken_by: tuple[str, ...], noted: bool
) -> None:
    """Of a leg that has not signalled, a run by signals does not know whether what failed has gone."""
    rested: list[str] = []
    monkeypatch.setattr(operators, "note_rest", lambda engine, area, due: rested.append(area))
    detected(monkeypatch)
    given = context()
    given["dag_run"].consumed_asset_events = [
        SimpleNamespace(asset=SimpleNamespace(name=name)) for name in woken_by
    ]
    with pytest.raises(DownstreamTasksSkipped):
        area_dag("reference_data", doc=None).get_task("detect").execute(given)
    assert bool(rested) is noted


@pytest.mark.usefixtures("mappings")
def test_a_leg_that_is_due_does_not_wake_the_maps_that_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    detected(monkeypatch, LegRef("companies", "finance_to_dataverse"))
    detect = area_dag("reference_data", doc=None).get_task("detect")
    ti = TaskInstance()
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        detect.execute(context(ti))
    stages = ("extract", "validate", "transform", "load")
    assert set(skipped.value.tasks) == {
        *(f"units__finance_to_dataverse.{task}" for task in stages),
        *(f"vendors__finance_to_dataverse.{task}" for task in ("needs", *stages)),
        *(f"vendors__dataverse_to_finance.{task}" for task in ("needs", *stages)),
    }
    assert set(ti.pushed["skipmixin_key"]["skipped"]) == set(skipped.value.tasks)


@pytest.mark.usefixtures("mappings")
def test_a_paused_map_is_named_in_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pause = Pause("units", datetime(2026, 11, 23, 8, 30, tzinfo=UTC), "anna", "Cleaning up")
    detected(monkeypatch, paused={"units": pause})
    detect = area_dag("reference_data", doc=None).get_task("detect")
    with pytest.raises(DownstreamTasksSkipped):
        detect.execute(context())
    sentence = "Map units stays still: paused by anna since 2026-11-23 08:30 UTC (Cleaning up)"
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize("stage", ["extract", "load"])
def test_a_map_that_was_paused_after_its_run_began_is_skipped(
    monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def refused(*_: object) -> NoReturn:
        raise MapPausedError("Map units is paused by anna.", remedy="Resume it first.")

    monkeypatch.setattr(f"projops.pipeline.{stage}", refused)
    staged = Staged(7, "units", "finance_to_dataverse", "transform", "file:///m.json", 3).as_json()
    tasks = {
        "extract": operators.ExtractOperator(task_id="e", leg=LegRef("units", "finance_to_dataverse")),
        "load": operators.LoadOperator(task_id="l", staged=staged),
    }
    with pytest.raises(AirflowSkipException, match=r"Map units is paused by anna\. Resume it first\."):
        tasks[stage].execute(context())


def test_stages_hand_on_where_the_rows_are(monkeypatch: pytest.MonkeyPatch) -> None:
    staged = Staged(7, "units", "finance_to_dataverse", "extract", "file:///m.json", 3)
    monkeypatch.setattr("projops.pipeline.extract", lambda engine, leg, request: staged)
    extract = operators.ExtractOperator(task_id="e", leg=LegRef("units", "finance_to_dataverse"))
    value = extract.execute(context())
    assert value == staged.as_json()

    seen = []
    monkeypatch.setattr("projops.pipeline.validate", lambda engine, given: seen.append(given) or given)
    operators.StageOperator(task_id="v", stage="validate", staged=value).execute(context())
    assert seen == [staged]


@pytest.mark.usefixtures("mappings")
def test_a_leg_without_rows_ends_with_its_extract(monkeypatch: pytest.MonkeyPatch) -> None:
    staged = Staged(7, "units", "finance_to_dataverse", "extract", "uri", 0)
    closed: list[Staged] = []

    def close(_engine: None, empty: Staged) -> LegOutcome:
        closed.append(empty)
        return OUTCOME

    monkeypatch.setattr("projops.pipeline.extract", lambda *_: staged)
    monkeypatch.setattr("projops.pipeline.close_empty", close)
    extract = area_dag("reference_data", doc="").get_task("units__finance_to_dataverse.extract")
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        extract.execute(context())
    rest = {f"units__finance_to_dataverse.{task}" for task in ("validate", "transform", "load")}
    assert set(skipped.value.tasks) == rest
    assert closed == [staged]


def loaded(engine: Engine, monkeypatch: pytest.MonkeyPatch, outcome: LegOutcome) -> dict[str, Any]:
    """Run a load that came to an outcome; give the extras of the asset events that Airflow would send."""
    new = NewBatch("d", "r", outcome.map, outcome.leg, "incremental", "1.0.0.0", "meaning", True)
    with engine.state.begin() as connection:
        batch = open_batch(connection, new)
        quality.record(connection, batch, "validate", [Breach("required", "Name", "error", 2)])
        record_extracted(connection, batch, "a delta link", "meaning", "1.0.0.0")

    @contextmanager
    def opened() -> Iterator[Engine]:
        yield engine

    monkeypatch.setattr(operators, "open_engine", opened)
    monkeypatch.setattr("projops.pipeline.load", lambda engine, staged: replace(outcome, batch=batch.id))
    load = area_dag("reference_data", doc=None).get_task("units__finance_to_dataverse.load")
    load.staged = Staged(
        batch.id, "units", "finance_to_dataverse", "transform", "file:///m.json", 3
    ).as_json()
    events = {asset: SimpleNamespace(extra=None) for asset in load.outlets}
    load.execute(context() | {"outlet_events": events})
    return {asset.uri: events[asset].extra for asset in load.outlets}


@pytest.mark.usefixtures("mappings")
def test_load_tells_its_asset_what_it_wrote(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(engine, monkeypatch, OUTCOME) == {
        "dataverse://dataverse_default/uom": {
            "map": "units",
            "leg": "finance_to_dataverse",
            "batch": 1,
            "rows": 2,
            "read": 3,
            "unchanged": 1,
            "parked": 0,
            "rejected": 0,
            "failed": 0,
            "mapping_version": "1.0.0.0",
            "watermark": hashlib.sha256(b"a delta link").hexdigest()[:12],
            "quality": {"validate": {"required": 2}},
        }
    }


@pytest.mark.usefixtures("mappings")
def test_a_load_that_wrote_nothing_wakes_nobody(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(engine, monkeypatch, replace(OUTCOME, loaded=0, unchanged=3)) == {}


def finish() -> operators.FinishOperator:
    return operators.FinishOperator(task_id="finish", load_task_ids=["a.load", "b.load", "c.load"])


def test_finish_gives_the_outcomes_of_the_legs_that_ran() -> None:
    ti = TaskInstance({"a.load": "success", "b.load": "skipped"}, [OUTCOME.as_json()])
    assert finish().execute(context(ti)) == [OUTCOME.as_json()]


def test_finish_fails_the_run_where_a_task_failed() -> None:
    ti = TaskInstance(
        {"a.load": "success", "b.load": "upstream_failed", "b.extract": "failed"}, [OUTCOME.as_json()]
    )
    with pytest.raises(AirflowFailException, match=r"Failed: b\.extract\."):
        finish().execute(context(ti))


def test_a_broken_map_fails_with_what_is_wrong() -> None:
    task = operators.BrokenMapOperator(task_id="units__broken", message="units.yaml:3: No field X. Write Y.")
    with pytest.raises(AirflowFailException, match=r"units\.yaml:3: No field X\. Write Y\."):
        task.execute(context())
