"""Resource paths and the keys in them: `Set(a='A''B',b=2)/Property`."""

import re
from dataclasses import dataclass
from typing import Any

from odata_query import ast

from sandbox.odata.errors import ODataSyntaxError
from sandbox.odata.grammar import EnumLiteral, Node, tokenize
from sandbox.odata.literals import is_literal
from sandbox.odata.options import split_outside

# What nearly all keys look like is read without the lexer: bulk messages name a thousand rows each.
_ROW = re.compile(r"(\w+)\(((?:[^()/']|'[^()/']*')*)\)")
_PART = re.compile(
    r"(?:([A-Za-z_]\w*)=)?"
    r"(?:'((?:[^']|'')*)'|([0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}))"
    r"(?:,(?=.)|$)"
)


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of a key predicate: a property name (None in `Set(1)`) and a literal."""

    name: str | None
    literal: Node


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a resource path.

    Attributes:
        name: What stands before the parenthesis.
        key: The text between the parentheses, None where there are none.
    """

    name: str
    key: str | None = None


def split_path(path: str) -> tuple[Segment, ...]:
    """The segments of a resource path below the service root, URL-decoded: slashes in quotes do not split.

    Raises:
        ODataSyntaxError: A quote or parenthesis is left open.
    """
    if row := _ROW.fullmatch(path):
        return (Segment(row[1], row[2]),)
    return tuple(_segment(part, path) for part in split_outside(path.strip("/"), "/"))


def parse_key(text: str) -> tuple[KeyPart, ...]:
    """The parts of a key predicate, its parentheses taken off: `'A'`, a GUID, `a='A''B',b=2`.

    Raises:
        ODataSyntaxError: It is not a key predicate.
    """
    parts = _plain_parts(text) or _lexed_parts(text)
    names = [part.name for part in parts]
    if len(set(names)) != len(names) or (None in names and len(names) > 1):
        raise ODataSyntaxError(f"The key '({text})' names a property twice or not at all.", 0, text)
    return tuple(parts)


def _plain_parts(text: str) -> list[KeyPart]:
    """Read texts and GUIDs, named or not; nothing where anything else is among them."""
    parts: list[KeyPart] = []
    place = 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None:
            return []
        name, quoted, guid = part.groups()
        literal = ast.GUID(guid) if quoted is None else ast.String(quoted.replace("''", "'"))
        parts.append(KeyPart(name, literal))
        place = part.end()
    return parts


def _lexed_parts(text: str) -> list[KeyPart]:
    tokens = [token for token in tokenize(text) if token.type != "WS"]
    parts: list[KeyPart] = []
    while tokens:
        parts.append(_key_part(tokens, text))
        if tokens and (tokens.pop(0).type != "," or not tokens):
            raise ODataSyntaxError.at(len(text), text)
    return parts


def _segment(part: str, path: str) -> Segment:
    name, opened, rest = part.partition("(")
    if not opened:
        return Segment(name)
    if not rest.endswith(")"):
        raise ODataSyntaxError.at(path.find(part) + len(part), path)
    return Segment(name, rest[:-1])


def _key_part(tokens: list[Any], text: str) -> KeyPart:
    """Take one part off the front of the tokens."""
    name = None
    if len(tokens) > 1 and tokens[0].type == "ODATA_IDENTIFIER" and tokens[1].type == "=":
        name = tokens.pop(0).value.full_name()
        tokens.pop(0)
    if not tokens:
        raise ODataSyntaxError.at(len(text), text)
    token = tokens.pop(0)
    literal = token.value if token.type != "ENUM" else _enum(token.value)
    if not is_literal(literal):
        raise ODataSyntaxError.at(token.index, text)
    return KeyPart(name, literal)


def _enum(text: str) -> EnumLiteral:
    type_name, _, member = text.partition("'")
    return EnumLiteral(type_name, member[:-1].replace("''", "'"))
