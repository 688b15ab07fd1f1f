"""Bad answers of the identity provider, and systems that repeat what we sent: no secret is told on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson
import pytest

from projops.errors import AuthenticationError, ProjOpsError, SystemUnavailableError
from projops.mapping.model import System
from projops.systems.auth import ClientCredentials
from projops.systems.connection import Connection
from projops.systems.retries import RetryPolicy
from projops.systems.session import ODataSession
from tests.bad_input.answers import Reply
from tests.bad_input.kinds import Case, Ending, ids
from tests.unit.projops.systems.wire import Time, Wire

SECRET = "Pl4nted~Secret.Value"
TOKEN = "opaque-token-of-the-provider"
ERRORS = {Ending.STOP: AuthenticationError, Ending.AGAIN_LATER: SystemUnavailableError}


def _token(**facts: object) -> Reply:
    return Reply(body=orjson.dumps({"access_token": TOKEN, "expires_in": 3599} | facts))


# Kind, answer to the question for a token, ending, what is named.
_ANSWERS = (
    ("sign-in page for a token", Reply(body=b"<html>sign in</html>"), Ending.STOP, "HTTP 200"),
    ("answer without a token", Reply(body=b'{"expires_in":3599}'), Ending.STOP, "HTTP 200"),
    ("object for a token", _token(access_token={"a": 1}), Ending.STOP, "HTTP 200"),
    ("empty token", _token(access_token=""), Ending.STOP, "HTTP 200"),
    ("token with a line break", _token(access_token="a\r\nX-Admin: 1"), Ending.STOP, "HTTP 200"),
    ("token with a letter beyond ASCII", _token(access_token="tökén"), Ending.STOP, "HTTP 200"),
    ("token by redirect", Reply(302, b"", {"Location": "https://evil.example"}), Ending.STOP, "HTTP 302"),
    (
        "refusal that repeats the secret",
        Reply(401, orjson.dumps({"error": SECRET, "error_description": f"wrong: {SECRET}"})),
        Ending.STOP,
        "HTTP 401",
    ),
    ("identity provider that fails", Reply(503, b"<html>"), Ending.AGAIN_LATER, "HTTP 503"),
    ("identity provider that throttles", Reply(429), Ending.AGAIN_LATER, "HTTP 429"),
    ("identity provider that hangs up", Reply(raw=b""), Ending.AGAIN_LATER, "ServerDisconnected"),
    ("identity provider that speaks no HTTP", Reply(raw=b"SSH-2.0\r\n\r\n"), Ending.AGAIN_LATER, "does not"),
)
# Lifetimes that are none: the token is used all the same.
_LIFETIMES: tuple[tuple[str, object], ...] = (
    ("lifetime in words", "soon"),
    ("lifetime that is no number", "nan"),
    ("lifetime without end", 1e308),
    ("lifetime below zero", -5),
    ("lifetime as a list", [3599]),
)


def token_cases() -> Iterator[Case]:
    """Every bad answer of the identity provider."""
    for kind, reply, ending, named in _ANSWERS:
        yield Case(kind, "identity provider", ending, named, reply)
    for kind, lifetime in _LIFETIMES:
        yield Case(kind, "identity provider", Ending.AS_IT_IS, "", _token(expires_in=lifetime))


CASES = list(token_cases())


@dataclass
class Asked:
    """A system and its identity provider, both on one wire."""

    wire: Wire
    time: Time

    async def read(self, *replies: Reply) -> bytes:
        """Read something, with these answers in turn."""
        self.wire.answers.extend(reply.handler(self.wire.base_url) for reply in replies)
        connection = Connection(
            "finance_default",
            System.FINANCE,
            self.wire.base_url,
            tenant="contoso",
            client_id="client",
            client_secret=SECRET,
            authority=self.wire.base_url,
        )
        policy = RetryPolicy(attempts=2)
        async with ODataSession(
            connection, policy=policy, pause=self.time.pause, clock=self.time.clock
        ) as session:
            return (await session.read("/data/x", what="reading")).body


@pytest.fixture
def asked(wire: Wire, time: Time) -> Asked:
    return Asked(wire, time)


@pytest.mark.parametrize("case", ids([case for case in CASES if case.ending in ERRORS]))
async def test_a_bad_token_answer_ends_with_a_sentence(case: Case, asked: Asked) -> None:
    with pytest.raises(ERRORS[case.ending], match=case.named) as caught:
        await asked.read(case.content, case.content)
    assert "finance_default" in str(caught.value)
    assert caught.value.remedy
    assert SECRET not in f"{caught.value} {caught.value.context}"


@pytest.mark.parametrize("case", ids([case for case in CASES if case.ending is Ending.AS_IT_IS]))
async def test_a_lifetime_that_is_none_costs_nothing(case: Case, asked: Asked) -> None:
    assert await asked.read(case.content, Reply(body=b"{}")) == b"{}"
    assert asked.wire.seen[1].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 429, 500])
@pytest.mark.parametrize("echo", [f"Authorization: Bearer {TOKEN}", f"client_secret={SECRET}"])
async def test_what_a_system_repeats_is_masked(asked: Asked, status: int, echo: str) -> None:
    refusal = Reply(
        status, orjson.dumps({"error": {"code": echo, "message": f"{'x' * 480} refused: {echo}"}})
    )
    answers = [refusal, _token(), refusal] if status == 401 else [refusal] * 2
    with pytest.raises(ProjOpsError) as caught:
        await asked.read(_token(), *answers)
    told = f"{caught.value} {caught.value.context} {caught.value!r}"
    assert "refused" in told or status in (401, 429)
    assert not [piece for piece in (TOKEN, SECRET, TOKEN[:12], SECRET[:12]) if piece in told]


def test_a_secret_is_in_no_repr() -> None:
    connection = Connection(
        "c",
        System.FINANCE,
        "https://x.example",
        client_secret=SECRET,
        static_token=TOKEN,
        options={"k": SECRET},
    )
    source = ClientCredentials(connection)
    for told in (repr(connection), str(replace(connection)), repr(source), repr(ODataSession(connection))):
        assert SECRET not in told
        assert TOKEN not in told
