"""HTTP as both systems speak it: lengths, encodings, verbs, paths, links and the connection itself."""

import json
import socket
import ssl
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx
import pytest

from tests.contract.process import Sandbox

BEARER = "Authorization: Bearer sandbox-token"
HEADERS = {"Authorization": "Bearer sandbox-token"}
PLACES = ("api/data/v9.2/accounts", "data/CustomersV3")


def talk(address: str, head: str, body: bytes = b"", answers: int = 1) -> list[tuple[int, bytes]]:
    """Send what no client library would, on one connection; return status and all that came, by answer."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 20) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        stream = line.makefile("rb")
        return [_answer(stream) for _ in range(answers)]


def _answer(stream: BinaryIO) -> tuple[int, bytes]:
    status = int(stream.readline().split()[1])
    head = b""
    while (line := stream.readline()) not in {b"\r\n", b""}:
        head += line.lower()
    length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
    return status, head + (stream.read(int(length)) if length else b"")


@pytest.fixture(params=[0, 1], ids=["on-dataverse", "on-finance"])
def place(request: pytest.FixtureRequest, server: Sandbox) -> str:
    """An entity set of either system."""
    base = (server.dataverse, server.finance)[request.param]
    return f"{base}/{PLACES[request.param]}"


@pytest.mark.protocol("errors: 413", "D")
def test_a_request_that_is_too_long(place: str) -> None:
    path = urlsplit(place).path
    head = f"POST {path} HTTP/1.1\nHost: h\n{BEARER}\nContent-Type: application/json"
    [(status, answer)] = talk(place, f"{head}\nContent-Length: 122526106")
    assert status == 413
    assert b"122,526,105 bytes" in answer
    [(status, _)] = talk(place, head)
    assert status == 411


@pytest.mark.protocol("errors: 415", "?")
def test_bodies_that_are_not_plain_json(place: str) -> None:
    headers = HEADERS
    for wrong in (
        {"Content-Type": "text/xml"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ):
        answer = httpx.post(place, content=b"{}", headers=headers | wrong)
        assert answer.status_code == 415, answer.text
        assert "not supported" in answer.text
        assert answer.json().keys() == ({"error"} if "/api/" in place else {"Message"})


@pytest.mark.protocol("errors: 405", "D")
def test_verbs_that_a_resource_does_not_take(place: str) -> None:
    for verb in ("PUT", "DELETE", "OPTIONS"):
        answer = httpx.request(verb, place, headers=HEADERS)
        assert answer.status_code == 405, answer.text
        assert answer.json()
        assert {"GET", "POST"} <= {each.strip() for each in answer.headers["Allow"].split(",")}
    head = httpx.head(place, headers=HEADERS)
    assert (head.status_code, head.content) == (405, b"")


def test_chunks_and_permission_to_go_on(sandbox: Sandbox) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"name": '
        yield b'"in chunks"}'

    headers = HEADERS | {"Content-Type": "application/json"}
    address = f"{sandbox.dataverse}/{PLACES[0]}"
    assert httpx.post(address, content=chunks(), headers=headers).status_code == 204
    body = b'{"name": "expected"}'
    head = (
        f"POST /{PLACES[0]} HTTP/1.1\nHost: h\n{BEARER}\nContent-Type: application/json\n"
        f"Expect: 100-continue\nContent-Length: {len(body)}"
    )
    assert [status for status, _ in talk(sandbox.dataverse, head, body, answers=2)] == [100, 204]
    names = httpx.get(f"{address}?$select=name", headers=headers).json()["value"]
    assert {row["name"] for row in names} == {"in chunks", "expected"}


def test_a_connection_takes_one_request_after_the_other(place: str) -> None:
    one = f"GET {urlsplit(place).path} HTTP/1.1\nhost: h\nAUTHORIZATION: bearer sandbox-token"
    two = f"{one}\r\n\r\n{one}".replace("\r\n", "\n")
    assert [status for status, _ in talk(place, two, answers=2)] == [200, 200]


@pytest.mark.parametrize("path", ["//api/data/v9.2/accounts", "/api//data/v9.2/accounts"])
def test_double_slashes_before_the_root(server: Sandbox, path: str) -> None:
    assert httpx.get(f"{server.dataverse}{path}").status_code == 401
    answer = httpx.get(f"{server.dataverse}{path}", headers=HEADERS)
    assert answer.status_code == 200


def test_roots_and_versions(server: Sandbox) -> None:
    headers = HEADERS
    for root in ("v9.0", "v9.1/", "v9.2", "v9.2/"):
        answer = httpx.get(f"{server.dataverse}/api/data/{root}", headers=headers)
        expected = f"{server.dataverse}/api/data/{root.strip('/')}/$metadata"
        assert answer.json()["@odata.context"] == expected
    for root in ("data", "data/"):
        assert httpx.get(f"{server.finance}/{root}", headers=headers).status_code == 200


def test_links_are_made_from_what_the_client_sent(server: Sandbox) -> None:
    context = ssl.create_default_context(cafile=server.ca_file)
    headers = {
        "Authorization": "Bearer sandbox-token",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil",
    }
    with httpx.Client(verify=context, headers=headers) as client:
        for base in (
            server.dataverse,
            server.dataverse_tls,
            server.dataverse_tls.replace("127.0.0.1", "localhost"),
        ):
            body = client.get(f"{base}/api/data/v9.2/WhoAmI").json()
            assert body["@odata.context"].startswith(f"{base}/api/data/v9.2/")
        for base in (server.finance, server.finance_tls):
            body = client.get(f"{base}/data/Currencies").json()
            assert body["@odata.context"].startswith(f"{base}/data/")
    named = httpx.get(
        f"{server.dataverse}/api/data/v9.2/WhoAmI", headers=headers | {"Host": "org.example.com:99"}
    )
    assert named.json()["@odata.context"].startswith("http://org.example.com:99/api/data/v9.2/")


def test_one_store_behind_http_and_https(sandbox: Sandbox) -> None:
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    headers = HEADERS
    httpx.post(f"{sandbox.dataverse}/{PLACES[0]}", json={"name": "seen on both"}, headers=headers)
    with httpx.Client(verify=context, headers=headers) as client:
        [row] = client.get(f"{sandbox.dataverse_tls}/{PLACES[0]}?$select=name").json()["value"]
    assert row["name"] == "seen on both"


def test_what_is_nowhere_is_not_found(server: Sandbox) -> None:
    headers = HEADERS
    places = ("api/data/v9.2/nowheres", "api/data/v1.0/accounts", "api/data", "nowhere", "")
    addresses = [f"{server.dataverse}/{place}" for place in places]
    for address in (*addresses, f"{server.finance}/data/Nowheres", f"{server.finance}/nowhere"):
        answer = httpx.get(address, headers=headers)
        assert answer.status_code == 404
        assert json.loads(answer.content)
