"""Sends events behind the requests: in order, at least once, each endpoint in a thread of its own.

An event has four attempts, a second apart [D]; then it is in the log of errors, and can be sent again from
there. One that was on its way when the process ended is sent again after the next start.
"""

import logging
from collections.abc import Mapping
from itertools import groupby
from threading import Event, Lock, Thread

import httpx
from sqlalchemy.exc import SQLAlchemyError

from sandbox.bell import Bell
from sandbox.finance.events.activation import Endpoint
from sandbox.finance.events.endpoints import EndpointRegistry
from sandbox.finance.events.outbox import Outbox, Outgoing
from sandbox.outgoing import post

_log = logging.getLogger(__name__)
_ATTEMPTS = 4
_RETRY_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 1.0  # after the database did not answer


class EventService:
    """Looks for events whenever the bell rings.

    Args:
        registry: Where endpoints lead.
        outbox: What waits.
        bell: Rung when something does.
        host: Domain name of the linked Dataverse environment, which events go through [D].
    """

    def __init__(self, registry: EndpointRegistry, outbox: Outbox, bell: Bell, host: str) -> None:
        self._registry, self._outbox, self._bell, self._host = registry, outbox, bell, host
        self._lock = Lock()
        self._busy: set[str] = set()
        self._stopped = Event()
        self._watcher = Thread(target=self._watch, name="business events", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process has left."""
        self._watcher.start()

    def stop(self) -> None:
        """Take up nothing more; what is on its way stays to be sent."""
        self._stopped.set()
        self._bell.ring()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._bell.wait(None if self._look() else _LOOK_AGAIN_SECONDS)

    def _look(self) -> bool:
        """Start a thread for each endpoint that has events and is not at work; False if that failed."""
        try:
            with self._lock:
                busy = set(self._busy)
            events = self._outbox.waiting(busy)
        except SQLAlchemyError:
            _log.exception("The database does not tell which events wait.")
            return False
        for name, some in groupby(sorted(events, key=_order), key=lambda event: event.endpoint):
            with self._lock:
                self._busy.add(name)
            Thread(target=self._work, args=(name, list(some)), name=f"events {name}", daemon=True).start()
        if events:
            self._bell.ring()  # those of other endpoints may stand behind them
        return True

    def _work(self, name: str, events: list[Outgoing]) -> None:
        try:
            for event in events:
                error = self._send(event)
                if error is None:
                    return
                self._outbox.finish(event, error)
        except SQLAlchemyError:
            _log.exception("The database does not take how an event has ended: it is sent again.")
        finally:
            with self._lock:
                self._busy.discard(name)
            self._bell.ring()

    def _send(self, event: Outgoing) -> str | None:
        """Send an event; return why it was not taken, "" where it was, None where the service stops."""
        endpoint = self._registry.endpoints().get(event.endpoint)
        if endpoint is None:
            return ""
        error = ""
        for attempt in range(_ATTEMPTS):
            if self._stopped.wait(_RETRY_SECONDS if attempt else 0):
                return None
            error = _attempt(endpoint, self._headers(event), event.body)
            if not error:
                break
        return None if self._stopped.is_set() else error

    def _headers(self, event: Outgoing) -> Mapping[str, str]:
        told = {**event.headers, "x-ms-dynamics-organization": self._host} if event.headers else {}
        return {"Content-Type": "application/json; charset=utf-8", **told}


def _attempt(endpoint: Endpoint, headers: Mapping[str, str], body: str) -> str:
    """Post an event; return why it was not taken."""
    try:
        status = post(endpoint.url, body, headers)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return f"Unable to send event to endpoint. Exception message: {type(error).__name__}."
    if 200 <= status < 300:
        return ""
    return f"Unable to send event to endpoint. Response status code does not indicate success: {status}."


def _order(event: Outgoing) -> tuple[str, int]:
    return event.endpoint, event.number
