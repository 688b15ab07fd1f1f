"""XML from outside: read without DTD and entities, whole or row by row."""

from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

_PIECE = 256 * 1024
_LONGEST_ROW = 4 * 1024**2  # characters
_LONGEST_TAG = 1024**2  # bytes
_MOST_NAMES = 10_000
_ROW_DEPTH, _COLUMN_DEPTH = 2, 3
_DEEPEST = 100


class UnsafeXmlError(Exception):
    """XML that cannot be read, that declares something, or whose rows are too long."""


def parse_xml(data: bytes, deepest: int = _DEEPEST) -> Element:
    """Read a small document; names with a namespace become `{namespace}name`.

    Args:
        data: The document.
        deepest: How many elements may stand inside of each other.

    Raises:
        UnsafeXmlError: It is no XML, it declares something, or it is too deep.
    """
    builder = TreeBuilder()
    parser = _parser()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > deepest:
            raise UnsafeXmlError(f"Its elements are nested more than {deepest} deep.")
        builder.start(_qualified(tag), attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(tag))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    _feed(parser, data, final=True)
    return builder.close()


def read_rows(file: IO[bytes]) -> Iterator[dict[str, str]]:
    """Yield the rows of `<Document><ROW><COLUMN>text</COLUMN>...`: texts by upper-case name.

    One row at a time is in memory, and a little of what follows it.

    Raises:
        UnsafeXmlError: It is no XML, declares something, or a row is too long.
    """
    rows = _Rows()
    while piece := file.read(_PIECE):
        rows.feed(piece)
        yield from rows.take()
    rows.feed(b"", final=True)
    yield from rows.take()


class _Rows:
    """Collects rows while a document arrives in pieces."""

    def __init__(self) -> None:
        self._rows: list[dict[str, str]] = []
        self._row: dict[str, str] = {}
        self._text: list[str] = []
        self._names: set[str] = set()
        self._depth = self._length = self._fed = 0
        self._parser = _parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        _feed(self._parser, piece, final=final)
        self._fed += len(piece)
        # What has no end yet (a tag, a comment) is kept by the parser.
        if not final and self._fed - self._parser.CurrentByteIndex > _LONGEST_TAG:
            raise UnsafeXmlError(f"A tag is longer than {_LONGEST_TAG} bytes.")

    def take(self) -> list[dict[str, str]]:
        taken, self._rows = self._rows, []
        return taken

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._names.update((tag, *attributes))  # the parser keeps each of them to its end
        if len(self._names) > _MOST_NAMES:
            raise UnsafeXmlError(f"It has more than {_MOST_NAMES} names of elements and attributes.")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UnsafeXmlError(f"Its elements are nested more than {_DEEPEST} deep.")
        if self._depth == _ROW_DEPTH:
            self._row, self._length = {}, 0
        self._text = []

    def _data(self, text: str) -> None:
        self._length += len(text)
        if self._length > _LONGEST_ROW:
            raise UnsafeXmlError(f"A row is longer than {_LONGEST_ROW} characters.")
        self._text.append(text)

    def _end(self, tag: str) -> None:
        if self._depth == _COLUMN_DEPTH:
            self._row[tag.rpartition(" ")[2].upper()] = "".join(self._text)
        elif self._depth == _ROW_DEPTH:
            self._rows.append(self._row)
        self._depth -= 1
        self._text = []


def _feed(parser: expat.XMLParserType, data: bytes, *, final: bool) -> None:
    try:
        parser.Parse(data, final)
    except (expat.ExpatError, LookupError, ValueError) as problem:  # the latter two: of its encoding
        raise UnsafeXmlError(f"It is no XML that can be read: {problem}.") from None


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise UnsafeXmlError("It has a document type declaration, which is not taken.")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def _qualified(tag: str) -> str:
    namespace, blank, name = tag.rpartition(" ")
    return f"{{{namespace}}}{name}" if blank else name
