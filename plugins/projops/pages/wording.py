"""How pages write what the state keeps: keys, values, amounts, and sentences with commands in them."""

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

from markupsafe import Markup, escape

from projops.mapping.model import Direction

_LONGEST_VALUE = 300
_BLANK = "\N{MIDDLE DOT}"


def minute(at: datetime) -> str:
    """Write a moment to the minute, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def visible(text: str | None) -> str:
    """Write a value so that emptiness, blanks at its ends, and what has no look of its own can be seen."""
    if text is None:
        return "(empty)"
    inner = text.strip(" ")
    before = len(text) - len(text.lstrip(" "))
    after = len(text) - len(inner) - before
    cut = inner if len(inner) <= _LONGEST_VALUE else f"{inner[:_LONGEST_VALUE]}… ({len(inner):,} characters)"
    return f"{_BLANK * before}{readable(cut)}{_BLANK * after}"


def readable(text: str) -> str:
    """Write characters that nobody would see, or that turn the text around them, by their codes."""
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character in " \n\t" or unicodedata.category(character)[0] not in "CZ":
        return character
    return f"\\u{ord(character):04x}"


def amount(number: int | Decimal) -> str:
    """Write a count, or a sum with all of its digits and at least two behind the point."""
    if isinstance(number, int):
        return f"{number:,}"
    exponent = number.as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{number:,.{digits}f}"


def target(leg: str) -> str:
    """Say where a leg leads: "to Finance"."""
    return f"to {Direction(leg).target.value.capitalize()}"


def key(text: str | None) -> str:
    """Write an integration key as people write it: its parts, parted by slashes."""
    return readable(" / ".join(map(str, json.loads(text)))) if text else "no key"


def quoted(text: str) -> str:
    """Write a text, such as a key, as one part of an address's path: its slashes part nothing."""
    return quote(text, safe="")


def prose(sentence: str) -> Markup:
    """Write a sentence with its `commands` set apart; everything in it is escaped."""
    code = Markup("<code>{}</code>")
    parts = (code.format(each) if odd else escape(each) for odd, each in _parted(readable(sentence)))
    return Markup("").join(parts)


def words(name: str) -> str:
    """Write the name of a cause or check as words."""
    return name.replace("_", " ")


def _parted(sentence: str) -> Iterator[tuple[bool, str]]:
    """Part a sentence at its backticks, every other part being a command; one that has no end is text."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return ((bool(place % 2), part) for place, part in enumerate(parts))


FILTERS: Mapping[str, Callable[..., str]] = {
    "amount": amount,
    "count": "{:,}".format,
    "key": key,
    "minute": minute,
    "prose": prose,
    "quoted": quoted,
    "readable": readable,
    "target": target,
    "visible": visible,
    "words": words,
}
"""The filters of every template."""
