"""Paging cookies: with what a page of FetchXML ended, by the columns that order it [D page-results].

    <cookie page="1"><name last="Zulu" first="Alpha" /><accountid last="{GUID}" first="{GUID}" /></cookie>

Null is `lastnull="1"` [L]. The page behind it is found by these values, whatever was added before them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import sqlalchemy as sa

from sandbox.dataverse.comparisons import Condition, text_term
from sandbox.dataverse.errors import ApiError, bad_request
from sandbox.dataverse.skiptoken import braced, decoded, lower_codes
from sandbox.odata.operands import comparable
from sandbox.odata.scope import Term
from sandbox.safe_xml import UnsafeXmlError, parse_xml

_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)")
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """A column that orders the rows, its name in cookies, and the direction."""

    name: str
    term: Term
    descending: bool


@dataclass(frozen=True, slots=True)
class Cookie:
    """Which page it ended, and with which value of each column; None for null."""

    page: int
    last: Mapping[str, str | None]


def read_cookie(text: str) -> Cookie:
    """Read a cookie, encoded or not.

    Raises:
        ApiError: When it is none.
    """
    plain = text if text.lstrip().startswith("<") else decoded(text)
    try:
        root = parse_xml(_BARE.sub("&amp;", plain).encode(), _DEEPEST)
    except (UnsafeXmlError, UnicodeEncodeError):
        raise _malformed() from None
    page = root.get("page", "")
    if root.tag != "cookie" or not re.fullmatch("[0-9]{1,9}", page):
        raise _malformed()
    last = {child.tag: None if child.get("lastnull") else child.get("last", "") for child in root}
    return Cookie(int(page), last)


def behind(marks: Sequence[Mark], cookie: Cookie) -> Condition:
    """Return that a row comes after the last one of a page; nulls come before all values.

    Raises:
        ApiError: When the cookie is of another query.
    """
    condition: Condition = sa.false()
    for mark in reversed(marks):
        if mark.name not in cookie.last:
            raise _malformed()
        after, equal = _place(mark, cookie.last[mark.name])
        condition = sa.or_(after, sa.and_(equal, condition))
    return condition


def render_cookie(page: int, marks: Sequence[Mark], first: Sequence[Any], last: Sequence[Any]) -> str:
    """Return the annotation: the cookie encoded twice, inside of an element with the next page's number."""
    values = zip(marks, first, last, strict=True)
    inner = "".join(
        f"<{mark.name}{_attribute('last', end)}{_attribute('first', begin)} />" for mark, begin, end in values
    )
    encoded = quote(lower_codes(quote(f'<cookie page="{page}">{inner}</cookie>', safe="")), safe="")
    return f'<cookie pagenumber="{page + 1}" pagingcookie="{encoded}" istracking="False" />'


def _place(mark: Mark, text: str | None) -> tuple[Condition, Condition]:
    """Conditions for what comes behind a value, and for what is equal to it."""
    sql = mark.term.sql
    if text is None:
        return sa.false() if mark.descending else sql.is_not(None), sql.is_(None)
    one, other = comparable(mark.term, text_term(mark.term, text), "Equal")
    after = sa.or_(one < other, sql.is_(None)) if mark.descending else one > other
    return after, one == other


def _attribute(name: str, value: Any) -> str:
    if value is None:
        return f' {name}null="1"'
    if isinstance(value, bool):
        value = int(value)
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return f" {name}={quoteattr(braced(text))}"


def _malformed() -> ApiError:
    return bad_request("Malformed XML in the Paging Cookie")
