"""A row's fingerprint: 128 bits, the same in every process and for equal values of any scale."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc

_COMMON_DECIMAL = pa.decimal128(38, 16)
_NULL = "-"


def row_hash(columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Array:
    """Hash rows over whole columns.

    A null differs from an empty text, decimals and integers compare by value (1.50 is 1.5), and no
    two different rows share a text before it is hashed: each value bears its length.

    Args:
        columns: Arrays of one length, at least one.

    Returns:
        A string array: 32 hexadecimal digits a row.

    Raises:
        TypeError: A column has a type that no frame has.
    """
    texts = [_measured(_text(_one(column))) for column in columns]
    joined = pc.binary_join_element_wise(*texts, "")
    rows = joined.cast(pa.binary()).to_pylist()
    return pa.array([blake2b(row, digest_size=16).hexdigest() for row in rows], pa.string())


def value_digests(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Digest each value of one column; equal values share a digest, as in `row_hash`.

    Each distinct value is digested once: the columns that two sides share hold few of them.

    Args:
        column: An array of any type that a frame has.

    Returns:
        A string array: 16 hexadecimal digits a value, for nulls too.

    Raises:
        TypeError: The column has a type that no frame has.
    """
    encoded = _measured(_text(_one(column))).dictionary_encode()
    values = encoded.dictionary.cast(pa.binary()).to_pylist()
    digests = [blake2b(value, digest_size=8).hexdigest() for value in values]
    return pa.array(digests, pa.string()).take(encoded.indices)


def _measured(texts: pa.Array) -> pa.Array:
    """Each text behind its length (`5:hello`), null as `-`."""
    lengths = pc.binary_length(texts).cast(pa.string())
    return pc.fill_null(pc.binary_join_element_wise(lengths, texts, ":"), _NULL)


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_boolean(kind) or pa.types.is_floating(kind):
        return column.cast(pa.string())
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _unscaled(column.cast(_COMMON_DECIMAL))
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).cast(pa.string())
    if pa.types.is_date32(kind):
        return column.cast(pa.int32()).cast(pa.string())
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    raise TypeError(f"A row with a column of type {kind} cannot be hashed.")


def _unscaled(column: pa.Array) -> pa.Array:
    """Decimals as their whole number of 10^-16, whose text does not hang on a scale."""
    whole = pa.Array.from_buffers(pa.decimal128(38, 0), len(column), column.buffers(), offset=column.offset)
    return whole.cast(pa.string())


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
