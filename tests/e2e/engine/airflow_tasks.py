"""Tasks as Airflow runs them, without its servers: the operators and callbacks of the DAGs, for real."""

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowException, DownstreamTasksSkipped
from sqlalchemy import text, update

from projops.orchestration.alert_sending import watch_on_airflow
from projops.orchestration.connections import airflow_engine
from projops.orchestration.failures import note_failure, note_success
from projops.orchestration.operators import (
    DetectOperator,
    ExtractOperator,
    FinishOperator,
    LoadOperator,
    StageOperator,
)
from projops.run import LegRef
from projops.settings import PROJECT_ROOT
from projops.state.tables import metadata
from tests.e2e.engine.world import TOKEN, World
from tests.receivers import Webhook


class TaskInstance:
    """As much of a task instance as operators and callbacks use."""

    map_index = -1
    log_url = "http://localhost:8080/dags/a/runs/b/tasks/c"

    def __init__(self, dag_id: str, run_id: str, task_id: str, states: Mapping[str, str]) -> None:
        self.dag_id, self.run_id, self.task_id = dag_id, run_id, task_id
        self.start_date = datetime.now(UTC)
        self._states = states

    def xcom_push(self, key: str, value: Any) -> None:
        """Nobody pulls."""

    def xcom_pull(self, task_ids: Sequence[str]) -> list[Any]:
        return []

    def get_task_states(self, dag_id: str, run_ids: Sequence[str]) -> dict[str, Any]:
        return {run_ids[0]: {name: state for name, state in self._states.items() if state == "failed"}}


@dataclass
class Site:
    """Somebody's Airflow before a sandbox: its connections, its tasks, and where its alerts go.

    Attributes:
        world: The sandbox, and the state.
        environment: Sets what Airflow and the engine read from the environment.
        hook: What the channel was sent.
        folder: Where its own files stand.
        states: What became of the tasks of the latest run.
    """

    world: World
    environment: pytest.MonkeyPatch
    hook: Webhook
    folder: Path
    states: dict[str, str] = field(default_factory=dict)

    def set(self, **settings: object) -> None:
        for name, value in settings.items():
            self.environment.setenv(f"PROJOPS_{name.upper()}", str(value))

    def connect(self, system: str, host: str | None = None, **facts: Any) -> None:
        """Define the connection to a system, as Airflow reads it; with a token, if no facts are given."""
        parts = {"conn_type": system, "host": host or getattr(self.world.sandbox, system)}
        parts |= facts or {"extra": {"token": TOKEN}}
        self.environment.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", json.dumps(parts))

    def run(self, area: str, *maps: str) -> None:
        """Run the DAG of an area for some of its maps, as far as each leg comes."""
        run_id, self.states = uuid.uuid4().hex, {}
        params = {"maps": list(maps) or None, "companies": None, "mode": "incremental"}
        detect = DetectOperator(task_id="detect", area=area, finish_task_id="finish", has_broken=False)
        self.task(detect, area, run_id, "detect", params)
        for leg in detect._due:
            self._leg(leg, area, run_id, params)
        self.task(FinishOperator(task_id="finish", load_task_ids=[]), area, run_id, "finish", params)

    def _leg(self, leg: LegRef, area: str, run_id: str, params: Mapping[str, Any]) -> None:
        staged = self.task(
            ExtractOperator(task_id="extract", leg=leg), area, run_id, f"{leg}.extract", params
        )
        for stage in ("validate", "transform"):
            if staged is None or not staged["rows"]:
                return
            operator = StageOperator(task_id=stage, stage=stage, staged=staged)
            staged = self.task(operator, area, run_id, f"{leg}.{stage}", params)
        if staged is not None:
            self.task(LoadOperator(task_id="load", staged=staged), area, run_id, f"{leg}.load", params)

    def task(
        self, operator: BaseOperator, dag_id: str, run_id: str, task_id: str, params: Mapping[str, Any]
    ) -> Any:
        """Run a task with its callbacks, as after its last try; give what it returned, None if it failed."""
        operator.dag = DAG(dag_id, schedule=None)
        context: Any = {
            "task": operator,
            "ti": TaskInstance(dag_id, run_id, task_id, self.states),
            "params": params,
            "dag_run": SimpleNamespace(
                dag_id=dag_id, run_id=run_id, run_type="scheduled", consumed_asset_events=[]
            ),
            "outlet_events": {},
        }
        given = None
        try:
            with suppress(DownstreamTasksSkipped):
                given = operator.execute(context)
        except AirflowException as error:
            self.states[task_id] = "failed"
            context["exception"] = error
            note_failure(context)
            return None
        self.states[task_id] = "success"
        note_success(context)
        return given

    def own(self, folder: str) -> Path:
        """Give a copy of a folder of `include`, which the engine reads from now on in its place."""
        copy = self.folder / "include" / folder
        if not copy.exists():
            shutil.copytree(PROJECT_ROOT / "include" / folder, copy)
        self.set(**{folder: copy})
        return copy

    def age(self, table: str, column: str, where: str) -> None:
        """Let days pass over some rows of the state."""
        with self.world.engine() as engine, engine.state.begin() as connection:
            changed = update(metadata.tables[table]).where(text(where))
            connection.execute(changed.values({column: datetime.now(UTC) - timedelta(days=3)}))

    def watch(self) -> None:
        """Run the watch, as the DAG of alerts does every five minutes."""
        with airflow_engine() as engine:
            watch_on_airflow(engine)

    @property
    def failed(self) -> list[str]:
        return [task_id for task_id, state in self.states.items() if state == "failed"]


RULES = """\
channels:
  slack: {{type: slack, connection: hook}}
notify: [slack]
rules:
  failures: {{when: failure}}
  stopped: {{when: stopped}}
  broken_maps: {{when: broken_map}}
  dead_letters: {{when: dead_letters, rows: 2, minutes: 60}}
  approvals: {{when: approval}}
  parked: {{when: parked, hours: 24}}
  late: {{when: late, hours: 12}}
  drift: {{when: drift}}
  budget: {{when: budget, percent: 80}}
  channels: {{when: channel}}
{more}
"""


@contextmanager
def site_of(world: World, hook: Webhook, folder: Path, more: str = "") -> Iterator[Site]:
    """Give a site whose alerts go to a webhook, with rules of its own."""
    (folder / "include").mkdir(exist_ok=True)
    rules = folder / "include" / "alerts.yaml"
    rules.write_text(RULES.format(more=more))
    with pytest.MonkeyPatch.context() as environment:
        site = Site(world, environment, hook, folder)
        settings = world.settings
        site.set(state_url=settings.state_url, staging=settings.staging, alerts=rules)
        site.connect("dataverse")
        site.connect("finance")
        environment.setenv("AIRFLOW_CONN_HOOK", json.dumps({"conn_type": "http", "password": hook.address}))
        environment.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com")
        yield site
