"""Values as the wire has them, and the types and nulls that they stand for."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.model import System
from projops.systems.properties import Form, Property

_FINANCE_NO_DATE = "1900-01-01"
_YEAR_NOUGHT = "0000-"
_ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_BEYOND_MICROSECONDS = r"(\.\d{6})\d+"
_DATAVERSE_ETAG = r'^W/"([0-9]+)"$'


def is_utf8(body: bytes) -> bool:
    """Say whether bytes are UTF-8, without making a text of them; ten times as quick."""
    ends = pa.array([0, len(body)], pa.int32())
    whole = pa.StringArray.from_buffers(1, ends.buffers()[1], pa.py_buffer(body))
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def typed_texts(system: System, column: Property, texts: pa.Array[Any]) -> pa.Array[Any]:
    """Give texts of a data package or of JSON the type of their column, null convention applied.

    Raises:
        pa.ArrowInvalid: A text does not fit the type.
    """
    present = _null_where(pc.equal(texts, pa.scalar("")), texts)
    if column.form in (Form.GUID, Form.LOOKUP):
        present = pc.utf8_lower(pc.utf8_trim(present, "{}"))
        return _null_where(pc.equal(present, pa.scalar(_ZERO_GUID)), present)
    if pa.types.is_temporal(column.type):
        return _temporal(system, column.type, present)
    if pa.types.is_boolean(column.type):
        truth = pc.is_in(pc.utf8_lower(present), pa.array(["true", "yes", "1"]))
        return _null_where(pc.is_null(present), truth)
    return present if column.type == pa.string() else _cast(present, column.type)


def versions(etags: pa.Array[Any]) -> pa.Array[Any]:
    """Take row versions out of Dataverse's etags; leave Finance's as they are."""
    taken: pa.Array[Any] = pc.replace_substring_regex(etags, _DATAVERSE_ETAG, r"\1")
    return taken


def without_negative_zero(floats: pa.Array[Any]) -> pa.Array[Any]:
    """Give nought one form: JSON has `-0`, `-0.0` and `0`, and a row does not change with them."""
    plain: pa.Array[Any] = pc.add(floats, pa.scalar(0.0, floats.type))
    return plain


def _temporal(system: System, kind: pa.DataType, texts: pa.Array[Any]) -> pa.Array[Any]:
    if system is System.FINANCE:
        texts = _null_where(pc.starts_with(texts, _FINANCE_NO_DATE), texts)
    if pc.any(pc.starts_with(texts, _YEAR_NOUGHT)).as_py():  # Arrow knows it, Python and both systems do not
        raise pa.ArrowInvalid(f"no year of a {kind}")
    if pa.types.is_date(kind):  # a day never passes a zone
        return _cast(pc.utf8_slice_codeunits(texts, 0, 10), kind)
    return _cast(pc.replace_substring_regex(texts, _BEYOND_MICROSECONDS, r"\1"), kind)


def _cast(texts: pa.Array[Any], kind: pa.DataType) -> pa.Array[Any]:
    typed: pa.Array[Any] = texts.cast(kind)
    return typed


def _null_where(mask: pa.Array[Any], values: pa.Array[Any]) -> pa.Array[Any]:
    emptied: pa.Array[Any] = pc.if_else(mask, pa.scalar(None, values.type), values)
    return emptied
