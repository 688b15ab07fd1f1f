"""Following next links, to their end and never in circles."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from projops.errors import ProtocolError
from projops.systems.answers import probable_next_link
from projops.systems.calls import Answer
from projops.systems.decoding import Page
from projops.systems.session import ODataSession

Decoder = Callable[[bytes], Page]


async def pages(
    session: ODataSession, first: str, decode: Decoder, what: str, headers: Mapping[str, str] | None = None
) -> AsyncGenerator[Page, None]:
    """Read a page, then what its next link leads to, and so on.

    While a page is worked on, the next one is read, and the bytes of the one after it are on their way as
    soon as it has come: two, never more.

    Args:
        session: Open session; its end is also the end of what is still on its way.
        first: Address of the first page. Links are opaque: never taken apart, never encoded again.
        decode: From bytes to a page.
        what: For messages.
        headers: Sent with each page.

    Yields:
        Pages with links as path and query of the connection's own host.

    Raises:
        ProtocolError: A link repeats, or leads elsewhere.
        ProjOpsError: As `ODataSession.read` and `decode`, in the place of the page that it concerns.
    """
    reading = _Reading(session, decode, what, headers)
    seen: set[str] = set()
    link: str | None = first
    ahead: asyncio.Task[Page] | None = None
    try:
        while link is not None:
            if link in seen:
                raise ProtocolError(
                    f"{session.connection.name}, {what}: a next link repeats, reading would never end.",
                    remedy="Report it to the system's owner.",
                )
            seen.add(link)
            page = await (ahead or reading.page(link, seen))
            link, ahead = page.next_link, None
            if link is not None and link not in seen:
                ahead = session.begin(reading.page(link, seen | {link}))
            yield page
    finally:
        if ahead is not None:  # the page at hand was enough, or too much
            ahead.cancel()
        reading.leave()


async def side_by_side(
    session: ODataSession, readers: Sequence[AsyncGenerator[Page, None]]
) -> AsyncGenerator[Page, None]:
    """Give the pages of several reads as they come; of each read one waits, and one is on its way.

    Raises:
        ProjOpsError: As the reads do; the others end with it.
    """
    waiting = {session.begin(_next(reader)): reader for reader in readers}
    try:
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                reader, page = waiting.pop(task), task.result()
                if page is not None:
                    waiting[session.begin(_next(reader))] = reader
                    yield page
    finally:
        for task in waiting:
            task.cancel()


async def _next(reader: AsyncGenerator[Page, None]) -> Page | None:
    return await anext(reader, None)


@dataclass(slots=True)
class _Reading:
    session: ODataSession
    decode: Decoder
    what: str
    headers: Mapping[str, str] | None
    _begun: tuple[str, asyncio.Task[Answer]] | None = field(default=None, init=False)

    async def page(self, link: str, seen: AbstractSet[str]) -> Page:
        """Read one page; it is decoded beside the event loop, which meanwhile takes in the next one."""
        answer = await self._answer(link)
        self._begin(answer.body, seen)
        page = await asyncio.to_thread(self.decode, answer.body)
        return replace(page, next_link=self._local(page.next_link), delta_link=self._local(page.delta_link))

    def leave(self) -> None:
        """Want no more what is on its way."""
        if self._begun is not None:
            self._begun[1].cancel()

    async def _answer(self, link: str) -> Answer:
        begun, self._begun = self._begun, None
        if begun is not None and begun[0] == link:
            return await begun[1]
        if begun is not None:  # what looked like the next link was none
            begun[1].cancel()
        return await self._ask(link)

    def _begin(self, body: bytes, seen: AbstractSet[str]) -> None:
        """Ask for what looks like the next page; the page itself, once it is decoded, says whether it is."""
        try:
            link = self._local(probable_next_link(body))
        except ProtocolError:
            return  # said of the page itself
        if link is not None and link not in seen:
            self._begun = link, self.session.begin(self._ask(link))

    async def _ask(self, link: str) -> Answer:
        return await self.session.read(link, what=self.what, headers=self.headers)

    def _local(self, link: str | None) -> str | None:
        return None if link is None else self.session.local(link)
