from dataclasses import replace
from urllib.parse import parse_qs

import aiohttp
import pytest

from projops.errors import AuthenticationError, SystemUnavailableError
from projops.mapping.model import System
from projops.systems.auth import ClientCredentials, StaticToken
from projops.systems.connection import Connection
from tests.unit.projops.systems.wire import Time, Wire


@pytest.fixture
def connection(wire: Wire) -> Connection:
    return Connection(
        "finance_default",
        System.FINANCE,
        "https://fno.example.com",
        tenant="contoso.example",
        client_id="client",
        client_secret="hush+&=",
        authority=wire.base_url,
    )


def token(text: str, lifetime: int = 3599) -> dict[str, object]:
    return {"token_type": "Bearer", "expires_in": lifetime, "access_token": text}


async def test_asks_the_v2_endpoint_with_client_credentials(wire: Wire, connection: Connection) -> None:
    wire.reply(200, token("one"))
    async with aiohttp.ClientSession() as http:
        assert await ClientCredentials(connection).token(http) == "one"
    [asked] = wire.seen
    assert (asked.method, asked.path) == ("POST", "/contoso.example/oauth2/v2.0/token")
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["client"],
        "client_secret": ["hush+&="],
        "scope": ["https://fno.example.com/.default"],
    }


async def test_a_token_is_kept_until_shortly_before_it_expires(
    wire: Wire, connection: Connection, time: Time
) -> None:
    wire.reply(200, token("one"))
    wire.reply(200, token("two"))
    source = ClientCredentials(connection, time.clock)
    async with aiohttp.ClientSession() as http:
        assert [await source.token(http) for _ in range(3)] == ["one"] * 3
        time.now += 3599 - 301
        assert await source.token(http) == "one"
        time.now += 2
        assert await source.token(http) == "two"
    assert len(wire.seen) == 2


async def test_a_refused_token_is_replaced_once(wire: Wire, connection: Connection) -> None:
    wire.reply(200, token("one"))
    wire.reply(200, token("two"))
    source = ClientCredentials(connection)
    async with aiohttp.ClientSession() as http:
        await source.token(http)
        assert await source.token(http, refused="one") == "two"
        assert await source.token(http, refused="one") == "two"  # another request had the old one


async def test_wrong_secret_is_one_sentence_without_the_secret(wire: Wire, connection: Connection) -> None:
    wire.reply(
        401,
        {
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: 1 hush+&=",
        },
    )
    async with aiohttp.ClientSession() as http:
        with pytest.raises(AuthenticationError) as caught:
            await ClientCredentials(connection).token(http)
    assert "finance_default" in str(caught.value)
    assert "AADSTS7000215" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_provider_in_trouble_is_no_wrong_secret(
    wire: Wire, connection: Connection, status: int
) -> None:
    wire.reply(status, {"error": "temporarily_unavailable"})
    async with aiohttp.ClientSession() as http:
        with pytest.raises(SystemUnavailableError, match="identity provider"):
            await ClientCredentials(connection).token(http)


async def test_an_unreachable_provider(connection: Connection) -> None:
    gone = replace(connection, authority="http://127.0.0.1:1")
    async with aiohttp.ClientSession() as http:
        with pytest.raises(SystemUnavailableError, match="does not answer"):
            await ClientCredentials(gone).token(http)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"expires_in": 1}'])
async def test_an_answer_without_token_is_refused(wire: Wire, connection: Connection, body: bytes) -> None:
    wire.reply(200, body=body)
    async with aiohttp.ClientSession() as http:
        with pytest.raises(AuthenticationError):
            await ClientCredentials(connection).token(http)


async def test_a_static_token_is_shown_again() -> None:
    source = StaticToken("let-me-in")
    async with aiohttp.ClientSession() as http:
        assert await source.token(http) == "let-me-in"
        assert await source.token(http, refused="let-me-in") == "let-me-in"
