"""What the end of a task tells the alerts: callbacks of our DAGs, which Airflow runs in the task's process.

A problem with alerts never becomes a problem of the run: it goes to the task's log.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from projops.orchestration.engine_task import ConsequenceError

if TYPE_CHECKING:
    from projops.alerts.failing import Task
    from projops.engine import Engine
    from projops.run import LegRef

_log = logging.getLogger(__name__)


def note_failure(context: Context) -> None:
    """Note what a task failed for after its last try, and tell people at once."""
    from projops.alerts.failing import failure_of
    from projops.orchestration.alert_sending import watch_on_airflow
    from projops.orchestration.connections import airflow_engine
    from projops.state import task_failures

    error = context.get("exception")
    with _never_failing(), airflow_engine() as engine:
        known = None if isinstance(error, str) else _behind(error)
        failure = None if isinstance(known, ConsequenceError) else failure_of(task_of(context), known)
        if failure is not None:
            with engine.state.begin() as connection:
                task_failures.note(connection, failure)
        watch_on_airflow(engine)


def note_success(context: Context) -> None:
    """Note that what a task failed for before is over; the last task of a run has the watch look."""
    from projops.orchestration.alert_sending import watch_on_airflow
    from projops.orchestration.connections import airflow_engine, airflow_settings
    from projops.state import StateStore, task_failures

    with _never_failing():
        task = task_of(context)
        store = StateStore(airflow_settings().state_url)
        try:
            with store.reading() as connection:
                failed = task_failures.failed_before(connection, task)
            if failed:
                with store.begin() as connection:
                    task_failures.mend(connection, task)
        finally:
            store.close()
        if getattr(context["task"], "concludes", False):
            with airflow_engine() as engine:
                watch_on_airflow(engine)


CALLBACKS: Mapping[str, Any] = {"on_failure_callback": note_failure, "on_success_callback": note_success}
"""For the `default_args` of a DAG."""


def note_rest(engine: "Engine", area: str, due: Sequence["LegRef"]) -> None:
    """Note which legs whose source tells of its changes have none: what failed of them has gone since.

    Args:
        engine: The engine.
        area: The area, whose maps were all looked at.
        due: Its legs that have something to move.
    """
    from projops import pausing
    from projops.mapping.model import Strategy
    from projops.state import task_failures

    with _never_failing():
        moving, held = {(ref.map, ref.leg) for ref in due}, pausing.paused_in(engine, area)
        telling = [
            (name, direction.value)
            for name, each in engine.maps.items()
            for direction, leg in each.legs.items()
            if each.area == area and name not in held and leg.extract.strategy is Strategy.CHANGE_TRACKING
        ]
        with engine.state.reading() as connection:
            failed = {(each.map, each.leg) for each in task_failures.open_failures(connection)}
        idle = [place for place in telling if place in failed - moving]
        if idle:
            with engine.state.begin() as connection:
                task_failures.mend_idle(connection, area, idle)


def task_of(context: Context) -> "Task":
    """Give the task of a context, with the leg or map that it moves or compares."""
    from projops.alerts.failing import Task

    ti, task = context["ti"], context["task"]
    map_id, parted, leg = ti.task_id.partition(".")[0].partition("__")
    compared = getattr(task, "map_id", None)
    of_leg = bool(parted) and "." in ti.task_id
    return Task(
        ti.dag_id,
        ti.run_id,
        ti.task_id,
        map_id if of_leg else compared,
        leg if of_leg else None,
        getattr(ti, "log_url", ""),
    )


def _behind(error: BaseException | None) -> BaseException | None:
    """Give the engine's error that `engine_task.one_sentence` has put into Airflow's words."""
    from projops.errors import ProjOpsError

    return error.__context__ if error and isinstance(error.__context__, ProjOpsError) else error


@contextmanager
def _never_failing() -> Iterator[None]:
    try:
        yield
    except Exception as problem:  # whatever it is, the run must not suffer from it
        _log.warning("Alerts could not be seen to: %s", problem)
