"""Running an import: each entity's data file into staging, then from staging into the target.

How far it is stands in the database, in the transaction of the rows themselves: an import that was
interrupted goes on where it was, and no row is written twice.
"""

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import Any

import sqlalchemy as sa

from sandbox.finance.packages.desk import ImportDesk
from sandbox.finance.packages.error_files import make_error_file
from sandbox.finance.packages.executions import (
    STAGING,
    TARGET,
    Problem,
    add_problems,
    change_execution,
    change_job_detail,
    forget_problems,
    has_problems,
    job_details,
    still_exists,
    summary,
)
from sandbox.finance.packages.planning import plan_import
from sandbox.finance.packages.reading import DataFileError
from sandbox.finance.packages.reporting import failed_in, log_outcomes, refused_in
from sandbox.finance.packages.staging import StagedRow, Step, read_staged
from sandbox.finance.packages.tables import Execution
from sandbox.finance.packages.target import write_rows
from sandbox.finance.packages.unpacking import PackageError, open_package
from sandbox.rules.hooks import Verb
from sandbox.store import WriteUnit

_ROWS_AT_ONCE = 1_000
_ENDED = ("Finished", "Error")


class AbandonedError(Exception):
    """An import whose environment was emptied while it ran: there is nothing to say, and nobody to hear."""


def run_import(desk: ImportDesk, execution: Execution) -> None:
    """Do what is left of an import, to its end.

    Raises:
        AbandonedError: The environment was emptied meanwhile.
        PackageError: The package is no longer there, or damaged.
    """
    blob = desk.blobs.find(execution.blob_id)
    if blob is None:
        raise PackageError("The package is no longer there: packages are kept for seven days.")
    with TemporaryFile() as file:
        desk.blobs.copy(blob, file)
        with open_package(file) as package:
            _, steps = plan_import(desk.catalog, package, execution.company)
            run = _Run(desk, execution, package)
            for step in steps:
                run.stage(step)
                make_error_file(desk, execution.execution_id, step.file.entity, STAGING)
            if execution.execute:
                run.write_targets(steps)
    run.finish(steps)


