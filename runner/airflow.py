"""Airflow's four components as processes, on loopback only."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from runner.environment import airflow_environment
from runner.errors import RunnerError
from runner.layout import ROOT, Layout, require_free
from runner.processes import Process, start
from runner.waiting import until

_HEALTHY_SECONDS = 240.0
_COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow.

    Attributes:
        address: Base URL of UI and API.
        password: Generated password of the user `admin`.
        processes: Its components.
    """

    address: str
    password: str
    processes: tuple[Process, ...]


def start_airflow(layout: Layout, port: int, started: Callable[[Process], None]) -> Airflow:
    """Prepare the metadata database and start the components; give it when all are healthy.

    Args:
        layout: Where Airflow keeps its files.
        port: Port of the API server.
        started: Told of each process as soon as it runs, so that it is stopped whatever follows.

    Raises:
        RunnerError: The port is taken, or a component did not come up; shows the end of its log.
    """
    require_free(port, "Airflow's UI", "Stop what uses it, or choose another: make up PORT=8090.")
    environment = airflow_environment(layout, port)
    layout.airflow_home.mkdir(parents=True, exist_ok=True)
    _migrate(layout, environment)
    commands = {
        "api-server": ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
        "scheduler": ["--skip-serve-logs"],
        "dag-processor": [],
        "triggerer": ["--skip-serve-logs"],
    }
    processes = []
    for name, arguments in commands.items():
        command = [sys.executable, "-m", "airflow", name, *arguments]
        process = start(name, command, environment, layout.logs / f"{name}.log", ROOT)
        started(process)
        processes.append(process)
    address = f"http://127.0.0.1:{port}"
    until(lambda: _healthy(address), "Airflow's components", _HEALTHY_SECONDS, processes)
    return Airflow(address, _password(layout.airflow_home), tuple(processes))


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


def _healthy(address: str) -> bool | None:
    try:
        answer = httpx.get(f"{address}/api/v2/monitor/health", timeout=5, trust_env=False)
        states = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return all(states.get(name, {}).get("status") == "healthy" for name in _COMPONENTS) or None


def _password(home: Path) -> str:
    file = home / "simple_auth_manager_passwords.json.generated"
    password: str = json.loads(file.read_text())["admin"]
    return password
