"""Which handler answers which request below `/data`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from sandbox.faults import BatchFaults
from sandbox.faults.board import resource_of
from sandbox.finance.actions import ROW_ACTIONS
from sandbox.finance.below import read_below
from sandbox.finance.body import read_body
from sandbox.finance.books import Books
from sandbox.finance.catalog import NAMESPACE, Catalog
from sandbox.finance.errors import (
    FinanceError,
    RoutingError,
    UnknownResourceError,
    action_error,
    not_allowed,
)
from sandbox.finance.failures import HinderedError, render_failure
from sandbox.finance.listing import count_rows, get_row, list_rows
from sandbox.finance.metadata import metadata_document, service_document
from sandbox.finance.metadata.actions import actions_of
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.finance.rows import find_row
from sandbox.finance.writing import create_row, delete_row, update_row
from sandbox.odata.errors import ODataError
from sandbox.odata.keys import Segment
from sandbox.odata.wire import dumps, sent_object
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
        except (FinanceError, HinderedError, ODataError, RoutingError) as error:
            response = render_failure(error, request)
        self.count(request, response)
        return response

    def write(self, unit: WriteUnit, request: DataRequest) -> DataResponse:
        """Do one write in the transaction of a changeset.

        Raises:
            FinanceError: It is refused, or it is no write.
            HinderedError: A fault rule means it.
            ODataError: URL or body cannot be read.
            RoutingError: Its URL leads nowhere, or its body is no JSON.
        """
        self._refuse_hindered(request)
        segments = _segments(request)
        if request.method not in _WRITES or not self._is_write(segments):
            raise FinanceError(400, "A changeset holds create, update and delete requests of entities only.")
        return self._write(unit, self._table(segments[0], request), segments, request)

    def _is_write(self, segments: tuple[Segment, ...]) -> bool:
        """Whether a path is that of a set, of a row, or of an action of a row."""
        row_action = len(segments) == 2 and (segments[0].name, _action_name(segments[1])) in ROW_ACTIONS
        return len(segments) == 1 or row_action

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
        if request.method == "GET":
            return self._read(table, segments, request)
        if self._is_write(segments):
            with self.catalog.store.write() as unit:
                return self._write(unit, table, segments, request)
        return self._act(table, segments, request)

    def _read(self, table: Table, segments: tuple[Segment, ...], request: DataRequest) -> DataResponse:
        key, rest = segments[0].key, segments[1:]
        if key is not None:
            return (
                read_below(self.catalog, table, key, rest, request)
                if rest
                else get_row(self.catalog, table, request, key)
            )
        if not rest:
            return list_rows(self.catalog, table, request)
        if rest == (Segment("$count"),):
            return count_rows(self.catalog, table, request)
        if len(rest) == 1 and (table.name, _action_name(rest[0])) in self.actions:
            raise not_allowed(request.method)
        raise UnknownResourceError(request.url)

    def _describe_service(self, request: DataRequest, name: str) -> DataResponse:
        if request.method != "GET":
            raise not_allowed(request.method)
        if name == "$metadata":
            return metadata_document(self.catalog)
        return service_document(self.catalog, request)

    def _act(self, table: Table, segments: tuple[Segment, ...], request: DataRequest) -> DataResponse:
        """`POST Set/Microsoft.Dynamics.DataEntities.Action`."""
        action = self.actions.get((table.name, _action_name(segments[1])))
        if action is None or len(segments) > 2 or segments[0].key is not None:
            raise UnknownResourceError(request.url)
        if request.method != "POST":
            raise not_allowed(request.method)
        return _result(action(request, _parameters(table, segments[1], request)), request)

    def _write(
        self, unit: WriteUnit, table: Table, segments: tuple[Segment, ...], request: DataRequest
    ) -> DataResponse:
        key = segments[0].key
        if len(segments) > 1:
            return self._act_on_row(unit, table, segments, request)
        if key is None:
            if request.method != "POST":
                raise not_allowed(request.method)
            return create_row(unit, self.catalog, table, request)
        if request.method in {"PATCH", "PUT"}:
            return update_row(unit, self.catalog, table, request, key)
        if request.method == "DELETE":
            return delete_row(unit, self.catalog, table, request, key)
        raise not_allowed(request.method)

    def _act_on_row(
        self, unit: WriteUnit, table: Table, segments: tuple[Segment, ...], request: DataRequest
    ) -> DataResponse:
        """`POST Set(key)/Microsoft.Dynamics.DataEntities.Action`; what it refuses is 500 [D]."""
        if request.method != "POST":
            raise not_allowed(request.method)
        key, name = segments[0].key, _action_name(segments[1])
        row = None if key is None else find_row(unit.connection, self.catalog, table, request, key)
        if row is None:
            raise FinanceError(404, f"Resource not found for the segment '{table.name}'.")
        _parameters(table, segments[1], request)
        try:
            return _result(ROW_ACTIONS[table.name, name](Books(unit, self.catalog), row), request)
        except FinanceError as refused:
            raise action_error(name, table.entity_type, refused.message) from None

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


def _action_name(segment: Segment) -> str:
    """The name of an action without its namespace, empty where a segment names none."""
    name = segment.name.removeprefix(f"{NAMESPACE}.")
    return "" if name == segment.name or segment.key is not None else name


def _parameters(table: Table, action: Segment, request: DataRequest) -> Mapping[str, object]:
    """The parameters of an action; it takes those that metadata names."""
    parameters = read_body(request) if request.body.strip() else {}
    if not isinstance(parameters, dict):
        raise FinanceError(400, "The parameters of an action are a JSON object.")
    name = _action_name(action)
    known = {parameter for it in actions_of(table.name) if it.name == name for parameter in it.parameters}
    unknown = next((each for each in parameters if each not in known and "@" not in each), None)
    if unknown is not None:
        raise FinanceError(
            400,
            f"The parameter '{unknown}' in the request payload is not a valid parameter for the operation "
            f"'{action.name}'.",
        )
    return parameters


def _result(value: object, request: DataRequest) -> DataResponse:
    """What an action returns: a scalar or texts with their type, 204 for nothing."""
    if value is None:
        return DataResponse(204)
    kind = "Edm.Boolean" if isinstance(value, bool) else "Edm.String"
    kind = f"Collection({kind})" if isinstance(value, list) else kind
    body = {"@odata.context": f"{request.root}/data/$metadata#{kind}", "value": value}
    return DataResponse(200, dumps(body), media_type=request.representation.media_type)


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
