"""The actions of DataManagementDefinitionGroups that take work on (protocol 2.2)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Lock

import sqlalchemy as sa

from sandbox.finance.errors import WRITE_ERROR, FinanceError
from sandbox.finance.packages.blobs import READ, WRITE, LinkError
from sandbox.finance.packages.desk import ImportDesk
from sandbox.finance.packages.executions import (
    change_execution,
    find_execution,
    insert_execution,
    insert_job_detail,
    new_execution_id,
    waiting_executions,
)
from sandbox.finance.packages.export import find_group
from sandbox.finance.packages.groups import EXPORT, IMPORT
from sandbox.finance.packages.inquiries import Inquiries
from sandbox.finance.packages.parameters import flag, text
from sandbox.finance.packages.planning import plan_import
from sandbox.finance.packages.projects import keep_project
from sandbox.finance.packages.running import ExecutionRunner
from sandbox.finance.packages.staging import Step
from sandbox.finance.packages.tables import Execution, Status
from sandbox.finance.packages.unpacking import PackageError, open_package
from sandbox.finance.request import DataRequest
from sandbox.finance.service import Action
from sandbox.odata.wire import dumps
from sandbox.store import WriteUnit, fold
from sandbox.store.past import lagging

Parameters = Mapping[str, object]


class PackageActions:
    """Takes orders for exports and imports, which a runner works off.

    Attributes:
        by_name: The actions by name, those that only ask among them.
    """

    def __init__(self, desk: ImportDesk, runner: ExecutionRunner) -> None:
        """Hand what is taken on to `runner`."""
        self._catalog = desk.catalog
        self._tables = desk.tables
        self._blobs = desk.blobs
        self._runner = runner
        self._importing = Lock()
        inquiries = Inquiries(desk, runner)
        self.by_name: Mapping[str, Action] = {
            "GetAzureWriteUrl": self.azure_write_url,
            "ExportToPackage": self.export_to_package,
            "ImportFromPackage": self.import_from_package,
            **inquiries.by_name,
        }

    def azure_write_url(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetAzureWriteUrl`: a JSON object as a string, with the id and the address of a blob to be written.

        Raises:
            FinanceError: The file has no name.
        """
        name = text(parameters, "uniqueFileName")
        if not name:
            raise FinanceError(400, "The parameter 'uniqueFileName' must not be empty.", WRITE_ERROR)
        with self._catalog.store.write() as unit:
            blob_id = self._blobs.reserve(unit, name)
        url = self._blobs.link(request.root, blob_id, name, WRITE)
        return dumps({"BlobId": f"{{{blob_id.upper()}}}", "BlobUrl": url}).decode()

    def export_to_package(self, request: DataRequest, parameters: Parameters) -> str:
        """`ExportToPackage`: take on an export and return its execution id.

        An id that is known already is answered as it is, without a second export, unless reExecute
        is true: then the export is repeated from where its first run began [?].

        Raises:
            FinanceError: Unknown definition group or company, or a parameter of the wrong type.
        """
        group, package_name = text(parameters, "definitionGroupId"), text(parameters, "packageName")
        again = flag(parameters, "reExecute", default=False)
        with self._catalog.store.write() as unit:
            execution_id = text(parameters, "executionId") or new_execution_id(group, unit.now)
            company = self._company(unit.connection, text(parameters, "legalEntityId"))
            if find_group(unit.connection, self._catalog, group) is None:
                raise FinanceError(400, f"The definition group '{group}' does not exist.", WRITE_ERROR)
            known = self._known(unit.connection, execution_id, EXPORT)
            if known is not None and not again:
                return execution_id
            if known is None:
                execution = Execution(execution_id, EXPORT, group, company, package_name or group)
                insert_execution(unit, self._tables, execution)
            else:
                values = {"status": Status.NOT_RUN, "reexecute": True, "blob_id": ""}
                change_execution(unit.connection, self._tables, execution_id, values)
        self._runner.submit(execution_id, EXPORT)
        return execution_id

    def import_from_package(self, request: DataRequest, parameters: Parameters) -> str:
        """`ImportFromPackage`: check a package, take its import on and return its execution id.

        The definition group is made or, with overwrite, changed as the manifest has it. An id that is known
        already is answered as it is; one that went no further than staging goes on with execute [?].

        Raises:
            FinanceError: Another import is under way [D], the package is not ours or not as it should be,
                an entity or the company does not exist, or a parameter has the wrong type.
        """
        execute = flag(parameters, "execute", default=False)
        overwrite = flag(parameters, "overwrite", default=False)
        execution_id = text(parameters, "executionId")
        # What a write looks at is of the present, whatever reads see.
        with self._alone(), lagging(0):
            with self._catalog.store.read() as connection:
                known = self._known(connection, execution_id, IMPORT) if execution_id else None
                company = self._company(connection, text(parameters, "legalEntityId"))
            if known is not None and (known.execute or not execute):
                return execution_id
            self._refuse_second()
            if known is not None:
                return self._go_on(known)
            blob_id = self._package(text(parameters, "packageUrl"))
            manifest_group, steps = self._plan(blob_id, company)
            group = text(parameters, "definitionGroupId") or manifest_group
            with self._catalog.store.write() as unit:
                execution_id = execution_id or new_execution_id(group, unit.now)
                execution = Execution(
                    execution_id, IMPORT, group, company, group, execute=execute, blob_id=blob_id
                )
                self._take_on(unit, execution, steps, overwrite=overwrite)
            self._runner.submit(execution_id, IMPORT)
        return execution_id

    def _take_on(
        self, unit: WriteUnit, execution: Execution, steps: Sequence[Step], *, overwrite: bool
    ) -> None:
        keep_project(unit, self._catalog, execution.group, [step.file for step in steps], overwrite=overwrite)
        insert_execution(unit, self._tables, execution)
        for step in steps:
            insert_job_detail(unit, self._tables, execution, step.file, {})
            row = {"execution_id": execution.execution_id, "position": step.position, "done": 0}
            row |= {"entity": step.file.entity, "staging_blob": "", "keys_blob": ""}
            unit.connection.execute(sa.insert(self._tables.step).values(row))

    def _go_on(self, execution: Execution) -> str:
        """Let an import that stopped after staging go on to the target."""
        with self._catalog.store.write() as unit:
            values = {"execute": True, "status": Status.NOT_RUN}
            change_execution(unit.connection, self._tables, execution.execution_id, values)
        self._runner.submit(execution.execution_id, IMPORT)
        return execution.execution_id

    def _plan(self, blob_id: str, company: str) -> tuple[str, list[Step]]:
        blob = self._blobs.find(blob_id)
        if blob is None:
            raise FinanceError(
                400, "The package does not exist: nothing was written to its address.", WRITE_ERROR
            )
        try:
            with TemporaryFile() as file:
                self._blobs.copy(blob, file)
                with open_package(file) as package:
                    manifest, steps = plan_import(self._catalog, package, company)
        except PackageError as error:
            raise FinanceError(400, str(error), WRITE_ERROR) from None
        return manifest.group or "Import", steps

    def _package(self, url: str) -> str:
        """The blob of a package's address, one of our own: nothing is fetched from elsewhere."""
        try:
            return self._blobs.open_link(url, READ)
        except (LinkError, ValueError) as refused:
            message = f"The package URL leads to no blob of this environment. {refused}"
            raise FinanceError(400, message, WRITE_ERROR) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._importing.acquire(blocking=False):
            raise _parallel()
        try:
            yield
        finally:
            self._importing.release()

    def _refuse_second(self) -> None:
        with self._catalog.store.read() as connection:
            if any(it.operation == IMPORT for it in waiting_executions(connection, self._tables)):
                raise _parallel()

    def _company(self, connection: sa.Connection, name: str) -> str:
        if not name:
            return self._catalog.company(connection)
        entities = self._catalog.sql(self._catalog.sets["LegalEntities"])
        query = sa.select(entities.c.recid).where(fold(entities.c.LegalEntityId) == fold(name))
        if connection.execute(query).first() is None:
            raise FinanceError(400, f"The company '{name}' does not exist.", WRITE_ERROR)
        return name.lower()

    def _known(self, connection: sa.Connection, execution_id: str, operation: str) -> Execution | None:
        known = find_execution(connection, self._tables, execution_id)
        if known is not None and known.operation != operation:
            message = f"The execution '{execution_id}' is of another operation: {known.operation}."
            raise FinanceError(400, message, WRITE_ERROR)
        return known


def _parallel() -> FinanceError:
    return FinanceError(
        400, "Another import is under way: ImportFromPackage must not be called in parallel.", WRITE_ERROR
    )
