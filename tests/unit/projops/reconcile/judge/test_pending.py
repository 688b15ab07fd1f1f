"""What the next run of a leg would read: by where it stands, and by what Dataverse names since."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from projops.engine import Engine
from projops.errors import WatermarkExpiredError
from projops.extract.source import Watermark
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Direction
from projops.reconcile.judge.pending import (
    MAPPING_CHANGED,
    NOT_STARTED,
    WATERMARK_EXPIRED,
    Ahead,
    Coming,
    coming_of,
    places_of,
)
from projops.state.batches import Counts, NewBatch, commit_batch, get_batch, open_batch, record_extracted
from projops.systems.decoding import Page

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LINK = "/api/data/v9.2/bookableresourcecategories?$deltatoken=7"
BATCH = pa.RecordBatch.from_pydict({"_id": ["a", "b"]})


class Delta:
    """Dataverse, which names two rows as changed and one as deleted, on two pages."""

    def __init__(self, expired: bool = False) -> None:
        self.expired, self.asked = expired, list[str]()

    async def changes(self, table: Any, columns: Any, link: str, size: int) -> AsyncIterator[Page]:
        self.asked.append(f"{table.name} {link} {list(columns)}")
        if self.expired:
            raise WatermarkExpiredError("too old")
        yield Page(BATCH, next_link="more")
        yield Page(BATCH.slice(0, 1), deleted=("gone",), delta_link="younger")


def moved(engine: Engine, map_id: str, direction: Direction, meaning: str | None = None) -> datetime:
    """Commit a batch of a leg; give when it began."""
    table_map = engine.map(map_id)
    leg = table_map.legs[direction]
    own = fingerprint(table_map, leg, engine.loaded.value_maps)
    with engine.state.begin() as connection:
        new = NewBatch("d", "r", map_id, direction.value, "incremental", "1", meaning or own, True)
        batch = open_batch(connection, new)
        watermark = Watermark({"delta_link": LINK}).text()
        record_extracted(connection, batch, watermark, meaning or own, "1")
        commit_batch(connection, get_batch(connection, batch.id), Counts())
    return batch.started_at


def asked(engine: Engine, delta: Delta, map_id: str, direction: Direction) -> Coming:
    table_map = engine.map(map_id)
    systems: Any = SimpleNamespace(dataverse=delta)
    place = places_of(engine, table_map)[direction]
    return asyncio.run(coming_of(engine, systems, table_map, table_map.legs[direction], place))


def test_a_leg_that_never_ran_reads_everything(engine: Engine) -> None:
    delta = Delta()
    assert asked(engine, delta, "resource_roles", Direction.DATAVERSE_TO_FINANCE) == Coming(NOT_STARTED)
    assert delta.asked == []


def test_dataverse_names_what_changed_and_what_went_and_nothing_is_moved(engine: Engine) -> None:
    moved(engine, "resource_roles", Direction.DATAVERSE_TO_FINANCE)
    before = places_of(engine, engine.map("resource_roles"))
    delta = Delta()
    coming = asked(engine, delta, "resource_roles", Direction.DATAVERSE_TO_FINANCE)
    assert delta.asked == [f"bookableresourcecategories {LINK} []"]
    assert coming.among(["a", "b", "gone", "c", None]).named == frozenset(("a", "b", "gone"))
    assert places_of(engine, engine.map("resource_roles")) == before


@pytest.mark.parametrize(("meaning", "why"), [(None, WATERMARK_EXPIRED), ("another", MAPPING_CHANGED)])
def test_what_needs_a_full_read_reads_everything(engine: Engine, meaning: str | None, why: str) -> None:
    began = moved(engine, "resource_roles", Direction.DATAVERSE_TO_FINANCE, meaning)
    coming = asked(engine, Delta(expired=True), "resource_roles", Direction.DATAVERSE_TO_FINANCE)
    assert coming == Coming(why, last_began=began)
    assert coming.among(["a"]).brings("a", None)


def test_of_finance_only_time_tells(engine: Engine) -> None:
    began = moved(engine, "units", Direction.FINANCE_TO_DATAVERSE)
    delta = Delta()
    ahead = asked(engine, delta, "units", Direction.FINANCE_TO_DATAVERSE).among(["x"])
    assert delta.asked == []
    assert ahead.brings("x", None)
    assert ahead.brings("x", began)
    assert not ahead.brings("x", began - timedelta(seconds=1))


@pytest.mark.parametrize(("row_id", "brings"), [("a", True), ("b", False), (None, False)])
def test_what_dataverse_does_not_name_does_not_come(row_id: str | None, brings: bool) -> None:
    assert Ahead(named=frozenset({"a"})).brings(row_id, None) is brings
    assert Ahead(named=frozenset({"a"}), last_began=NOW).brings(row_id, NOW) is brings
