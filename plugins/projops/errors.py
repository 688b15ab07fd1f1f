"""Everything that can go wrong, grouped by what to do about it.

    ProjOpsError
    ├── StopError                 stop before anything (more) is written; a person must act
    │   ├── ConfigurationError    a connection, setting or environment is wrong
    │   │   ├── AuthenticationError
    │   │   └── EnvironmentMismatchError
    │   ├── MappingError          a mapping file is wrong; carries file and line
    │   ├── MapPausedError        somebody has paused the map; resume it first
    │   ├── BreakerOpenError      too many rows of a batch are bad
    │   ├── ImplausibleReadError  a full read that cannot be true (empty though it was not)
    │   ├── StagingLostError      staged files are gone; clear extract too
    │   └── ProtocolError         a system answered in a way that the protocol does not allow
    │       └── PoisonPageError   a page that cannot be read, however often; carries its bytes (`body`)
    ├── TryAgainError             the same call may succeed later
    │   ├── SystemUnavailableError
    │   ├── ThrottledError        carries `retry_after` in seconds
    │   ├── WatermarkExpiredError the delta token or export is gone: a full read heals it
    │   ├── UnknownOutcomeError   a write may or may not have happened: read back by key
    │   └── LeaseHeldError        another writer holds the map
    ├── RowError                  set this row aside, go on with the rest
    │   ├── RowRejectedError      the row breaks a rule, or the target refuses it for good
    │   ├── MissingParentError    the row waits for another row (parked)
    │   └── ConflictError         both sides changed a shared column
    └── DeliveryError             an alert did not reach a channel; carries `again`: whether it may later

The message of each is one sentence for a person: what happened, to which map, leg, key and field,
and what to do. The same facts stand as attributes for code.
"""

from collections.abc import Mapping
from typing import Any


class ProjOpsError(Exception):
    """Base of all errors of the engine.

    Args:
        message: One sentence that says what happened.
        remedy: One sentence that says what the reader can do.
        context: Facts by name: area, map, leg, key, field, run, url, code, ...
    """

    def __init__(self, message: str, *, remedy: str = "", **context: Any) -> None:
        self.message = message
        self.remedy = remedy
        self.context: Mapping[str, Any] = {
            name: value for name, value in context.items() if value is not None
        }
        super().__init__(" ".join(part for part in (message, remedy) if part))


class StopError(ProjOpsError):
    """Nothing (more) may be written until a person has acted."""


class ConfigurationError(StopError):
    """A connection, a setting or an environment is wrong."""


class AuthenticationError(ConfigurationError):
    """The identity provider or the system refused our credentials."""


class EnvironmentMismatchError(ConfigurationError):
    """The state belongs to other environments than those that the connections lead to."""


class MappingError(StopError):
    """A mapping file is wrong.

    Args:
        file: Path of the file, as the reader would open it.
        line: Line number, from 1.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str,
        line: int,
        remedy: str = "",
        **context: Any,
    ) -> None:
        self.file = file
        self.line = line
        super().__init__(message, remedy=remedy, file=file, line=line, **context)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {super().__str__()}"


class MapPausedError(StopError):
    """Somebody has paused the map: nothing of it is read or written."""


class BreakerOpenError(StopError):
    """More rows of a batch are bad than the circuit breaker allows."""


class ImplausibleReadError(StopError):
    """A full read that cannot be true, such as no rows where there were many."""


class StagingLostError(StopError):
    """The files that an earlier stage wrote are gone."""


class ProtocolError(StopError):
    """An answer that the protocol does not allow."""


class PoisonPageError(ProtocolError):
    """A page that cannot be read, however often it is asked for.

    Args:
        body: Its bytes, as evidence.
    """

    def __init__(self, message: str, *, body: bytes, remedy: str = "", **context: Any) -> None:
        self.body = body
        super().__init__(message, remedy=remedy, **context)


class TryAgainError(ProjOpsError):
    """The same call may succeed later."""


class SystemUnavailableError(TryAgainError):
    """A system cannot be reached, or answers 5xx."""


class ThrottledError(TryAgainError):
    """A system asks us to slow down.

    Args:
        retry_after: Seconds to wait before the next request.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        remedy: str = "",
        **context: Any,
    ) -> None:
        self.retry_after = retry_after
        super().__init__(message, remedy=remedy, retry_after=retry_after, **context)


class WatermarkExpiredError(TryAgainError):
    """A delta token (0x80044352) or an exported package is no longer there."""


class UnknownOutcomeError(TryAgainError):
    """A write was sent, but its answer never came."""


class LeaseHeldError(TryAgainError):
    """Another writer holds the lease of this map."""


class RowError(ProjOpsError):
    """One row cannot be moved; the rest goes on."""


class RowRejectedError(RowError):
    """The row breaks a rule, or the target refuses it for good."""


class MissingParentError(RowError):
    """The row refers to a row that the target does not have yet."""


class ConflictError(RowError):
    """Both sides changed a shared column since they were last in step."""


class DeliveryError(ProjOpsError):
    """An alert did not reach a channel; the data moves on.

    Args:
        again: Whether the same message may get through later.
    """

    def __init__(self, message: str, *, again: bool, remedy: str = "", **context: Any) -> None:
        self.again = again
        super().__init__(message, remedy=remedy, again=again, **context)
