"""Operators on texts: truncate, concat, unit, currency."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.fit import UNIT_LENGTH
from projops.mapping.model import Step
from projops.mapping.operators import is_literal, literal_text
from projops.transform.canonical import empty_is_null
from projops.transform.context import Ends, Rows
from projops.transform.outcome import Outcome, one_array

_ASTRAL = r"[\x{10000}-\x{10FFFF}]"  # characters that take two UTF-16 units


def utf16_length(texts: pa.Array) -> pa.Array:
    """Lengths in UTF-16 units, in which both systems measure texts (nvarchar)."""
    return pc.add(pc.utf8_length(texts), pc.count_substring_regex(texts, _ASTRAL))


def truncate(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """Cut texts to so many UTF-16 units, never through a character."""
    del rows, ends
    texts, limit = values.cast(pa.string()), step.argument
    cut = pc.utf8_slice_codeunits(texts, 0, limit)
    if pc.any(pc.greater(utf16_length(cut), limit)).as_py():
        cut = pa.array([_cut(text, limit) for text in texts.to_pylist()], pa.string())
    return Outcome(cut)


def concat(values: pa.Array | None, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """Join columns and texts in quotes; a missing part is left out, no part at all gives null."""
    del values, ends
    columns = {part: rows.column(part).cast(pa.string()) for part in step.argument if not is_literal(part)}
    parts = [columns[part] if part in columns else pa.scalar(literal_text(part)) for part in step.argument]
    if not columns:
        return Outcome(
            pa.array(["".join(literal_text(part) for part in step.argument)] * rows.count, pa.string())
        )
    joined = pc.binary_join_element_wise(*parts, "", null_handling="skip")
    present = pc.is_valid(pc.coalesce(*columns.values()))
    return Outcome(pc.if_else(present, one_array(joined), pa.scalar(None, pa.string())))


def unit(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """A unit symbol without blanks around it; Finance's symbols have at most ten characters (PROPOSED)."""
    del step, rows, ends
    symbols = empty_is_null(pc.utf8_trim_whitespace(values))
    bad = pc.fill_null(pc.greater(utf16_length(symbols), UNIT_LENGTH), False)
    return Outcome(symbols, bad, f"is no unit symbol of at most {UNIT_LENGTH} characters; correct the unit")


def currency(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """An ISO 4217 code: three letters, in capitals."""
    del step, rows, ends
    codes = empty_is_null(pc.utf8_upper(pc.utf8_trim_whitespace(values)))
    bad = pc.fill_null(pc.invert(pc.match_substring_regex(codes, "^[A-Z]{3}$")), False)
    return Outcome(codes, bad, "is no ISO currency code of three letters; correct the currency")


def _cut(text: str | None, limit: int) -> str | None:
    if text is None:
        return None
    units = text.encode("utf-16-le")[: limit * 2]
    return units.decode("utf-16-le", errors="ignore")
