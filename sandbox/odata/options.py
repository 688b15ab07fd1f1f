"""$orderby, $select and $expand, parsed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sandbox.odata.errors import ODataError, ODataSyntaxError
from sandbox.odata.literals import Kind
from sandbox.odata.scope import Profile, Scope, Term, property_term
from sandbox.odata.sql import sort_key

_QUOTES = frozenset("'\"")  # of literals, and of the texts in lists of query functions


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One criterion of $orderby: a path of property names and a direction."""

    path: tuple[str, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ExpandItem:
    """One navigation property of $expand with its own options (`$select`, `$filter`, ...), raw."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


def parse_orderby(text: str) -> tuple[OrderItem, ...]:
    """The criteria of `$orderby=name,createdon desc`.

    Raises:
        ODataSyntaxError: An item is not `path [asc|desc]`.
    """
    return tuple(_order_item(item, text) for item in split_outside(text, ","))


def compile_orderby(text: str, scope: Scope, profile: Profile) -> list[sa.ColumnElement[Any]]:
    """$orderby as SQL; nulls sort below every value, as SQL Server sorts them, text without case."""
    return [
        order_by(property_term(scope, item.path, profile), item.descending) for item in parse_orderby(text)
    ]


def order_by(term: Term, descending: bool) -> sa.ColumnElement[Any]:
    """One criterion as SQL: nulls below every value, text without case."""
    key = sort_key(term.sql) if term.kind in {Kind.TEXT, Kind.ENUM} else term.sql
    return key.desc().nulls_last() if descending else key.asc().nulls_first()


def parse_select(text: str) -> tuple[str, ...]:
    """The property names of $select, in order; empty for an empty text."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def parse_expand(text: str) -> tuple[ExpandItem, ...]:
    """The items of `$expand=a($select=x,y;$filter=z eq 1),b`.

    Raises:
        ODataSyntaxError: A parenthesis is left open, or an option is not `$name=value`.
    """
    return tuple(_expand_item(item, text) for item in split_outside(text, ","))


def parse_count(text: str | None, name: str) -> int | None:
    """The number of $top or $skip.

    Raises:
        ODataError: It is not a whole number of zero or more.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > len("999999999"):
        raise ODataError(
            f"Invalid value '{text}' for {name} query option found. "
            f"The {name} query option requires a non-negative integer value."
        )
    return int(text)


def split_outside(text: str, separator: str) -> list[str]:
    """The parts of a text at a separator, except inside of quotes and parentheses; none for a blank text.

    Raises:
        ODataSyntaxError: A quote or a parenthesis is left open, or one closes that was not opened.
    """
    parts, depth, quote, start = [], 0, "", 0
    for index, character in enumerate(text):
        if character == (quote or character) and character in _QUOTES:
            quote = "" if quote else character
        elif quote:
            continue
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth < 0:
                raise ODataSyntaxError.at(index, text)
        elif character == separator and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    if quote:
        raise ODataSyntaxError.unterminated(text)
    if depth:
        raise ODataSyntaxError(f"')' expected at position {len(text)} in '{text}'.", len(text), text)
    return [*parts, text[start:].strip()] if text.strip() else []


def _order_item(item: str, text: str) -> OrderItem:
    words = item.split()
    if not 1 <= len(words) <= len(("path", "direction")) or words[-1] in {"asc", "desc"} and len(words) == 1:
        raise ODataSyntaxError.at(text.find(item), text)
    direction = words[1].lower() if len(words) > 1 else "asc"
    if direction not in {"asc", "desc"}:
        raise ODataSyntaxError.at(text.find(item) + len(words[0]) + 1, text)
    return OrderItem(tuple(words[0].split("/")), direction == "desc")


def _expand_item(item: str, text: str) -> ExpandItem:
    name, opened, rest = item.partition("(")
    if not name or (opened and not rest.endswith(")")):
        raise ODataSyntaxError.at(text.find(item), text)
    options = (part.partition("=") for part in split_outside(rest[:-1], ";"))
    return ExpandItem(name.strip(), {key.strip(): value for key, _, value in options})
