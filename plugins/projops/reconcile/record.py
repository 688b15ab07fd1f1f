"""Differences of a map written down: all of them in one Parquet file, so many of each leg in the state.

The file has a row for each column that differs, and one for each row that is missing, extra or rejected.
Values are exact texts; null is empty.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from projops.errors import StagingLostError
from projops.payload import value_text
from projops.reconcile.model import ColumnDifference, Finding, Kind, RowDifference, Verdict
from projops.reconcile.places import path_of_map
from projops.run import LegRef
from projops.staging import Staging
from projops.state.differences import MOST_OF_A_VERDICT, Seen

_OF_ROW = ("key", "company", "period", "source_id", "target_id", "source_hash", "reason")
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("map", "leg", "kind", "verdict", "cause", "explanation")),
        *((name, pa.string()) for name in _OF_ROW),
        ("first_seen", pa.timestamp("us", "UTC")),
        ("row", pa.int64()),
        *((name, pa.string()) for name in ("column", "expected", "found")),
    ]
)


@dataclass(slots=True)
class Record:
    """Takes the findings of one map.

    Attributes:
        writer: Of the Parquet file.
        kept: Those that the state is to keep.
        verdicts: How many there are of each, by leg.
    """

    writer: Any
    kept: list[Seen] = field(default_factory=list)
    verdicts: dict[LegRef, Counter[Verdict]] = field(default_factory=dict)
    _rows: int = field(default=0, init=False)
    _room: Counter[tuple[LegRef, bool]] = field(default_factory=Counter, init=False)

    def add(self, seen: Sequence[Seen]) -> None:
        """Write findings down."""
        rows: list[dict[str, Any]] = []
        for each in seen:
            rows += _rows(each, self._rows)
            self._rows += 1
            self._count(each)
        if rows:
            self.writer.write_table(pa.Table.from_pylist(rows, SCHEMA))

    def _count(self, seen: Seen) -> None:
        leg, verdict = seen.finding.difference.leg, seen.finding.verdict
        self.verdicts.setdefault(leg, Counter())[verdict] += 1
        place = (leg, verdict is Verdict.DRIFT)
        self._room[place] += 1
        if self._room[place] <= MOST_OF_A_VERDICT:
            self.kept.append(seen)


@contextmanager
def recording(staging: Staging, reconciliation: int, map_id: str) -> Iterator[Record]:
    """Write the differences of a map down; the file stands once the block has ended without an error."""
    with (
        staging.publishing(path_of_map(reconciliation, map_id)) as file,
        pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer,
    ):
        yield Record(writer)


def recorded(staging: Staging, reconciliation: int, map_id: str) -> Iterator[Seen]:
    """Read the differences of a map, one by one.

    Raises:
        StagingLostError: Their file is gone.
    """
    try:
        with staging.opened(path_of_map(reconciliation, map_id)) as file:
            batches = pq.ParquetFile(file).iter_batches()
            rows = (row for batch in batches for row in batch.to_pylist())
            for _, parts in groupby(rows, lambda row: row["row"]):
                yield _seen(list(parts))
    except FileNotFoundError:
        raise StagingLostError(
            f"The differences of {map_id} in reconciliation {reconciliation} are gone.",
            remedy="Reconcile again.",
            map=map_id,
        ) from None


def _rows(seen: Seen, number: int) -> list[dict[str, Any]]:
    finding = seen.finding
    row = finding.difference
    facts = {
        "map": row.leg.map,
        "leg": row.leg.leg,
        "kind": row.kind.value,
        "verdict": finding.verdict.value,
        "cause": finding.cause,
        "explanation": finding.explanation,
        **{name: getattr(row, name) for name in _OF_ROW},
        "first_seen": seen.first_seen,
        "row": number,
    }
    cells = [
        {"column": each.column, "expected": _text(each.expected), "found": _text(each.found)}
        for each in row.columns
    ]
    return [facts | cell for cell in cells] or [facts]


def _text(value: object) -> str | None:
    return None if value is None else value_text(value)


def _seen(parts: Sequence[dict[str, Any]]) -> Seen:
    first = parts[0]
    row = RowDifference(
        leg=LegRef(first["map"], first["leg"]),
        kind=Kind(first["kind"]),
        columns=tuple(
            ColumnDifference(each["column"], each["expected"], each["found"])
            for each in parts
            if each["column"] is not None
        ),
        **{name: first[name] for name in _OF_ROW},
    )
    finding = Finding(row, Verdict(first["verdict"]), first["cause"], first["explanation"])
    return Seen(finding, first["first_seen"])
