"""Airflow's REST API, as far as the runner needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from runner.errors import RunnerError

_PAGE = 100
_ATTEMPTS = 6
FINAL = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True)
class TaskState:
    """Where a task of a run stands.

    Attributes:
        task_id: Task, `<map>__<leg>.<stage>` inside a leg.
        state: Airflow's state, or "" before it has one.
        seconds: How long its last try took.
        try_number: Number of the last try.
        map_index: Number among the tasks that one was mapped to, -1 of a task that is not mapped.
    """

    task_id: str
    state: str
    seconds: float
    try_number: int
    map_index: int = -1


class AirflowApi:
    """A signed-in client.

    Args:
        client: HTTP client with base address and token.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @classmethod
    def sign_in(cls, address: str, user: str, password: str) -> Self:
        """Get a token for a user."""
        client = httpx.Client(base_url=address, timeout=60, trust_env=False)
        answer = client.post("/auth/token", json={"username": user, "password": password})
        _require(answer)
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return cls(client)

    def close(self) -> None:
        """Give up the network connections."""
        self._client.close()

    def put_connection(self, conn_id: str, conn_type: str, fields: Mapping[str, Any]) -> None:
        """Create a connection, or replace it."""
        body = {"connection_id": conn_id, "conn_type": conn_type, **fields}
        path = "/api/v2/connections"
        there = self._exists(f"{path}/{conn_id}")
        _require(self._send(*(("PATCH", f"{path}/{conn_id}") if there else ("POST", path)), json=body))

    def test_connection(self, conn_id: str, conn_type: str, fields: Mapping[str, Any]) -> tuple[bool, str]:
        """Press the test button of a connection that need not be stored; give whether it passed, and why."""
        body = {"connection_id": conn_id, "conn_type": conn_type, **fields}
        answer = self._send("POST", "/api/v2/connections/test", json=body)
        _require(answer)
        return answer.json()["status"], answer.json()["message"]

    def put_pool(self, name: str, slots: int, description: str) -> None:
        """Create a pool, unless it is there."""
        if not self._exists(f"/api/v2/pools/{name}"):
            body = {"name": name, "slots": slots, "description": description}
            _require(self._send("POST", "/api/v2/pools", json=body))

    def has_dag(self, dag_id: str) -> bool:
        """Whether Airflow knows a DAG yet.

        Raises:
            RunnerError: Its file could not be imported.
        """
        if self._exists(f"/api/v2/dags/{dag_id}"):
            return True
        for error in self._get("/api/v2/importErrors")["import_errors"]:
            raise RunnerError(f"Airflow could not import {error['filename']}:\n{error['stack_trace']}")
        return False

    def task_ids(self, dag_id: str) -> frozenset[str]:
        """Name the tasks of a DAG as it stands now."""
        return frozenset(task["task_id"] for task in self._get(f"/api/v2/dags/{dag_id}/tasks")["tasks"])

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self.set_paused(dag_id, False)

    def set_paused(self, dag_id: str, paused: bool) -> None:
        """Let a DAG run, or let it begin no run by itself."""
        _require(self._send("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": paused}))

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run; give its id."""
        run_id = f"manual__{datetime.now(UTC).isoformat()}"
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf or {})}
        answer = self._send("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)
        if answer.status_code != httpx.codes.CONFLICT:
            _require(answer)
        return run_id

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Say where a run stands: queued, running, success or failed."""
        state: str = self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"]
        return state

    def runs(self, dag_id: str) -> list[tuple[str, str]]:
        """List the runs of a DAG as pairs (run id, state), newest first."""
        found = self._all(f"/api/v2/dags/{dag_id}/dagRuns", "dag_runs", {"order_by": "-id"})
        return [(run["dag_run_id"], run["state"]) for run in found]

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """List the tasks of a run."""
        found = self._all(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances", {})
        return [
            TaskState(
                task["task_id"],
                task["state"] or "",
                task["duration"] or 0.0,
                task["try_number"],
                task["map_index"],
            )
            for task in found
        ]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[str]:
        """Read the log of a task's try, one text an event."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        events = self._get(path, full_content="true")["content"]
        return [str(event.get("event", "")) if isinstance(event, dict) else str(event) for event in events]

    def failures(self, dag_id: str, run_id: str) -> list[str]:
        """Say why tasks of a run failed: the last error that each has logged; `finish` only counts them."""
        tasks = self.tasks(dag_id, run_id)
        failed = [task for task in tasks if task.state == "failed" and task.task_id != "finish"]
        return [f"{task.task_id}: {self._reason(dag_id, run_id, task)}" for task in failed]

    def clear_failed(self, dag_id: str, run_id: str) -> None:
        """Rerun what failed in a run, and what comes after it."""
        answer = self._send(
            "POST",
            f"/api/v2/dags/{dag_id}/clearTaskInstances",
            json={
                "dry_run": False,
                "dag_run_id": run_id,
                "only_failed": True,
                "include_downstream": True,
                "reset_dag_runs": True,
            },
        )
        _require(answer)

    def _reason(self, dag_id: str, run_id: str, task: TaskState) -> str:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        content = self._get(path, full_content="true", map_index=task.map_index)["content"]
        for event in reversed(content):
            details = event.get("error_detail") if isinstance(event, dict) else None
            if details:
                return str(details[0]["exc_value"])
        return "see its log"

    def _exists(self, path: str) -> bool:
        """Whether there is something at a path."""
        answer = self._send("GET", path)
        if answer.status_code != httpx.codes.NOT_FOUND:
            _require(answer)
        return answer.is_success

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request, again where Airflow could not answer just now (SQLite lets one write at a time).

        Whatever is sent here may be sent twice: what exists already is a conflict, and no harm.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type(_NotNowError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=0.5, max=10),
            reraise=True,
        ):
            with attempt:
                answer = self._client.request(method, path, **request)
                if answer.is_server_error:
                    raise _NotNowError(_refusal(answer))
        return answer

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self._send("GET", path, params=query)
        _require(answer)
        body: dict[str, Any] = answer.json()
        return body

    def _all(self, path: str, entry: str, query: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = self._get(path, limit=_PAGE, offset=len(rows), **query)
            rows += page[entry]
            if not page[entry] or len(rows) >= page["total_entries"]:
                return rows


class _NotNowError(RunnerError):
    """Airflow answered 5xx."""


def _require(answer: httpx.Response) -> None:
    if answer.is_error:
        raise RunnerError(_refusal(answer))


def _refusal(answer: httpx.Response) -> str:
    asked = f"{answer.request.method} {answer.request.url}"
    return f"Airflow answered {answer.status_code} to {asked}: {answer.text}"
