import asyncio
import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from projops.errors import (
    AuthenticationError,
    ConfigurationError,
    LeaseHeldError,
    PoisonPageError,
    ProtocolError,
    SystemUnavailableError,
    ThrottledError,
    UnknownOutcomeError,
)
from projops.mapping.model import System
from projops.systems.connection import Connection
from projops.systems.limits import Limits
from projops.systems.retries import RetryPolicy
from projops.systems.session import ODataSession
from tests.unit.projops.systems.wire import OpenSession, Time, Wire

TOO_MANY = {"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit of 6000."}}


async def test_odata_headers_and_token_go_along(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, {"value": []})
    async with open_session() as session:
        answer = await session.read("/api/data/v9.2/accounts?$filter=name%20eq%20'a%26b'", what="reading")
    assert answer.body == b'{"value":[]}'
    [asked] = wire.seen
    assert asked.path == "/api/data/v9.2/accounts?$filter=name%20eq%20'a%26b'"  # never encoded again
    assert asked.headers["Authorization"] == "Bearer let-me-in"
    assert (asked.headers["OData-Version"], asked.headers["OData-MaxVersion"]) == ("4.0", "4.0")
    assert session.counts == {"read": 1}


async def test_retry_after_is_waited_for(wire: Wire, open_session: OpenSession, time: Time) -> None:
    wire.reply(429, TOO_MANY, headers={"Retry-After": "17"})
    wire.reply(200, {"value": []})
    async with open_session() as session:
        await session.read("/x", what="reading")
    assert time.pauses == [17.0]
    assert session.counts == {"read": 2, "retries": 1, "throttled": 1}


async def test_backoff_grows_and_is_jittered(wire: Wire, open_session: OpenSession, time: Time) -> None:
    for _ in range(3):
        wire.reply(500, {"error": {"code": "", "message": "oops"}})
    wire.reply(200, {})
    async with open_session() as session:
        await session.read("/x", what="reading")
    assert len(time.pauses) == 3
    for pause, backoff in zip(time.pauses, [0.5, 1.0, 2.0], strict=True):
        assert backoff / 2 <= pause <= backoff


async def test_throttled_to_the_end_keeps_what_was_asked(wire: Wire, open_session: OpenSession) -> None:
    for _ in range(3):
        wire.reply(429, TOO_MANY, headers={"Retry-After": "5"})
    async with open_session(policy=RetryPolicy(attempts=3)) as session:
        with pytest.raises(ThrottledError, match="6000") as caught:
            await session.read("/x", what="reading")
    assert caught.value.retry_after == 5.0
    assert len(wire.seen) == 3


async def test_a_wait_beyond_the_total_is_not_begun(
    wire: Wire, open_session: OpenSession, time: Time
) -> None:
    wire.reply(429, TOO_MANY, headers={"Retry-After": "900"})
    async with open_session() as session:
        with pytest.raises(ThrottledError):
            await session.read("/x", what="reading")
    assert time.pauses == []


async def test_reads_survive_a_cut_connection_and_a_cut_body(wire: Wire, open_session: OpenSession) -> None:
    wire.hang_up()
    wire.reply(200, body=b'{"value":[{"a":', headers={"Content-Type": "application/json"})
    wire.reply(200, {"value": []})
    async with open_session() as session:
        assert (await session.read("/x", what="reading")).body == b'{"value":[]}'
    assert len(wire.seen) == 3


HTML = {"body": b"<html>Please wait</html>", "headers": {"Content-Type": "text/html"}}
CUT = {"body": b'{"value":[{"a":{"b":1}', "headers": {"Content-Type": "application/json"}}


@pytest.mark.parametrize("answer", [HTML, CUT])
async def test_what_a_proxy_answers_instead_is_asked_for_again(
    wire: Wire, open_session: OpenSession, answer: dict[str, Any]
) -> None:
    wire.reply(200, **answer)
    wire.reply(200, {"value": []})
    wire.reply(200, **answer)
    wire.reply(200, {"value": True})
    async with open_session() as session:
        await session.read("/x", what="reading")
        await session.request("POST", "/poll", what="polling", body=b"{}", repeatable=True)
    assert len(wire.seen) == 4


@pytest.mark.parametrize("answer", [HTML, CUT])
async def test_such_an_answer_to_a_write_leaves_its_outcome_unknown(
    wire: Wire, open_session: OpenSession, answer: dict[str, Any]
) -> None:
    wire.reply(200, **answer)
    async with open_session() as session:
        with pytest.raises(UnknownOutcomeError):
            await session.request("POST", "/x", what="writing", body=b"{}")
    assert len(wire.seen) == 1


async def test_what_stays_garbled_is_evidence(wire: Wire, open_session: OpenSession) -> None:
    for _ in range(3):
        wire.reply(200, **CUT)  # type: ignore[arg-type]
    async with open_session(policy=RetryPolicy(attempts=3)) as session:
        with pytest.raises(PoisonPageError, match="dataverse_default, reading: .* no JSON object") as caught:
            await session.read("/x", what="reading")
    assert caught.value.body == CUT["body"]


