"""The control plane: jobs, faults, clock, events, reset and stats, on a port of its own, loopback only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.clock import parse_instant
from sandbox.faults import FaultBoard, FaultRuleError, read_rules
from sandbox.finance.events.activation import EndpointsError
from sandbox.finance.events.desk import EventDesk
from sandbox.limits import LimitBoard, Limits, LimitsError, read_limits
from sandbox.loopback import LoopbackOnly
from sandbox.odata.wire import dumps
from sandbox.rules.jobs import Job, JobRefusedError
from sandbox.seeding import SeedRefusedError, reseed
from sandbox.stats import Stats
from sandbox.store import Store


@dataclass(frozen=True)
class ControlPlane:
    """What the control plane moves.

    Attributes:
        store: Both systems' rows.
        stats: Counters and write log.
        faults: The fault rules.
        limits: The limits that protect both systems.
        events: Endpoints for Finance's events.
        jobs: Batch jobs of either system by name (`post-integration-journal`).
        on_reset: Called after a reset, so that state outside of the store is forgotten too.
    """

    store: Store
    stats: Stats
    faults: FaultBoard
    limits: LimitBoard
    events: EventDesk
    jobs: Mapping[str, Job] = field(default_factory=dict)
    on_reset: tuple[Callable[[], None], ...] = ()

    async def run_job(self, request: Request) -> Response:
        """`POST /sandbox/jobs/{name}`: run a batch job with the body as its parameters; 400 says why not."""
        name = request.path_params["name"]
        if name not in self.jobs:
            known = ", ".join(sorted(self.jobs)) or "none"
            raise HTTPException(404, f"There is no job named {name}. Known jobs: {known}.")
        parameters = await _json_object(request)
        try:
            result = await run_in_threadpool(self.jobs[name], parameters)
        except JobRefusedError as refused:
            raise HTTPException(400, str(refused)) from refused
        return JSONResponse(dict(result))

    async def list_jobs(self, _request: Request) -> Response:
        """`GET /sandbox/jobs`: every job with a sentence on what it does."""
        return JSONResponse({"jobs": {name: _first_line(job) for name, job in sorted(self.jobs.items())}})

    async def show_faults(self, _request: Request) -> Response:
        """`GET /sandbox/faults`: the rules and what is left of their counts."""
        return JSONResponse({"rules": self.faults.listing()})

    async def put_faults(self, request: Request) -> Response:
        """`PUT /sandbox/faults`: replace the rules."""
        try:
            self.faults.replace(read_rules(await _json(request)))
        except FaultRuleError as refused:
            raise HTTPException(400, str(refused)) from refused
        return await self.show_faults(request)

    async def delete_faults(self, _request: Request) -> Response:
        """`DELETE /sandbox/faults`: no rules any more."""
        self.faults.replace(())
        return Response(status_code=204)

    async def show_limits(self, _request: Request) -> Response:
        """`GET /sandbox/limits`: the limits in force."""
        return JSONResponse(msgspec.to_builtins(self.limits.limits))

    async def put_limits(self, request: Request) -> Response:
        """`PUT /sandbox/limits`: put others in force; what is not named is as documented."""
        try:
            self.limits.replace(read_limits(await _json(request)))
        except LimitsError as refused:
            raise HTTPException(400, str(refused)) from refused
        return await self.show_limits(request)

    async def delete_limits(self, request: Request) -> Response:
        """`DELETE /sandbox/limits`: back to the documented ones, with nothing used of them."""
        self.limits.replace(Limits())
        return await self.show_limits(request)

    async def show_endpoints(self, _request: Request) -> Response:
        """`GET /sandbox/events/endpoints`: endpoints, what is active for them, and what waits."""
        return JSONResponse({"endpoints": await run_in_threadpool(self.events.listing)})

    async def put_endpoints(self, request: Request) -> Response:
        """`PUT /sandbox/events/endpoints`: activate events as a list of endpoints says, and no others."""
        try:
            await run_in_threadpool(self.events.replace, await _json(request))
        except EndpointsError as refused:
            raise HTTPException(400, str(refused)) from refused
        return await self.show_endpoints(request)

    async def delete_endpoints(self, _request: Request) -> Response:
        """`DELETE /sandbox/events/endpoints`: no events any more."""
        await run_in_threadpool(self.events.clear)
        return Response(status_code=204)

    async def show_event_errors(self, _request: Request) -> Response:
        """`GET /sandbox/events/errors`: events that no attempt has brought to their endpoint."""
        return JSONResponse({"errors": await run_in_threadpool(self.events.errors)})

    async def resend_events(self, _request: Request) -> Response:
        """`POST /sandbox/events/resend`: send again what is in the log of errors."""
        return JSONResponse({"resent": await run_in_threadpool(self.events.resend)})

    async def show_clock(self, _request: Request) -> Response:
        """`GET /sandbox/clock`: the sandbox's present."""
        return JSONResponse({"now": self.store.clock.now().isoformat()})

    async def put_clock(self, request: Request) -> Response:
        """`PUT /sandbox/clock`: `{"now": ISO}` or `{"advance_seconds": n}`."""
        body = await _json_object(request)
        try:
            if "now" in body:
                self.store.clock.set(parse_instant(str(body["now"])))
            else:
                self.store.clock.advance(float(body["advance_seconds"]))
        except (KeyError, ValueError, TypeError) as refused:
            raise HTTPException(400, 'Send {"now": ISO time} or {"advance_seconds": number}.') from refused
        return await self.show_clock(request)

    async def delete_clock(self, request: Request) -> Response:
        """`DELETE /sandbox/clock`: back to real time."""
        self.store.clock.restart()
        return await self.show_clock(request)

    async def reset(self, request: Request) -> Response:
        """`POST /sandbox/reset`: `{"seed": name}` empties both systems and fills them anew."""
        name = str((await _json_object(request)).get("seed", "empty"))
        try:
            seed = await run_in_threadpool(reseed, self.store, name)
        except SeedRefusedError as refused:
            raise HTTPException(400, str(refused)) from refused
        self.stats.clear()
        self.faults.replace(())
        self.limits.replace(Limits())
        for forget in self.on_reset:
            forget()
        return JSONResponse({"seed": seed})

    async def show_stats(self, request: Request) -> Response:
        """`GET /sandbox/stats`: counts and the write log; `?writes=false` leaves the log out."""
        writes = request.query_params.get("writes", "true") != "false"
        # A long log is written out beside the event loop, which goes on serving.
        return Response(await run_in_threadpool(self._stats_json, writes), media_type="application/json")

    def _stats_json(self, writes: bool) -> bytes:
        return dumps(self.stats.snapshot(writes=writes))

    async def delete_stats(self, _request: Request) -> Response:
        """`DELETE /sandbox/stats`: start counting anew."""
        self.stats.clear()
        return Response(status_code=204)


