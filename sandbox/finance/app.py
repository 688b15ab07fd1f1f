"""The ASGI application: HTTP in, values to the handlers, HTTP out."""

import time
import uuid
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.auth import TokenDesk, token_routes
from sandbox.faults import BatchFaults, FaultBoard
from sandbox.finance.batch import answer_batch
from sandbox.finance.catalog import Catalog
from sandbox.finance.environment import ENVIRONMENT_ACTIONS
from sandbox.finance.errors import FinanceError, RoutingError, UnknownResourceError, not_allowed
from sandbox.finance.failures import render_failure, render_routing
from sandbox.finance.metadata import answer_metadata
from sandbox.finance.packages.actions import PackageActions
from sandbox.finance.packages.blob_api import METHODS as BLOB_METHODS
from sandbox.finance.packages.blob_api import BlobApi
from sandbox.finance.packages.blobs import BlobStore
from sandbox.finance.packages.desk import ImportDesk
from sandbox.finance.packages.groups import GROUPS, SETS
from sandbox.finance.packages.running import ExecutionRunner
from sandbox.finance.packages.tables import PackageTables
from sandbox.finance.request import DataRequest, DataResponse, read_request
from sandbox.finance.service import Service
from sandbox.odata.errors import ODataError
from sandbox.odata.sql import register_functions
from sandbox.rules.hooks import Rulebook
from sandbox.stats import Stats
from sandbox.store import Store

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_METADATA_PATHS = [f"/{name}{rest}" for name in ("Metadata", "metadata") for rest in ("", "/{rest:path}")]


def create_app(
    store: Store,
    stats: Stats,
    desk: TokenDesk,
    board: FaultBoard,
    rules: Rulebook[Any],
    default_company: str | None = None,
) -> Starlette:
    """Return Finance's application; its `state.on_reset` is to be called once the store was emptied.

    Args:
        store: Both systems' rows; data management keeps its tables in the same database.
        stats: Where operations are counted.
        desk: Issues tokens; whoever mounts the application checks them.
        board: Fault rules, for what is inside of batches.
        rules: What runs with writes.
        default_company: Company of requests that name none, None for the first legal entity.
    """
    register_functions(store.engine)
    tables = PackageTables(store)
    sets = {**store.finance, **{table.name: table for table in SETS}}
    catalog = Catalog(store, sets, tables.definitions, default_company, rules)
    blobs = BlobStore(store, tables)
    actions = _data_management(ImportDesk(catalog, tables, blobs, stats))
    faults = BatchFaults("finance", board, stats, store.clock)
    acts = {(GROUPS.name, name): act for name, act in actions.by_name.items()} | dict(ENVIRONMENT_ACTIONS)
    service = Service(catalog, stats, faults, acts)

    def answer(request: DataRequest) -> Response:
        if "/DataManagement" in request.path or request.path.endswith("/$batch"):
            tables.forget_before_reset()
        return _answer(service, request)

    async def data(request: Request) -> Response:
        return await run_in_threadpool(answer, _data_request(request, await request.body()))

    async def metadata(request: Request) -> Response:
        return await run_in_threadpool(_metadata, catalog, _data_request(request, b""))

    routes = [
        Route("/data", data, methods=_METHODS),
        Route("/data/{rest:path}", data, methods=_METHODS),
        *(Route(path, metadata, methods=_METHODS) for path in _METADATA_PATHS),
        Route("/blobs/{name:path}", BlobApi(blobs).answer, methods=list(BLOB_METHODS)),
        *token_routes(desk),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refuse_route})
    app.state.on_reset = tables.forget_before_reset
    return app


def _data_management(desk: ImportDesk) -> PackageActions:
    """Return the actions of data management; what an earlier process took on goes on."""
    runner = ExecutionRunner(desk)
    runner.resume()
    return PackageActions(desk, runner)


async def _refuse_route(request: Request, refusal: Exception) -> Response:
    """An address without a handler, or a verb that none of its handlers takes, as Finance words it [L]."""
    status = refusal.status_code if isinstance(refusal, HTTPException) else 404
    if status == 405:
        error: RoutingError = not_allowed(request.method)
    elif status == 404:
        error = UnknownResourceError(str(request.url))
    else:
        error = RoutingError(status, str(refusal))
    answer = render_routing(error)
    headers = getattr(refusal, "headers", None)
    return Response(answer.body, answer.status, headers, answer.media_type)


def _data_request(request: Request, body: bytes) -> DataRequest:
    """The request as it was sent, decoded once and by us, so that escaped slashes stay in their keys."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope.get("query_string", b"")
    root = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
    url = raw.decode("ascii", "replace") + (f"?{query.decode('ascii', 'replace')}" if query else "")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return read_request(request.method, root, url, headers, body)


def _answer(service: Service, request: DataRequest) -> Response:
    started = time.perf_counter()
    if request.path.rstrip("/") == "/data/$batch":
        response = (
            answer_batch(service, request)
            if request.method == "POST"
            else render_failure(not_allowed(request.method), request)
        )
    else:
        response = service.answer(request)
    return _http(response, request, (time.perf_counter() - started) * 1000)


def _http(response: DataResponse, request: DataRequest, milliseconds: float) -> Response:
    headers = {
        "OData-Version": "4.0",
        "ms-dyn-aid": str(uuid.uuid4()),
        "server-timing": f"total;dur={milliseconds:.0f}",
        **response.headers,
    }
    if "x-ms-client-request-id" in request.headers:
        headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
    media_type = response.media_type if response.body else None
    return Response(response.body, response.status, headers, media_type)


def _metadata(catalog: Catalog, request: DataRequest) -> Response:
    started = time.perf_counter()
    try:
        response = answer_metadata(catalog, request)
    except (FinanceError, ODataError, RoutingError) as error:
        response = render_failure(error, request)
    return _http(response, request, (time.perf_counter() - started) * 1000)
