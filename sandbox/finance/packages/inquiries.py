"""The actions of DataManagementDefinitionGroups that ask how executions stand (protocol 2.2)."""

from collections.abc import Mapping
from functools import partial

import sqlalchemy as sa

from sandbox.finance.errors import WRITE_ERROR, FinanceError
from sandbox.finance.packages.blobs import READ
from sandbox.finance.packages.desk import ImportDesk
from sandbox.finance.packages.error_files import make_error_file
from sandbox.finance.packages.executions import (
    TARGET,
    find_execution,
    has_problems,
    job_details,
    problem_list,
)
from sandbox.finance.packages.parameters import text
from sandbox.finance.packages.running import ExecutionRunner
from sandbox.finance.packages.tables import Execution, Status
from sandbox.finance.request import DataRequest
from sandbox.finance.service import Action
from sandbox.odata.wire import dumps

Parameters = Mapping[str, object]

# Of a message only its execution is known here: the names of its states are documented, which of them
# stands for what of an execution is not [?].
_MESSAGE_STATUS: Mapping[str, str] = {
    Status.NOT_RUN: "Enqueued",
    Status.EXECUTING: "Processing",
    Status.SUCCEEDED: "Processed",
    Status.PARTIALLY_SUCCEEDED: "ProcessedWithErrors",
    Status.FAILED: "PostProcessingFailed",
}
_SHOWN = (
    "EntityName",
    "StagingStatus",
    "StagingRecordsToBeProcessedCount",
    "StagingRecordsCreatedCount",
    "TargetStatus",
    "TargetRecordsCreatedCount",
    "TargetRecordsUpdatedCount",
)


class Inquiries:
    """Answers questions about exports and imports.

    Attributes:
        by_name: The actions by name. Each raises a FinanceError where there is no such execution.
    """

    def __init__(self, desk: ImportDesk, runner: ExecutionRunner) -> None:
        """Ask `desk`; what takes longer is left to `runner`."""
        self._desk = desk
        self._tables = desk.tables
        self._store = desk.catalog.store
        self._runner = runner
        self.by_name: Mapping[str, Action] = {
            "GetExecutionSummaryStatus": self.execution_status,
            "GetExportedPackageUrl": self.exported_package_url,
            "GetExecutionErrors": self.execution_errors,
            "GetEntityExecutionSummaryStatusList": self.entity_status_list,
            "GetImportStagingErrorFileUrl": self.staging_error_file_url,
            "GenerateImportTargetErrorKeysFile": self.generate_error_keys_file,
            "GetImportTargetErrorKeysFileUrl": self.error_keys_file_url,
            "GetMessageStatus": self.message_status,
        }

    def execution_status(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetExecutionSummaryStatus`: NotRun, Executing, Succeeded, PartiallySucceeded or Failed.

        Raises:
            FinanceError: No such execution; clients meet this when they ask too early as well [L].
        """
        return self._execution(parameters).status

    def exported_package_url(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetExportedPackageUrl`: a link to the package, empty while there is none."""
        execution = self._execution(parameters)
        if execution.status != Status.SUCCEEDED:
            return ""
        return self._blob_link(request, execution.blob_id, f"{execution.package_name}.zip")

    def execution_errors(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetExecutionErrors`: a JSON list of RecordId, Field and ErrorMessage, as a string."""
        execution = self._execution(parameters)
        with self._store.read() as connection:
            return problem_list(connection, self._tables, execution.execution_id)

    def entity_status_list(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetEntityExecutionSummaryStatusList`: a JSON list as a string, an object an entity [?]."""
        execution = self._execution(parameters)
        with self._store.read() as connection:
            details = job_details(connection, self._tables, execution.execution_id)
        return dumps([{name: row[name] for name in _SHOWN} for row in details]).decode()

    def staging_error_file_url(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetImportStagingErrorFileUrl`: the records that did not get into staging, "" where all did [D]."""
        return self._error_link(request, parameters, "staging_blob")

    def generate_error_keys_file(self, request: DataRequest, parameters: Parameters) -> bool:
        """`GenerateImportTargetErrorKeysFile`: whether records failed on their way from staging [D].

        Their keys are written into a file by the batch server, behind what it is doing.
        """
        execution, entity, position = self._entity(parameters)
        with self._store.read() as connection:
            failed = has_problems(connection, self._tables, execution.execution_id, position, TARGET)
        if failed:
            self._runner.after_imports(
                partial(make_error_file, self._desk, execution.execution_id, entity, TARGET)
            )
        return failed

    def error_keys_file_url(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetImportTargetErrorKeysFileUrl`: the file of keys; "" while there is none [D]."""
        return self._error_link(request, parameters, "keys_blob")

    def message_status(self, request: DataRequest, parameters: Parameters) -> str:
        """`GetMessageStatus`: how the execution stands that a message became; its id is the message's [?]."""
        return _MESSAGE_STATUS[self._execution(parameters, "messageId").status]

    def _error_link(self, request: DataRequest, parameters: Parameters, column: str) -> str:
        execution, entity, position = self._entity(parameters)
        step = self._tables.step.c
        mine = (step.execution_id == execution.execution_id, step.position == position)
        with self._store.read() as connection:
            blob_id: str = connection.execute(sa.select(step[column]).where(*mine)).scalar_one()
        blob = self._desk.blobs.find(blob_id) if blob_id else None
        return "" if blob is None else self._blob_link(request, blob_id, blob.name)

    def _blob_link(self, request: DataRequest, blob_id: str, name: str) -> str:
        return self._desk.blobs.link(request.root, blob_id, name, READ)

    def _execution(self, parameters: Parameters, name: str = "executionId") -> Execution:
        execution_id = text(parameters, name)
        with self._store.read() as connection:
            execution = find_execution(connection, self._tables, execution_id)
        if execution is None:
            message = f"The execution details for the execution ID '{execution_id}' were not found."
            raise FinanceError(400, message, WRITE_ERROR)
        return execution

    def _entity(self, parameters: Parameters) -> tuple[Execution, str, int]:
        """The execution, and the name and position of one of its entities, without case."""
        execution, wanted = self._execution(parameters), text(parameters, "entityName")
        step = self._tables.step.c
        query = sa.select(step.entity, step.position).where(step.execution_id == execution.execution_id)
        with self._store.read() as connection:
            found = [
                (name, place) for name, place in connection.execute(query) if name.lower() == wanted.lower()
            ]
        if not found:
            message = f"The execution '{execution.execution_id}' has no entity '{wanted}'."
            raise FinanceError(400, message, WRITE_ERROR)
        return execution, found[0][0], found[0][1]
