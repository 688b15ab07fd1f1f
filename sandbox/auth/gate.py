"""The door of both systems: no good token, no data."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.auth.tokens import TokenDesk
from sandbox.trace import current_trace

_PROTECTED = ("/api/", "/data", "/metadata")


class BearerGate:
    """ASGI middleware: no good token, no data. Other paths (tokens, signed blob URLs) pass."""

    def __init__(self, app: ASGIApp, desk: TokenDesk, foreign: frozenset[int] = frozenset()) -> None:
        """Guard `app`; tokens that were issued for a port of `foreign` are the other system's."""
        self._app = app
        self._desk = desk
        self._foreign = foreign

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 with `WWW-Authenticate` where a protected path comes without a good token."""
        if scope["type"] == "http" and scope["path"].lower().startswith(_PROTECTED):
            owner = self._desk.owner(bearer_token(scope), self._foreign)
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
    """Answer 401 with `WWW-Authenticate`, from which clients learn where to get a token [D]."""
    await JSONResponse(_UNAUTHORIZED, 401, _challenge(scope))(scope, receive, send)


_UNAUTHORIZED = {
    "error": {
        "code": "0x80048816",
        "message": "No bearer token was sent, or it is unknown, expired or for another resource: "
        "get one from /{tenant}/oauth2/v2.0/token.",
    }
}


def _challenge(scope: Scope) -> dict[str, str]:
    origin = f"{scope['scheme']}://{Headers(scope=scope).get('host', '')}"
    authority = f"{origin}/common/oauth2/authorize"
    return {"WWW-Authenticate": f"Bearer authorization_uri={authority}, resource_id={origin}/"}
