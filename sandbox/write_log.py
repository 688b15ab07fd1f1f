"""The log of writes: who wrote what to which row, when, and whether the answer got back."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock
from typing import Any

from sandbox.odata.wire import dumps_sorted, loads
from sandbox.store import last_commit
from sandbox.trace import Trace, current_trace

LOG_LENGTH = 100_000
VALUES_BYTES = 2_000  # longer rows are told apart by their digest alone
_LONGEST_KEY = 2_000  # characters; what is longer was refused
_MOST_NAMES = 20_000  # characters of all columns; no table has as many


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """A row that a request wrote, or wanted to write.

    Attributes:
        key: GUID or key predicate, its first 2,000 characters; "" where the request named none and was
            refused.
        columns: Columns that it named; none where their names are longer than those of any table.
        digest: SHA-256 of the values as they were sent, by name; "" where none were, as for a delete.
        values: Those values as JSON, empty where there are none or more than are kept.
    """

    key: str
    columns: tuple[str, ...] = ()
    digest: str = ""
    values: bytes = b""


def written_row(key: str, columns: tuple[str, ...], values: Mapping[str, Any] | None) -> WrittenRow:
    """Note a row that was written; `values` are those of the request, annotations (`@odata...`) left out."""
    # What a client sends may be as long as a request; the log keeps 100,000 of them.
    key = key[:_LONGEST_KEY]
    columns = columns if sum(map(len, columns)) <= _MOST_NAMES else ()
    if not values:
        return WrittenRow(key, columns)
    sent = dumps_sorted({name: value for name, value in values.items() if not name.startswith("@")})
    # A copy: what orjson returns keeps its whole buffer of kilobytes, and the log keeps 100,000 of them.
    kept = bytes(memoryview(sent)) if len(sent) <= VALUES_BYTES else b""
    return WrittenRow(key, columns, sha256(sent).hexdigest(), kept)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the log; what becomes of the answer is known later, by its trace."""

    seq: int
    common: Mapping[str, Any]
    row: WrittenRow
    ended: datetime
    commit: int | None
    trace: Trace

    def shown(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            **self.common,
            "key": self.row.key,
            "columns": self.row.columns,
            "began": self.trace.began.isoformat(timespec="microseconds"),
            "ended": self.ended.isoformat(timespec="microseconds"),
            "commit": self.commit,
            "request": self.trace.number,
            "client": self.trace.client,
            "user_agent": self.trace.user_agent,
            "request_id": self.trace.request_id,
            "delivered": self.trace.delivered,
            "digest": self.row.digest,
            "values": loads(self.row.values) if self.row.values else None,
        }


class WriteLog:
    """The latest writes, safe to use from many threads."""

    def __init__(self, length: int = LOG_LENGTH) -> None:
        """Keep the last `length` rows."""
        self._lock = Lock()
        self._entries: deque[_Entry] = deque(maxlen=length)
        self._seen = 0

    @property
    def dropped(self) -> int:
        """How many rows had to make room for later ones."""
        with self._lock:
            return self._seen - len(self._entries)

    def append(self, common: Mapping[str, Any], row: WrittenRow, *, committed: bool) -> None:
        """Add a row that the request at work has written, or failed to write."""
        ended, trace = datetime.now(UTC), current_trace()
        commit = last_commit() if committed else None
        with self._lock:
            self._seen += 1
            self._entries.append(_Entry(self._seen, common, row, ended, commit, trace))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._seen = 0

    def snapshot(self) -> tuple[list[dict[str, Any]], int]:
        """Return the rows as `/sandbox/stats` shows them, oldest first, and how many were dropped."""
        with self._lock:
            entries, dropped = list(self._entries), self._seen - len(self._entries)
        return [entry.shown() for entry in entries], dropped
