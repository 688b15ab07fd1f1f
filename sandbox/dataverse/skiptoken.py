"""The cookie-style $skiptoken of next links (protocol 1.3): XML with an inner cookie, encoded twice."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_plus
from xml.sax.saxutils import quoteattr

from sandbox.dataverse.errors import ApiError, bad_request

_ROUNDS = 6
_OUTER = re.compile(
    r'<cookie\s+pagenumber="(\d{1,9})"\s+pagingcookie="(.*)"\s+istracking="(True|False)"\s*/>', re.S
)
_INNER = re.compile(r'<(\w+) last="([\w!/:{} -]{0,64})"')
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cookie:
    """Where the next page begins.

    Attributes:
        page: Number of the page that the token asks for, from 2.
        last: What the page before ended with, by name: GUID column, version, offset, ...
        tracking: Whether the page belongs to a change-tracking read.
        first: What the page before began with; it is shown, and not read back.
    """

    page: int
    last: Mapping[str, str] = field(default_factory=dict)
    tracking: bool = False
    first: str = field(default="", compare=False)

    def place(self, name: str) -> str | None:
        """Return the mark by which the page is found, None on the first page.

        Raises:
            ApiError: When a later page is asked for without it: whoever altered a link must not be led back
                to the first page, again and again.
        """
        if self.page > 1 and name not in self.last:
            raise _malformed()
        return self.last.get(name)

    def number(self, name: str, *, needed: bool = False) -> int | None:
        """Return a mark that is a number, None where there is no such mark.

        Args:
            name: The mark.
            needed: Whether the page is found by it.

        Raises:
            ApiError: When somebody changed it into something else, or took it away where it is needed.
        """
        text = self.place(name) if needed else self.last.get(name)
        if text is None:
            return None
        if not _NUMBER.fullmatch(text):
            raise _malformed()
        return int(text)


def render_cookie(cookie: Cookie) -> str:
    """Return the query option's value as it stands in the URL, in the form of the documentation [D].

    The inner cookie is encoded twice with lower-case digits; GUIDs in it are upper case, in braces.
    """
    marks = "".join(_mark(name, value, cookie.first) for name, value in cookie.last.items())
    inner = quote(f'<cookie page="{cookie.page - 1}">{marks}</cookie>', safe="")
    begin = f'<cookie pagenumber="{cookie.page}" pagingcookie="{lower_codes(inner)}"'
    return quote(f'{begin} istracking="{cookie.tracking}" />', safe="=/")


def read_cookie(text: str) -> Cookie:
    """Read a token however often it was encoded or decoded on its way.

    Clients and proxies re-encode links (`=` becomes %3D, a blank becomes +), so it is decoded fully
    before it is parsed.

    Raises:
        ApiError: When it is not a token of ours.
    """
    outer = _OUTER.search(decoded(text))
    if outer is None:
        raise _malformed()
    marks = {
        name: value.strip("{}").lower() if "{" in value else value for name, value in _INNER.findall(outer[2])
    }
    return Cookie(int(outer[1]), marks, outer[3] == "True")


def _mark(name: str, value: str, first: str) -> str:
    begin = f" first={quoteattr(braced(first))}" if first else ""
    return f"<{name} last={quoteattr(braced(value))}{begin} />"


def braced(value: str) -> str:
    """Write a GUID as cookies have it, in upper case and braces; all else stays as it is."""
    return f"{{{value.upper()}}}" if _GUID.fullmatch(value) else value


def _malformed() -> ApiError:
    return bad_request("Malformed XML in the Paging Cookie: follow @odata.nextLink as it is.")


def lower_codes(text: str) -> str:
    """Write the codes of an encoded text with lower-case digits, as Dataverse does."""
    return re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), text)


def decoded(text: str) -> str:
    """Decode a text as often as it was encoded; `+` is a blank."""
    for _ in range(_ROUNDS):
        plain = unquote_plus(text)
        if plain == text:
            break
        text = plain
    return text
