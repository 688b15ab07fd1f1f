"""System jobs as rows of `asyncoperations`: queued with what causes them, found when ready, finished."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.events.message import Event, write_message
from sandbox.dataverse.events.steps import Step
from sandbox.odata.wire import dumps, loads
from sandbox.store import Store
from sandbox.store.tables import VERSION
from sandbox.store.types import instant_text

TABLE = "asyncoperation"
_AT_ONCE = 200  # jobs that are taken up before the service looks again
_LONGEST_NAME = 256


class Kind(IntEnum):
    """`operationtype`: what a job does."""

    SYSTEM_EVENT = 1
    BULK_DELETE = 13


class State(IntEnum):
    """`statecode`."""

    READY = 0
    SUSPENDED = 1
    LOCKED = 2
    COMPLETED = 3


class Reason(IntEnum):
    """`statuscode`."""

    WAITING_FOR_RESOURCES = 0
    WAITING = 10
    IN_PROGRESS = 20
    SUCCEEDED = 30
    FAILED = 31
    CANCELED = 32


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is ready.

    Attributes:
        job_id: GUID of the `asyncoperation`.
        kind: What it does.
        step_id: The step that it calls, None where it calls none.
        table: Logical name of the table that it is about.
        message: Name of the message that caused it.
        correlation_id: GUID of the operation that caused it.
        owner_id: GUID of the user on whose behalf it runs.
        data: What else it needs.
    """

    job_id: str
    kind: int
    step_id: str | None
    table: str
    message: str
    correlation_id: str
    owner_id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """How a job has ended.

    Attributes:
        failure: Why it has failed, "" where it has not.
        attempts: How often it was tried.
        forget: Whether its row is deleted.
    """

    failure: str = ""
    attempts: int = 1
    forget: bool = False


def queue_event(desk: Desk, step: Step, event: Event) -> str:
    """Queue the call of an asynchronous step, in the transaction of the write that causes it; its GUID."""
    job_id = str(uuid.uuid4())
    message = write_message(event, step, job_id)
    data = {"host": event.call.host, "exceeded": message.exceeded, "body": message.body}
    return desk.create(
        TABLE,
        {
            "asyncoperationid": job_id,
            "name": step.name[:_LONGEST_NAME],
            "operationtype": Kind.SYSTEM_EVENT,
            "messagename": event.message,
            "primaryentitytype": event.entity.table.name,
            "owningextensionid": step.step_id,
            "correlationid": event.call.correlation_id,
            "depth": event.depth,
            "data": dumps(data).decode(),
        },
    )


def ready_jobs(store: Store, now: datetime, busy: Collection[str]) -> list[Job]:
    """Return jobs whose time has come, in the order in which they were queued.

    Args:
        store: The database.
        now: The sandbox's present.
        busy: Steps ("" for jobs without one) that are at work: their later jobs wait.
    """
    job = store.sql(store.dataverse[TABLE])
    step = sa.func.coalesce(job.c.owningextensionid, "")
    query = (
        sa.select(job)
        .where(_open(job), ~_postponed(job, now), step.not_in(sorted(busy)))
        .order_by(job.c[VERSION])
        .limit(_AT_ONCE)
    )
    with store.read() as connection:
        return [_job(dict(row)) for row in connection.execute(query).mappings()]


def has_postponed(store: Store, now: datetime) -> bool:
    """Whether a job waits for a later time."""
    job = store.sql(store.dataverse[TABLE])
    query = sa.select(job.c.asyncoperationid).where(_open(job), _postponed(job, now)).limit(1)
    with store.read() as connection:
        return connection.execute(query).scalar() is not None


def begin(store: Store, job: Job) -> None:
    """Show that a job is at work."""
    _change(store, job, {"statecode": State.LOCKED, "statuscode": Reason.IN_PROGRESS}, started=True)


def release(store: Store) -> None:
    """Make jobs ready again that were at work when the process ended."""
    job = store.sql(store.dataverse[TABLE])
    with store.write() as unit:
        states = {"statecode": State.READY, "statuscode": Reason.WAITING_FOR_RESOURCES}
        change = sa.update(job).where(job.c.statecode == State.LOCKED)
        unit.connection.execute(change.values({**states, VERSION: unit.next_version()}))


def finish(store: Store, job: Job, end: End) -> None:
    """Say how a job has ended; one that a reset has swept away stays away."""
    if end.forget:
        table = store.sql(store.dataverse[TABLE])
        with store.write() as unit:
            unit.connection.execute(sa.delete(table).where(table.c.asyncoperationid == job.job_id))
        return
    values = {
        "statecode": State.COMPLETED,
        "statuscode": Reason.FAILED if end.failure else Reason.SUCCEEDED,
        "retrycount": end.attempts - 1,
        "message": end.failure or None,
        "friendlymessage": end.failure or None,
        "errorcode": _FAILED_CODE if end.failure else 0,
    }
    _change(store, job, values, completed=True)


# -2147220891 is 0x80040265, which plug-ins fail with; what webhooks fail with is not documented [?].
_FAILED_CODE = -2147220891


def _change(
    store: Store, job: Job, values: Mapping[str, Any], *, started: bool = False, completed: bool = False
) -> None:
    table = store.sql(store.dataverse[TABLE])
    with store.write() as unit:
        now = instant_text(unit.now)
        times = {"modifiedon": now}
        times |= {"startedon": now} if started else {}
        times |= {"completedon": now} if completed else {}
        change = sa.update(table).where(table.c.asyncoperationid == job.job_id)
        unit.connection.execute(change.values({**values, **times, VERSION: unit.next_version()}))


def _open(job: sa.Table) -> sa.ColumnElement[bool]:
    return job.c.statecode.in_([State.READY, State.SUSPENDED]) & job.c.data.is_not(None)


def _postponed(job: sa.Table, now: datetime) -> sa.ColumnElement[bool]:
    until = job.c.postponeuntil
    return sa.and_(until.is_not(None), until > instant_text(now))


def _job(row: Mapping[str, Any]) -> Job:
    return Job(
        job_id=row["asyncoperationid"],
        kind=row["operationtype"] or 0,
        step_id=row["owningextensionid"],
        table=row["primaryentitytype"] or "",
        message=row["messagename"] or "",
        correlation_id=row["correlationid"] or "",
        owner_id=row["ownerid"] or "",
        data=loads(row["data"].encode()),
    )
