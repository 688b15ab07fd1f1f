"""What was asked of the sandbox: counts by system, verb, entity and status, and a log of writes."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

_LOG_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on one entity; a request of a `$batch` counts as one of its own.

    Attributes:
        system: "dataverse" or "finance".
        entity: Entity set name, or "$batch", "WhoAmI", ... where no set is meant.
        verb: HTTP method, or the name of a bulk message (UpsertMultiple).
        status: HTTP status that was answered.
        key: The row's key as the URL has it, or its GUID; empty for lists.
        columns: Columns that a write named.
        rows: Rows read or written.
    """

    system: str
    entity: str
    verb: str
    status: int
    key: str = ""
    columns: tuple[str, ...] = ()
    rows: int = 0


class Stats:
    """Counters and a bounded write log, safe to use from many threads."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._lock = Lock()
        self._requests: Counter[tuple[str, str, str, int]] = Counter()
        self._rows: Counter[tuple[str, str, str, int]] = Counter()
        self._faults: Counter[str] = Counter()
        self._writes: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)

    def record(self, operation: Operation, time: str) -> None:
        """Count an operation; one that is not a GET goes into the write log with its `time` (ISO)."""
        place = (operation.system, operation.verb, operation.entity, operation.status)
        with self._lock:
            self._requests[place] += 1
            self._rows[place] += operation.rows
            if operation.verb != "GET":
                self._writes.append({"time": time} | asdict(operation))

    def record_fault(self, kind: str) -> None:
        """Count a fault that was put in the way of a request."""
        with self._lock:
            self._faults[kind] += 1

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for counter in (self._requests, self._rows, self._faults):
                counter.clear()
            self._writes.clear()

    def snapshot(self) -> dict[str, Any]:
        """Return `{"requests": [...], "faults": {...}, "writes": [...]}` for `/sandbox/stats`."""
        with self._lock:
            requests = [
                dict(zip(("system", "verb", "entity", "status"), place, strict=True))
                | {"count": count, "rows": self._rows[place]}
                for place, count in sorted(self._requests.items())
            ]
            return {"requests": requests, "faults": dict(self._faults), "writes": list(self._writes)}
