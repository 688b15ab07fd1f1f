"""XML from outside: read without DTD and entities, whole or row by row."""

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from projops.errors import ProtocolError

_REMEDY = "Nothing of it was taken; ask for the export again."


def parse_xml(data: bytes) -> Element:
    """Read a small XML document that declares nothing: no DTD, no entities.

    Raises:
        ProtocolError: It is no XML, or it declares something.
    """
    builder = TreeBuilder()
    parser = _parser()
    parser.StartElementHandler = lambda tag, attributes: builder.start(_qualified(tag), attributes)
    parser.EndElementHandler = lambda tag: builder.end(_qualified(tag))
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise _bad("The package holds XML that cannot be read.") from None
    return builder.close()


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise _bad("The package holds XML with declarations of its own.")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def _qualified(tag: str) -> str:
    namespace, blank, name = tag.rpartition(" ")
    return f"{{{namespace}}}{name}" if blank else name


@dataclass(slots=True)
class XmlRows:
    """Collects the rows of a data file, `<Document><ROW><COLUMN>text`, while it arrives in pieces.

    Attributes:
        rows: Rows that are complete: texts by upper-case column name.
    """

    rows: list[dict[str, str]] = field(default_factory=list)
    _parser: expat.XMLParserType = field(init=False)
    _depth: int = 0
    _row: dict[str, str] = field(default_factory=dict)
    _text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._parser = _parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append

    def feed(self, piece: bytes) -> None:
        """Read a further piece.

        Raises:
            ProtocolError: It is no XML, or it declares something.
        """
        self._parse(piece, last=False)

    def close(self) -> None:
        """Say that nothing more comes.

        Raises:
            ProtocolError: The document has not ended.
        """
        self._parse(b"", last=True)

    def taken(self) -> list[dict[str, str]]:
        """Give the rows that are complete, and forget them."""
        rows, self.rows = self.rows, []
        return rows

    def _parse(self, piece: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError:
            raise _bad("The package holds XML that cannot be read.") from None

    def _start(self, tag: str, attributes: object) -> None:  # as expat calls it
        self._depth += 1
        self._text.clear()
        if self._depth == 2:
            self._row = {}

    def _end(self, tag: str) -> None:
        if self._depth == 3:
            self._row[tag.rpartition(" ")[2].upper()] = "".join(self._text)
        elif self._depth == 2:
            self.rows.append(self._row)
        self._depth -= 1
        self._text.clear()


def _bad(sentence: str) -> ProtocolError:
    return ProtocolError(sentence, remedy=_REMEDY)
