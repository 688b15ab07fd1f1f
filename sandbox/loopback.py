"""The control plane's door: it opens to this machine only, and to no web page."""

import ipaddress

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class LoopbackOnly:
    """Refuses what does not come from this machine by its own name.

    The port listens on loopback already. A browser on this machine reaches it for any web page,
    though: by a foreign name that leads here (DNS rebinding), or by posting a form across origins.

    Args:
        app: The control plane.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 with a sentence, or hand on."""
        reason = _objection(scope) if scope["type"] == "http" else None
        if reason is not None:
            await JSONResponse({"error": reason}, 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _objection(scope: Scope) -> str | None:
    headers = Headers(scope=scope)
    address = (scope.get("client") or ("127.0.0.1",))[0]
    name = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    if not _is_loopback(address):
        return "The control plane answers this machine only."
    if name.lower() not in _NAMES:
        return "The control plane answers to 127.0.0.1 and localhost only, by no other name."
    if "origin" in headers:
        return "The control plane answers no web page."
    return None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
