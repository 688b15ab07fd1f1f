"""The trigger as the triggerer uses it: made again from what it says, one watch for all areas."""

import asyncio
from collections.abc import AsyncIterator
from pydoc import locate

import pytest

from projops.orchestration.assets import only_signals, signal_asset
from projops.orchestration.signal_trigger import SignalTrigger


async def stream(*found: set[str]) -> AsyncIterator[frozenset[str]]:
    for each in found:
        yield frozenset(each)


async def events(trigger: SignalTrigger, *found: set[str]) -> list[object]:
    return [event.payload async for event in trigger.filter_shared_stream(stream(*found))]


def test_it_is_made_again_from_what_it_says() -> None:
    path, arguments = SignalTrigger("reference_data").serialize()
    assert locate(path) is SignalTrigger
    assert SignalTrigger(**arguments).area == "reference_data"


def test_all_areas_share_one_watch_and_each_hears_of_its_own() -> None:
    one, other = SignalTrigger("one"), SignalTrigger("other")
    assert one.shared_stream_key() == other.shared_stream_key()
    woken = ({"one"}, {"one", "other"}, {"third"})
    assert asyncio.run(events(one, *woken)) == ["one", "one"]
    assert asyncio.run(events(other, *woken)) == ["other"]


@pytest.mark.parametrize(
    ("names", "only"),
    [
        ([], False),
        (["signals/one"], True),
        (["signals/one", "signals/one"], True),
        (["signals/one", "dataverse/account"], False),
        (["dataverse/account"], False),
    ],
)
def test_a_run_looks_at_all_sources_unless_signals_alone_woke_it(names: list[str], only: bool) -> None:
    assert only_signals(names) is only
    assert only_signals([signal_asset("one").name])
