"""What a browser may do with an answer of the console, and how long it may keep it."""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
"""A page may use the console's own scripts and styles, and nothing from elsewhere."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    # Not no-referrer: with that, browsers say of our own forms that they come from nowhere (Origin: null).
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FOR_A_YEAR = "public, max-age=31536000, immutable"


class Guarded:
    """Gives every answer these headers, but for those that it brings along.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


class Assets(StaticFiles):
    """The static files; one asked for by its version may be kept, for it never changes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        answer = await super().get_response(path, scope)
        named = scope.get("query_string") == f"v={_version()}".encode()
        answer.headers["Cache-Control"] = _FOR_A_YEAR if named and answer.status_code == 200 else "no-cache"
        return answer


def asset(name: str) -> str:
    """Give the path of a static file below the console's root, which changes when any of them does."""
    return f"static/{name}?v={_version()}"


@cache
def _version() -> str:
    digest = blake2b(digest_size=8)
    for path in sorted(STATIC.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()
