"""When an area is woken, by a clock that the test holds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from projops.signals.waking import GATHER, Woken, wake

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def moments(waiting_from: list[float], until: float, step: float = 1.0) -> list[float]:
    """When one area is woken whose signals begin to wait anew at some seconds, and nobody takes any."""
    found, woken, now = [], dict[str, Woken](), 0.0
    while now <= until:
        begun = [each for each in waiting_from if each <= now]
        waiting = {"a": START + timedelta(seconds=begun[-1])} if begun else {}
        areas, woken = wake(waiting, woken, now)
        found += [now] * len(areas)
        now += step
    return found


def test_at_once_and_then_ever_more_rarely_while_nobody_takes_them() -> None:
    assert moments([3], 400) == [3, 18, 48, 108, 228]
    late = moments([0], 3000)[-3:]
    assert [later - late[0] for later in late] == [0, 300, 600]


def test_what_comes_in_a_burst_joins_the_next_wake_up() -> None:
    assert moments([0, 1, 1.5, 2, 2.5, 2.9], 10) == [0, 2, 4]


def test_a_signal_after_all_were_taken_wakes_at_once() -> None:
    _, woken = wake({"a": START}, {}, 0.0)
    nobody, woken = wake({}, woken, 0.5)
    again, _ = wake({"a": START + timedelta(seconds=1)}, woken, 1.0)
    assert not nobody
    assert again == {"a"}


def test_areas_wake_each_for_itself() -> None:
    first, woken = wake({"a": START}, {}, 0.0)
    second, woken = wake({"a": START, "b": START}, woken, 1.0)
    assert first == {"a"}
    assert second == {"b"}
    assert set(woken) == {"a", "b"}


@given(st.lists(st.floats(0, 300, allow_nan=False), min_size=1, max_size=200).map(sorted))
def test_never_a_storm_and_nothing_is_stranded(begun: list[float]) -> None:
    """However signals come: never twice within the pause, and after each of them at least once more."""
    found = moments(begun, begun[-1] + 20)
    assert all(later - earlier >= GATHER for earlier, later in zip(found, found[1:], strict=False))
    assert found[-1] >= begun[-1]
    assert found[0] <= begun[0] + 1
