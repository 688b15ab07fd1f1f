"""Receivers of messages on this machine: a mail server and a webhook, which keep what they are sent."""

import base64
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class MailServer:
    """What a mail server was sent, and how it answers.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        replies: Answers by command (`MAIL`, `RCPT`, `DATA`, `.` for the end of the data) in place of a yes.
        mails: The mails that it took.
        receivers: Of each of them, to whom it went.
        logins: What clients signed in with, decoded.
        secure: Certificate to speak TLS with from the first byte, or after STARTTLS.
        offers: What it says that it can do, beside that.
    """

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[list[str]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    secure: ssl.SSLContext | None = None
    offers: tuple[str, ...] = ("AUTH PLAIN XOAUTH2",)


@dataclass
class Webhook:
    """What a webhook was sent, and how it answers.

    Attributes:
        address: Where to post; its path is a secret.
        answers: Status, headers and body of the next answers; then 200 and "ok".
        posts: The bodies: JSON as values, all else as text.
        silent: Takes what is sent and never answers, while set.
    """

    address: str = ""
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    posts: list[Any] = field(default_factory=list)
    silent: bool = False


@contextmanager
def mail_server(secure: ssl.SSLContext | None = None, *, at_once: bool = False) -> Iterator[MailServer]:
    """Run a mail server until the block ends.

    Args:
        secure: Its certificate; None for a server without TLS.
        at_once: Whether TLS begins with the first byte.
    """
    kept = MailServer(secure=secure)

    class Session(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            if secure is not None and at_once:
                self.request = secure.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def handle(self) -> None:
            _Dialogue(self, kept).run()

    with _Threads(("127.0.0.1", 0), Session) as server, _serving(server):
        kept.port = server.server_address[1]
        yield kept


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run a webhook until the block ends."""
    kept = Webhook()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posts.append(json.loads(sent) if "json" in self.headers["Content-Type"] else sent.decode())
            if kept.silent:
                over.wait(30)
                return
            status, headers, body = kept.answers.pop(0) if kept.answers else (200, {}, "ok")
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _serving(server):
        kept.address = f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/Pl4ntedW3bhook"
        try:
            yield kept
        finally:
            over.set()


@contextmanager
def statsd() -> Iterator[tuple[int, list[str]]]:
    """Receive StatsD until the block ends: gives the port, and what comes, a line a value."""
    lines: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))

        def receive() -> None:
            while datagram := receiver.recv(65_536):
                lines.extend(datagram.decode().splitlines())

        thread = threading.Thread(target=receive)
        thread.start()
        try:
            yield receiver.getsockname()[1], lines
        finally:
            receiver.sendto(b"", receiver.getsockname())  # an empty datagram ends it
            thread.join()


class _Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that breaks a session off is part of the tests."""


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


class _Dialogue:
    """One session of SMTP (RFC 5321), as far as a client that sends mail goes."""

    def __init__(self, session: socketserver.StreamRequestHandler, kept: MailServer) -> None:
        self.session = session
        self.kept = kept
        self.receivers: list[str] = []

    def run(self) -> None:
        self._say("220 receiver")
        while line := self.session.rfile.readline():
            command, _, rest = line.decode().strip().partition(" ")
            command = command.upper()
            if command == "QUIT":
                self._say(self.kept.replies.get(command, "221 bye"))
                return
            if command in self.kept.replies:
                self._say(self.kept.replies[command])
            else:
                getattr(self, f"on_{command.lower()}", self._unknown)(rest)

    def on_ehlo(self, _: str) -> None:
        offers = ["receiver", *self.kept.offers]
        if self.kept.secure is not None and not isinstance(self.session.request, ssl.SSLSocket):
            offers.append("STARTTLS")
        for offer in offers[:-1]:
            self._say(f"250-{offer}")
        self._say(f"250 {offers[-1]}")

    def on_starttls(self, _: str) -> None:
        assert self.kept.secure is not None
        self._say("220 go ahead")
        self.session.request = self.kept.secure.wrap_socket(self.session.request, server_side=True)
        self.session.rfile = self.session.request.makefile("rb")
        self.session.wfile = self.session.request.makefile("wb", buffering=0)

    def on_auth(self, rest: str) -> None:
        self.kept.logins.append(base64.b64decode(rest.partition(" ")[2]).decode())
        self._say("235 welcome")

    def on_mail(self, _: str) -> None:
        self.receivers = []
        self._say("250 fine")

    def on_rcpt(self, rest: str) -> None:
        self.receivers.append(rest.partition("<")[2].partition(">")[0])
        self._say("250 fine")

    def on_rset(self, _: str) -> None:
        self._say("250 fine")

    def on_data(self, _: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.session.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if "." in self.kept.replies:
            self._say(self.kept.replies["."])
            return
        self.kept.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self.kept.receivers.append(self.receivers)
        self._say("250 taken")

    def _unknown(self, _: str) -> None:
        self._say("500 what?")

    def _say(self, line: str) -> None:
        self.session.wfile.write(f"{line}\r\n".encode())