@dataclass(frozen=True)
class _Run:
    """One import at work."""

    desk: ImportDesk
    execution: Execution
    package: zipfile.ZipFile

    def stage(self, step: Step) -> None:
        """Read the whole data file once: what is wrong with it is known before any row is written."""
        if step.file.skip_staging or self._detail(step)["StagingStatus"] in _ENDED:
            return
        with self._write() as unit:
            forget_problems(unit.connection, self.desk.tables, self.execution.execution_id, step.position)
            self._change(unit, step, {"StagingStatus": "Executing"})
        read = refused = 0
        status = "Finished"
        try:
            for rows in _chunks(read_staged(self.package, step)):
                problems = [it for row in rows for it in refused_in(step, STAGING, row)]
                read, refused = read + len(rows), refused + sum(1 for row in rows if row.refusals)
                self._add(problems)
        except DataFileError as error:
            status, read, refused = "Error", 0, 0
            self._add([Problem(step.position, STAGING, 0, "", str(error))])
        counts = {"StagingRecordsToBeProcessedCount": read, "StagingRecordsCreatedCount": read - refused}
        with self._write() as unit:
            self._change(unit, step, {"StagingStatus": "Error" if refused else status, **counts})

    def write_targets(self, steps: Sequence[Step]) -> None:
        """Write the entities in order; an entity that says so keeps the rest of its unit from running."""
        stopped: set[int] = set()
        for step in steps:
            detail = self._detail(step)
            readable = detail["StagingStatus"] != "Error" or detail["StagingRecordsCreatedCount"]
            if readable and step.file.place[0] not in stopped and detail["TargetStatus"] not in _ENDED:
                self._write_target(step)
            if step.file.stops_unit and self._has_problems(step):
                stopped.add(step.file.place[0])

    def _write_target(self, step: Step) -> None:
        with self._write() as unit:
            self._change(unit, step, {"TargetStatus": "Executing"})
            done = self._done(unit, step)
        broken: list[Problem] = []
        try:
            for rows in _chunks(islice(read_staged(self.package, step), done, None)):
                self._write_chunk(step, rows)
        except DataFileError as error:
            broken.append(Problem(step.position, TARGET, 0, "", str(error)))
        with self._write() as unit:
            add_problems(unit.connection, self.desk.tables, self.execution.execution_id, broken)
            failed = bool(broken) or has_problems(
                unit.connection, self.desk.tables, self.execution.execution_id, step.position, TARGET
            )
            self._change(unit, step, {"TargetStatus": "Error" if failed else "Finished"})

    def _write_chunk(self, step: Step, rows: Sequence[StagedRow]) -> None:
        """Write rows, what went wrong with them, and how far the import is: all in one transaction."""
        with self._write() as unit:
            good = [row for row in rows if not row.refusals]
            outcomes = write_rows(unit, self.desk.catalog, step.table, good)
            problems = [it for outcome in outcomes for it in failed_in(step, outcome)]
            if step.file.skip_staging:
                problems += [it for row in rows for it in refused_in(step, TARGET, row)]
            add_problems(unit.connection, self.desk.tables, self.execution.execution_id, problems)
            written = [it.verb for it in outcomes if it.refusal is None]
            counts = {
                "TargetRecordsCreatedCount": written.count(Verb.CREATE),
                "TargetRecordsUpdatedCount": written.count(Verb.UPDATE),
            }
            self._change(unit, step, {}, counts)
            step_of = self.desk.tables.step
            done = sa.update(step_of).where(self._is(step)).values(done=step_of.c.done + len(rows))
            unit.connection.execute(done)
        now = self.desk.catalog.store.clock.now().isoformat()
        log_outcomes(self.desk.stats, step, outcomes, now)

    def finish(self, steps: Sequence[Step]) -> None:
        """Say how it ended."""
        tables, execution_id = self.desk.tables, self.execution.execution_id
        with self._write() as unit:
            details = job_details(unit.connection, tables, execution_id)
            troubled = {
                it.file.entity
                for it in steps
                if has_problems(unit.connection, tables, execution_id, it.position)
            }
            values = {"status": summary(details, troubled)}
            change_execution(unit.connection, tables, execution_id, values)

    def _detail(self, step: Step) -> dict[str, Any]:
        with self.desk.catalog.store.read() as connection:
            found = job_details(connection, self.desk.tables, self.execution.execution_id)
        detail = next((it for it in found if it["EntityName"] == step.file.entity), None)
        if detail is None:
            raise AbandonedError
        return detail

    def _done(self, unit: WriteUnit, step: Step) -> int:
        done: int = unit.connection.execute(
            sa.select(self.desk.tables.step.c.done).where(self._is(step))
        ).scalar_one()
        return done

    def _is(self, step: Step) -> sa.ColumnElement[bool]:
        columns = self.desk.tables.step.c
        return sa.and_(columns.execution_id == self.execution.execution_id, columns.position == step.position)

    def _has_problems(self, step: Step) -> bool:
        with self.desk.catalog.store.read() as connection:
            return has_problems(connection, self.desk.tables, self.execution.execution_id, step.position)

    def _change(
        self, unit: WriteUnit, step: Step, values: Mapping[str, Any], more: Mapping[str, int] | None = None
    ) -> None:
        change_job_detail(unit, self.desk.tables, self.execution, step.file.entity, values, more)

    def _add(self, problems: Sequence[Problem]) -> None:
        if problems:
            with self._write() as unit:
                add_problems(unit.connection, self.desk.tables, self.execution.execution_id, problems)

    @contextmanager
    def _write(self) -> Iterator[WriteUnit]:
        """Open a transaction that writes only where the import still belongs to what the store holds.

        Raises:
            AbandonedError: The environment was emptied.
        """
        tables = self.desk.tables
        with self.desk.catalog.store.write() as unit:
            if not still_exists(unit.connection, tables, self.execution.execution_id):
                raise AbandonedError
            yield unit


def _chunks(rows: Iterable[StagedRow]) -> Iterator[list[StagedRow]]:
    pending = iter(rows)
    while chunk := list(islice(pending, _ROWS_AT_ONCE)):
        yield chunk
