from dataclasses import dataclass

from projops.systems.concurrency import Window


@dataclass(frozen=True)
class Simulated:
    """A server that works on some requests at once and lets the others wait; beyond a number it refuses."""

    workers: int
    refuses_beyond: int = 1_000
    seconds: float = 0.2

    def latency(self, under_way: int) -> float:
        return self.seconds * max(under_way / self.workers, 1.0)


def rounds(window: Window, server: Simulated, number: int) -> Window:
    """Send as many requests as the window allows, wait for all, and again."""
    for _ in range(number):
        under_way = window.limit
        for place in range(under_way):
            if place >= server.refuses_beyond:
                window = window.refused(under_way - 1)
            else:
                window = window.answered("read", server.latency(under_way), under_way)
    return window


def test_it_begins_with_four_and_grows_by_one_a_round() -> None:
    window = Window(52)
    assert window.limit == 4
    assert rounds(window, Simulated(workers=100), 3).limit == 7


def test_it_grows_to_the_limit_and_no_further() -> None:
    assert rounds(Window(52), Simulated(workers=100), 100).limit == 52
    assert rounds(Window(2), Simulated(workers=100), 10).limit == 2


def test_the_hint_bounds_it_and_may_rise_again() -> None:
    window = rounds(Window(52).hinted(6), Simulated(workers=100), 30)
    assert window.limit == 6
    assert rounds(window.hinted(9), Simulated(workers=100), 30).limit == 9
    assert window.hinted(900).limit == 6  # it grows there, it does not jump
    assert window.hinted(0).limit == 1


def test_a_window_that_nobody_uses_does_not_grow() -> None:
    window = Window(52)
    for _ in range(100):
        window = window.answered("read", 0.1, 1)
    assert window.limit == 4


def test_a_refusal_halves_it_once_for_all_that_were_under_way() -> None:
    window = Window(52, size=20.0)
    for left in range(19, -1, -1):
        window = window.refused(left)
    assert window.limit == 10
    assert window.refused(9).limit == 5


def test_it_never_falls_below_one() -> None:
    window = Window(52)
    for _ in range(10):
        window = window.refused(0)
    assert window.limit == 1


def test_clearly_slower_answers_shrink_it() -> None:
    quick = rounds(Window(52, size=10.0), Simulated(workers=100), 5)
    loaded = rounds(quick, Simulated(workers=100, seconds=1.0), 1)
    assert loaded.limit < quick.limit


def test_a_difference_that_nobody_notices_does_not() -> None:
    window = Window(52, size=10.0)
    for _ in range(20):
        window = window.answered("read", 0.001, 10)
    assert window.answered("read", 0.04, 10).limit >= window.limit


def test_sorts_of_requests_are_not_compared_with_each_other() -> None:
    window = Window(52, size=10.0)
    for _ in range(20):
        window = window.answered("read", 0.001, 1).answered("write", 5.0, 1)
    assert window.limit == 10


def test_it_settles_where_the_server_refuses() -> None:
    server = Simulated(workers=100, refuses_beyond=5)
    window = rounds(Window(52), server, 50)
    assert window.limit <= 6
    assert rounds(window, server, 50).limit >= 2
