"""`BulkDelete`: rows that queries name are deleted by a system job, each for itself (protocol 1.5 [D]).

A job deletes the rows that there were when it began; what it has deleted stays deleted whatever fails later,
and each failure is a row of `bulkdeletefailures`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.desk import Desk
from sandbox.dataverse.entities import NAMESPACE, Entity
from sandbox.dataverse.errors import INVALID_ARGUMENT, ApiError, bad_request
from sandbox.dataverse.events.call import Call, calling
from sandbox.dataverse.finding import find_row
from sandbox.dataverse.payload import read_object
from sandbox.dataverse.references import Reference
from sandbox.dataverse.systemjobs.jobs import TABLE, End, Job, Kind, Reason, State
from sandbox.dataverse.systemjobs.query import rows_of_query
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.wire import dumps
from sandbox.rules.rowset import MissingRowError
from sandbox.store import WriteUnit
from sandbox.store.tables import VERSION
from sandbox.store.types import instant_text

OPERATION = "bulkdeleteoperation"
_AT_ONCE = 100  # rows of one transaction, so that other writers have their turn
_LONGEST_TEXT = 512


@dataclass
class _Tally:
    """What a job has done so far."""

    deleted: int = 0
    failed: int = 0


def bulk_delete(api: Api, unit: WriteUnit, request: Request) -> Response:
    """`POST BulkDelete`: 200 with the id of the system job that will do it.

    Raises:
        ApiError: When the name is missing, a query does not hold, or the job shall recur.
        ODataError: When a value of a condition does not fit its column.
    """
    body = read_object(request.body)
    name, queries = body.get("JobName"), body.get("QuerySet")
    if not isinstance(name, str) or not name or "\x00" in name:
        raise _invalid("The parameter 'JobName' must be a text.")
    if not isinstance(queries, list) or not queries or not all(isinstance(each, dict) for each in queries):
        raise _invalid("The parameter 'QuerySet' must be a list of QueryExpressions.")
    if body.get("RecurrencePattern"):
        raise _invalid("Jobs do not recur here: send an empty RecurrencePattern.")
    for query in queries:
        rows_of_query(api, query)
    options = body.get("Options")
    fast = isinstance(options, Mapping) and options.get("RunJobForSandbox") is True
    start = unit.now if body.get("RunNow") is True else _start(body.get("StartDateTime"), unit.now)
    job_id = _queue(api, unit, name, {"queries": queries, "fast": fast}, start)
    unit.after_commit.append(api.jobs.ring)
    context = f"{request.root}$metadata#{NAMESPACE}.BulkDeleteResponse"
    return json_response(200, {"@odata.context": context, "JobId": job_id})


def run_bulk_delete(api: Api, job: Job) -> End:
    """Delete the rows of a job's queries."""
    acting = replace(api, writer=replace(api.writer, user_id=job.owner_id or api.user_id))
    call = Call(skip_sync=job.data["fast"], skip_async=job.data["fast"], correlation_id=job.correlation_id)
    tally = _Tally()
    try:
        with calling(call):
            for number, query in enumerate(job.data["queries"]):
                _delete_all(acting, job, query, tally, number)
    except Exception:
        _conclude(acting, job, tally, Reason.FAILED)
        raise
    _conclude(acting, job, tally, Reason.SUCCEEDED)
    return End()


def _delete_all(api: Api, job: Job, query: Mapping[str, Any], tally: _Tally, number: int) -> None:
    entity, select = rows_of_query(api, query)
    with api.store.read() as connection:
        pending = iter(connection.execute(select).scalars().all())
    while chunk := list(islice(pending, _AT_ONCE)):
        _delete(api, job, entity, chunk, tally, number)


def _queue(api: Api, unit: WriteUnit, name: str, data: Mapping[str, Any], start: datetime) -> str:
    job_id = str(uuid.uuid4())
    later = start > unit.now
    state = {
        "statecode": State.SUSPENDED if later else State.READY,
        "statuscode": Reason.WAITING if later else Reason.WAITING_FOR_RESOURCES,
    }
    job = {
        "asyncoperationid": job_id,
        "name": name[:_LONGEST_TEXT],
        "operationtype": Kind.BULK_DELETE,
        "messagename": "BulkDelete",
        "correlationid": job_id,
        "data": dumps(data).decode(),
        "postponeuntil": instant_text(start) if later else None,
    }
    desk = Desk(unit, api.writer)
    desk.create(TABLE, job | state)
    operation = {"name": name[:256], "asyncoperationid": job_id, "isrecurring": False, "nextrun": None}
    desk.create(OPERATION, operation | state)
    return job_id


def _start(given: object, now: datetime) -> datetime:
    if given is None or given == "":
        return now
    try:
        instant = datetime.fromisoformat(str(given))
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _invalid(f"The parameter 'StartDateTime' is no time stamp: '{str(given)[:50]}'.") from None


def _delete(api: Api, job: Job, entity: Entity, row_ids: list[str], tally: _Tally, number: int) -> None:
    """Delete some rows in one transaction; one that cannot be deleted leaves the others."""
    with api.store.write() as unit:
        desk = Desk(unit, api.writer)
        for row_id in row_ids:
            if find_row(unit.connection, entity, Reference(entity.table.name, row_id)) is None:
                continue  # somebody else was faster
            part = desk.savepoint()
            try:
                api.writer.delete(unit, entity, row_id)
                part.commit()
                tally.deleted += 1
            except (ApiError, MissingRowError) as refused:
                part.rollback()
                tally.failed += 1
                _note_failure(desk, job, row_id, refused, number)


def _note_failure(desk: Desk, job: Job, row_id: str, refused: Exception, number: int) -> None:
    code = int(refused.code, 16) if isinstance(refused, ApiError) else 0
    failure = {
        "asyncoperationid": job.job_id,
        "regardingobjectid": row_id,
        "errornumber": code - 2**32 if code >= 2**31 else code,
        "errordescription": str(refused)[:_LONGEST_TEXT],
        "orderedqueryindex": number,
    }
    operation = desk.first(OPERATION, asyncoperationid=job.job_id) or {}
    desk.create(
        "bulkdeletefailure", failure | {"bulkdeleteoperationid": operation.get("bulkdeleteoperationid")}
    )


def _conclude(api: Api, job: Job, tally: _Tally, reason: Reason) -> None:
    table = api.entities.by_name[OPERATION].sql
    with api.store.write() as unit:
        values = {
            "successcount": tally.deleted,
            "failurecount": tally.failed,
            "statecode": State.COMPLETED,
            "statuscode": reason,
            VERSION: unit.next_version(),
        }
        unit.connection.execute(sa.update(table).where(table.c.asyncoperationid == job.job_id).values(values))


def _invalid(message: str) -> ApiError:
    return bad_request(message, INVALID_ARGUMENT)
