"""Which handler answers which request below `/data`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.finance.catalog import NAMESPACE, Catalog
from sandbox.finance.errors import (
    FinanceError,
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
from sandbox.odata.wire import dumps, loads
from sandbox.schema.model import Table
from sandbox.stats import Operation, Stats
from sandbox.store import WriteUnit

Action = Callable[[DataRequest, Mapping[str, object]], object]
_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True)
class Service:
    """The OData service.

    Attributes:
        catalog: The entity sets.
        stats: Where every operation is counted.
        actions: Set-bound actions by set and name; they take the request and its parameters and
            return the value.
    """

    catalog: Catalog
    stats: Stats
    actions: Mapping[tuple[str, str], Action] = field(default_factory=dict)

    def answer(self, request: DataRequest) -> DataResponse:
        """Answer one request in a transaction of its own, errors included."""
        try:
            response = self._respond(request)
        except (FinanceError, ODataError, UnknownResourceError) as error:
            response = render_failure(error, request)
        self.count(request, response)
        return response

    def write(self, unit: WriteUnit, request: DataRequest) -> DataResponse:
        """Do one write in the transaction of a changeset.

        Raises:
            FinanceError: It is refused, or it is no write.
            ODataError: URL or body cannot be read.
            UnknownResourceError: Its URL leads nowhere.
        """
        segments = _segments(request)
        if request.method not in _WRITES or len(segments) != 1:
            raise FinanceError(400, "A changeset holds create, update and delete requests of entities only.")
        return self._write(unit, self._table(segments[0], request), segments[0], request)

    def count(self, request: DataRequest, response: DataResponse) -> None:
        """Put an operation into the counters and, unless it only reads, into the write log."""
        now = self.catalog.store.clock.now().isoformat()
        self.stats.record(describe(request, response), now)

    def _respond(self, request: DataRequest) -> DataResponse:
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
    return Operation("finance", entity, verb, response.status, key, _named(request), response.rows)


def _named(request: DataRequest) -> tuple[str, ...]:
    """The columns that a write names; none where its body cannot be read."""
    if request.method not in _WRITES or not request.body:
        return ()
    try:
        body = loads(request.body)
    except ODataError:
        return ()
    return tuple(str(name) for name in body) if isinstance(body, dict) else ()
