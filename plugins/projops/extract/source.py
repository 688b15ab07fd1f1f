"""What an extract strategy hands on: chunks of source rows, then the next watermark."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
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


# Gives the identities (GUIDs, or key texts) of rows that were in step before, sorted, some at a time.
Known = Callable[[], Iterator[Sequence[str]]]


def nobody() -> Iterator[Sequence[str]]:
    """Know of no rows: a read that is to tell of no deletes."""
    return iter(())


def require_rows(entity_set: str, came: int, known: Known) -> None:
    """Refuse a full read without rows where there were some: that is no reason to delete them all.

    Raises:
        ImplausibleReadError: Nothing came, and rows were in step.
    """
    were = 0 if came else sum(len(page) for page in known())
    if were:
        raise ImplausibleReadError(
            f"{entity_set} came back empty, though {were} rows were in step.",
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
