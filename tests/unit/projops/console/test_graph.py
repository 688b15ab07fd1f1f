"""Prerequisites laid out: whatever the needs, lines lead to the right and boxes stand apart."""

import random
import re

import pytest

from projops.console.graph import HEIGHT, WIDTH, around, columns, picture, reduced
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT

NEEDS = {
    "companies": (),
    "customers": ("companies",),
    "projects": ("companies", "customers"),
    "tasks": ("projects",),
    "actuals": ("tasks", "projects", "companies"),
    "units": (),
}
PROJECT = {name: each.needs for name, each in load_maps(PROJECT_ROOT / "include" / "mappings").maps.items()}
Needs = dict[str, tuple[str, ...]]


def some_needs(seed: int) -> Needs:
    """A graph of a dozen maps without a cycle, of which some need many others."""
    chance = random.Random(seed)
    names = [f"m{number}" for number in range(12)]
    return {
        name: tuple(chance.sample(names[:place], chance.randint(0, min(place, 4))))
        for place, name in enumerate(names)
    }


def reach(start: str, needs: Needs) -> set[str]:
    """All that a map needs, by walking: an independent answer."""
    found: set[str] = set()
    for each in needs.get(start, ()):
        found |= {each} | reach(each, needs)
    return found


GRAPHS = [NEEDS, PROJECT, *(some_needs(seed) for seed in range(5))]


def test_around_a_map_stands_what_it_needs_and_what_needs_it() -> None:
    assert around("projects", NEEDS) == {
        "companies": (),
        "customers": ("companies",),
        "projects": ("companies", "customers"),
        "tasks": ("projects",),
        "actuals": ("tasks", "projects", "companies"),
    }
    assert around("units", NEEDS) == {"units": ()}
    assert around("broken", {"customers": ("broken",), "other": ()}) == {
        "broken": (),
        "customers": ("broken",),
    }


def test_siblings_of_what_needs_a_map_are_not_around_it() -> None:
    assert set(around("customers", NEEDS)) == {"companies", "customers", "projects", "tasks", "actuals"}
    assert set(around("tasks", {**NEEDS, "estimates": ("projects",)})) == {*NEEDS} - {"units"}


@pytest.mark.parametrize("needs", GRAPHS)
def test_what_is_left_out_follows_from_what_is_left(needs: Needs) -> None:
    left = reduced(needs)
    for name in needs:
        assert reach(name, left) == reach(name, needs)
        for each in left[name]:
            others = {**left, name: tuple(other for other in left[name] if other != each)}
            assert each not in reach(name, others)


@pytest.mark.parametrize("needs", GRAPHS)
def test_each_map_stands_once_and_right_of_all_that_it_needs(needs: Needs) -> None:
    place = {name: number for number, column in enumerate(columns(needs)) for name in column}
    assert sorted(place) == sorted({*needs})
    assert sum(map(len, columns(needs))) == len(needs)
    for name, wanted in needs.items():
        assert place[name] == max((place[each] + 1 for each in wanted), default=0)


@pytest.mark.parametrize("needs", GRAPHS)
def test_boxes_stand_apart_within_the_picture_and_lines_join_them(needs: Needs) -> None:
    drawn = picture(needs)
    boxes = {box.name: box for box in drawn.boxes}
    for one in drawn.boxes:
        assert 0 <= one.x <= drawn.width - WIDTH
        assert 0 <= one.y <= drawn.height - HEIGHT
        for other in drawn.boxes:
            apart = abs(one.x - other.x) > WIDTH or abs(one.y - other.y) > HEIGHT
            assert one is other or apart
    assert {(line.needing, line.needed) for line in drawn.lines} == {
        (name, each) for name, wanted in reduced(needs).items() for each in wanted
    }
    for line in drawn.lines:
        numbers = [int(number) for number in re.findall(r"-?\d+", line.path)]
        start, end = boxes[line.needed], boxes[line.needing]
        assert numbers[:2] == [start.x + WIDTH, start.y + HEIGHT // 2]
        assert numbers[-2:] == [end.x, end.y + HEIGHT // 2]
        assert numbers[0] < numbers[-2]


def test_the_layout_does_not_depend_on_the_order_of_files() -> None:
    one, other = picture(PROJECT), picture(dict(reversed(PROJECT.items())))
    assert one.boxes == other.boxes
    assert set(one.lines) == set(other.lines)


def test_nothing_has_an_empty_picture() -> None:
    assert picture({}).boxes == ()
