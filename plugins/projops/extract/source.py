"""What an extract strategy hands on: chunks of source rows, then the next watermark."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from projops.errors import ImplausibleReadError


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as the source has them.

    Attributes:
        rows: Own columns under their catalog names (no lookup paths yet), with `_version`.
        deleted: GUIDs (Dataverse) or key texts (Finance) of rows that are gone.
    """

    rows: pa.Table
    deleted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Watermark:
    """Where the next extract of a leg begins.

    Attributes:
        facts: What the strategy needs: a delta link, execution ids, the time of a snapshot.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Give the form in which the state keeps it."""
        return json.dumps(dict(self.facts), sort_keys=True)

    @classmethod
    def of(cls, text: str | None) -> "Watermark":
        """Read it back; no text is the beginning of all time."""
        return cls(json.loads(text)) if text else cls()


def nothing_came(entity_set: str, known: int) -> ImplausibleReadError:
    """Give the error for a full read without rows where there were some: no reason to delete them all."""
    return ImplausibleReadError(
        f"{entity_set} came back empty, though {known} rows were in step.",
        remedy="See whether they are there and whether the integration user may read them.",
    )


class Source(Protocol):
    """A strategy at work on one leg."""

    def chunks(self) -> AsyncIterator[Chunk]:
        """Read what changed."""
        ...

    def watermark(self) -> Watermark:
        """Give the next watermark; known once all chunks were read."""
        ...
