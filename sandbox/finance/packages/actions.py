"""The actions of DataManagementDefinitionGroups (protocol 2.2), and the one worker that runs exports."""

import logging
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog
from sandbox.finance.errors import WRITE_ERROR, FinanceError
from sandbox.finance.packages.blobs import BlobStore
from sandbox.finance.packages.export import (
    ExportError,
    commit_export,
    find_group,
    run_export,
    set_status,
)
from sandbox.finance.packages.tables import Execution, PackageTables
from sandbox.finance.request import DataRequest
from sandbox.finance.service import Action
from sandbox.store import fold

_log = logging.getLogger(__name__)
_WAITING = ("NotRun", "Executing")


class PackageActions:
    """Takes orders for exports, runs them one after another in order, and says where they stand.

    Attributes:
        by_name: The actions by name.
    """

    def __init__(self, catalog: Catalog, tables: PackageTables, blobs: BlobStore) -> None:
        """Start the worker; it has nothing to do yet."""
        self._catalog = catalog
        self._tables = tables
        self._blobs = blobs
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="data-management")
        self.by_name: Mapping[str, Action] = {
            "ExportToPackage": self.export_to_package,
            "GetExecutionSummaryStatus": self.execution_status,
            "GetExportedPackageUrl": self.exported_package_url,
            "GetExecutionErrors": self.execution_errors,
        }

    def resume(self) -> None:
        """Run what an earlier process took on and did not finish."""
        self._tables.forget_before_reset()
        execution = self._tables.execution.c
        query = (
            sa.select(execution.execution_id)
            .where(execution.status.in_(_WAITING))
            .order_by(execution.sequence)
        )
        with self._catalog.store.read() as connection:
            waiting = connection.execute(query).scalars().all()
        for execution_id in waiting:
            self._worker.submit(self._run, execution_id)

    def export_to_package(self, request: DataRequest, parameters: Mapping[str, object]) -> str:
        """`ExportToPackage`: take on an export and return its execution id.

        An id that is known already is answered as it is, without a second export, unless reExecute
        is true: then the export is repeated from where its first run began [?].

        Raises:
            FinanceError: Unknown definition group or company, or a parameter of the wrong type.
        """
        group, package_name = _text(parameters, "definitionGroupId"), _text(parameters, "packageName")
        execution_id = _text(parameters, "executionId") or f"{group}-{uuid.uuid4()}"
        again = parameters.get("reExecute", False)
        if not isinstance(again, bool):
            raise FinanceError(400, "The parameter 'reExecute' must be true or false.")
        with self._catalog.store.write() as unit:
            company = self._company(unit.connection, _text(parameters, "legalEntityId"))
            if find_group(unit.connection, self._catalog, group) is None:
                raise FinanceError(400, f"The definition group '{group}' does not exist.", WRITE_ERROR)
            known = self._known(unit.connection, execution_id)
            if known is not None and not again:
                return execution_id
            if known is None:
                execution = Execution(execution_id, group, company, package_name or group, "NotRun", False)
                self._insert(unit.connection, execution, unit.next_version())
            else:
                self._repeat(unit.connection, execution_id)
        self._worker.submit(self._run, execution_id)
        return execution_id

    def execution_status(self, request: DataRequest, parameters: Mapping[str, object]) -> str:
        """`GetExecutionSummaryStatus`: NotRun, Executing, Succeeded or Failed.

        Raises:
            FinanceError: No such execution; clients meet this when they ask too early as well [L].
        """
        return str(self._row(parameters)["status"])

    def exported_package_url(self, request: DataRequest, parameters: Mapping[str, object]) -> str:
        """`GetExportedPackageUrl`: a link to the package, empty while there is none.

        Raises:
            FinanceError: No such execution.
        """
        row = self._row(parameters)
        if row["status"] != "Succeeded":
            return ""
        return self._blobs.link(request.root, str(row["blob_id"]), f"{row['package_name']}.zip")

    def execution_errors(self, request: DataRequest, parameters: Mapping[str, object]) -> str:
        """`GetExecutionErrors`: a JSON list as a string.

        Raises:
            FinanceError: No such execution.
        """
        return str(self._row(parameters)["errors"])

    def _run(self, execution_id: str) -> None:
        """One export from taken to Succeeded or Failed."""
        store = self._catalog.store
        try:
            with store.write() as unit:
                set_status(unit.connection, self._tables, execution_id, "Executing")
                execution = self._known(unit.connection, execution_id)
            if execution is None:  # a reset has emptied the sandbox meanwhile
                return
            export = run_export(self._catalog, self._tables, execution)
            with store.write() as unit:
                commit_export(unit, self._tables, self._blobs, execution, export)
        except ExportError as error:
            self._fail(execution_id, str(error))
        except Exception:
            _log.exception("The export %s failed.", execution_id)
            self._fail(execution_id, "An unexpected error has occurred; the log of the sandbox says more.")

    def _fail(self, execution_id: str, message: str) -> None:
        with self._catalog.store.write() as unit:
            set_status(unit.connection, self._tables, execution_id, "Failed", errors=[message])

    def _company(self, connection: sa.Connection, name: str) -> str:
        if not name:
            return self._catalog.company(connection)
        entities = self._catalog.sql(self._catalog.sets["LegalEntities"])
        query = sa.select(entities.c.recid).where(fold(entities.c.LegalEntityId) == fold(name))
        if connection.execute(query).first() is None:
            raise FinanceError(400, f"The company '{name}' does not exist.", WRITE_ERROR)
        return name.lower()

    def _known(self, connection: sa.Connection, execution_id: str) -> Execution | None:
        columns = self._tables.execution.c
        query = sa.select(
            columns.execution_id,
            columns.definition_group,
            columns.company,
            columns.package_name,
            columns.status,
            columns.reexecute,
        ).where(columns.execution_id == execution_id)
        row = connection.execute(query).first()
        return None if row is None else Execution(*row)

    def _insert(self, connection: sa.Connection, execution: Execution, sequence: int) -> None:
        row = {
            "execution_id": execution.execution_id,
            "sequence": sequence,
            "definition_group": execution.group,
            "company": execution.company,
            "package_name": execution.package_name,
            "status": execution.status,
            "reexecute": False,
            "errors": "[]",
            "blob_id": "",
        }
        connection.execute(sa.insert(self._tables.execution).values(row))

    def _repeat(self, connection: sa.Connection, execution_id: str) -> None:
        mine = self._tables.execution.c.execution_id == execution_id
        values = {"status": "NotRun", "reexecute": True, "errors": "[]", "blob_id": ""}
        connection.execute(sa.update(self._tables.execution).where(mine).values(values))

    def _row(self, parameters: Mapping[str, object]) -> Mapping[str, object]:
        execution_id = _text(parameters, "executionId")
        mine = self._tables.execution.c.execution_id == execution_id
        with self._catalog.store.read() as connection:
            row = connection.execute(sa.select(self._tables.execution).where(mine)).mappings().first()
        if row is None:
            message = f"The execution details for the execution ID '{execution_id}' were not found."
            raise FinanceError(400, message, WRITE_ERROR)
        return dict(row)


def _text(parameters: Mapping[str, object], name: str) -> str:
    value = parameters.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise FinanceError(400, f"The parameter '{name}' must be text.")
    return value.strip()
