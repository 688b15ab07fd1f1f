"""What was asked of the sandbox: counts by system, verb, entity and status, and a log of writes."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sandbox.write_log import WriteLog, WrittenRow

_MOST_PLACES = 10_000  # clients choose addresses and verbs: those of a scanner would fill the memory


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on one entity; a request of a `$batch` counts as one of its own.

    Attributes:
        system: "dataverse" or "finance".
        entity: Entity set name, or "$batch", "WhoAmI", ... where no set is meant.
        verb: HTTP method, or the name of a bulk message (UpsertMultiple).
        status: HTTP status that was answered.
        rows: Rows read or written.
        written: The rows that a write meant, for the log; empty for reads.
    """

    system: str
    entity: str
    verb: str
    status: int
    rows: int = 0
    written: tuple[WrittenRow, ...] = ()


class Stats:
    """Counters and a bounded write log, safe to use from many threads."""

    def __init__(self, log: WriteLog | None = None) -> None:
        """Start with nothing counted."""
        self._lock = Lock()
        self._requests: Counter[tuple[str, str, str, int]] = Counter()
        self._rows: Counter[tuple[str, str, str, int]] = Counter()
        self._faults: Counter[str] = Counter()
        self._throttled: Counter[tuple[str, str]] = Counter()
        self._running: Counter[str] = Counter()
        self._highest: Counter[str] = Counter()
        self._log = log or WriteLog()

    def record(self, operation: Operation, time: str) -> None:
        """Count an operation; the rows that it wrote go into the write log with its `time` (ISO).

        After 10,000 different ones, operations that were never seen before are counted by system and
        status only.
        """
        place = (operation.system, operation.verb, operation.entity, operation.status)
        with self._lock:
            if place not in self._requests and len(self._requests) >= _MOST_PLACES:
                place = (operation.system, "", "", operation.status)
            self._requests[place] += 1
            self._rows[place] += operation.rows
        common = {
            "time": time,
            "system": operation.system,
            "entity": operation.entity,
            "verb": operation.verb,
            "status": operation.status,
            "rows": min(operation.rows, 1) if len(operation.written) > 1 else operation.rows,
        }
        for row in operation.written:
            self._log.append(common, row, committed=operation.status < 400 and bool(row.key))

    def record_fault(self, kind: str) -> None:
        """Count a fault that was put in the way of a request."""
        with self._lock:
            self._faults[kind] += 1

    def record_throttled(self, system: str, facet: str) -> None:
        """Count a request that a limit turned away."""
        with self._lock:
            self._throttled[system, facet] += 1

    @contextmanager
    def running(self, system: str) -> Iterator[None]:
        """Count a request as running at once with others while the block lasts."""
        with self._lock:
            self._running[system] += 1
            self._highest[system] = max(self._highest[system], self._running[system])
        try:
            yield
        finally:
            with self._lock:
                self._running[system] -= 1

    def clear(self) -> None:
        """Forget everything but what is running now."""
        with self._lock:
            for counter in (self._requests, self._rows, self._faults, self._throttled):
                counter.clear()
            self._highest = Counter(self._running)
        self._log.clear()

    def snapshot(self, *, writes: bool = True) -> dict[str, Any]:
        """Return what `/sandbox/stats` shows.

        Returns:
            `requests` (system, verb, entity, status, count, rows), `faults` by kind, `throttled`
            (system, facet, count), `concurrency` (the highest by system), `writes_dropped`, and
            `writes` (the log) unless they are left out.
        """
        with self._lock:
            counted: dict[str, Any] = {
                "requests": [
                    dict(zip(("system", "verb", "entity", "status"), place, strict=True))
                    | {"count": count, "rows": self._rows[place]}
                    for place, count in sorted(self._requests.items())
                ],
                "faults": dict(self._faults),
                "throttled": [
                    {"system": system, "facet": facet, "count": count}
                    for (system, facet), count in sorted(self._throttled.items())
                ],
                "concurrency": {system: most for system, most in self._highest.items() if most},
            }
        entries, dropped = self._log.snapshot() if writes else ([], self._log.dropped)
        counted["writes_dropped"] = dropped
        return counted | ({"writes": entries} if writes else {})
