"""Airflow's four components as processes, on loopback only."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx

from runner.api import AirflowApi
from runner.environment import ROLES, airflow_environment
from runner.errors import RunnerError
from runner.layout import ROOT, Layout, require_free
from runner.processes import Process, start
from runner.waiting import until

_HEALTHY_SECONDS = 240.0
_API = ("metadatabase",)
_COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow.

    Attributes:
        address: Base URL of UI and API.
        passwords: Generated password of each user; they are called as their roles.
    """

    address: str
    passwords: Mapping[str, str]

    @property
    def console(self) -> str:
        """Address of the console inside of Airflow's UI."""
        return f"{self.address}/plugin/table-maps"

    def api(self) -> AirflowApi:
        """Sign in as `admin`."""
        return AirflowApi.sign_in(self.address, "admin", self.passwords["admin"])


def start_airflow(
    layout: Layout, port: int, started: Callable[[Process], None], prepare: Callable[[Airflow], None]
) -> Airflow:
    """Prepare the metadata database and start the components; give it when all are healthy.

    The scheduler comes last: on SQLite Airflow's API stalls where a request writes while tasks start,
    and tasks that an earlier run has left start at once.

    Args:
        layout: Where Airflow keeps its files.
        port: Port of the API server.
        started: Told of each process as soon as it runs, so that it is stopped whatever follows.
        prepare: Called when the API answers and nothing is scheduled yet.

    Raises:
        RunnerError: The port is taken, or a component did not come up; shows the end of its log.
    """
    require_free(port, "Airflow's UI", "Stop what uses it, or choose another: make up PORT=8090.")
    environment = airflow_environment(layout, port)
    layout.airflow_home.mkdir(parents=True, exist_ok=True)
    _migrate(layout, environment)
    processes: list[Process] = []

    def begin(name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "airflow", name, *arguments]
        process = start(name, command, environment, layout.logs / f"{name}.log", ROOT)
        started(process)
        processes.append(process)

    address = f"http://127.0.0.1:{port}"
    begin("api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    begin("dag-processor")
    begin("triggerer", "--skip-serve-logs")
    until(lambda: _healthy(address, _API), "Airflow's API", _HEALTHY_SECONDS, processes)
    airflow = Airflow(address, read_passwords(layout))
    prepare(airflow)
    begin("scheduler", "--skip-serve-logs")
    until(lambda: _healthy(address, _COMPONENTS), "Airflow's components", _HEALTHY_SECONDS, processes)
    return airflow


def _migrate(layout: Layout, environment: Mapping[str, str]) -> None:
    log = layout.logs / "db-migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(
            command, env=dict(environment), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        ending = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise RunnerError(
            f"Airflow's metadata database could not be prepared; see {log}, which ends:\n{ending}"
        )


def _healthy(address: str, components: Sequence[str]) -> bool | None:
    try:
        answer = httpx.get(f"{address}/api/v2/monitor/health", timeout=5, trust_env=False)
        states = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return all(states.get(name, {}).get("status") == "healthy" for name in components) or None


def read_passwords(layout: Layout) -> Mapping[str, str]:
    """Read the password that Airflow has made up for each user.

    Raises:
        RunnerError: It has not been started with this folder yet.
    """
    file = layout.airflow_home / "simple_auth_manager_passwords.json.generated"
    if not file.exists():
        raise RunnerError("Airflow has made up no passwords here yet: start it with 'make up'.")
    passwords: dict[str, str] = json.loads(file.read_text())
    return {role: passwords[role] for role in ROLES}
