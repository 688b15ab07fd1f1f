"""Pages ahead: while a page is worked on, the next one is read and the one after it is on its way."""

import asyncio
import time

import pytest
from aiohttp import web

from projops.errors import PoisonPageError
from projops.mapping.model import System
from projops.systems import paging
from projops.systems.answers import probable_next_link
from projops.systems.decoding import Page, decode_page
from projops.systems.session import ODataSession
from tests.unit.projops.systems.wire import OpenSession, Wire


def decoded(body: bytes) -> Page:
    return decode_page(System.FINANCE, body, (), "accounts")


def prepare(wire: Wire, pages: int) -> None:
    for number in range(1, pages + 1):
        link = {"@odata.nextLink": f"{wire.base_url}/{number}"} if number < pages else {}
        wire.reply(200, {"value": [{}] * number, **link})


async def until_seen(wire: Wire, requests: int) -> None:
    async with asyncio.timeout(10):
        while len(wire.seen) < requests:
            await asyncio.sleep(0)


async def test_two_pages_are_asked_for_while_one_is_worked_on_and_never_more(
    wire: Wire, open_session: OpenSession
) -> None:
    prepare(wire, 5)
    async with open_session(System.FINANCE) as session:
        rows = []
        async for page in paging.pages(session, "/0", decoded, "accounts"):
            rows.append(page.batch.num_rows)
            await until_seen(wire, min(len(rows) + 2, 5))  # without leaving the page
            assert len(wire.seen) == min(len(rows) + 2, 5)
    assert rows == [1, 2, 3, 4, 5]
    assert [seen.path for seen in wire.seen] == ["/0", "/1", "/2", "/3", "/4"]
    assert session.counts["read"] == 5


async def test_a_page_is_on_its_way_while_the_one_before_it_is_decoded(
    wire: Wire, open_session: OpenSession
) -> None:
    prepare(wire, 3)

    def slowly(body: bytes) -> Page:
        page = decoded(body)
        wait_for(wire, min(page.batch.num_rows + 1, 3))
        return page

    async with open_session(System.FINANCE) as session:
        pages = paging.pages(session, "/0", slowly, "accounts")
        assert [page.batch.num_rows async for page in pages] == [1, 2, 3]


def wait_for(wire: Wire, requests: int) -> None:
    """Wait, beside the event loop, until so many requests have come."""
    deadline = time.monotonic() + 10
    while len(wire.seen) < requests:
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("guessed", "asked"),
    [
        ("/elsewhere", ["/0", "/elsewhere", "/1"]),
        ("/0", ["/0", "/1"]),
        ("https://other.example/1", ["/0", "/1"]),
    ],
    ids=["another page", "a page that was read", "another host"],
)
async def test_what_only_looks_like_the_next_link_costs_a_request_at_most(
    wire: Wire, open_session: OpenSession, guessed: str, asked: list[str]
) -> None:
    link = guessed if guessed.startswith("https") else f"{wire.base_url}{guessed}"
    first = {"@odata.nextLink": f"{wire.base_url}/1", "value": [{}], "more": {"@odata.nextLink": link}}
    wire.reply(200, first)
    if len(asked) == 3:
        wire.reply(200, {"value": [{}] * 7})
    wire.reply(200, {"value": [{}] * 2})
    seen = len(asked) - 1

    def after_the_guess(body: bytes) -> Page:
        wait_for(wire, seen)
        return decoded(body)

    async with open_session(System.FINANCE) as session:
        pages = paging.pages(session, "/0", after_the_guess, "accounts")
        assert [page.batch.num_rows async for page in pages] == [1, 2]
    assert [each.path for each in wire.seen] == asked


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r'{"value":[],"@odata.nextLink":"http://a\/b?c=%22"}', "http://a/b?c=%22"),
        ('{"@odata.nextLink" : "x", "value": []}', "x"),
        ('{"value":[{"note":"\\"@odata.nextLink\\":\\"y\\""}]}', None),
        ('{"value":[],"@odata.nextLink":null}', None),
        ('{"value":[],"@odata.nextLink":"a\\"b"}', None),
        ('{"value":[]}', None),
        ("", None),
    ],
)
def test_the_next_link_is_guessed_from_the_bytes(text: str, found: str | None) -> None:
    assert probable_next_link(text.encode()) == found


async def test_who_has_enough_leaves_nothing_on_its_way(wire: Wire, open_session: OpenSession) -> None:
    asked = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody ends it")

    wire.reply(200, {"value": [{}], "@odata.nextLink": f"{wire.base_url}/1"})
    wire.answers.append(never)
    async with open_session(System.FINANCE) as session:
        async for _ in paging.pages(session, "/0", decoded, "accounts"):
            await asked.wait()
            break
    assert others() == []


def others() -> list[str]:
    """Tasks of ours that are at work beside this test."""
    names = (str(task.get_coro()) for task in asyncio.all_tasks())
    return [name for name in names if "page" in name and "test_" not in name]


async def test_a_page_that_cannot_be_read_fails_in_its_place(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, {"value": [{}], "@odata.nextLink": f"{wire.base_url}/1"})
    wire.reply(200, {"value": "none"})
    async with open_session(System.FINANCE) as session:
        came = await first_of(session, wire)
    assert came == 1


async def first_of(session: ODataSession, wire: Wire) -> int:
    """Read until it fails; give how many rows came before."""
    came = 0
    with pytest.raises(PoisonPageError, match="holds no rows"):
        async for page in paging.pages(session, "/0", decoded, "accounts"):
            await until_seen(wire, 2)
            came += page.batch.num_rows
    return came
