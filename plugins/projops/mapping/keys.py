"""The canonical text of an integration key: the same for both systems, and for one row or many.

It is a JSON array of the key's values in the map's order, `["prj-1001","uspm"]`. Texts are in lower
case without trailing blanks, since both systems compare keys so (and Finance answers company codes
in lower case); GUIDs are lower case without braces; days are ISO.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import orjson
import pyarrow as pa  # noqa: TID253  no DAG file leads here
import pyarrow.compute as pc  # noqa: TID253

LONGEST_KEY = 500  # characters of a key text that the state can keep
# Texts for which JSON needs no escape and Arrow's lower case is Python's.
_PLAIN = r"^[ !#-\[\]-~]*$"
_GUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def key_text(values: Sequence[object]) -> str:
    """The canonical text of one key.

    Raises:
        ValueError: A part has no value.
        TypeError: A part has a type that no key has.
    """
    return f"[{','.join(_part_text(value) for value in values)}]"


def key_column(parts: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    """The canonical texts of whole columns of key parts; null where a part is null.

    Args:
        parts: One array for each part of the key, in the map's order, all of one length.

    Returns:
        A string array of that length.
    """
    texts = [_part_column(_one(part)) for part in parts]
    inner = pc.binary_join_element_wise(*texts, ",", null_handling="emit_null")
    return pc.binary_join_element_wise("[", inner, "]", "")


def partial_key_column(parts: Sequence[pa.Array | pa.ChunkedArray | None]) -> pa.Array:
    """Key texts of which not every part is known: those parts are null, `["prj-1001",null]`.

    Args:
        parts: One array for each part of the key, in the map's order; None for an unknown one. At
            least one is known.

    Returns:
        A string array.
    """
    count = next(len(part) for part in parts if part is not None)
    texts = [pa.nulls(count, pa.string()) if part is None else _part_column(_one(part)) for part in parts]
    known = [pc.fill_null(text, "null") for text in texts]
    return pc.binary_join_element_wise("[", pc.binary_join_element_wise(*known, ","), "]", "")


def may_be(partial: str, text: str) -> bool:
    """Say whether a key of which some parts are known may be a whole key; of another form it is none."""
    if partial == text:
        return True
    parts, whole = orjson.loads(partial), orjson.loads(text)
    return len(whole) == len(parts) and all(
        known is None or known == part for known, part in zip(parts, whole, strict=True)
    )


def has_parts(text: str, count: int) -> bool:
    """Say whether a key has so many parts: with another number it is of a former mapping."""
    return len(orjson.loads(text)) == count


def fold(text: str) -> str:
    """A text as keys compare it: lower case, no trailing blanks."""
    return text.lower().rstrip(" ")


def fold_column(texts: pa.Array) -> pa.Array:
    """`fold` for a whole string column."""
    if _is_plain(texts):
        return pc.utf8_rtrim(pc.utf8_lower(texts), characters=" ")
    return pa.array([None if text is None else fold(text) for text in texts.to_pylist()], pa.string())


def guid_column(texts: pa.Array) -> pa.Array:
    """GUIDs as `_id` has them, in lower case without braces; null where a text is no GUID."""
    texts = pc.utf8_lower(pc.utf8_trim(texts, characters="{} "))
    return pc.if_else(pc.match_substring_regex(texts, _GUID), texts, pa.scalar(None, pa.string()))


def _part_text(value: object) -> str:
    if value is None:
        raise ValueError("A part of the key has no value.")
    if isinstance(value, bool | int):
        return json.dumps(value)
    return json.dumps(_plain_text(value), ensure_ascii=False)


def _plain_text(value: object) -> str:
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"A key cannot hold a {type(value).__name__}.")


def _part_column(part: pa.Array) -> pa.Array:
    if pa.types.is_integer(part.type):
        return part.cast(pa.string())
    if pa.types.is_string(part.type) and _is_plain(part):
        return pc.binary_join_element_wise('"', fold_column(part), '"', "")
    return pa.array([None if value is None else _part_text(value) for value in part.to_pylist()], pa.string())


def _is_plain(texts: pa.Array) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, _PLAIN), min_count=0).as_py())


def _one(part: pa.Array | pa.ChunkedArray) -> pa.Array:
    return part.combine_chunks() if isinstance(part, pa.ChunkedArray) else part
