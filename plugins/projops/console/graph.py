"""Prerequisites as a picture: which maps a map needs and which need it, laid out in columns.

Values in, places out; the template draws. A map stands right of all that it needs, so that every line leads
from left to right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

Needs = Mapping[str, Sequence[str]]
WIDTH, HEIGHT = 190, 46  # of a box, in pixels
_BETWEEN, _BELOW, _MARGIN = 56, 14, 8


@dataclass(frozen=True, slots=True)
class Box:
    """A map in the picture.

    Attributes:
        name: Map id.
        x: Left end, in pixels.
        y: Upper end, in pixels.
    """

    name: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line from what is needed to what needs it.

    Attributes:
        needed: Map id.
        needing: Map id.
        path: The line as an SVG path.
    """

    needed: str
    needing: str
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and lines, and how large they are together, in pixels."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


def around(name: str, needs: Needs) -> dict[str, tuple[str, ...]]:
    """Give what a map needs and what needs it, directly or through others, with the needs among them.

    Args:
        name: Map id.
        needs: Direct needs by map id; a map that stands in no key needs nothing that is known.
    """
    needed_by: dict[str, list[str]] = {}
    for each, wanted in needs.items():
        for other in wanted:
            needed_by.setdefault(other, []).append(each)
    chosen = _reached(name, needs) | _reached(name, needed_by)
    return {each: tuple(one for one in needs.get(each, ()) if one in chosen) for each in sorted(chosen)}


def reduced(needs: Needs) -> dict[str, tuple[str, ...]]:
    """Leave out each need that follows from another: what is needed by something that is needed anyway."""
    implied = {
        name: {far for near in wanted for other in needs.get(near, ()) for far in _reached(other, needs)}
        for name, wanted in needs.items()
    }
    return {
        name: tuple(each for each in wanted if each not in implied[name]) for name, wanted in needs.items()
    }


def columns(needs: Needs) -> tuple[tuple[str, ...], ...]:
    """Put maps into columns: each stands right of all that it needs, as far to the left as may be.

    Within a column a map stands at the middle height of what it needs, so that lines cross less.

    Raises:
        graphlib.CycleError: The needs have a cycle; maps with one are broken and need nothing here.
    """
    depth: dict[str, int] = {}
    for name in TopologicalSorter(needs).static_order():
        depth[name] = max((depth[each] + 1 for each in needs.get(name, ())), default=0)
    found: list[tuple[str, ...]] = []
    height: dict[str, float] = {}
    for place in range(max(depth.values(), default=-1) + 1):
        here = sorted(name for name in depth if depth[name] == place)
        here.sort(key=lambda name: _middle(height, needs.get(name, ())))
        height |= {name: row - len(here) / 2 for row, name in enumerate(here)}
        found.append(tuple(here))
    return tuple(found)


def picture(needs: Needs) -> Picture:
    """Lay maps out, with the lines that do not follow from others.

    Raises:
        graphlib.CycleError: The needs have a cycle.
    """
    placed = columns(needs)
    tallest = max((len(column) for column in placed), default=0)
    boxes = {
        name: Box(name, _across(number), _down(row, len(column), tallest))
        for number, column in enumerate(placed)
        for row, name in enumerate(column)
    }
    lines = [
        Line(needed, needing, _path(boxes[needed], boxes[needing]))
        for needing, wanted in reduced(needs).items()
        for needed in wanted
    ]
    width = _across(len(placed)) - _BETWEEN + _MARGIN if placed else 0
    return Picture(
        tuple(boxes.values()), tuple(lines), width, _down(tallest, tallest, tallest) - _BELOW + _MARGIN
    )


def _reached(name: str, leads_to: Needs) -> set[str]:
    """Give a map and all that it leads to."""
    seen, left = {name}, [name]
    while left:
        new = set(leads_to.get(left.pop(), ())) - seen
        seen |= new
        left += new
    return seen


def _middle(height: Mapping[str, float], wanted: Iterable[str]) -> float:
    heights = [height[each] for each in wanted]
    return sum(heights) / len(heights) if heights else 0.0


def _across(column: int) -> int:
    return _MARGIN + column * (WIDTH + _BETWEEN)


def _down(row: int, rows: int, tallest: int) -> int:
    """Give the upper end of a row of a column of so many, which stands at the middle of the picture."""
    step = HEIGHT + _BELOW
    return _MARGIN + row * step + (tallest - rows) * step // 2


def _path(needed: Box, needing: Box) -> str:
    x1, y1 = needed.x + WIDTH, needed.y + HEIGHT // 2
    x2, y2 = needing.x, needing.y + HEIGHT // 2
    middle = _BETWEEN // 2
    return f"M {x1} {y1} C {x1 + middle} {y1} {x2 - middle} {y2} {x2} {y2}"
