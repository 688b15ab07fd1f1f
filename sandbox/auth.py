"""Who may ask: the token endpoints of Entra ID as clients see them, and the bearer check.

Protocol 1.1: client credentials on the v2.0 and the v1 path, and the openid document that
Microsoft's identity libraries fetch first [R].
"""

import json
import secrets
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import parse_qs, unquote_plus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.trace import current_trace

_LIFETIME_SECONDS = 3599
_SCHEME = "Bearer"
_PROTECTED = ("/api/", "/data", "/Metadata", "/metadata")


@dataclass(frozen=True)
class Credentials:
    """The one application that may ask for tokens, and tokens that are always accepted."""

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"
    static_tokens: tuple[str, ...] = ("sandbox-token", "mock-token-for-localhost")


class TokenDesk:
    """Issues bearer tokens and knows which are still good, by the sandbox's clock."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        """Accept `credentials`; tokens live 3,599 seconds of `clock`."""
        self._credentials = credentials
        self._clock = clock
        self._lock = Lock()
        self._expiry: dict[str, datetime] = {}

    def issue(self) -> str:
        """Return a new token."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._lock:
            self._expiry = {known: until for known, until in self._expiry.items() if until > now}
            self._expiry[token] = now + timedelta(seconds=_LIFETIME_SECONDS)
        return token

    def owner(self, token: str) -> str | None:
        """Return who is behind a token: the application, or the place of a static token in their list.

        Returns:
            None where the token is neither a static one nor one that was issued and has not expired.
        """
        for number, known in enumerate(self._credentials.static_tokens, start=1):
            if secrets.compare_digest(token.encode(), known.encode()):
                return f"static token {number}"
        until = self._expiry.get(token)
        return self._credentials.client_id if until is not None and until > self._clock.now() else None

    def revoke(self, token: str) -> None:
        """Take an issued token back; static ones stay good."""
        with self._lock:
            self._expiry.pop(token, None)

    def knows(self, client_id: str, client_secret: str) -> bool:
        """Say whether id and secret are those of the application."""
        given = f"{client_id}\n{client_secret}"
        known = f"{self._credentials.client_id}\n{self._credentials.client_secret}"
        return secrets.compare_digest(given.encode(), known.encode())


def token_routes(desk: TokenDesk) -> list[BaseRoute]:
    """Return the routes of the token endpoints and of the openid document, for either host."""

    async def token(request: Request) -> JSONResponse:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        return _answer_token(desk, _basic_credentials(request) | form)

    return [
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
        Route("/{tenant}/oauth2/token", token, methods=["POST"]),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", _openid_document),
        Route("/{tenant}/.well-known/openid-configuration", _openid_document),
    ]


def _basic_credentials(request: Request) -> dict[str, list[str]]:
    """Return id and secret of a Basic header (RFC 6749, 2.3.1) as a form has them; {} without one."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        text = b64decode(encoded, validate=True).decode()
    except ValueError:
        return {}
    client, _, secret = text.partition(":")
    return {"client_id": [unquote_plus(client)], "client_secret": [unquote_plus(secret)]}


def _answer_token(desk: TokenDesk, form: dict[str, list[str]]) -> JSONResponse:
    grant, client, secret = (form.get(name, [""])[0] for name in ("grant_type", "client_id", "client_secret"))
    if grant != "client_credentials":
        return _refusal(400, "unsupported_grant_type", 70003, f"The grant type '{grant}' is not supported.")
    if not desk.knows(client, secret):
        text = f"Invalid client secret provided or unknown application '{client}'."
        return _refusal(401, "invalid_client", 7000215, text)
    scope = form.get("scope", form.get("resource", [""]))[0]
    body = {
        "token_type": _SCHEME,
        "expires_in": _LIFETIME_SECONDS,
        "ext_expires_in": _LIFETIME_SECONDS,
        "access_token": desk.issue(),
    }
    return JSONResponse(body | ({"resource": scope} if "resource" in form else {}))


def _refusal(status: int, error: str, number: int, text: str) -> JSONResponse:
    body = {"error": error, "error_description": f"AADSTS{number}: {text}", "error_codes": [number]}
    return JSONResponse(body, status_code=status)


async def _openid_document(request: Request) -> JSONResponse:
    tenant = request.path_params["tenant"]
    authority = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}/{tenant}"
    return JSONResponse(
        {
            "issuer": f"{authority}/v2.0",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "response_types_supported": ["code", "token"],
            "subject_types_supported": ["pairwise"],
            "tenant_region_scope": "EU",
        }
    )


class BearerGate:
    """ASGI middleware: no good token, no data. Other paths (tokens, signed blob URLs) pass."""

    def __init__(self, app: ASGIApp, desk: TokenDesk) -> None:
        """Guard `app`."""
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 with `WWW-Authenticate` where a protected path comes without a good token."""
        if scope["type"] == "http" and scope["path"].startswith(_PROTECTED):
            owner = self._desk.owner(bearer_token(scope))
            if owner is None:
                await refuse_token(scope, receive, send)
                return
            current_trace().client = owner
        await self._app(scope, receive, send)


def bearer_token(scope: Scope) -> str:
    """Return the bearer token of a request, "" where it has none."""
    scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def refuse_token(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 401 with `WWW-Authenticate`."""
    await JSONResponse(_UNAUTHORIZED, 401, _challenge(scope))(scope, receive, send)


_UNAUTHORIZED = {
    "error": {
        "code": "0x80048816",
        "message": "No bearer token was sent, or it is unknown or expired: "
        "get one from /{tenant}/oauth2/v2.0/token.",
    }
}


def _challenge(scope: Scope) -> dict[str, str]:
    host = Headers(scope=scope).get("host", "")
    authority = f"{scope['scheme']}://{host}/common/oauth2/authorize"
    return {"WWW-Authenticate": f'{_SCHEME} authorization_uri="{authority}", resource_id={json.dumps(host)}'}
