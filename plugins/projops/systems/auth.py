"""Bearer tokens: a static one, or client credentials of Entra, cached and renewed in time."""

import asyncio
import re
import time
from collections.abc import Callable
from json import loads
from typing import Protocol
from urllib.parse import quote

import aiohttp

from projops.errors import AuthenticationError, SystemUnavailableError
from projops.systems.connection import Connection

# A token is renewed this long before it expires, so that none runs out on its way.
RENEW_BEFORE = 300.0
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_ENTRA_CODE = re.compile(r"AADSTS\d+")
_OAUTH_CODE = re.compile(r"[a-z]+(_[a-z]+)+")
_TOKEN = re.compile(r"[\w.~+/=-]+", re.ASCII)  # what may stand behind "Bearer" (RFC 6750)
_LIFETIME = 3599.0  # where the answer does not tell


class TokenSource(Protocol):
    """Gives bearer tokens; azure-identity's credentials can stand behind it as well."""

    async def token(self, http: aiohttp.ClientSession, *, refused: str | None = None) -> str:
        """Give a token that is valid now.

        Args:
            http: Session to ask with.
            refused: A token that the system has just answered with 401: a fresh one is wanted.

        Raises:
            AuthenticationError: The identity provider refuses us.
            SystemUnavailableError: It does not answer.
        """


class StaticToken:
    """A token that stands in the connection."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, http: aiohttp.ClientSession, *, refused: str | None = None) -> str:
        """Give the token; there is no fresher one, but the refusal may have been a hiccup."""
        return self._token


class Credential(Protocol):
    """What client credentials are made of; a connection is one."""

    @property
    def name(self) -> str:
        """Connection id, for messages."""

    @property
    def base_url(self) -> str:
        """What the token is for."""

    @property
    def tenant(self) -> str:
        """Entra tenant id or domain."""

    @property
    def client_id(self) -> str:
        """Application (client) id."""

    @property
    def client_secret(self) -> str:
        """Its secret."""

    @property
    def authority(self) -> str:
        """Base URL of the identity provider."""


class ClientCredentials:
    """Client-credentials tokens, v2 endpoint, scope `{base_url}/.default` [D].

    Args:
        connection: Tenant, client id, secret and authority.
        clock: Monotonic seconds.
    """

    def __init__(self, connection: Credential, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""  # none yet  # nosec B105
        self._renew_at = float("-inf")

    async def token(self, http: aiohttp.ClientSession, *, refused: str | None = None) -> str:
        """Give the cached token, or a fresh one if it expires soon or was refused."""
        async with self._lock:  # many requests at once ask for one token only
            if self._clock() >= self._renew_at or self._token == refused:
                self._token, lifetime = await self._fetch(http)
                # Short-lived tokens are kept for half their life.
                self._renew_at = self._clock() + max(lifetime - RENEW_BEFORE, lifetime / 2)
            return self._token

    async def _fetch(self, http: aiohttp.ClientSession) -> tuple[str, float]:
        own = self._connection
        form = {
            "grant_type": "client_credentials",
            "client_id": own.client_id,
            "client_secret": own.client_secret,
            "scope": f"{own.base_url}/.default",
        }
        address = f"{own.authority}/{quote(own.tenant, safe='')}/oauth2/v2.0/token"
        try:
            async with http.post(address, data=form, timeout=_TIMEOUT, allow_redirects=False) as answer:
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise self._silent(type(problem).__name__) from None
        content = _json_object(body)
        token = content.get("access_token")
        if status == 200 and isinstance(token, str) and _TOKEN.fullmatch(token):
            return token, _lifetime(content.get("expires_in"))
        if status >= 500 or status in (408, 429):
            raise self._silent(f"HTTP {status}")
        raise self._refused(status, content)

    def _silent(self, reason: str) -> SystemUnavailableError:
        name, authority = self._connection.name, self._connection.authority
        return SystemUnavailableError(
            f"Connection {name}: the identity provider {authority} does not answer ({reason}).",
            remedy="Retried by itself later; check the network and extra authority.",
            connection=name,
        )

    def _refused(self, status: int, content: dict[str, object]) -> AuthenticationError:
        # Only what has the form of a code is repeated: the rest of the answer may hold what we sent.
        found = _ENTRA_CODE.search(str(content.get("error_description") or ""))
        error = _OAUTH_CODE.fullmatch(str(content.get("error") or ""))
        known = found or error
        code = known.group() if known else f"HTTP {status}"
        name = self._connection.name
        return AuthenticationError(
            f"Connection {name}: the identity provider refuses the client id or its secret ({code}).",
            remedy="Check login, password and extra tenant_id of the connection.",
            connection=name,
            code=code,
        )


def token_source(connection: Connection, clock: Callable[[], float] = time.monotonic) -> TokenSource:
    """Give the source that a connection asks for."""
    if connection.static_token is not None:
        return StaticToken(connection.static_token)
    return ClientCredentials(connection, clock)


def _lifetime(seconds: object) -> float:
    """Read `expires_in`; what is no sensible number of seconds says nothing."""
    text = str(seconds)
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 9 else _LIFETIME


def _json_object(body: bytes) -> dict[str, object]:
    try:
        content = loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
