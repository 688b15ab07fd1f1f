"""Tasks that failed for good, until the same task succeeds or its leg moves on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import ColumnElement, Connection, and_, exists, insert, select, update

from projops.alerts.failing import Failure, Task
from projops.state import texts
from projops.state.clock import present
from projops.state.tables import leg as legs
from projops.state.tables import task_failure as failures

_LONGEST_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class OpenFailure:
    """A failure that nothing has mended yet.

    Attributes:
        at: When, in UTC.
        dag_id: DAG.
        task_id: Task.
        map: Map, or None.
        leg: Direction, or None.
        error: Name of the error's class.
        cause: Stable id of what it failed for.
        message: What happened.
        remedy: What to do.
        link: Where its log is; "" where that is not known.
    """

    at: datetime
    dag_id: str
    task_id: str
    map: str | None
    leg: str | None
    error: str
    cause: str
    message: str
    remedy: str
    link: str

    @classmethod
    def of(cls, failure: Failure, at: datetime) -> Self:
        """Give a failure as the state would."""
        task = failure.task
        place = (task.dag_id, task.task_id, task.map, task.leg)
        return cls(at, *place, failure.error, failure.cause, failure.message, failure.remedy, task.link)


def note(connection: Connection, failure: Failure) -> None:
    """Note that a task failed; what the same task failed for before is not what it fails for now."""
    task = failure.task
    mend(connection, task)
    connection.execute(
        insert(failures).values(
            at=present(connection),
            dag_id=task.dag_id,
            run_id=task.run_id,
            task_id=task.task_id,
            map=task.map,
            leg=task.leg,
            error=failure.error,
            cause=texts.storable(failure.cause),
            message=texts.storable(failure.message)[:_LONGEST_MESSAGE],
            remedy=texts.storable(failure.remedy)[:_LONGEST_MESSAGE],
            link=task.link,
        )
    )


def failed_before(connection: Connection, task: Task) -> bool:
    """Say whether a failure of a task stands that nothing has mended."""
    return connection.execute(select(failures.c.id).where(*_of(task)).limit(1)).first() is not None


def mend(connection: Connection, task: Task) -> None:
    """Note that a task succeeded."""
    connection.execute(update(failures).where(*_of(task)).values(mended_at=present(connection)))


def mend_idle(connection: Connection, dag_id: str, idle: Sequence[tuple[str, str]]) -> None:
    """Note that some legs, as (map, leg), have nothing to move any longer: nothing of them is amiss."""
    for map_id, leg in idle:
        mine = (failures.c.dag_id == dag_id, failures.c.map == map_id, failures.c.leg == leg)
        open_ones = update(failures).where(*mine, failures.c.mended_at.is_(None))
        connection.execute(open_ones.values(mended_at=present(connection)))


def mend_moved(connection: Connection) -> None:
    """Note which legs have moved on since one of their tasks failed, by whatever run."""
    moved = exists().where(
        and_(legs.c.map == failures.c.map, legs.c.leg == failures.c.leg, legs.c.committed_at > failures.c.at)
    )
    done = update(failures).where(failures.c.mended_at.is_(None), moved)
    connection.execute(done.values(mended_at=present(connection)))


def open_failures(connection: Connection) -> list[OpenFailure]:
    """Give the failures that nothing has mended, oldest first."""
    columns = [failures.c[name] for name in OpenFailure.__slots__]
    rows = connection.execute(select(*columns).where(failures.c.mended_at.is_(None)).order_by(failures.c.id))
    return [OpenFailure(*row) for row in rows]


def _of(task: Task) -> tuple[ColumnElement[bool], ...]:
    return (
        failures.c.mended_at.is_(None),
        failures.c.dag_id == task.dag_id,
        failures.c.task_id == task.task_id,
        failures.c.map.is_not_distinct_from(task.map),  # tasks of one id may be of different maps
    )