async def test_a_static_token_that_is_refused_once_is_shown_again(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.reply(401)
    wire.reply(200, {})
    wire.reply(401)
    wire.reply(401)
    async with open_session() as session:
        await session.read("/x", what="reading")
        with pytest.raises(AuthenticationError, match="valid token into extra token"):
            await session.read("/x", what="reading")


async def test_a_write_that_must_not_be_repeated_is_not(wire: Wire, open_session: OpenSession) -> None:
    wire.hang_up()
    async with open_session() as session:
        with pytest.raises(UnknownOutcomeError, match="unknown"):
            await session.request("POST", "/x", what="writing", body=b"{}", kind="write")
    assert len(wire.seen) == 1


@pytest.mark.parametrize(("status", "headers"), [(500, {}), (503, {}), (504, {"Retry-After": "1"})])
async def test_a_server_error_to_such_a_write_is_unknown_as_well(
    wire: Wire, open_session: OpenSession, status: int, headers: dict[str, str]
) -> None:
    wire.reply(status, {"error": {"code": "", "message": "oops"}}, headers=headers)
    async with open_session() as session:
        with pytest.raises(UnknownOutcomeError):
            await session.request("POST", "/x", what="writing", body=b"{}")


@pytest.mark.parametrize("status", [429, 503])
async def test_refused_at_the_door_such_a_write_is_sent_again(
    wire: Wire, open_session: OpenSession, status: int
) -> None:
    wire.reply(status, body=b"busy", headers={"Retry-After": "1"})
    wire.reply(204)
    async with open_session() as session:
        answer = await session.request("POST", "/x", what="writing", body=b"{}")
    assert answer.status == 204


async def test_a_repeatable_post_is_repeated(wire: Wire, open_session: OpenSession) -> None:
    wire.hang_up()
    wire.reply(204)
    async with open_session() as session:
        answer = await session.request("POST", "/x", what="writing", body=b"{}", repeatable=True)
    assert answer.status == 204


async def test_nobody_there(time: Time) -> None:
    connection = Connection("dataverse_default", System.DATAVERSE, "http://127.0.0.1:1", static_token="t")
    policy = RetryPolicy(attempts=2)
    async with ODataSession(connection, policy=policy, pause=time.pause, clock=time.clock) as session:
        with pytest.raises(SystemUnavailableError, match=r"127\.0\.0\.1:1.*cannot be reached"):
            await session.request("POST", "/x", what="writing", body=b"{}")  # nothing was sent: not unknown


async def test_a_fresh_token_once_then_a_sentence(wire: Wire, open_session: OpenSession) -> None:
    class Tokens:
        asked: list[str | None] = []

        async def token(self, http: object, *, refused: str | None = None) -> str:
            self.asked.append(refused)
            return f"token-{len(self.asked)}"

    wire.reply(401)
    wire.reply(200, {})
    wire.reply(401)
    wire.reply(401)
    async with open_session(tokens=Tokens()) as session:
        await session.read("/x", what="reading")
        assert wire.seen[1].headers["Authorization"] == "Bearer token-2"
        with pytest.raises(AuthenticationError, match="dataverse_default.*does not accept"):
            await session.read("/x", what="reading")
    assert Tokens.asked == [None, "token-1", None, "token-3"]
    assert len(wire.seen) == 4


async def test_a_refused_request_is_given_back_and_raised_on_demand(
    wire: Wire, open_session: OpenSession
) -> None:
    wire.reply(400, {"error": {"code": "0x80044331", "message": "A validation error occurred. Too long."}})
    async with open_session() as session:
        answer = await session.request("PATCH", "/x", what="writing", body=b"{}")
        assert answer.failure is not None
        with pytest.raises(ProtocolError, match="Too long"):
            session.checked(answer, "writing")


async def test_foreign_links_are_not_followed(wire: Wire, open_session: OpenSession) -> None:
    port = wire.base_url.rpartition(":")[2]
    foreign = [
        "https://evil.example/x",
        "//evil.example/x",
        f"https://127.0.0.1:{port}/x",
        "http://127.0.0.1:1/x",
    ]
    async with open_session() as session:
        for link in [*foreign, "file:///etc/passwd", "http://127.0.0.1@evil.example/"]:
            with pytest.raises(ProtocolError, match="elsewhere"):
                await session.read(link, what="reading")
    assert wire.seen == []


async def test_a_link_outlives_a_change_of_port(wire: Wire, open_session: OpenSession) -> None:
    async with open_session() as session:
        link = f"{wire.base_url}/api/data/v9.2/accounts?$deltatoken=919042%2108%2f22%2f2017"
        assert session.local(link) == "/api/data/v9.2/accounts?$deltatoken=919042%2108%2f22%2f2017"


async def test_redirects_are_not_followed(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(302, headers={"Location": "http://127.0.0.1:1/"})
    async with open_session() as session:
        with pytest.raises(ProtocolError, match="redirect"):
            await session.read("/x", what="reading")


async def test_the_hint_bounds_parallelism(wire: Wire, open_session: OpenSession) -> None:
    for hint in ("2", "900", "nonsense"):
        wire.reply(200, {}, headers={"x-ms-dop-hint": hint})
    async with open_session() as session:
        seen = [session._admission.window.limit]
        for _ in range(3):
            await session.read("/x", what="reading")
            seen.append(session._admission.window.limit)
    assert seen == [4, 2, 4, 4]


async def test_all_of_keeps_order_and_bound(wire: Wire, open_session: OpenSession) -> None:
    running, most = 0, 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return web.Response(body=request.raw_path.encode())

    wire.answers.extend([answer] * 10)
    async with open_session(limits=Limits(concurrent=3)) as session:
        calls = [partial(session.read, f"/{number}", what="reading") for number in range(10)]
        answers = await session.all_of(calls)
    assert [answer.body for answer in answers] == [b"/%d" % number for number in range(10)]
    assert most == 3


async def test_all_of_raises_the_first_error_itself(open_session: OpenSession) -> None:
    async def fail() -> None:
        raise ThrottledError("slow down", retry_after=1)

    async with open_session() as session:
        with pytest.raises(ThrottledError):
            await session.all_of([fail, fail])


async def test_without_lease_time_nothing_is_sent(wire: Wire, open_session: OpenSession) -> None:
    async with open_session(deadline=lambda: 0.0) as session:
        with pytest.raises(LeaseHeldError):
            await session.read("/x", what="reading")
    assert wire.seen == []


async def test_a_lease_lost_while_frozen_lets_one_request_out_at_most(
    wire: Wire, open_session: OpenSession
) -> None:
    """The process freezes at the last look of the first write: its clock jumps beyond the lease."""
    looks = 0

    def deadline() -> float:
        nonlocal looks
        looks += 1
        return 60.0 if looks <= 4 + 1 else 0.0  # four writes prepared, one of them past its last look

    for _ in range(4):
        wire.reply(204)
    async with open_session(deadline=deadline) as session:
        writes = [partial(session.request, "POST", "/x", what="writing", body=b"{}") for _ in range(4)]
        outcomes = await asyncio.gather(*(write() for write in writes), return_exceptions=True)
    assert len(wire.seen) == 1
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Answer", *["LeaseHeldError"] * 3]


async def test_the_timeout_is_shorter_than_the_lease(wire: Wire, open_session: OpenSession) -> None:
    async def never(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    wire.answers.append(never)
    async with open_session(deadline=lambda: 0.05) as session:
        with pytest.raises(UnknownOutcomeError):
            await session.request("POST", "/x", what="writing", body=b"{}")


async def test_an_answer_beyond_bounds_is_refused(wire: Wire, open_session: OpenSession) -> None:
    wire.reply(200, body=b"x" * 1000)
    async with open_session() as session:
        with pytest.raises(ProtocolError, match="larger than 999 bytes"):
            await session.download(f"{wire.base_url}/file", io.BytesIO(), what="downloading", limit=999)


async def test_a_download_starts_over_and_carries_no_token(wire: Wire, open_session: OpenSession) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"01234")
        assert request.transport is not None
        request.transport.close()
        return response

    wire.answers.append(half)
    wire.reply(200, body=b"abcdefghij")
    into = io.BytesIO()
    async with open_session() as session:
        await session.download(f"{wire.base_url}/file?sig=a%2Fb", into, what="downloading", limit=100)
    assert into.getvalue() == b"abcdefghij"
    assert "Authorization" not in wire.seen[0].headers
    assert wire.seen[0].path == "/file?sig=a%2Fb"


async def test_a_ca_file_without_certificate_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing here")
    connection = Connection(
        "dataverse_default", System.DATAVERSE, "https://127.0.0.1:1", static_token="t", ca_file=str(empty)
    )
    with pytest.raises(ConfigurationError, match="ca_file"):
        async with ODataSession(connection):
            raise AssertionError("opened")


async def test_tls_is_verified_and_a_ca_file_trusted(tls_server: tuple[str, str]) -> None:
    base_url, ca_file = tls_server
    connection = Connection("dataverse_default", System.DATAVERSE, base_url, static_token="t")
    async with ODataSession(connection) as session:
        with pytest.raises(ConfigurationError, match="not trusted.*ca_file"):
            await session.read("/x", what="reading")
    async with ODataSession(replace(connection, ca_file=ca_file)) as session:
        assert (await session.read("/x", what="reading")).body == b"{}"


async def test_plain_text_where_tls_is_expected(wire: Wire) -> None:
    base_url = wire.base_url.replace("http:", "https:")
    connection = Connection("dataverse_default", System.DATAVERSE, base_url, static_token="t")
    async with ODataSession(connection) as session:
        with pytest.raises(ConfigurationError, match="speaks no TLS"):
            await session.read("/x", what="reading")


async def test_a_session_is_used_inside_async_with_only(wire: Wire) -> None:
    session = ODataSession(Connection("c", System.DATAVERSE, wire.base_url, static_token="t"))
    with pytest.raises(RuntimeError):
        await session.read("/x", what="reading")
