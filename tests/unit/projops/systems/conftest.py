"""A system on the wire whose answers a test writes itself, and sessions whose time it holds."""

import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from projops.mapping.model import System
from projops.systems.connection import Connection
from projops.systems.session import ODataSession

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Wire:
    """Answers in the order in which a test wrote them, and keeps what was asked."""

    base_url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: deque[Handler] = field(default_factory=deque)

    def reply(
        self, status: int = 200, content: object = None, *, body: bytes = b"", headers: Mapping[str, str] = {}
    ) -> None:
        payload = orjson.dumps(content) if content is not None else body
        kind = {"Content-Type": "application/json"} if content is not None else {}

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, body=payload, headers={**kind, **headers})

        self.answers.append(answer)

    def hang_up(self) -> None:
        """Close the connection after the request was read, without an answer."""

        async def cut(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        self.answers.append(cut)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(Seen(request.method, request.raw_path, request.headers, await request.read()))
        if not self.answers:
            return web.Response(status=418, text="nothing was prepared")
        return await self.answers.popleft()(request)


@dataclass
class Time:
    """Seconds that pass only when somebody waits."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", wire.handle)
    server = TestServer(app)
    await server.start_server()
    wire.base_url = str(server.make_url("")).rstrip("/")
    yield wire
    await server.close()


@pytest.fixture
def time() -> Time:
    return Time()


OpenSession = Callable[..., AbstractAsyncContextManager[ODataSession]]


@pytest.fixture
def open_session(wire: Wire, time: Time) -> OpenSession:
    @asynccontextmanager
    async def opened(system: System = System.DATAVERSE, **facts: object) -> AsyncIterator[ODataSession]:
        connection = Connection(f"{system}_default", system, wire.base_url, static_token="let-me-in")
        chosen = {"connection": connection, "pause": time.pause, "clock": time.clock, **facts}
        async with ODataSession(**chosen) as session:  # type: ignore[arg-type]
            yield session

    return opened


@pytest.fixture
async def tls_server(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """A server with a certificate that it signed for itself; gives its address and the PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    app = web.Application()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"{}", content_type="application/json")

    app.router.add_get("/x", answer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    yield str(server.make_url("")).rstrip("/"), str(tmp_path / "ca.pem")
    await server.close()
