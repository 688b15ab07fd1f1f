"""Bars: as high as their numbers, beside each other, and never too small to see."""

import pytest

from projops.console.charts import Column, ceiling, chart


def columns(*parts: tuple[int, ...]) -> list[Column]:
    return [Column(f"day {place}", each, f"{place}: {each}") for place, each in enumerate(parts)]


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 1), (1, 1), (2, 2), (3, 3), (7, 8), (9, 10), (11, 12), (99, 100), (100, 100), (2_010, 2_500)],
)
def test_the_scale_ends_at_a_round_number(highest: int, top: int) -> None:
    assert ceiling(highest) == top


def test_bars_are_as_high_as_their_numbers() -> None:
    drawn = chart(columns((50, 25), (100, 0), (0, 0)), 400, 232)
    heights = [[bar.height for bar in column.bars] for column in drawn.columns]
    assert heights == [[100, 50], [200], []]
    first, second = drawn.columns[0].bars
    assert (first.y + first.height, second.y + second.height) == (drawn.ground, first.y)
    assert [bar.part for bar in drawn.columns[0].bars] == [0, 1]
    assert drawn.scale == ((208, 0), (108, 50), (8, 100))
    assert [column.says for column in drawn.columns] == ["0: (50, 25)", "1: (100, 0)", "2: (0, 0)"]


def test_one_row_of_a_million_is_seen() -> None:
    [column] = chart(columns((1_000_000, 1))).columns
    assert column.bars[1].height >= 2
    assert column.bars[1].y >= 0


def test_bars_stand_beside_each_other_within_the_chart() -> None:
    drawn = chart(columns(*[(1,)] * 60))
    bars = [column.bars[0] for column in drawn.columns]
    for one, other in zip(bars, bars[1:], strict=False):
        assert one.x + one.width <= other.x
    assert drawn.left <= bars[0].x
    assert bars[-1].x + bars[-1].width <= drawn.width


def test_few_columns_are_named() -> None:
    wide, small = chart(columns(*[(1,)] * 60)), chart(columns(*[(1,)] * 30), 360, 72)
    named = [column.name for column in wide.columns if column.name]
    assert named == [f"day {place}" for place in range(0, 60, 8)]
    places = [column.middle for column in small.columns if column.name]
    assert len(places) > 1
    assert all(other - one >= 80 for one, other in zip(places, places[1:], strict=False))
    assert [column.name for column in chart(columns((1,), (2,))).columns] == ["day 0", "day 1"]


def test_nothing_is_an_empty_chart() -> None:
    drawn = chart([])
    assert drawn.columns == ()
    assert [number for _, number in drawn.scale] == [0, 1]
