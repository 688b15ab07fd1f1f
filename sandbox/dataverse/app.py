"""The Dataverse Web API as an ASGI application."""

import re
import uuid

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from sandbox.auth import TokenDesk, token_routes
from sandbox.dataverse.api import Api
from sandbox.dataverse.batch import BatchRun
from sandbox.dataverse.errors import method_not_allowed, resource_not_found
from sandbox.dataverse.service import Outcome, attempt, guarded, record
from sandbox.dataverse.wire import Request, Response, error_response
from sandbox.faults import BatchFaults, FaultBoard
from sandbox.stats import Stats
from sandbox.trace import executing

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_VERSION = re.compile(r"v(8|9)\.[0-2]")


def create_app(api: Api, stats: Stats, desk: TokenDesk, board: FaultBoard) -> Starlette:
    """Return the application: token endpoints and the Web API under `/api/data/v9.x/`."""
    faults = BatchFaults("dataverse", board, stats, api.store.clock)

    async def web_api(request: HttpRequest) -> HttpResponse:
        if not _VERSION.fullmatch(request.path_params["version"]):
            return _http(error_response(resource_not_found(request.path_params["version"])))
        plain = await _plain(request)
        response = await run_in_threadpool(answer, api, stats, faults, plain)
        return _http(response)

    routes = [
        Route(path, web_api, methods=_METHODS)
        for path in ("/api/data/{version}", "/api/data/{version}/{path:path}")
    ]
    handlers = {HTTPException: _refuse_route}
    return Starlette(routes=[*token_routes(desk), *routes], exception_handlers=handlers)


async def _refuse_route(request: HttpRequest, refusal: Exception) -> HttpResponse:
    """An address that nothing answers, or a verb that no resource takes, in Dataverse's form."""
    if isinstance(refusal, HTTPException) and refusal.status_code == 405:
        return _http(error_response(method_not_allowed(request.method, request.url.path)))
    return _http(error_response(resource_not_found(request.url.path)))


def answer(api: Api, stats: Stats, faults: BatchFaults, request: Request) -> Response:
    """Answer one HTTP request, a batch or a single operation, and count it."""
    with executing():
        if request.path == "$batch":
            batch = guarded(request, lambda: _batch(api, stats, faults, request))
            outcome = Outcome(request, batch)
        else:
            outcome = attempt(api, request)
        record(api, stats, outcome)
        return outcome.response


def _batch(api: Api, stats: Stats, faults: BatchFaults, request: Request) -> Response:
    if request.method != "POST":
        raise method_not_allowed(request.method, "$batch")
    return BatchRun(api, stats, request, faults).run()


async def _plain(request: HttpRequest) -> Request:
    version, path = request.path_params["version"], request.path_params.get("path", "")
    host = request.headers.get("host", request.url.netloc)
    return Request(
        method=request.method,
        path=path.strip("/"),
        query=request.scope["query_string"].decode("latin-1"),
        root=f"{request.url.scheme}://{host}/api/data/{version}/",
        headers=_merged(request),
        body=await request.body(),
    )


def _merged(request: HttpRequest) -> dict[str, str]:
    """Join headers that were sent several times (Prefer)."""
    merged: dict[str, str] = {}
    for name, value in request.headers.items():
        merged[name] = f"{merged[name]}, {value}" if name in merged else value
    return merged


def _http(response: Response) -> HttpResponse:
    number = str(uuid.uuid4())
    headers = {
        **response.headers,
        "OData-Version": "4.0",
        "x-ms-service-request-id": number,
        "REQ_ID": number,
    }
    return HttpResponse(response.body, response.status, headers)
