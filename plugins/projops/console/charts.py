"""Bars of a chart: numbers in, rectangles out; the template draws them, in the colours of the page.

What a chart shows stands in a table of the page too; each bar says its own numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

_LEFT, _BOTTOM, _TOP = 64, 24, 8  # pixels for the scale, the names below, and above the highest bar
_LEAST = 2.0  # pixels: one row of a million must be seen
_NAME = 84  # pixels that a name below takes
_STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)  # tenths at which a scale may end


@dataclass(frozen=True, slots=True)
class Column:
    """What one column of a chart stands for.

    Attributes:
        name: What to write below it.
        parts: Its numbers, from the ground up; not negative.
        says: What it is, in words: for whoever points at it or has it read aloud.
    """

    name: str
    parts: tuple[int, ...]
    says: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a chart, in pixels from the upper left.

    Attributes:
        x: Left end.
        y: Upper end.
        width: Width.
        height: Height.
        part: Which of the column's numbers it shows, from 0.
    """

    x: float
    y: float
    width: float
    height: float
    part: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A column as it is drawn: its bars, and the middle at which its name stands ("" where it has none)."""

    says: str
    bars: tuple[Bar, ...]
    middle: float
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, ready to be drawn.

    Attributes:
        width: Pixels.
        height: Pixels.
        columns: From left to right.
        ground: Height of zero, in pixels from above.
        scale: Lines across, each with its number: (pixels from above, number).
        left: Where the columns begin, in pixels.
    """

    width: int
    height: int
    columns: tuple[Drawn, ...]
    ground: int
    scale: tuple[tuple[float, int], ...]
    left: int


def chart(columns: Sequence[Column], width: int = 720, height: int = 200) -> Chart:
    """Lay out columns of stacked bars, with a scale at the left and some of their names below.

    Args:
        columns: From left to right.
        width: Pixels in all.
        height: Pixels in all.
    """
    top = ceiling(max((sum(each.parts) for each in columns), default=0))
    ground = height - _BOTTOM
    per_row = (ground - _TOP) / top
    step = (width - _LEFT) / max(len(columns), 1)
    every = max(1, ceil(_NAME / step))
    drawn = [
        Drawn(
            each.says,
            _bars(each.parts, _LEFT + place * step, step, ground, per_row),
            round(_LEFT + (place + 0.5) * step, 2),
            each.name if place % every == 0 else "",
        )
        for place, each in enumerate(columns)
    ]
    lines = [(round(ground - number * per_row, 2), number) for number in sorted({0, top // 2, top})]
    return Chart(width, height, tuple(drawn), ground, tuple(lines), _LEFT)


def ceiling(highest: int) -> int:
    """Give the number at the upper end of a scale: a round one, not below the highest."""
    power = 1
    while True:
        for tenths in _STEPS:
            whole, rest = divmod(tenths * power, 10)
            if not rest and whole >= highest:
                return whole
        power *= 10


def _bars(parts: Sequence[int], left: float, step: float, ground: float, per_row: float) -> tuple[Bar, ...]:
    """Draw one column; a number that is too small to see gets a little height."""
    gap = min(step * 0.2, 4.0)
    bars = []
    for place, number in enumerate(parts):
        if number:
            height = max(number * per_row, _LEAST)
            ground -= height
            bars.append(
                Bar(round(left + gap / 2, 2), round(ground, 2), round(step - gap, 2), round(height, 2), place)
            )
    return tuple(bars)
