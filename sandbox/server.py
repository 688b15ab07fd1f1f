"""The whole sandbox as one process: both systems over http and https on one store, and its control."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from sandbox.auth import BearerGate, Credentials, TokenDesk
from sandbox.certificate import ensure_certificate
from sandbox.clock import Clock
from sandbox.control import ControlPlane, create_control_app
from sandbox.dataverse.api import Api, open_api
from sandbox.dataverse.app import create_app as create_dataverse_app
from sandbox.dataverse.systemjobs.service import AsyncService
from sandbox.faults import CuttableProtocol, FaultBoard, FaultLayer, FaultRule
from sandbox.finance.app import create_app as create_finance_app
from sandbox.finance.events.desk import EventDesk
from sandbox.finance.events.service import EventService
from sandbox.gateway import Gateway
from sandbox.jobs import open_jobs
from sandbox.limits import DataverseLimits, FinanceThrottling, LimitBoard
from sandbox.observer import Observer
from sandbox.seeding import check_seed, ensure_seeded
from sandbox.stats import Stats
from sandbox.store import Store
from sandbox.write_log import LOG_LENGTH, WriteLog

_KEEP_ALIVE_SECONDS = 75
_OTHER = {"dataverse": "finance", "finance": "dataverse"}


@dataclass(frozen=True)
class Settings:
    """What `python -m sandbox serve` was told.

    Attributes:
        database: SQLAlchemy URL.
        tls_folder: Where the self-signed certificate is kept.
        ports: By listener (dataverse, finance, dataverse_tls, finance_tls, control); 0 is a free one.
        host: Address that both systems listen on; the control plane is on loopback always.
        seed: Name of the seed.
        clock: Where the clock starts, None for real time.
        default_company: Finance's company for requests without cross-company, None for the first.
        credentials: Who may ask for tokens.
        write_log: Rows that the log of writes keeps.
    """

    database: str
    tls_folder: Path
    ports: dict[str, int]
    host: str = "127.0.0.1"
    seed: str = "empty"
    clock: datetime | None = None
    default_company: str | None = None
    credentials: Credentials = field(default_factory=Credentials)
    write_log: int = LOG_LENGTH


class PortTakenError(OSError):
    """A port that another process listens on."""


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us (five of them share one process) and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; print the ready line when all ports answer.

    Raises:
        CertificateError: When the application's certificate cannot be used.
        PortTakenError: When a port is taken.
        SeedRefusedError: When the seed is unknown, or does not fit the database.
        sqlalchemy.exc.SQLAlchemyError: When the database cannot be opened.
    """
    check_seed(settings.seed)
    clock = Clock(settings.clock)
    desk = TokenDesk(settings.credentials, clock)
    with contextlib.ExitStack() as stack:
        sockets = {name: stack.enter_context(_listen(name, settings)) for name in settings.ports}
        store = Store(settings.database, clock)
        stack.callback(store.close)
        ensure_seeded(store, settings.seed, _tell)
        certificate = ensure_certificate(settings.tls_folder)
        api = open_api(store)
        events = EventDesk(store)
        servers = _servers(settings, api, events, desk, certificate, sockets)
        with _at_work(AsyncService(api), events.service(_address(sockets["dataverse"]))):
            asyncio.run(_serve_all(servers, sockets, certificate[0]))


@contextlib.contextmanager
def _at_work(*services: AsyncService | EventService) -> Iterator[None]:
    """Do Dataverse's system jobs, and send Finance's events, while requests are answered."""
    with contextlib.ExitStack() as stack:
        for service in services:
            service.start()
            stack.callback(service.stop)
        yield


def _tell(progress: str) -> None:
    """Say how far seeding has come, where it does not disturb the ready line."""
    sys.stderr.write(f"{progress}\n")


def _listen(name: str, settings: Settings) -> socket.socket:
    host = "127.0.0.1" if name == "control" else settings.host
    # asyncio sends without delay only where the protocol is named: else head and body of an answer, which
    # go out one after the other, wait for each other's acknowledgement, 40 ms a request.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, settings.ports[name]))
    except OSError as taken:
        listener.close()
        raise PortTakenError(
            f"Port {settings.ports[name]} on {host} cannot be used for {name} ({taken.strerror}): "
            "name another port, or 0 for a free one."
        ) from taken
    return listener


def _servers(
    settings: Settings,
    api: Api,
    events: EventDesk,
    desk: TokenDesk,
    certificate: tuple[Path, Path],
    sockets: Mapping[str, socket.socket],
) -> dict[str, _Server]:
    store = api.store
    stats = Stats(WriteLog(settings.write_log))
    board, limits = FaultBoard(partial(_keep_past, store)), LimitBoard()

    def front(system: str, app: ASGIApp) -> ASGIApp:
        gate = BearerGate(app, desk, foreign=_ports(sockets, _OTHER[system]))
        layer = FaultLayer(gate, system, board, stats, store.clock, desk)
        return Observer(Gateway(layer), system, stats, store.clock)

    dataverse_api = create_dataverse_app(api, stats, desk, board)
    finance_api = create_finance_app(store, stats, desk, board, events.rules, settings.default_company)
    dataverse = front("dataverse", DataverseLimits(dataverse_api, limits, stats))
    finance = front("finance", FinanceThrottling(finance_api, limits, stats))
    jobs = open_jobs(api, events.rules, settings.default_company)
    on_reset = (api.registry.forget, finance_api.state.on_reset, events.clear)
    control = create_control_app(ControlPlane(store, stats, board, limits, events, jobs, on_reset))
    apps: dict[str, ASGIApp] = {
        "dataverse": dataverse,
        "finance": finance,
        "dataverse_tls": dataverse,
        "finance_tls": finance,
        "control": control,
    }
    return {
        name: _Server(_config(app, certificate if name.endswith("_tls") else None))
        for name, app in apps.items()
    }


def _ports(sockets: Mapping[str, socket.socket], system: str) -> frozenset[int]:
    """Return the ports that a system listens on, over http and https."""
    listeners = (system, f"{system}_tls")
    return frozenset(sockets[name].getsockname()[1] for name in listeners if name in sockets)


def _keep_past(store: Store, rules: tuple[FaultRule, ...]) -> None:
    """Keep as much of the past as the rules let reads look back."""
    store.past.keep(max((rule.stale_seconds or 0 for rule in rules), default=0))


def _config(app: ASGIApp, certificate: tuple[Path, Path] | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=CuttableProtocol,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,
        # Links are made from what the client itself sent, not from what a proxy claims (X-Forwarded-Proto).
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
        ssl_certfile=str(certificate[0]) if certificate else None,
        ssl_keyfile=str(certificate[1]) if certificate else None,
    )


async def _serve_all(servers: dict[str, _Server], sockets: dict[str, socket.socket], ca_file: Path) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers.values():
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    running = [asyncio.create_task(server.serve([sockets[name]])) for name, server in servers.items()]
    await asyncio.gather(*(server.up.wait() for server in servers.values()))
    sys.stdout.write(json.dumps(_ready_line(sockets, ca_file)) + "\n")
    sys.stdout.flush()
    await asyncio.gather(*running)


def _ready_line(sockets: dict[str, socket.socket], ca_file: Path) -> dict[str, str]:
    addresses = {}
    for name, listener in sockets.items():
        addresses[name] = f"{'https' if name.endswith('_tls') else 'http'}://{_address(listener)}"
    return addresses | {"ca_file": str(ca_file)}


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{host}:{port}"
