"""What a task that failed for good tells: its cause, so that twenty tasks that fail for one are one alert."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from projops.errors import (
    AuthenticationError,
    ConfigurationError,
    EnvironmentMismatchError,
    LeaseHeldError,
    MapPausedError,
    MappingError,
    ProjOpsError,
    ProtocolError,
    StagingLostError,
    StopError,
    SystemUnavailableError,
    ThrottledError,
    TryAgainError,
)

LOST = "TaskLost"
_LONGEST_CAUSE = 300
_LOST = "The process of the task ended without a word: it was killed, or its machine was."
_UNEXPECTED = "Read the log of the task; clear the task once the cause is mended."


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a run.

    Attributes:
        dag_id: Its DAG.
        run_id: The run.
        task_id: Its id.
        map: Map that it moves or compares, or None.
        leg: Direction of it, or None.
        link: Where its log is; "" where that is not known.
    """

    dag_id: str
    run_id: str
    task_id: str
    map: str | None = None
    leg: str | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that failed for good.

    Attributes:
        task: The task.
        error: Name of the error's class.
        cause: Stable id of what it failed for.
        message: One sentence: what happened.
        remedy: One sentence: what to do.
    """

    task: Task
    error: str
    cause: str
    message: str
    remedy: str


def failure_of(task: Task, error: BaseException | None) -> Failure | None:
    """Say what a task failed for.

    Args:
        task: The task.
        error: What it failed with; None where nobody knows, as of a process that was killed.

    Returns:
        None where nobody needs to be told: a person has paused the map that they name.
    """
    if isinstance(error, MapPausedError):
        return None
    if isinstance(error, ProjOpsError):
        cause = _cause(error, task)[:_LONGEST_CAUSE]
        return Failure(task, type(error).__name__, cause, error.message, error.remedy)
    place = f"{task.dag_id}:{task.task_id}"
    if error is None:
        return Failure(task, LOST, f"unexpected:{place}:{LOST}"[:_LONGEST_CAUSE], _LOST, _UNEXPECTED)
    name = type(error).__name__
    # The text of an error that is not ours may hold what rows hold: it stays in the log.
    message = f"Task {task.task_id} failed with {name}, which this program does not expect."
    return Failure(task, name, f"unexpected:{place}:{name}"[:_LONGEST_CAUSE], message, _UNEXPECTED)


def _cause(error: ProjOpsError, task: Task) -> str:
    group = next(name for kind, name in _GROUPS.items() if isinstance(error, kind))
    subject = _SUBJECTS.get(group, _leg)(error, task)
    return f"{group}:{subject}" if subject else group


def _connection(error: ProjOpsError, task: Task) -> str:
    return str(error.context.get("connection", "")) or error.message


def _map(error: ProjOpsError, task: Task) -> str:
    return str(error.context.get("map") or task.map or task.dag_id)


def _leg(error: ProjOpsError, task: Task) -> str:
    leg = task.leg or error.context.get("leg")
    return ":".join(filter(None, [_map(error, task), str(leg or "").rpartition("__")[2]]))


def _file(error: ProjOpsError, task: Task) -> str:
    return str(error.context["file"])


def _nothing(error: ProjOpsError, task: Task) -> str:
    return ""


# The first that an error is of.
_GROUPS: Mapping[type[ProjOpsError], str] = {
    EnvironmentMismatchError: "environment",
    AuthenticationError: "authentication",
    ConfigurationError: "configuration",
    MappingError: "mapping",
    StagingLostError: "staging",
    ProtocolError: "protocol",
    StopError: "stopped",
    SystemUnavailableError: "unavailable",
    ThrottledError: "throttled",
    LeaseHeldError: "lease",
    TryAgainError: "again",
    ProjOpsError: "failed",
}
# A cause is of its connection, its file, its map, or (whatever is not named here) of its leg.
_SUBJECTS: Mapping[str, Callable[[ProjOpsError, Task], str]] = {
    "environment": _nothing,
    "staging": _nothing,
    "authentication": _connection,
    "configuration": _connection,
    "unavailable": _connection,
    "throttled": _connection,
    "mapping": _file,
    "lease": _map,
}
