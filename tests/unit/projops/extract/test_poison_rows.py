"""Rows that crash the extract, and rows that a silent writer had on its way."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from projops.extract import stage
from projops.extract.source import Chunk, Watermark
from projops.extract.stage import ExtractJob, extract_rows
from projops.mapping.model import Direction, Leg
from projops.poison import Quarantine
from projops.replay import Selection, replay
from projops.staging import Staging
from projops.state import StateStore, crosswalk, dead_letters, in_flight
from projops.state.batches import NewBatch, open_batch
from projops.state.crosswalk import Entry
from projops.state.in_flight import Doubt, Writing
from tests.unit.projops.extract.test_gone import FORTH, KEY, LEG, MAP, MAPS, KnownPaths, rows


@dataclass
class Changes:
    """A source with one page of rows."""

    page: pa.Table

    async def chunks(self) -> AsyncIterator[Chunk]:
        yield Chunk(self.page, ["gone"])

    def watermark(self) -> Watermark:
        return Watermark({"delta_link": "next"})


class Fragile(KnownPaths):
    """Lookups that crash at one row."""

    async def add(self, table: str, found: pa.Table, paths: Sequence[str]) -> pa.Table:
        if "poison" in found["_id"].to_pylist():
            raise IndexError("list index out of range")
        return await super().add(table, found, paths)


async def extracted(
    store: StateStore, tmp_path: Path, page: pa.Table, there: Sequence[str], leg: Leg = LEG, map_id: str = MAP
) -> tuple[list[str], list[str], dict[str, int]]:
    """Extract a page and what is read again: rows that move, rows that are gone, and the counts."""

    async def reread(ids: Sequence[str]) -> pa.Table:
        return rows(*(each for each in ids if each in there))

    table_map, staging = MAPS[map_id], Staging(str(tmp_path / "staging"))
    with store.begin() as connection:
        new = NewBatch("d", "r", map_id, leg.direction.value, "incremental", table_map.version, "f", True)
        batch = open_batch(connection, new)
    with staging.writer(map_id, leg.direction.value, batch.id, "extract") as writer:
        job = ExtractJob(
            state=store,
            table_map=table_map,
            leg=leg,
            batch=batch,
            source=Changes(page),
            afresh=lambda: Changes(page),
            reread=reread,
            lookups=Fragile(),
            companies=None,
            pause=timedelta(seconds=60),
            quarantine=Quarantine(store, staging, batch, table_map.version, "extract", most=3),
            writer=writer,
        )
        await extract_rows(job)
    tables = list(staging.tables(staging.open(staging.uri_of(writer), batch.id)))
    staged = [row for table in tables for row in table.select(["_id", "_deleted"]).to_pylist()]
    return (
        [row["_id"] for row in staged if not row["_deleted"]],
        [row["_id"] for row in staged if row["_deleted"]],
        writer.counts,
    )


async def test_a_row_that_crashes_the_extract_is_set_aside_and_the_rest_goes_on(
    store: StateStore, tmp_path: Path
) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, MAP, 1, [Entry(KEY, "gone", "h")])
    moving, gone, counts = await extracted(store, tmp_path, rows("a", "poison", "b", "c"), [])
    assert (moving, gone) == (["a", "b", "c"], ["gone"])
    assert counts == {"read": 5, "rejected": 1, "deletes": 1}
    with store.begin() as connection:
        [letter] = dead_letters.live(connection)
    assert (letter["source_id"], letter["stage"], letter["rule"]) == ("poison", "extract", "poison")


async def test_a_row_of_finance_that_crashes_the_extract_has_a_key_to_be_replayed_by(
    store: StateStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(rows: pa.Table) -> pa.Table:
        raise IndexError("list index out of range")

    monkeypatch.setattr(stage, "newest", crash)
    back = MAPS["currencies"].legs[Direction.FINANCE_TO_DATAVERSE]
    page = pa.table({"_id": pa.nulls(1, pa.string()), "CurrencyCode": ["SEK"]})
    await extracted(store, tmp_path, page, [], back, "currencies")
    with store.begin() as connection:
        [letter] = dead_letters.live(connection)
    assert (letter["source_id"], letter["key"], letter["rule"]) == ('["sek"]', '["sek"]', "poison")
    assert replay(store, Selection((letter["id"],)), "anna").marked == (letter["id"],)


async def test_what_was_in_flight_is_read_afresh_and_what_is_gone_of_it_is_deleted(
    store: StateStore, tmp_path: Path
) -> None:
    """Of a row that was created in silence neither crosswalk nor delta would tell."""
    with store.begin() as connection:
        sent = [Doubt("there", '["fs2","ord","uspm"]'), Doubt("created and gone", KEY)]
        writing = Writing(MAP, FORTH.value, 1, "of the dead")
        in_flight.record(connection, writing, sent, timedelta(days=1))
    moving, gone, _ = await extracted(store, tmp_path, rows("a"), ["there"])
    assert (sorted(moving), gone) == (["a", "there"], ["created and gone"])
