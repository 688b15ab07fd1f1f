"""The part of a list that one page shows."""

from dataclasses import dataclass

from sandbox.dataverse.skiptoken import Cookie, read_cookie, render_cookie
from sandbox.dataverse.wire import Request
from sandbox.odata.options import parse_count

PAGE_SIZE = 5000


@dataclass(frozen=True, slots=True)
class Window:
    """Which of the rows that a request means are on its page.

    Attributes:
        cookie: Where the page begins.
        size: Most rows of the page.
        paged: Whether a next link follows where there are more rows.
    """

    cookie: Cookie
    size: int
    paged: bool

    @classmethod
    def of(cls, request: Request) -> "Window":
        """Read page size, $top, which a page size overrules [D], and $skiptoken.

        Raises:
            ApiError: When the token is none of ours.
            ODataError: When $top is no number.
        """
        options, asked = request.options, request.preferences.page_size
        cookie = read_cookie(options["$skiptoken"]) if "$skiptoken" in options else Cookie(1)
        top = None if asked else parse_count(options.get("$top"), "$top")
        return cls(cookie, asked or (PAGE_SIZE if top is None else min(top, PAGE_SIZE)), top is None)

    @property
    def offset(self) -> int:
        """How many rows the pages before had, where rows are not found by their id."""
        return self.cookie.number("offset", needed=True) or 0

    def behind(self, primary_id: str, ids: tuple[str, str]) -> str:
        """Return the `$skiptoken` of the page behind the rows with the first and last id of this one."""
        return render_cookie(Cookie(self.cookie.page + 1, {primary_id: ids[1]}, first=ids[0]))

    def behind_offset(self) -> str:
        """Return the `$skiptoken` of the next page where rows are not found by their id."""
        return render_cookie(Cookie(self.cookie.page + 1, {"offset": str(self.offset + self.size)}))
