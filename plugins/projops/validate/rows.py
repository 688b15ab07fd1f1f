"""The validate stage: a source frame into good rows and rejects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.compute as pc

from projops.identities import Identities
from projops.mapping.conditions import matches
from projops.mapping.expressions import parse
from projops.mapping.keys import LONGEST_KEY
from projops.mapping.model import Leg, TableMap
from projops.transform.outcome import Fault, any_bad, one_array, rejects
from projops.validate.counts import Count
from projops.validate.expectations import LONG_KEY, SAME_KEY, RowExpectation, Severity

STAGE = "validate"
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Validated:
    """What became of a source frame.

    Attributes:
        good: Rows that may go on, deletes among them.
        rejects: Rows that were set aside (REJECT_SCHEMA), each with the first rule that it breaks.
        counts: What came of each expectation, then of those of keys (OF_KEYS).
    """

    good: pa.Table
    rejects: pa.Table
    counts: tuple[Count, ...]


def validate_table(
    table_map: TableMap,
    leg: Leg,
    table: pa.Table,
    expectations: Sequence[RowExpectation],
    seen: Identities | None = None,
) -> Validated:
    """Hold rows against expectations, and their keys against each other. Deletes are not judged.

    Args:
        table_map: The map.
        leg: The leg.
        table: Source frame.
        expectations: What must hold: `implied_expectations` and `read_expectations`.
        seen: Keys of the batch's earlier frames, with the ids of their rows; the good rows' are added.

    Returns:
        Good rows, rejects, and counts by expectation.

    Raises:
        MappingError: An expectation cannot be judged.
    """
    gone = pc.fill_null(one_array(table["_deleted"]), False)
    alive = table.filter(pc.invert(gone))
    known = seen if seen is not None else Identities()
    parts = [_validate_part(table_map, part, expectations, known) for part in _parts(alive)]
    good = pa.concat_tables([*(part.good for part in parts), table.filter(gone)])
    counts = tuple(sum(several, Count()) for several in zip(*(part.counts for part in parts), strict=True))
    return Validated(good, pa.concat_tables([part.rejects for part in parts]), counts)


def _parts(table: pa.Table) -> Iterable[pa.Table]:
    return [table.slice(start, MOST_ROWS) for start in range(0, max(table.num_rows, 1), MOST_ROWS)]


def _validate_part(
    table_map: TableMap, table: pa.Table, expectations: Sequence[RowExpectation], seen: Identities
) -> Validated:
    counts = [Count()] * len(expectations)
    faults: list[Fault] = []
    for where in dict.fromkeys(each.where for each in expectations):
        places = [place for place, each in enumerate(expectations) if each.where == where]
        for place, (count, fault) in _judged(table_map, table, expectations, places, where).items():
            counts[place] = count
            faults += fault
    long = _long_keys(table)
    same = _same_keys(table, any_bad(table, [*faults, *long]), seen)
    faults += [*long, *same]
    good = table.filter(pc.invert(any_bad(table, faults)))
    seen.note(zip(good["_key"].to_pylist(), good["_id"].to_pylist(), strict=True))
    counts += [_count_of_keys(table, long), _count_of_keys(table, same)]
    return Validated(good, rejects(STAGE, table, faults), tuple(counts))


def _judged(
    table_map: TableMap,
    table: pa.Table,
    expectations: Sequence[RowExpectation],
    places: Sequence[int],
    where: str | None,
) -> dict[int, tuple[Count, list[Fault]]]:
    """Judge the expectations of one condition; give the count and the faults of each by its place."""
    mine = [expectations[place] for place in places]
    frame = data_frame(table, mine, where)
    if not len(frame):
        return {}
    from projops.validate.suites import judge  # Great Expectations takes seconds, and only rows need it

    verdict = judge(frame, mine, table_map.file)
    return {
        place: (verdict.counts[number], _as_faults(table, mine[number], verdict.broken.get(number, ())))
        for number, place in enumerate(places)
    }


def _as_faults(table: pa.Table, expectation: RowExpectation, rows: Sequence[int]) -> list[Fault]:
    """Make a fault of the rows that break an expectation; those that break a warning go on."""
    if not rows or expectation.severity is Severity.WARNING:
        return []
    marks = np.zeros(table.num_rows, bool)
    marks[rows] = True
    names = list(expectation.column_names)
    shown = one_array(table[names[0]]) if len(names) == 1 else None
    return [Fault(expectation.rule, expectation.field, expectation.message, pa.array(marks), shown)]


def data_frame(table: pa.Table, expectations: Sequence[RowExpectation], where: str | None) -> pd.DataFrame:
    """Give the columns that are looked at, of the rows that a condition takes; indexed by their place."""
    names = {name for each in expectations for name in each.column_names}
    rows = table.select([name for name in table.column_names if name in names])
    places = pa.array(np.arange(table.num_rows))
    if where is not None:
        here = matches(parse(where), table)
        rows, places = rows.filter(here), places.filter(here)
    return pd.DataFrame({name: _series(rows[name]) for name in rows.column_names}).set_index(
        pd.Index(places.to_numpy())
    )


def _series(column: pa.ChunkedArray) -> pd.Series:
    if pa.types.is_timestamp(column.type):
        column = _moments(column)
    # Whole numbers with nulls must not pass through floats; without, numpy's own compare as whole columns.
    nullable = {pa.bool_(): pd.BooleanDtype()} | ({pa.int64(): pd.Int64Dtype()} if column.null_count else {})
    return column.to_pandas(types_mapper=nullable.get)


def _moments(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments in UTC without saying so, since Great Expectations knows no time zones.

    It compares whole columns of nanoseconds and others value by value; nanoseconds end in the year 2262.
    """
    try:
        return column.cast(pa.timestamp("ns"))
    except pa.ArrowInvalid:
        return column.cast(pa.timestamp(column.type.unit))


def _count_of_keys(table: pa.Table, faults: Sequence[Fault]) -> Count:
    broken = sum(int(pc.sum(fault.bad).as_py()) for fault in faults)
    return Count(table.num_rows, table["_key"].null_count, broken)


def _long_keys(table: pa.Table) -> list[Fault]:
    """Rows whose key no system has: broken data, which nothing could look up later."""
    too_long = pc.fill_null(pc.greater(pc.utf8_length(one_array(table["_key"])), LONGEST_KEY), False)
    if not pc.any(too_long).as_py():
        return []
    return [Fault(LONG_KEY.rule, LONG_KEY.field, LONG_KEY.message, too_long, None)]


def _same_keys(table: pa.Table, bad: pa.Array, seen: Identities) -> list[Fault]:
    """Rows whose key an earlier good row of the batch has: they would overwrite each other."""
    keys = one_array(table["_key"])
    given = keys.drop_null().to_pylist()
    first = seen.among(given)
    if not first and pc.count_distinct(keys).as_py() == len(given):
        return []
    messages: list[str | None] = []
    for row_id, key, is_bad in zip(table["_id"].to_pylist(), keys.to_pylist(), bad.to_pylist(), strict=True):
        other = row_id if is_bad or key is None else first.setdefault(key, row_id)
        messages.append(None if other == row_id else _same_key(row_id, other))
    shown = pa.array(messages, pa.string())
    same = pc.is_valid(shown)
    if not pc.any(same).as_py():
        return []
    return [Fault(SAME_KEY.rule, SAME_KEY.field, shown, same, keys)]


def _same_key(row_id: str, other: str) -> str:
    return f"Row {row_id} has the same integration key as row {other}; give one of them another key."
