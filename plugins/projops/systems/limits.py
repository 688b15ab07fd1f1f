"""What a system allows one user: documented numbers, or those that a connection sets."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.systems.connection import Connection


@dataclass(frozen=True, slots=True)
class Limits:
    """What a system allows one user [D for Dataverse].

    Attributes:
        concurrent: Requests under way at once.
        requests: Requests in a sliding window; None for any number.
        execution_seconds: Their execution time in a window; None for any.
        window_seconds: Length of the window.
    """

    concurrent: int
    requests: int | None = None
    execution_seconds: float | None = None
    window_seconds: float = 300.0

    @property
    def window(self) -> timedelta:
        """Length of the window."""
        return timedelta(seconds=self.window_seconds)


# Dataverse: 6000 requests and 1200 s of execution in 300 s, 52 at once [D], less a twentieth for
# whoever uses the same user. Finance has no such numbers any more [D]: a ceiling of our own choice.
LIMITS: Mapping[System, Limits] = {
    System.DATAVERSE: Limits(concurrent=49, requests=5700, execution_seconds=1140.0),
    System.FINANCE: Limits(concurrent=24),
}


_WHOLE = ("concurrent", "requests")


def limits_of(connection: Connection) -> Limits:
    """Read the limits that a connection's extra `limits` sets, those of the system where it is silent.

    Raises:
        ConfigurationError: `limits` is no object, names an unknown limit, or one is no positive number.
    """
    chosen = connection.options.get("limits", {})
    fields = Limits.__dataclass_fields__
    valid = isinstance(chosen, Mapping) and all(
        name in fields and _is_positive(value) and (name not in _WHOLE or value >= 1)
        for name, value in chosen.items()
    )
    if not valid:
        raise ConfigurationError(
            f"Connection {connection.name}: its extra limits is wrong.",
            remedy=f"Give positive numbers for any of {', '.join(sorted(fields))}.",
            connection=connection.name,
            field="extra limits",
        )
    default = LIMITS[connection.system]
    return Limits(**{name: _typed(name, chosen.get(name, getattr(default, name))) for name in fields})


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _typed(name: str, value: Any) -> Any:
    return int(value) if name in _WHOLE and value is not None else value
