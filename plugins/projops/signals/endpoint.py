"""What the connection `projops_signals` says of our endpoint: secret, address, which events count."""

import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from projops.errors import ConfigurationError
from projops.systems.connection import Parts, parts_from_environment

CONNECTION = "projops_signals"
PATH = "/projops-signals"
HEADER = "x-projops-key"
"""The header that carries the secret; the settings of a webhook of the type HttpHeader name it."""
_SHORTEST = 20
_KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Our endpoint for signals.

    Attributes:
        secret: What proves that a message comes from a system that was told it.
        address: Base URL at which the systems reach Airflow's API server; "" where nobody has said it.
        events: Entity sets that each business event of Finance tells of, by its id in lower case.
        own_users: Entra object ids of the users that we write to Finance as, lower case.
    """

    secret: str = field(repr=False)
    address: str = ""
    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own_users: frozenset[str] = frozenset()

    def proved(self, shown: Iterable[str]) -> bool:
        """Say whether any text shown is the secret; it takes as long whether one nearly is or not at all."""
        secret = self.secret.encode()
        return any([hmac.compare_digest(secret, text.encode("utf-8", "replace")) for text in shown])


class KeptEndpoint:
    """The endpoint as its connection says, read again every half minute: then a changed secret holds.

    Args:
        resolve: Reads the connection.
        clock: Monotonic seconds.
    """

    def __init__(
        self, resolve: Callable[[], Endpoint | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._resolve, self._clock = resolve, clock
        self._lock = Lock()
        self._known: tuple[float, Endpoint | None] | None = None

    def get(self) -> Endpoint | None:
        """Give the endpoint; None where no connection says anything of it.

        Raises:
            ConfigurationError: The connection is wrong.
        """
        with self._lock:
            now = self._clock()
            if self._known is None or now >= self._known[0] + _KEPT_SECONDS:
                self._known = now, self._resolve()
            return self._known[1]


def endpoint_from_environment() -> Endpoint | None:
    """Read `AIRFLOW_CONN_PROJOPS_SIGNALS`; None where it is not there.

    Raises:
        ConfigurationError: It is wrong; names the field.
    """
    try:
        parts = parts_from_environment(CONNECTION)
    except ConfigurationError as error:
        if "is not defined" in str(error):
            return None
        raise
    return endpoint_of(parts)


def endpoint_of(parts: Parts) -> Endpoint:
    """Read the endpoint: `password` the secret, `host` the address, extra `events` and `own_users`.

    Raises:
        ConfigurationError: The secret is missing or too short, or `events` is no mapping.
    """
    secret = parts.password or ""
    if len(secret) < _SHORTEST or not secret.isascii():
        raise _wrong(
            f"its password is no secret of {_SHORTEST} ASCII characters or more",
            "Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
        )
    users = parts.extra.get("own_users") or ()
    own_users = frozenset(str(each).lower() for each in ([users] if isinstance(users, str) else users))
    return Endpoint(secret, _address(parts), _events(parts.extra.get("events")), own_users)


def _address(parts: Parts) -> str:
    if not parts.host:
        return ""
    url = parts.host if "://" in parts.host else f"{parts.schema or 'https'}://{parts.host}"
    host = url.partition("://")[2].partition("/")[0]
    if parts.port is not None and ":" not in host:
        url = url.replace(host, f"{host}:{parts.port}", 1)
    return url.rstrip("/")


def _events(value: Any) -> Mapping[str, tuple[str, ...]]:
    given = json.loads(value) if isinstance(value, str) and value.startswith("{") else value or {}
    if not isinstance(given, dict):
        raise _wrong("its extra events is no object", 'Write {"<BusinessEventId>": ["<entity set>"]}.')
    return {
        str(name).casefold(): (sets,) if isinstance(sets, str) else tuple(map(str, sets))
        for name, sets in given.items()
    }


def _wrong(problem: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"Connection {CONNECTION}: {problem}.", remedy=remedy, connection=CONNECTION)
