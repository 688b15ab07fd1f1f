"""Operators that choose a value: value_map, constant, default, when, python."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.conditions import matches
from projops.mapping.expressions import parse
from projops.mapping.model import Step
from projops.mapping.operators import function_name, step_columns
from projops.transform.context import Ends, Rows
from projops.transform.functions import function
from projops.transform.outcome import Outcome


def value_map(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """Look values up in a shared value map; one that has no line sets its row aside."""
    del ends
    pairs = rows.value_maps[step.argument].towards(rows.direction)
    texts = values.cast(pa.string())
    known = [key for key in pairs if key is not None]
    place = pc.index_in(texts, value_set=pa.array(known, pa.string()))
    mapped = pa.array([pairs[key] for key in known], pa.string()).take(place)
    empty = pc.is_null(texts)
    mapped = pc.if_else(empty, pa.scalar(pairs.get(None), pa.string()), mapped)
    bad = pc.and_not(pc.is_null(place), empty)
    return Outcome(mapped, bad, f"has no line in the value map {step.argument}; add one or correct the row")


def constant(values: pa.Array | None, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """The same value in every row."""
    del values, ends
    return Outcome(pa.array([step.argument] * rows.count, _literal_type(step.argument)))


def default(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """A value, or another column, where there is none."""
    del ends
    if isinstance(step.argument, Mapping):
        return Outcome(pc.coalesce(values, rows.column(step.argument["from"]).cast(values.type)))
    literal = pa.scalar(step.argument, _literal_type(step.argument))
    return Outcome(pc.fill_null(values, literal.cast(values.type)))


def when(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """The value where a condition on the source row holds, else none (a `default` may follow)."""
    del ends
    return Outcome(
        pc.if_else(matches(parse(step.argument), rows.table), values, pa.scalar(None, values.type))
    )


def python(values: pa.Array | None, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """A registered function of the value and the columns that the step names."""
    del ends
    columns = [rows.column(path) for path in step_columns(step)]
    given = columns if values is None else [values, *columns]
    made = function(function_name(step))(*given)
    return made if isinstance(made, Outcome) else Outcome(made)


def _literal_type(value: Any) -> pa.DataType:
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        return pa.int64()
    return pa.decimal128(38, 16) if isinstance(value, Decimal) else pa.string()
