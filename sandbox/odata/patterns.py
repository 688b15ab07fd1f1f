"""Wildcards in text comparisons, as SQL with one bound pattern.

Dataverse reads `%`, `_`, `[a-c]` and `[^x]` in text literals as SQL Server's LIKE does [D filter-rows];
Finance reads `*` in `eq` and `ne` (protocol 2.1). A pattern without a character class becomes LIKE,
one with a class becomes a regular expression, which SQLite and Postgres both have.
"""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from sandbox.store import fold, folded

_ESCAPE = "\\"
_LIKE_SPECIAL = re.compile(r"[\\%_]")
_LIKE_TOKEN = re.compile(r"%|_|\[(\^?)([^\]]+)\]|(?s:.)")


@dataclass(frozen=True, slots=True)
class Run:
    """Any run of characters, also an empty one."""


@dataclass(frozen=True, slots=True)
class One:
    """Exactly one character."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One character of a class, or outside of it."""

    members: str
    negated: bool


Part = str | Run | One | OneOf


def like_parts(text: str) -> tuple[Part, ...]:
    """The parts of a text with LIKE wildcards; a class of one character (`[%]`) is that character."""
    return _merged([_like_part(match) for match in _LIKE_TOKEN.finditer(text)])


def star_parts(text: str) -> tuple[Part, ...]:
    """The parts of a text in which `*` alone is a wildcard."""
    return _merged([Run() if character == "*" else character for character in text])


def is_plain(parts: tuple[Part, ...]) -> bool:
    """Whether a text has no wildcard."""
    return all(isinstance(part, str) for part in parts)


def matches(column: sa.ColumnElement[str], parts: tuple[Part, ...]) -> sa.ColumnElement[bool]:
    """Whether a text column, its case ignored, has the form of the parts."""
    if is_plain(parts):
        return fold(column) == fold("".join(part for part in parts if isinstance(part, str)))
    if any(isinstance(part, OneOf) for part in parts):
        return fold(column).regexp_match("".join(["(?s)\\A", *map(_regex, parts), "\\Z"]))
    return fold(column).like(fold("".join(map(_like, parts))), escape=_ESCAPE)


def _like_part(match: re.Match[str]) -> Part:
    text = match.group()
    if text in {"%", "_"}:
        return Run() if text == "%" else One()
    if match.group(2) is None:
        return text
    negated = bool(match.group(1))
    return match.group(2) if len(match.group(2)) == 1 and not negated else OneOf(match.group(2), negated)


def _merged(parts: list[Part]) -> tuple[Part, ...]:
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, str) and isinstance(last, str):
            merged[-1] = last + part
        elif not (isinstance(part, Run) and isinstance(last, Run)):
            merged.append(part)
    return tuple(merged)


def _like(part: Part) -> str:
    if isinstance(part, str):
        return _LIKE_SPECIAL.sub(lambda match: _ESCAPE + match.group(), part)
    return "%" if isinstance(part, Run) else "_"


def _regex(part: Part) -> str:
    if isinstance(part, str):
        return re.escape(folded(part) or "")
    if isinstance(part, OneOf):
        return f"[{'^' if part.negated else ''}{_members(part.members)}]"
    return ".*" if isinstance(part, Run) else "."


def _members(members: str) -> str:
    """The inside of a class: a hyphen between two characters in order is a range, all else is itself."""
    text = folded(members) or ""
    rendered = []
    index = 0
    while index < len(text):
        if text[index + 1 : index + 2] == "-" and index + 2 < len(text):
            low, high = sorted((text[index], text[index + 2]))
            rendered.append(f"{_member(low)}-{_member(high)}")
            index += 3
        else:
            rendered.append(_member(text[index]))
            index += 1
    return "".join(rendered)


def _member(character: str) -> str:
    return character if character.isalnum() else "\\" + character
