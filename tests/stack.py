"""Sandbox and Airflow's four components as they run in `make demo`: `e2e/` and `browser/` share them.

Each module names its database, SQLite or Postgres, and has one stack; each test leaves both systems in step.
What does not need Airflow is tested on both databases with the engine alone, in `e2e/engine/`.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from runner.api import FINAL, AirflowApi
from runner.layout import ROOT, Layout, free_port
from runner.moves import run_until_in_step
from runner.stack import STEPS, Stack, connect, running
from runner.waiting import until
from runner.wire import Wire
from tests.contract.process import postgres
from tests.receivers import statsd

RUN_SECONDS = 600
FRAME = STEPS[:2]


@pytest.fixture(scope="session")
def measured() -> Iterator[list[str]]:
    """Metrics as Airflow's processes send them, a line of StatsD a value.

    Few kinds: a receiver that is flooded loses some.
    """
    with statsd() as (port, lines), pytest.MonkeyPatch.context() as patch:
        told = {"STATSD_ON": "True", "STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(port)}
        for name, value in {**told, "METRICS_ALLOW_LIST": r"^projops\.(rows|batch|stage|legs)"}.items():
            patch.setenv(f"AIRFLOW__METRICS__{name}", value)
        yield lines


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, measured: list[str]
) -> Iterator[Stack]:
    measured.clear()  # of a stack before this one; it is there before Airflow's processes begin
    folder = tmp_path_factory.mktemp(f"stack-{request.param}")
    mappings = shutil.copytree(ROOT / "include" / "mappings", folder / "mappings")
    layout = Layout(
        folder, f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}", mappings=mappings
    )
    with ExitStack() as opened:
        if request.param == "postgres":
            layout = on_postgres(layout, opened.enter_context(postgres()))
        yield opened.enter_context(running(layout, free_port(), print))


def on_postgres(layout: Layout, url: str) -> Layout:
    """The same layout with databases of their own for sandbox and state on a Postgres server."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        for name in ("sandbox", "state"):
            connection.execute(f"CREATE DATABASE {name}")
    return Layout(
        layout.folder,
        sandbox_database=_database(url, "sandbox"),
        state_url=_database(url, "state"),
        mappings=layout.mappings,
    )


def _database(url: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def first_rounds(stack: Stack) -> list[int]:
    """All areas in step: how many rows moved in each round until then."""
    return run_until_in_step(stack, print)


@pytest.fixture(scope="session")
def framed(stack: Stack) -> None:
    """The first areas in step: reference data, and the projects with what frames them."""
    run_until_in_step(stack, print, FRAME)


@pytest.fixture
def api(stack: Stack) -> Iterator[AirflowApi]:
    """Airflow's API; afterwards the connections are right again and no fault stands."""
    yield stack.api
    connect(stack.api, stack.sandbox)
    httpx.delete(f"{stack.sandbox.control}/sandbox/faults", trust_env=False).raise_for_status()


@pytest.fixture
def wire(stack: Stack) -> Iterator[Wire]:
    with closing(Wire.sign_in(stack.sandbox)) as signed_in:
        yield signed_in


@pytest.fixture
def run(stack: Stack, api: AirflowApi) -> Callable[..., tuple[str, str]]:
    """Trigger a DAG and wait for its end: gives run id and final state."""

    def go(area: str, **conf: object) -> tuple[str, str]:
        run_id = api.trigger(area, conf)
        return run_id, ended(stack, api, area, run_id)

    return go


def ended(stack: Stack, api: AirflowApi, area: str, run_id: str) -> str:
    def final() -> str | None:
        state = api.run_state(area, run_id)
        return state if state in FINAL else None

    return until(final, f"the run {run_id}", RUN_SECONDS, stack.processes)


def writes(stack: Stack) -> int:
    """How many writes the sandbox has seen, sign-ins not counted."""
    stats = httpx.get(f"{stack.sandbox.control}/sandbox/stats", trust_env=False).json()
    return len([write for write in stats["writes"] if write["entity"] not in {"$batch", "token"}])
