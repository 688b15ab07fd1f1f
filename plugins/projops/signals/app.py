"""The endpoint below `/projops-signals` of Airflow's own server, to which both systems post what has changed.

Nobody signs in here: a message proves where it comes from by our secret (`signals.endpoint`), and one of
Dataverse also by the environment that it names. It is answered as soon as it is written down; it starts
nothing itself. Nothing of a message is logged or answered, and strangers are told nothing.
"""

import logging
from collections.abc import Mapping
from functools import partial

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from projops.console.kept_engine import kept_engine
from projops.errors import ProjOpsError
from projops.mapping.model import System
from projops.orchestration.connections import signal_endpoint
from projops.signals.endpoint import HEADER, Endpoint, KeptEndpoint
from projops.signals.messages import LARGEST, GarbledSignalError, Message, read_dataverse, read_finance
from projops.signals.noting import Notebook
from projops.signals.sources import places_of
from projops.state import environments
from projops.state.signals import Fate
from projops.systems.dataverse_writer import TAG

_ANSWERS: Mapping[Fate, int] = {
    Fate.NOTED: 202,
    Fate.OWN: 202,
    Fate.UNMAPPED: 202,
    Fate.NOT_OURS: 401,
    Fate.FOREIGN: 401,
    Fate.TOO_LARGE: 413,
    Fate.GARBLED: 400,
}
_log = logging.getLogger(__name__)
_endpoint = KeptEndpoint(signal_endpoint)
_notebook = Notebook()

app = FastAPI(title="Signals", docs_url=None, redoc_url=None, openapi_url=None)


@app.post("/dataverse")
async def dataverse(request: Request) -> Response:
    """Take what a webhook of Dataverse posts."""
    return await _taken(request, System.DATAVERSE)


@app.post("/finance")
async def finance(request: Request) -> Response:
    """Take what an HTTPS endpoint of Finance's business or data events posts."""
    return await _taken(request, System.FINANCE)


async def _taken(request: Request, system: System) -> Response:
    """Answer 2xx for what is written down; 404 where nobody has set a secret, 503 while we cannot write."""
    try:
        endpoint = await run_in_threadpool(_endpoint.get)
        if endpoint is None:
            return Response(status_code=404)
        # Strangers' bodies are not even read.
        proved = endpoint.proved(_shown(request))
        body = await _body(request) if proved else b""
        fate = await run_in_threadpool(_judged, system, endpoint, body, proved)
    except ProjOpsError as error:
        _log.warning("A signal of %s was not written down: %s", system.value, error)
        return Response(status_code=503, headers={"Retry-After": "10"})
    return Response(status_code=_ANSWERS[fate])


def _shown(request: Request) -> tuple[str, ...]:
    """What a request shows for our secret: a header or a query option [D: types of webhook registration]."""
    given = (request.headers.get(HEADER), request.query_params.get("code"), request.query_params.get(HEADER))
    return tuple(each for each in given if each is not None)


async def _body(request: Request) -> bytes | None:
    """Read a body; None where it is larger than any message."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > len(str(LARGEST)) or int(declared) > LARGEST):
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _judged(system: System, endpoint: Endpoint, body: bytes | None, proved: bool) -> Fate:
    """Write down what has changed, or that a message was refused."""
    engine = kept_engine()
    refuse = partial(_notebook.refuse, engine.state.begin, system.value)
    if not proved or body is None:
        fate = Fate.TOO_LARGE if proved else Fate.NOT_OURS
        refuse(fate)
        return fate
    try:
        message = _read(system, endpoint, body)
    except GarbledSignalError:
        refuse(Fate.GARBLED)
        return Fate.GARBLED
    with engine.state.reading() as connection:
        bound = environments.bound_to(connection, system)
    if not _is_of(message, bound):
        refuse(Fate.FOREIGN)
        return Fate.FOREIGN
    places = () if message.own else places_of(message, engine.maps, endpoint.events)
    fate = Fate.OWN if message.own else Fate.NOTED if places else Fate.UNMAPPED
    _notebook.note(engine.state.begin, places, system.value, fate)
    return fate


def _read(system: System, endpoint: Endpoint, body: bytes) -> Message:
    if system is System.DATAVERSE:
        return read_dataverse(body, TAG)
    return read_finance(body, endpoint.own_users)


def _is_of(message: Message, bound: str | None) -> bool:
    """Say whether a message is of the environment that the state belongs to, as far as it names one."""
    return bound is not None and (message.system is System.FINANCE or message.organization == bound)
