import asyncio
import math
from dataclasses import dataclass, field
from functools import partial

import pytest
from aiohttp import web

from projops.errors import ThrottledError
from projops.systems.admission import Admission
from projops.systems.allowance import Ask, Left, Turn
from projops.systems.concurrency import Window
from tests.unit.projops.systems.wire import OpenSession, Time, Wire


@dataclass
class Turns:
    """A ledger whose turns a test writes itself."""

    turns: list[Turn] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)

    def turn(self, ask: Ask) -> Turn:
        self.asks.append(ask)
        return self.turns.pop(0) if ask.wanted and self.turns else Turn(ask.under_way)


def admission(time: Time, ledger: Turns | None = None, **window: float) -> Admission:
    return Admission("c", Window(52, **window), ledger, 300.0, time.pause, time.clock)  # type: ignore[arg-type]


async def test_no_more_than_the_window_and_in_order(time: Time) -> None:
    gate = admission(time, size=2.0)
    went: list[int] = []
    most = 0

    async def one(number: int) -> None:
        nonlocal most
        async with gate.request("reading"):
            went.append(number)
            most = max(most, len(went) - len(over))
            await asyncio.sleep(0)
            over.append(number)

    over: list[int] = []
    await asyncio.gather(*map(one, range(9)))
    assert went == list(range(9))
    assert most == 2


async def test_a_request_that_is_cancelled_holds_nothing(time: Time) -> None:
    gate = admission(time, size=1.0)

    async def never() -> None:
        async with gate.request("reading"):
            await asyncio.Event().wait()

    running, waiting = asyncio.create_task(never()), asyncio.create_task(never())
    await asyncio.sleep(0)
    for task in (waiting, running):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with gate.request("reading"):
        pass


async def test_nobody_sends_before_retry_after(time: Time) -> None:
    gate = admission(time)
    gate.refused(17.0)
    gate.refused(5.0)
    began = time.now
    async with gate.request("reading"):
        assert time.now == began + 17.0
    assert gate.window.limit == 1


async def test_each_refusal_is_reported_once(time: Time) -> None:
    ledger = Turns()
    gate = admission(time, ledger)
    gate.refused(0.0)
    gate.refused(5.0)
    gate.refused(0.0)
    async with gate.request("reading"):
        pass
    gate.close()
    assert [ask.refused for ask in ledger.asks] == [2, 1, 0]


async def test_a_wait_beyond_patience_fails_at_once(time: Time) -> None:
    gate = admission(time)
    gate.refused(900.0)
    with pytest.raises(ThrottledError, match="c, reading: .* next 900 s") as caught:
        async with gate.request("reading"):
            raise AssertionError
    assert caught.value.retry_after == 900.0
    assert time.pauses == []


async def test_one_turn_serves_many_requests_and_reports_them(time: Time) -> None:
    ledger = Turns([Turn(1, 3), Turn(1, 8)])
    gate = admission(time, ledger)
    for _ in range(4):
        async with gate.request("reading"):
            gate.answered("read", 0.2, {"x-ms-ratelimit-burst-remaining-xrm-requests": "5,999"})
    assert [(ask.wanted, ask.sent) for ask in ledger.asks] == [(1, 0), (1, 3)]
    assert ledger.asks[1].seconds == pytest.approx(0.6)
    assert ledger.asks[1].left == Left(5999)
    gate.close()
    assert (ledger.asks[2].wanted, ledger.asks[2].sent) == (0, 1)


async def test_a_turn_ends_after_its_time(time: Time) -> None:
    ledger = Turns([Turn(4, 100), Turn(4, 100)])
    gate = admission(time, ledger)
    for _ in range(2):
        async with gate.request("reading"):
            time.now += 0.6
    assert len(ledger.asks) == 2
    gate.close()


async def test_who_has_to_wait_comes_again_when_told(time: Time) -> None:
    gate = admission(time, Turns([Turn(0, wait=0.3), Turn(0, wait=1.5), Turn(1, 1)]))
    async with gate.request("reading"):
        assert time.pauses == [pytest.approx(0.3), pytest.approx(1.5)]
    gate.close()


async def test_more_slots_are_asked_for_as_soon_as_they_are_needed(time: Time) -> None:
    ledger = Turns([Turn(1, 9), Turn(2, 9)])
    gate = admission(time, ledger)
    async with gate.request("reading"), gate.request("reading"):
        gate.close()
    assert [ask.wanted for ask in ledger.asks] == [1, 2, 0]


async def test_others_are_told_of_a_retry_after_at_once(time: Time) -> None:
    ledger = Turns()
    admission(time, ledger).refused(17.0)
    assert [ask.refused_for for ask in ledger.asks] == [17.0]


async def test_a_session_that_sent_nothing_has_nothing_to_give_back(time: Time) -> None:
    ledger = Turns()
    admission(time, ledger).close()
    assert ledger.asks == []


async def test_slots_of_a_long_request_are_kept_and_an_unused_turn_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("projops.systems.admission._BEAT", 0.02)
    monkeypatch.setattr("projops.systems.admission.TURN_SECONDS", 0.01)
    ledger = Turns([Turn(4, 8)])
    clock = asyncio.get_running_loop().time
    gate = Admission("c", Window(52), ledger, 300.0, asyncio.sleep, clock)
    heard = asyncio.Event()

    def beat(ask: Ask, turn: Turn) -> Turn:
        if len(ledger.asks) == 4:
            heard.set()
        return turn

    turn = ledger.turn
    monkeypatch.setattr(ledger, "turn", lambda ask: beat(ask, turn(ask)), raising=False)
    async with gate.request("reading"):
        await heard.wait()
    assert [(ask.wanted, ask.under_way) for ask in ledger.asks[:4]] == [(1, 0), (0, 1), (0, 1), (0, 1)]
    gate.close()


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({}, None),
        ({"x-ms-ratelimit-time-remaining-xrm-requests": "1,195.67"}, Left(None, 1195.67)),
        ({"x-ms-ratelimit-burst-remaining-xrm-requests": "nonsense"}, None),
        ({"x-ms-ratelimit-burst-remaining-xrm-requests": "-3"}, None),
        ({"x-ms-ratelimit-burst-remaining-xrm-requests": str(math.inf)}, None),
    ],
)
async def test_what_the_system_says_is_left(time: Time, headers: dict[str, str], left: Left | None) -> None:
    ledger = Turns([Turn(4, 8)])
    gate = admission(time, ledger)
    async with gate.request("reading"):
        gate.answered("read", 0.1, headers)
    gate.close()
    assert ledger.asks[-1].left == left


async def test_a_429_holds_back_the_whole_session(wire: Wire, open_session: OpenSession, time: Time) -> None:
    arrivals: list[float] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        arrivals.append(time.now)
        return web.Response(body=b"{}")

    wire.reply(429, headers={"Retry-After": "17"})
    wire.answers.extend([answer] * 6)
    async with open_session() as session:
        first = asyncio.create_task(session.read("/first", what="reading"))
        while not session.counts["throttled"]:
            await asyncio.sleep(0)
        await session.all_of([partial(session.read, f"/{number}", what="reading") for number in range(5)])
        await first
    assert len(arrivals) == 6
    assert min(arrivals) >= 1017.0
