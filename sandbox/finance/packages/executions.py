"""The history of exports and imports: taken on, under way, ended, and what went wrong."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sandbox.finance.packages.groups import JOB_DETAILS
from sandbox.finance.packages.manifest import EntityFile
from sandbox.finance.packages.tables import UNDER_WAY, Execution, PackageTables, Status
from sandbox.finance.values import blanks
from sandbox.odata.wire import dumps, loads
from sandbox.store import WriteUnit, fold
from sandbox.store.tables import REC_ID, REC_VERSION, VERSION

STAGING, TARGET = "staging", "target"
_COLUMN_OF = {"group": "definition_group"}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong in an execution.

    Attributes:
        position: Place of the entity in the package; 0 where it is about the whole.
        stage: `STAGING` or `TARGET`.
        row: Number of the row in the data file; 0 where it is about the file.
        field: Upper-case field, "" where it is about the row.
        message: The sentence.
        record_id: The row's key, as far as there is one.
        record: Texts of the row that an error file shows, by column.
    """

    position: int
    stage: str
    row: int
    field: str
    message: str
    record_id: str = ""
    record: Mapping[str, str] | None = None


def new_execution_id(group: str, now: datetime) -> str:
    """Make an id as a live system does: group, time and a GUID [L]."""
    return f"{group}-{now:%Y-%m-%dT%H:%M:%S}-{uuid.uuid4().hex.upper()}"


def find_execution(connection: sa.Connection, tables: PackageTables, execution_id: str) -> Execution | None:
    """Return an execution by its id, None where there is none."""
    columns = tables.execution.c
    query = sa.select(*(columns[_COLUMN_OF.get(it.name, it.name)] for it in fields(Execution)))
    row = connection.execute(query.where(columns.execution_id == execution_id)).first()
    return None if row is None else Execution(*row)


def still_exists(connection: sa.Connection, tables: PackageTables, execution_id: str) -> bool:
    """Whether an execution belongs to what the store holds; a reset has swept it away else."""
    return tables.is_current(connection) and find_execution(connection, tables, execution_id) is not None


def waiting_executions(connection: sa.Connection, tables: PackageTables) -> list[Execution]:
    """Return what has been taken on and has not ended, in the order in which it was taken on."""
    columns = tables.execution.c
    query = sa.select(columns.execution_id).where(columns.status.in_(UNDER_WAY)).order_by(columns.sequence)
    found = (find_execution(connection, tables, it) for it in connection.execute(query).scalars().all())
    return [execution for execution in found if execution is not None]


def insert_execution(unit: WriteUnit, tables: PackageTables, execution: Execution) -> None:
    """Take an execution on."""
    row = {_COLUMN_OF.get(name, name): value for name, value in asdict(execution).items()}
    row["sequence"] = unit.next_version()
    unit.connection.execute(sa.insert(tables.execution).values(row))


def change_execution(
    connection: sa.Connection, tables: PackageTables, execution_id: str, values: Mapping[str, object]
) -> None:
    """Change columns of an execution."""
    mine = tables.execution.c.execution_id == execution_id
    connection.execute(sa.update(tables.execution).where(mine).values(dict(values)))


def add_problems(
    connection: sa.Connection, tables: PackageTables, execution_id: str, problems: Iterable[Problem]
) -> None:
    """Remember what went wrong."""
    rows = [
        {name: _storable(value) for name, value in asdict(it).items()}
        | {"execution_id": execution_id, "record": dumps(it.record or {}).decode()}
        for it in problems
    ]
    if rows:
        connection.execute(sa.insert(tables.error), rows)


