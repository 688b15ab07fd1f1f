"""Which handler answers which request below `/data`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from sandbox.faults import BatchFaults
from sandbox.faults.board import resource_of
from sandbox.finance.catalog import NAMESPACE, Catalog
from sandbox.finance.errors import (
    FinanceError,
    HinderedError,
    UnknownResourceError,
    render_error,
    render_unknown,
)
from sandbox.finance.listing import count_rows, get_row, list_rows
from sandbox.finance.metadata import metadata_document, service_document
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.finance.writing import create_row, delete_row, update_row
from sandbox.odata.errors import ODataError
from sandbox.odata.keys import Segment
from sandbox.odata.wire import dumps, loads, sent_object
from sandbox.schema.model import Table
from sandbox.stats import Operation, Stats
from sandbox.store import WriteUnit
from sandbox.write_log import WrittenRow, written_row

Action = Callable[[DataRequest, Mapping[str, object]], object]
_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True)
class Service:
    """The OData service.

    Attributes:
        catalog: The entity sets.
        stats: Where every operation is counted.
        faults: What stands in the way of operations inside of batches.
        actions: Set-bound actions by set and name; they take the request and its parameters and
            return the value.
    """

    catalog: Catalog
    stats: Stats
    faults: BatchFaults
    actions: Mapping[tuple[str, str], Action] = field(default_factory=dict)

    def answer(self, request: DataRequest) -> DataResponse:
        """Answer one request in a transaction of its own, errors included."""
        try:
            response = self._respond(request)
        except (FinanceError, HinderedError, ODataError, UnknownResourceError) as error:
            response = render_failure(error, request)
        self.count(request, response)
        return response

    def write(self, unit: WriteUnit, request: DataRequest) -> DataResponse:
        """Do one write in the transaction of a changeset.

        Raises:
            FinanceError: It is refused, or it is no write.
            HinderedError: A fault rule means it.
            ODataError: URL or body cannot be read.
            UnknownResourceError: Its URL leads nowhere.
        """
        self._refuse_hindered(request)
        segments = _segments(request)
        if request.method not in _WRITES or len(segments) != 1:
            raise FinanceError(400, "A changeset holds create, update and delete requests of entities only.")
        return self._write(unit, self._table(segments[0], request), segments[0], request)

    def count(self, request: DataRequest, response: DataResponse) -> None:
        """Put an operation into the counters and, unless it only reads, into the write log."""
        now = self.catalog.store.clock.now().isoformat()
        self.stats.record(describe(request, response), now)

    def _refuse_hindered(self, request: DataRequest) -> None:
        resource = resource_of(request.path) if request.in_batch else None
        fault = None if resource is None else self.faults.meet(request.method, resource)
        if fault is not None:
            raise HinderedError(DataResponse(fault.status, fault.body, fault.headers))

    def _respond(self, request: DataRequest) -> DataResponse:
        self._refuse_hindered(request)
        segments = _segments(request)
        if not segments or segments[0].name == "$metadata":
            return self._describe_service(request, segments[0].name if segments else "")
        table = self._table(segments[0], request)
        if len(segments) == 2:
            return self._below(table, segments[1], request)
        if len(segments) > 2:
            raise UnknownResourceError(request.url)
        if request.method == "GET":
            key = segments[0].key
            return (
                list_rows(self.catalog, table, request)
                if key is None
                else get_row(self.catalog, table, request, key)
            )
        with self.catalog.store.write() as unit:
            return self._write(unit, table, segments[0], request)

    def _describe_service(self, request: DataRequest, name: str) -> DataResponse:
        if request.method != "GET":
            raise not_allowed(request)
        if name == "$metadata":
            return metadata_document(self.catalog)
        return service_document(self.catalog, request)

    def _below(self, table: Table, segment: Segment, request: DataRequest) -> DataResponse:
        """`Set/$count` or `Set/Microsoft.Dynamics.DataEntities.Action`."""
        if segment.name == "$count" and request.method == "GET":
            return count_rows(self.catalog, table, request)
        action = self.actions.get((table.name, segment.name.removeprefix(f"{NAMESPACE}.")))
        if action is None or not segment.name.startswith(NAMESPACE):
            raise UnknownResourceError(request.url)
        if request.method != "POST":
            raise not_allowed(request)
        parameters = loads(request.body) if request.body.strip() else {}
        if not isinstance(parameters, dict):
            raise FinanceError(400, "The parameters of an action are a JSON object.")
        value = action(request, parameters)
        kind = "Edm.Boolean" if isinstance(value, bool) else "Edm.String"
        return DataResponse(
            200, dumps({"@odata.context": f"{request.root}/data/$metadata#{kind}", "value": value})
        )

    def _write(self, unit: WriteUnit, table: Table, segment: Segment, request: DataRequest) -> DataResponse:
        if segment.key is None:
            if request.method != "POST":
                raise not_allowed(request)
            return create_row(unit, self.catalog, table, request)
        if request.method in {"PATCH", "PUT"}:
            return update_row(unit, self.catalog, table, request, segment.key)
        if request.method == "DELETE":
            return delete_row(unit, self.catalog, table, request, segment.key)
        raise not_allowed(request)

    def _table(self, segment: Segment, request: DataRequest) -> Table:
        table = self.catalog.sets.get(segment.name)
        if table is None:
            raise UnknownResourceError(request.url)
        return table


def _segments(request: DataRequest) -> tuple[Segment, ...]:
    """The resource path; a batch may name paths that are not below `/data`."""
    if request.path != "/data" and not request.path.startswith("/data/"):
        raise UnknownResourceError(request.url)
    return request.segments


def not_allowed(request: DataRequest) -> FinanceError:
    """A verb that the resource does not take."""
    return FinanceError(405, f"The requested resource does not support http method '{request.method}'.")


def render_failure(error: Exception, request: DataRequest) -> DataResponse:
    """The answer for a request that was refused, whatever refused it."""
    if isinstance(error, HinderedError):
        return error.response
    if isinstance(error, UnknownResourceError):
        return render_unknown(str(error))
    refused = error if isinstance(error, FinanceError) else FinanceError(400, str(error))
    return render_error(refused, request.in_batch)


def describe(request: DataRequest, response: DataResponse) -> Operation:
    """One operation as the counters and the write log have it."""
    try:
        segments = request.segments
    except ODataError:
        segments = ()
    entity, key = (segments[0].name, segments[0].key or "") if segments else ("", "")
    verb = request.method
    if len(segments) > 1 and request.method == "POST":
        verb = segments[1].name.rpartition(".")[2]
    written: tuple[WrittenRow, ...] = ()
    if request.method in _WRITES:
        body = sent_object(request.body)
        written = (written_row(key or _created_key(response), tuple(body), body),)
    return Operation("finance", entity, verb, response.status, response.rows, written)


def _created_key(response: DataResponse) -> str:
    """The key predicate of a row that was created, as its address has it."""
    return unquote(response.headers.get("Location", "").partition("(")[2].removesuffix(")"))
