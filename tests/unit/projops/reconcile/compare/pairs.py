"""Both sides of a leg made of plain rows, and what a comparison of plain dictionaries finds in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from projops.mapping.model import Direction, TableMap, WriteMode
from projops.mapping.reader import load_maps
from projops.reconcile.compare.buckets import SideWriter, query_engine
from projops.reconcile.compare.comparing import Comparison
from projops.reconcile.compare.reading import Pair
from projops.reconcile.compare.sides import FACTS, LEFT_FILTER, Terms
from projops.reconcile.compare.totals import Tally
from projops.reconcile.model import Scope
from projops.settings import PROJECT_ROOT

LOADED = load_maps(PROJECT_ROOT / "include" / "mappings")
BACK = Direction.FINANCE_TO_DATAVERSE
# A text, a key of another row, a moment, money, an option.
PROJECT = "msdyn_project.msdyn_projectnumber"
COLUMNS = ("msdyn_name", PROJECT, "msdyn_transactiondate", "msdyn_totalamount", "msdyn_billingtype")


@dataclass(frozen=True)
class Row:
    """A row of either side; `reason` belongs to the expected one, `counts` to the found one."""

    id: str
    key: str | None
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    counts: bool = True
    company: str = "uspm"
    day: date | None = None


def terms_of(write: WriteMode = WriteMode.UPSERT, map_id: str = "expenses") -> Terms:
    table_map = LOADED.maps[map_id]
    leg = table_map.legs[BACK]
    fields = tuple(rule for rule in leg.fields if rule.target in COLUMNS)
    return Terms.of(with_period(table_map), replace(leg, fields=fields, write=write))


def with_period(table_map: TableMap) -> TableMap:
    return replace(table_map, period=("TransDate",))


def frame_of(terms: Terms, rows: Sequence[Row]) -> pa.Table:
    """Make a frame as `expected_frame` and `found_frame` give it."""
    facts = {
        "_key": [row.key for row in rows],
        "_id": [row.id for row in rows],
        "_hash": [f"hash of {row.id}" for row in rows],
        "_company": [row.company for row in rows],
        "_day": [row.day for row in rows],
        "_reason": [row.reason for row in rows],
        "_counts": [row.counts and row.reason is None for row in rows],
    }
    columns = [pa.array(values, FACTS.field(name).type) for name, values in facts.items()]
    columns += [
        pa.array([row.values.get(name) for row in rows], terms.schema.field(name).type)
        for name in terms.columns
    ]
    return pa.table(columns, schema=terms.schema)


def pair_of(folder: Path, terms: Terms, expected: Sequence[Row], found: Sequence[Row], page: int = 7) -> Pair:
    """Write both sides, page by page, as a read does."""
    written = []
    with query_engine(folder) as database:
        for name, rows in (("expected", expected), ("found", found)):
            (folder / name).mkdir(parents=True)
            writer, tally = SideWriter(folder / name, terms, database), Tally(terms.money)
            for start in range(0, len(rows), page):
                frame = frame_of(terms, rows[start : start + page])
                writer.write(frame)
                tally.add(frame.filter(frame["_counts"]))
            written.append((writer.close(), tally))
    (ours, our_tally), (theirs, their_tally) = written
    return Pair(ours, theirs, our_tally, their_tally, datetime.now(UTC), folder)


def compared(pair: Pair, terms: Terms, scope: Scope | None = None) -> tuple[Comparison, list[Any]]:
    comparison = Comparison(terms, pair, scope or Scope())
    return comparison, [each for chunk in comparison for each in chunk]


def plainly(terms: Terms, expected: Sequence[Row], found: Sequence[Row]) -> set[tuple[Any, ...]]:
    """What differs, by looking at each row: kind, key, identities, columns with both values, reason.

    The rows of each side have different keys.
    """
    theirs = {row.key: row for row in found}
    differences: set[tuple[Any, ...]] = set()
    for row in expected:
        other = theirs.pop(row.key, None) if row.key is not None else None
        other_id = other.id if other else None
        if row.reason == LEFT_FILTER:
            if other and other.counts and terms.claims_all:
                differences.add(("extra", row.key, row.id, other_id, (), LEFT_FILTER))
        elif row.reason is not None:
            differences.add(("rejected", row.key, row.id, other_id, (), row.reason))
        elif other is None:
            differences.add(("missing", row.key, row.id, None, (), ""))
        elif columns := _unlike(row, other):
            differences.add(("changed", row.key, row.id, other_id, columns, ""))
    for row in theirs.values():
        if row.counts and terms.claims_all:
            differences.add(("extra", row.key, None, row.id, (), ""))
    return differences


def told(differences: Sequence[Any]) -> set[tuple[Any, ...]]:
    """Differences of the code under test, in the form of `plainly`."""
    return {
        (
            each.kind.value,
            each.key,
            each.source_id,
            each.target_id,
            tuple((column.column, column.expected, column.found) for column in each.columns),
            each.reason,
        )
        for each in differences
    }


def _unlike(row: Row, other: Row) -> tuple[tuple[str, Any, Any], ...]:
    pairs = ((name, row.values.get(name), other.values.get(name)) for name in COLUMNS)
    return tuple((name, ours, theirs) for name, ours, theirs in pairs if not _same(name, ours, theirs))


def _same(name: str, ours: Any, theirs: Any) -> bool:
    if name == PROJECT and ours is not None and theirs is not None:
        return bool(ours.lower().rstrip(" ") == theirs.lower().rstrip(" "))
    return bool(ours == theirs)
