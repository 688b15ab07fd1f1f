"""What becomes of exports and imports that were taken on: who runs them, and how they end (protocol 2.2)."""

import logging
from collections.abc import Callable
from functools import partial

from sandbox.finance.packages.desk import ImportDesk
from sandbox.finance.packages.executions import (
    Problem,
    add_problems,
    change_execution,
    find_execution,
    still_exists,
    waiting_executions,
)
from sandbox.finance.packages.export import ExportError, commit_export, run_export
from sandbox.finance.packages.groups import EXPORT, IMPORT
from sandbox.finance.packages.imports import AbandonedError, run_import
from sandbox.finance.packages.tables import Status
from sandbox.finance.packages.unpacking import PackageError
from sandbox.finance.packages.worker import Worker

_log = logging.getLogger(__name__)
_UNEXPECTED = "An unexpected error has occurred; the log of the sandbox says more."


class ExecutionRunner:
    """Runs executions: of each kind one after another, in the order in which they were taken on."""

    def __init__(self, desk: ImportDesk) -> None:
        """Start the workers; they have nothing to do yet."""
        self._desk = desk
        self._store = desk.catalog.store
        self._tables = desk.tables
        self._workers = {EXPORT: Worker("data-management-export"), IMPORT: Worker("data-management-import")}

    def resume(self) -> None:
        """Run what an earlier process took on and did not finish."""
        self._tables.forget_before_reset()
        with self._store.read() as connection:
            waiting = waiting_executions(connection, self._tables)
        for execution in waiting:
            self.submit(execution.execution_id, execution.operation)

    def submit(self, execution_id: str, operation: str) -> None:
        """Run an execution, `EXPORT` or `IMPORT`, after all others of its kind."""
        self._workers[operation].submit(partial(self._run, execution_id))

    def after_imports(self, task: Callable[[], None]) -> None:
        """Do something else once the imports are through that were taken on so far."""
        self._workers[IMPORT].submit(task)

    def _run(self, execution_id: str) -> None:
        """One execution from taken on to its end."""
        try:
            with self._store.write() as unit:
                execution = find_execution(unit.connection, self._tables, execution_id)
                values = {"status": Status.EXECUTING}
                change_execution(unit.connection, self._tables, execution_id, values)
            if execution is None:  # a reset has emptied the sandbox meanwhile
                return
            if execution.operation == IMPORT:
                run_import(self._desk, execution)
            else:
                export = run_export(self._desk.catalog, self._tables, self._desk.blobs, execution)
                with self._store.write() as unit:
                    commit_export(unit, self._tables, execution, export)
        except AbandonedError:
            _log.info("The import %s ended with its environment.", execution_id)
        except (ExportError, PackageError) as error:
            self._fail(execution_id, str(error))
        except Exception:
            _log.exception("The execution %s failed.", execution_id)
            self._fail(execution_id, _UNEXPECTED)

    def _fail(self, execution_id: str, message: str) -> None:
        with self._store.write() as unit:
            if not still_exists(unit.connection, self._tables, execution_id):
                return  # else the next execution with this id would show what went wrong with this one
            values = {"status": Status.FAILED}
            change_execution(unit.connection, self._tables, execution_id, values)
            problem = Problem(0, "", 0, "", message)
            add_problems(unit.connection, self._tables, execution_id, [problem])
