"""The connection below a request, as far as faults reach down to it."""

from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "sandbox.connection"


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which hands the connection to the application as an ASGI extension."""

    def on_message_begin(self) -> None:
        """Offer the transport to the application."""
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"transport": self.transport}}


def cut(scope: Scope) -> None:
    """Cut the connection at once; what was not sent yet is lost."""
    _transport(scope).abort()


def send_raw(scope: Scope, data: bytes) -> None:
    """Send bytes past HTTP, then close the connection when they are out."""
    _transport(scope).write(data)
    _transport(scope).close()


def is_closing(scope: Scope) -> bool:
    """Say whether the connection is known to have gone, so that nothing can be sent any more."""
    closing: bool = _transport(scope).is_closing()
    return closing


def _transport(scope: Scope) -> Any:
    return scope["extensions"][_EXTENSION]["transport"]
