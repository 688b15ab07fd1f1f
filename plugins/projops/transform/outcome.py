"""What an operator or a check gives: values, and which rows must be set aside with what reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

REJECT_SCHEMA = pa.schema(
    [
        ("_id", pa.string()),
        ("_key", pa.string()),
        ("stage", pa.string()),
        ("rule", pa.string()),
        ("field", pa.string()),
        ("message", pa.string()),
        ("value", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Values of one field, and the rows for which there is none.

    Attributes:
        values: One value a row.
        bad: Which rows are to be set aside (boolean, no nulls), or None when all are good.
        reason: One sentence that says why and what to do, without the value itself.
        offending: What to show as the value of a bad row; the input of the operator if None.
    """

    values: pa.Array
    bad: pa.Array | None = None
    reason: str = ""
    offending: pa.Array | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that break one rule in one field.

    Attributes:
        rule: Id of the rule.
        field: Field that breaks it.
        message: One sentence, the same for all of them or one for each row of the frame.
        bad: Which rows, boolean without nulls.
        values: What stands there, for the reject's own column.
    """

    rule: str
    field: str
    message: str | pa.Array
    bad: pa.Array
    values: pa.Array | None


def rejects(stage: str, rows: pa.Table, faults: Sequence[Fault]) -> pa.Table:
    """The reject table: for each row the first rule that it breaks.

    Args:
        stage: validate or transform.
        rows: Frame with `_id` and `_key`.
        faults: In order of precedence.

    Returns:
        A table of REJECT_SCHEMA, in the order of rules.
    """
    done = pa.array([False] * rows.num_rows, pa.bool_())
    parts = []
    for fault in faults:
        fresh = pc.and_not(fault.bad, done)
        done = pc.or_(done, fault.bad)
        parts.append(_part(stage, rows, fault, pc.indices_nonzero(fresh)))
    return pa.concat_tables([REJECT_SCHEMA.empty_table(), *parts])


def any_bad(rows: pa.Table, faults: Sequence[Fault]) -> pa.Array:
    """Which rows break a rule, boolean without nulls."""
    bad = pa.array([False] * rows.num_rows, pa.bool_())
    for fault in faults:
        bad = pc.or_(bad, fault.bad)
    return bad


def one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _part(stage: str, rows: pa.Table, fault: Fault, places: pa.Array) -> pa.Table:
    count = len(places)
    values = pa.nulls(count, pa.string()) if fault.values is None else _shown(fault.values.take(places))
    message = fault.message
    columns = [
        one_array(rows["_id"]).take(places),
        one_array(rows["_key"]).take(places),
        *(pa.array([text] * count, pa.string()) for text in (stage, fault.rule, fault.field)),
        pa.array([message] * count, pa.string()) if isinstance(message, str) else message.take(places),
        values,
    ]
    return pa.table(columns, schema=REJECT_SCHEMA)


def _shown(values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        return values
    return pa.array([_text(value) for value in values.to_pylist()], pa.string())


def _text(value: object) -> str | None:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return None if value is None else str(value)
