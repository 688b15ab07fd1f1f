"""Full reads of Dataverse: which rows are gone, told page by page, and never because nothing came."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest

from projops.errors import ImplausibleReadError
from projops.extract.change_tracking import ChangeTracking
from projops.extract.source import Known, Watermark
from projops.mapping import catalog
from projops.mapping.model import System
from projops.systems.decoding import Page

PAGE = 10
SCHEMA = pa.schema([(name, pa.string()) for name in ("_id", "_version", "name")])


def pages(count: int, name: str, gone: Sequence[int] = ()) -> Iterator[list[str]]:
    numbers = [number for number in range(count) if number not in gone]
    for start in range(0, len(numbers), PAGE):
        yield [name.format(number) for number in numbers[start : start + PAGE]]


class Table:
    """A table with some rows; counts how many are asked about at once."""

    def __init__(self, came: int, hidden: Sequence[int], gone: Sequence[int]) -> None:
        self.came, self.missing, self.gone = came, {*hidden, *gone}, gone
        self.asked: list[int] = []

    async def changes(self, *_: object) -> AsyncIterator[Page]:
        for texts in list(pages(self.came, "g{:03}", tuple(self.missing))) or [[]]:
            yield Page(batch(texts), delta_link="next")

    async def by_ids(self, table: object, columns: object, ids: Sequence[str]) -> tuple[None, list[str]]:
        self.asked.append(len(ids))
        return None, [each for each in ids if int(each[1:]) in self.gone]


def batch(texts: Sequence[str]) -> pa.RecordBatch:
    rows = [{"_id": text, "_version": "1", "name": text} for text in texts]
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def tracked(table: Any, known: Known, since: Watermark | None = None) -> ChangeTracking:
    account = catalog.table(System.DATAVERSE, "account")
    return ChangeTracking(table, account, ("name",), since or Watermark(), PAGE, known)


async def told(source: ChangeTracking) -> tuple[int, list[str]]:
    rows = 0
    gone: list[str] = []
    async for chunk in source.chunks():
        rows += chunk.rows.num_rows
        gone += chunk.deleted
    return rows, gone


async def test_gone_is_what_was_known_did_not_come_and_is_not_there_by_its_id() -> None:
    table = Table(95, hidden=(1, 40, 90), gone=(2, 41))
    rows, gone = await told(tracked(table, lambda: pages(95, "g{:03}")))
    assert (rows, gone) == (90, ["g002", "g041"])
    assert table.asked == [2, 2, 1]


async def test_rows_that_a_delta_does_not_tell_of_are_not_gone() -> None:
    table = Table(5, hidden=(), gone=())
    since = Watermark({"delta_link": "now"})
    assert await told(tracked(table, lambda: pages(95, "g{:03}"), since)) == (5, [])
    assert table.asked == []


async def test_however_many_are_gone_they_are_asked_about_page_by_page() -> None:
    table = Table(100, hidden=(), gone=tuple(range(1, 100)))
    _, gone = await told(tracked(table, lambda: pages(100, "g{:03}")))
    assert len(gone) == 99
    assert max(table.asked) <= PAGE


async def test_a_table_that_came_back_empty_is_refused_with_the_number_that_was_known() -> None:
    nobody = Table(0, (), ())
    with pytest.raises(ImplausibleReadError, match="95 rows were in step"):
        await told(tracked(nobody, lambda: pages(95, "g{:03}")))
    assert await told(tracked(nobody, lambda: iter(()))) == (0, [])
