"""What a webhook posts to: a server that notes each request and answers as it is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import Any

LONGEST_WAIT = 20


@dataclass(frozen=True)
class Received:
    """One request: path with query, headers by lower-case name, the raw body."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.raw)
        return value

    @property
    def target(self) -> dict[str, Any]:
        """The parameter `Target`."""
        target: dict[str, Any] = self.body["InputParameters"][0]["value"]
        return target

    @property
    def attributes(self) -> dict[str, Any]:
        return pairs(self.target["Attributes"])


def pairs(listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in listed}


@dataclass
class Receiver:
    """The server: `statuses` are answered in turn, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: "Queue[Received]" = field(default_factory=Queue)

    def next(self) -> Received:
        """Wait for the next request."""
        return self.received.get(timeout=LONGEST_WAIT)

    def is_empty(self) -> bool:
        try:
            self.received.get_nowait()
        except Empty:
            return True
        return False


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            receiver.received.put(Received(self.path, headers, raw))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
