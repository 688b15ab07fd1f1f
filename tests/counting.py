"""What work costs in units that no machine and no load on it changes.

Such a cost tells a slow path from a fast one as soon as the same work is done with few and with many
rows: `a_row_more` gives what each further row has cost.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Engine, event


@dataclass
class Count:
    """How much of something there was until now."""

    number: int = 0


@contextmanager
def counted_instructions(without: str = "") -> Iterator[Count]:
    """Count the instructions of Python (bytecodes) that run in the block, in threads that it starts too.

    What runs inside of Arrow, SQLite or any other library of C costs none: work on whole columns is
    free, and a loop over rows is not, whether it calls functions or none.

    Args:
        without: Modules whose names begin so are not counted, such as those of a made-up system.
    """
    counted = Count()

    def each(frame: FrameType, what: str, _: object) -> Any:
        counted.number += what == "opcode"
        return each

    def begun(frame: FrameType, _what: str, _: object) -> Any:
        if without and str(frame.f_globals.get("__name__")).startswith(without):
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return each

    before = sys.gettrace()
    threading.settrace(begun)
    sys.settrace(begun)
    try:
        yield counted
    finally:
        sys.settrace(before)
        threading.settrace(before)


@contextmanager
def counted_statements(engine: Engine, without: Sequence[str] = ()) -> Iterator[Count]:
    """Count the statements that the block sends to a database; one that binds many rows at once is one.

    Args:
        engine: The database.
        without: Tables whose statements are not counted, such as those that are asked again while one waits.
    """
    counted = Count()

    def note(*told: Any) -> None:
        counted.number += not any(table in told[2] for table in without)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", note)


@dataclass
class Traffic:
    """What has gone over the wire, bodies only.

    Attributes:
        requests: Requests begun.
        sent: Bytes of their bodies.
        received: Bytes of the answers' bodies, unpacked.
    """

    requests: int = 0
    sent: int = 0
    received: int = 0


@contextmanager
def counted_traffic() -> Iterator[Traffic]:
    """Count what all sessions of aiohttp that are opened in the block send, and what comes back."""
    seen, made, fed = Traffic(), aiohttp.ClientSession.__init__, aiohttp.StreamReader.feed_data

    async def begun(*_: object) -> None:
        seen.requests += 1

    async def sent(*told: Any) -> None:
        seen.sent += len(told[2].chunk)

    def received(reader: aiohttp.StreamReader, data: bytes, *given: Any) -> Any:
        seen.received += len(data)
        return fed(reader, data, *given)

    def make(session: aiohttp.ClientSession, *given: Any, **facts: Any) -> None:
        watch = aiohttp.TraceConfig()
        watch.on_request_start.append(begun)
        watch.on_request_chunk_sent.append(sent)
        made(session, *given, **facts | {"trace_configs": [*(facts.get("trace_configs") or ()), watch]})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aiohttp.ClientSession, "__init__", make)
        patch.setattr(aiohttp.StreamReader, "feed_data", received)
        yield seen


def a_row_more(work: Callable[[int], int], few: int, many: int) -> float:
    """Give what each row beyond `few` has cost, where `work` does so many rows and says at what cost.

    What is imported, compiled or remembered once is no cost of a row: the first time does not count.
    """
    work(few)
    return (work(many) - work(few)) / (many - few)
