"""Who may open the control plane's door."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sandbox.loopback import LoopbackOnly


async def _move(_: Request) -> PlainTextResponse:
    return PlainTextResponse("moved")


async def asked(address: str, **headers: str) -> httpx.Response:
    app = LoopbackOnly(Starlette(routes=[Route("/", _move, methods=["POST"])]))
    transport = httpx.ASGITransport(app=app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8803") as client:
        return await client.post("/", headers=headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8803", "localhost:8803", "LOCALHOST", "[::1]:8803"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_this_machine_may(host: str, address: str) -> None:
    assert (await asked(address, host=host)).text == "moved"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8803", "127.0.0.1.evil.example", "10.0.0.7:8803", "0.0.0.0", "", "[::1"],
)
async def test_another_name_may_not(host: str) -> None:
    answer = await asked("127.0.0.1", host=host)
    assert answer.status_code == 403
    assert "by no other name" in answer.json()["error"]


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.2", "2001:db8::1", "::ffff:10.0.0.7", "nobody"])
async def test_another_machine_may_not(address: str) -> None:
    answer = await asked(address)
    assert (answer.status_code, "this machine only" in answer.text) == (403, True)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8803"])
async def test_a_web_page_may_not(origin: str) -> None:
    answer = await asked("127.0.0.1", origin=origin)
    assert (answer.status_code, "no web page" in answer.text) == (403, True)
