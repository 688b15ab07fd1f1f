"""The rows' columns as Arrow types, for clients that are told what to read a page as."""

import pyarrow as pa

from bench.peers import rows

EXACT = pa.decimal128(38, 10)
_TYPES = (
    ((rows.PRIMARY_ID, *rows.TEXTS, *rows.WIRE_LOOKUPS, *rows.INSTANTS), pa.string()),
    (rows.WHOLE, pa.int64()),
    (rows.TRUTHS, pa.bool_()),
)


def schema(decimals: pa.DataType) -> pa.Schema:
    """Give the schema of the 30 columns; instants stay the texts that they are."""
    types = [*_TYPES, (rows.DECIMALS, decimals)]
    return pa.schema([(name, kind) for names, kind in types for name in names])