def create_control_app(plane: ControlPlane) -> Starlette:
    """Return the ASGI application of the control plane."""
    routes = [
        Route("/sandbox/jobs", plane.list_jobs, methods=["GET"]),
        Route("/sandbox/jobs/{name}", plane.run_job, methods=["POST"]),
        Route("/sandbox/faults", plane.show_faults, methods=["GET"]),
        Route("/sandbox/faults", plane.put_faults, methods=["PUT"]),
        Route("/sandbox/faults", plane.delete_faults, methods=["DELETE"]),
        Route("/sandbox/limits", plane.show_limits, methods=["GET"]),
        Route("/sandbox/limits", plane.put_limits, methods=["PUT"]),
        Route("/sandbox/limits", plane.delete_limits, methods=["DELETE"]),
        Route("/sandbox/events/endpoints", plane.show_endpoints, methods=["GET"]),
        Route("/sandbox/events/endpoints", plane.put_endpoints, methods=["PUT"]),
        Route("/sandbox/events/endpoints", plane.delete_endpoints, methods=["DELETE"]),
        Route("/sandbox/events/errors", plane.show_event_errors, methods=["GET"]),
        Route("/sandbox/events/resend", plane.resend_events, methods=["POST"]),
        Route("/sandbox/clock", plane.show_clock, methods=["GET"]),
        Route("/sandbox/clock", plane.put_clock, methods=["PUT"]),
        Route("/sandbox/clock", plane.delete_clock, methods=["DELETE"]),
        Route("/sandbox/reset", plane.reset, methods=["POST"]),
        Route("/sandbox/stats", plane.show_stats, methods=["GET"]),
        Route("/sandbox/stats", plane.delete_stats, methods=["DELETE"]),
    ]
    door = [Middleware(LoopbackOnly)]
    return Starlette(routes=routes, middleware=door, exception_handlers={HTTPException: _explain})


def _first_line(job: Job) -> str:
    return (job.__doc__ or "").partition("\n")[0]


async def _explain(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JSONResponse({"error": getattr(error, "detail", str(error))}, status)


async def _json(request: Request) -> Any:
    try:
        return await request.json() if await request.body() else {}
    except ValueError as malformed:
        raise HTTPException(400, f"The body is not JSON: {malformed}.") from malformed


async def _json_object(request: Request) -> dict[str, Any]:
    body = await _json(request)
    if not isinstance(body, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return body
