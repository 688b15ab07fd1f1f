"""The system on the wire, sessions with it, and a server that speaks TLS."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

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
from tests.unit.projops.systems.wire import OpenSession, Time, Wire


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
