"""Data files of a package, row by row as texts, in constant memory (protocol 2.2 [L])."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

from sandbox.finance.packages.files import CSV_UNICODE, XML_ELEMENT
from sandbox.safe_xml import UnsafeXmlError, read_rows

_LONGEST_ROW = 1024**2  # characters, in all lines of it
_MOST_COLUMNS = 2_000
_BOM = b"\xff\xfe"

Texts = Mapping[str, str]


class DataFileError(Exception):
    """A data file that cannot be read; the message is the entity's error."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a CSV file begins with.

    Attributes:
        columns: Names, upper case; empty where the file is.
        ended: Whether the line ends with CR LF, or is all that there is.
    """

    columns: tuple[str, ...]
    ended: bool


def read_header(package: zipfile.ZipFile, name: str, source_format: str) -> Header:
    """Read the columns of a CSV file.

    Raises:
        DataFileError: The file has another encoding, or no such line.
    """
    with _text_of(package, name, source_format) as text:
        try:
            line = text.readline(_LONGEST_ROW)
            columns = tuple(_names(next(csv.reader([line]), [])))
        except (UnicodeError, csv.Error):
            raise _unreadable(name) from None
    if len(line) == _LONGEST_ROW or len(columns) > _MOST_COLUMNS:
        raise DataFileError(f"The first line of the file {name} is too long for a header.")
    return Header(columns, line.endswith("\r\n") or not line.endswith(("\r", "\n")))


def read_texts(package: zipfile.ZipFile, name: str, source_format: str) -> Iterator[Texts]:
    """Yield the rows of a data file: texts by upper-case column name.

    Raises:
        DataFileError: The file cannot be read, from the row on which is asked for.
    """
    try:
        if source_format == XML_ELEMENT:
            with package.open(name) as file:
                yield from read_rows(file)
        else:
            with _text_of(package, name, source_format) as text:
                yield from _csv_rows(text, name)
    except (UnicodeError, csv.Error):
        raise _unreadable(name) from None
    except UnsafeXmlError as problem:
        raise DataFileError(f"The file {name} cannot be read. {problem}") from None


def _text_of(package: zipfile.ZipFile, name: str, source_format: str) -> io.TextIOWrapper:
    """Open a CSV file: UTF-16LE with a byte order mark, or UTF-8 with or without one."""
    if source_format == CSV_UNICODE:
        with package.open(name) as file:
            if file.read(len(_BOM)) != _BOM:
                raise DataFileError("Selected file is not Unicode.")
        return io.TextIOWrapper(package.open(name), "utf-16", newline="")
    return io.TextIOWrapper(package.open(name), "utf-8-sig", newline="")


def _csv_rows(text: IO[str], name: str) -> Iterator[Texts]:
    lines = _Lines(text, name)
    reader = csv.reader(lines, strict=True)
    columns = list(_names(next(reader, [])))
    for number, row in enumerate(reader, start=1):
        lines.begin_row()
        if not lines.ended:
            raise DataFileError(f"Row {number} of the file {name} does not end with CR LF.")
        if len(row) > len(columns):
            raise DataFileError(
                f"Row {number} of the file {name} has more values than the header has columns."
            )
        if row:
            yield dict(zip(columns, row, strict=False))


class _Lines:
    """The lines of a file; those of one row are no longer than memory allows."""

    def __init__(self, text: IO[str], name: str) -> None:
        self._text = text
        self._name = name
        self._row_length = 0
        self.ended = True

    def begin_row(self) -> None:
        """Say that what follows belongs to another row."""
        self._row_length = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(_LONGEST_ROW):
            self._row_length += len(line)
            if self._row_length >= _LONGEST_ROW:
                raise DataFileError(
                    f"A row of the file {self._name} is longer than {_LONGEST_ROW} characters."
                )
            self.ended = line.endswith("\r\n") or not line.endswith(("\r", "\n"))
            yield line


def _names(columns: Iterable[str]) -> Iterator[str]:
    return (column.strip().upper() for column in columns)


def _unreadable(name: str) -> DataFileError:
    return DataFileError(f"The file {name} is not in the encoding or the form of its source data format.")
