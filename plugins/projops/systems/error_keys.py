"""The files in which data management lists the rows of an import that failed, in the import's format [D]."""

import csv
import io
from collections.abc import Sequence
from itertools import islice
from typing import BinaryIO

from projops.errors import ProtocolError

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
LARGEST_FILE = 64 * 1024 * 1024

Key = tuple[str, ...]


def read_keys(file: BinaryIO, columns: Sequence[str], most: int) -> list[Key]:
    """Read the keys of the rows that a file lists.

    Args:
        file: CSV, UTF-16 with a byte order mark or UTF-8; seekable.
        columns: The key's columns; headers are compared without case.
        most: Most rows that it can hold: so many were sent.

    Returns:
        A key a row, its texts in the order of `columns`; of one row several may come.

    Raises:
        ProtocolError: It is no such file, lacks a column, or holds more rows.
    """
    file.seek(0)
    encoding = "utf-16" if file.read(2) in _BYTE_ORDER_MARKS else "utf-8-sig"
    file.seek(0)
    with io.TextIOWrapper(file, encoding, newline="") as text:
        try:
            rows = csv.reader(text, strict=True)
            header = [name.strip().upper() for name in next(rows, [])]
            places = [header.index(name.upper()) for name in columns]
            keys = [tuple(row[place] for place in places) for row in islice(rows, most + 1) if row]
        except (csv.Error, UnicodeError, ValueError, IndexError) as problem:
            raise _bad(f"is none that can be read ({type(problem).__name__})") from None
    if len(keys) > most:
        raise _bad(f"holds more rows than the {most} that were sent")
    return keys


def _bad(how: str) -> ProtocolError:
    return ProtocolError(
        f"The file of the rows that an import refused {how}.", remedy="The rows are read back by key instead."
    )
