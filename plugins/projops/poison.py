"""Poison: rows that crash our code are found by halving their chunk and set aside; the rest goes on.

A bug that one row in a million meets must neither stop the leg for ever nor lose the row. What crashed
is kept as evidence, exactly as it was, next to a dead letter that names the exception.
"""

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.exc import SQLAlchemyError

from projops.engine import Engine
from projops.errors import BreakerOpenError, PoisonPageError, ProjOpsError
from projops.mapping.model import TableMap
from projops.rejects import record_letters
from projops.staging import Staging
from projops.state import StateStore
from projops.state.batches import Batch
from projops.state.dead_letters import Letter, Origin

RULE = "poison"
# Not the row's fault: what we know of, a database or disk that is away, and memory that is short.
_NOT_OF_A_ROW = (ProjOpsError, SQLAlchemyError, OSError, MemoryError)


@dataclass(slots=True)
class Sieve:
    """The parts of a chunk to work on: itself, and where that crashes its halves, down to single rows.

    Each part is handed out by iterating; the caller tells of those that crashed.

    Attributes:
        chunk: Rows.
    """

    chunk: pa.Table
    _left: list[pa.Table] = field(init=False)

    def __post_init__(self) -> None:
        self._left = [self.chunk]

    def __iter__(self) -> Iterator[pa.Table]:
        """Give the parts, in the order of their rows."""
        while self._left:
            yield self._left.pop()

    def crashed(self, part: pa.Table, error: Exception) -> bool:
        """Take a part back on which work crashed; say whether it is a single row: that one is poison.

        Raises:
            Exception: The error itself, where it is no matter of a row.
        """
        if isinstance(error, _NOT_OF_A_ROW) or part.num_rows == 0:
            raise error
        if part.num_rows == 1:
            return True
        half = part.num_rows // 2
        self._left += [part.slice(half), part.slice(0, half)]
        return False


@dataclass(slots=True)
class Quarantine:
    """Where poison of one stage of a batch is set aside.

    Attributes:
        state: State database.
        staging: Keeps the evidence.
        batch: The batch.
        mapping_version: Version of the map.
        stage: extract, validate, transform or load.
        most: Rows that may be set aside; more are no accident of single rows.
        rows: Rows set aside so far.
    """

    state: StateStore
    staging: Staging
    batch: Batch
    mapping_version: str
    stage: str
    most: int
    rows: int = field(default=0, init=False)

    @classmethod
    def of(cls, engine: Engine, table_map: TableMap, batch: Batch, stage: str) -> Self:
        """Open it for a stage of a batch: it takes ten times the bad rows that are always tolerated."""
        most = 10 * engine.settings.breaker_rows
        return cls(engine.state, engine.staging, batch, table_map.version, stage, most)

    def set_aside(self, row: pa.Table, error: Exception) -> None:
        """Set a row aside that crashed our code, with the whole of it as evidence.

        Args:
            row: One row, with `_id` and, where its key is known, `_key`.
            error: What it raised; its text may hold values, and is shown like a value.

        Raises:
            BreakerOpenError: There are too many of them.
        """
        buffer = io.BytesIO()
        pq.write_table(row, buffer)
        folder = f"evidence/{self.batch.map}/{self.batch.leg}"
        name = f"{self.batch.id}-{self.stage}-{uuid.uuid4().hex}.parquet"
        letter = Letter(
            source_id=_text(row, "_id") or _text(row, "_key") or "",
            key=_text(row, "_key"),
            status="open",
            stage=self.stage,
            rule=RULE,
            message=(
                f"The row crashes {self.stage} with {type(error).__name__}: a defect of this program. "
                "Report it with the evidence; once it is mended, replay the row."
            ),
            value=str(error) or None,
            evidence=self.staging.keep(folder, name, buffer.getvalue()),
        )
        origin = Origin(self.batch.map, self.batch.leg, self.batch.id, self.mapping_version)
        record_letters(self.state, self.batch, origin, [letter])
        self.rows += 1
        if self.rows > self.most:
            raise BreakerOpenError(
                f"More than {self.most} rows of {self.batch.map} {self.batch.leg} crash {self.stage} "
                f"with {type(error).__name__}: a defect of this program.",
                remedy="Report it with the evidence of the dead letters; clear once it is mended.",
                map=self.batch.map,
                leg=self.batch.leg,
            )


@contextmanager
def keeping_pages(staging: Staging, batch: Batch) -> Iterator[None]:
    """Keep the bytes of a page that nobody can read next to the batch's staged files.

    Raises:
        PoisonPageError: As it was raised inside, naming the file too.
    """
    try:
        yield
    except PoisonPageError as error:
        folder = f"{batch.map}/{batch.leg}/{batch.id}/evidence"
        kept = staging.keep(folder, f"page-{uuid.uuid4().hex}", error.body)
        raise PoisonPageError(
            error.message,
            body=error.body,
            remedy=f"{error.remedy} What came is kept in {kept}.".lstrip(),
            **error.context,
        ) from None


def _text(row: pa.Table, column: str) -> str | None:
    if column not in row.column_names:
        return None
    value: str | None = row[column][0].as_py()
    return value