def _storable(value: object) -> object:
    """A sentence or key may quote a NUL of a data file, which no text of Postgres holds."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def forget_problems(
    connection: sa.Connection, tables: PackageTables, execution_id: str, position: int | None = None
) -> None:
    """Forget what went wrong, with one entity or at all: it is tried again."""
    error = tables.error
    conditions = [error.c.execution_id == execution_id]
    if position is not None:
        conditions.append(error.c.position == position)
    connection.execute(sa.delete(error).where(*conditions))


def problem_list(connection: sa.Connection, tables: PackageTables, execution_id: str) -> str:
    """Return what `GetExecutionErrors` answers: a JSON list of RecordId, Field and ErrorMessage [L]."""
    error = tables.error.c
    query = sa.select(error.record_id, error.field, error.message).where(error.execution_id == execution_id)
    rows = connection.execute(query.order_by(error.position, error.row, error.field))
    listed = [
        {"RecordId": record_id, "Field": field, "ErrorMessage": message} for record_id, field, message in rows
    ]
    return dumps(listed).decode()


def failed_records(
    connection: sa.Connection, tables: PackageTables, execution_id: str, position: int, stage: str
) -> list[dict[str, str]]:
    """Return the rows of a data file that failed at a stage, each once, as texts by column."""
    error = tables.error.c
    mine = (
        error.execution_id == execution_id,
        error.position == position,
        error.stage == stage,
        error.row > 0,
    )
    query = sa.select(error.row, error.record).where(*mine).distinct().order_by(error.row)
    return [loads(record.encode()) for _, record in connection.execute(query)]


def has_problems(
    connection: sa.Connection, tables: PackageTables, execution_id: str, position: int, stage: str = ""
) -> bool:
    """Say whether anything went wrong with an entity, at one stage or at any."""
    error = tables.error.c
    conditions = [error.execution_id == execution_id, error.position == position]
    if stage:
        conditions += [error.stage == stage, error.row > 0]
    return connection.execute(sa.select(error.row).where(*conditions).limit(1)).first() is not None


def insert_job_detail(
    unit: WriteUnit, tables: PackageTables, execution: Execution, file: EntityFile, values: Row
) -> None:
    """Begin an entity's row of the history that clients read as DataManagementExecutionJobDetails."""
    unit_number, level, sequence = file.place
    row = blanks(JOB_DETAILS) | {
        "DefinitionGroupId": execution.group,
        "JobId": execution.execution_id,
        "EntityName": file.entity,
        "SourceFormat": file.source_format,
        "FilePath": file.file,
        "ExecutionUnit": unit_number,
        "LevelInExecutionUnit": level,
        "SequenceInLevel": sequence,
        VERSION: unit.next_version(),
        REC_ID: unit.next_recid(),
        REC_VERSION: 1,
    }
    unit.connection.execute(sa.insert(tables.definitions[JOB_DETAILS.name]).values({**row, **values}))


def job_details(connection: sa.Connection, tables: PackageTables, execution_id: str) -> list[dict[str, Any]]:
    """Return the history of an execution's entities, in the order in which they were begun."""
    details = tables.definitions[JOB_DETAILS.name]
    query = sa.select(details).where(fold(details.c.JobId) == fold(execution_id)).order_by(details.c[REC_ID])
    return [dict(row) for row in connection.execute(query).mappings()]


def forget_job_details(connection: sa.Connection, tables: PackageTables, execution_id: str) -> None:
    """Forget the history of an execution's entities: it runs again."""
    details = tables.definitions[JOB_DETAILS.name]
    connection.execute(sa.delete(details).where(fold(details.c.JobId) == fold(execution_id)))


def change_job_detail(
    unit: WriteUnit,
    tables: PackageTables,
    execution: Execution,
    entity: str,
    values: Row,
    more: Mapping[str, int] | None = None,
) -> None:
    """Change an entity's row of the history.

    Args:
        unit: The transaction.
        tables: Of data management.
        execution: Whose.
        entity: Name of the entity.
        values: New values by column.
        more: What is added to counts.
    """
    details = tables.definitions[JOB_DETAILS.name]
    mine = (details.c.JobId == execution.execution_id, details.c.EntityName == entity)
    counted = {name: details.c[name] + count for name, count in (more or {}).items()}
    changed = {**values, **counted, VERSION: unit.next_version()}
    unit.connection.execute(sa.update(details).where(*mine).values(changed))


def summary(details: Sequence[Row], troubled: set[str]) -> Status:
    """Say how an import ended.

    Args:
        details: The history of its entities.
        troubled: Those with which something went wrong.
    """
    if not troubled:
        return Status.SUCCEEDED
    written = sum(it["TargetRecordsCreatedCount"] + it["TargetRecordsUpdatedCount"] for it in details)
    unharmed = any(it["EntityName"] not in troubled for it in details)
    return Status.PARTIALLY_SUCCEEDED if written or unharmed else Status.FAILED
