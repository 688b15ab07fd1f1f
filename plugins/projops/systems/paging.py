"""Following next links, to their end and never in circles."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

from projops.errors import ProtocolError
from projops.systems.decoding import Page
from projops.systems.session import ODataSession

Decoder = Callable[[bytes], Page]


async def pages(
    session: ODataSession, first: str, decode: Decoder, what: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Page]:
    """Read a page, then what its next link leads to, and so on.

    Args:
        session: Open session.
        first: Address of the first page. Links are opaque: never taken apart, never encoded again.
        decode: From bytes to a page.
        what: For messages.
        headers: Sent with each page.

    Yields:
        Pages with links as path and query of the connection's own host.

    Raises:
        ProtocolError: A link repeats, or leads elsewhere.
        ProjOpsError: As `ODataSession.read` and `decode`.
    """
    seen: set[str] = set()
    link: str | None = first
    while link is not None:
        if link in seen:
            raise ProtocolError(
                f"{session.connection.name}, {what}: a next link repeats, reading would never end.",
                remedy="Report it to the system's owner.",
            )
        seen.add(link)
        page = decode((await session.read(link, what=what, headers=headers)).body)
        page = replace(
            page, next_link=_local(session, page.next_link), delta_link=_local(session, page.delta_link)
        )
        yield page
        link = page.next_link


def _local(session: ODataSession, link: str | None) -> str | None:
    return None if link is None else session.local(link)
