"""The validate stage: a source frame into good rows and rejects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.compute as pc

from projops.identities import Identities
from projops.mapping.conditions import matches
from projops.mapping.expressions import parse
from projops.mapping.keys import LONGEST_KEY
from projops.mapping.model import Leg, TableMap
from projops.transform.outcome import Fault, any_bad, one_array, rejects
from projops.validate.expectations import RowExpectation
from projops.validate.suites import ROW, Verdict, judge, write_page

STAGE = "validate"
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Validated:
    """What became of a source frame.

    Attributes:
        good: Rows that may go on, deletes among them.
        rejects: Rows that were set aside (REJECT_SCHEMA).
        broken: Number of rows that break each rule, by `rule:field`; no values.
    """

    good: pa.Table
    rejects: pa.Table
    broken: dict[str, int]


def validate_table(
    table_map: TableMap,
    leg: Leg,
    table: pa.Table,
    expectations: Sequence[RowExpectation],
    seen: Identities | None = None,
    docs: Path | None = None,
) -> Validated:
    """Hold rows against expectations, and their keys against each other. Deletes are not judged.

    Args:
        table_map: The map.
        leg: The leg.
        table: Source frame.
        expectations: What must hold: `implied_expectations` and `read_expectations`.
        seen: Keys of the batch's earlier frames, with the ids of their rows; the good rows' are added.
        docs: Page of Data Docs to write, or None. Frames of more than 100,000 rows give several,
            numbered behind the name.

    Returns:
        Good rows, rejects, and counts by rule.
    """
    gone = pc.fill_null(one_array(table["_deleted"]), False)
    alive = table.filter(pc.invert(gone))
    known = seen if seen is not None else Identities()
    parts = [
        _validate_part(table_map, part, expectations, known, _page(docs, number))
        for number, part in enumerate(_parts(alive))
    ]
    broken: dict[str, int] = {}
    for part in parts:
        for rule, count in part.broken.items():
            broken[rule] = broken.get(rule, 0) + count
    good = pa.concat_tables([*(part.good for part in parts), table.filter(gone)])
    return Validated(good, pa.concat_tables([part.rejects for part in parts]), broken)


def _parts(table: pa.Table) -> Iterable[pa.Table]:
    return [table.slice(start, MOST_ROWS) for start in range(0, max(table.num_rows, 1), MOST_ROWS)]


def _page(docs: Path | None, number: int) -> Path | None:
    return docs if docs is None or number == 0 else docs.with_stem(f"{docs.stem}-{number}")


def _validate_part(
    table_map: TableMap,
    table: pa.Table,
    expectations: Sequence[RowExpectation],
    seen: Identities,
    page: Path | None,
) -> Validated:
    faults = [
        fault
        for where in _conditions(expectations)
        for fault in _faults(table_map, table, expectations, where, page)
    ]
    faults += _long_keys(table)
    faults += _same_keys(table, any_bad(table, faults), seen)
    good = table.filter(pc.invert(any_bad(table, faults)))
    seen.note(zip(good["_key"].to_pylist(), good["_id"].to_pylist(), strict=True))
    broken = {f"{fault.rule}:{fault.field}": int(pc.sum(fault.bad).as_py()) for fault in faults}
    return Validated(good, rejects(STAGE, table, faults), broken)


def _conditions(expectations: Sequence[RowExpectation]) -> list[str | None]:
    return list(dict.fromkeys(each.where for each in expectations))


def _faults(
    table_map: TableMap,
    table: pa.Table,
    expectations: Sequence[RowExpectation],
    where: str | None,
    page: Path | None,
) -> list[Fault]:
    mine = [each for each in expectations if each.where == where]
    frame = _data_frame(table, mine, where)
    if frame.empty:
        return []
    verdict = judge(frame, mine, table_map.file)
    if page is not None:
        write_page(verdict, page if where is None else page.with_stem(f"{page.stem}-{mine[0].rule}"))
    return _as_faults(table, mine, verdict)


def _as_faults(table: pa.Table, expectations: Sequence[RowExpectation], verdict: Verdict) -> list[Fault]:
    faults = []
    for place, rows in sorted(verdict.broken.items()):
        each = expectations[place]
        bad = pc.is_in(pa.array(range(table.num_rows), pa.int64()), value_set=pa.array(rows, pa.int64()))
        names = each.field.split(", ")
        shown = one_array(table[names[0]]) if len(names) == 1 else None
        faults.append(Fault(each.rule, each.field, each.message, bad, shown))
    return faults


def _data_frame(table: pa.Table, expectations: Sequence[RowExpectation], where: str | None) -> pd.DataFrame:
    names = {name for each in expectations for name in _column_names(each)}
    rows = table.select([name for name in table.column_names if name in names])
    rows = rows.append_column(ROW, pa.array(range(table.num_rows), pa.int64()))
    if where is not None:
        rows = rows.filter(matches(parse(where), table))
    # Great Expectations knows no time zones: every moment is UTC.
    rows = rows.cast(pa.schema([(each.name, _without_zone(each.type)) for each in rows.schema]))
    # Whole numbers with nulls must not pass through floats.
    return rows.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get)


def _without_zone(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp(kind.unit) if pa.types.is_timestamp(kind) else kind


def _column_names(expectation: RowExpectation) -> Iterable[str]:
    for value in expectation.columns.values():
        yield from value if isinstance(value, list) else [value]


def _long_keys(table: pa.Table) -> list[Fault]:
    """Rows whose key no system has: broken data, which nothing could look up later."""
    too_long = pc.fill_null(pc.greater(pc.utf8_length(one_array(table["_key"])), LONGEST_KEY), False)
    message = f"The integration key (_key) is longer than {LONGEST_KEY} characters; correct it at the source."
    return [Fault("key_length", "_key", message, too_long, None)] if pc.any(too_long).as_py() else []


def _same_keys(table: pa.Table, bad: pa.Array, seen: Identities) -> list[Fault]:
    """Rows whose key an earlier good row of the batch has: they would overwrite each other."""
    keys = table["_key"].to_pylist()
    first = seen.among([key for key in keys if key is not None])
    messages: list[str | None] = []
    for row_id, key, is_bad in zip(table["_id"].to_pylist(), keys, bad.to_pylist(), strict=True):
        other = row_id if is_bad or key is None else first.setdefault(key, row_id)
        messages.append(None if other == row_id else _same_key(row_id, other))
    shown = pa.array(messages, pa.string())
    same = pc.is_valid(shown)
    return (
        [Fault("unique_key", "_key", shown, same, one_array(table["_key"]))] if pc.any(same).as_py() else []
    )


def _same_key(row_id: str, other: str) -> str:
    return f"Row {row_id} has the same integration key as row {other}; give one of them another key."
