"""When is a row gone, and what becomes then of what was set aside of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from projops.errors import ImplausibleReadError
from projops.extract.lookups import Lookups
from projops.extract.reread import from_finance
from projops.extract.snapshot import Snapshot
from projops.extract.source import Chunk, Watermark
from projops.extract.stage import ExtractJob, extract_rows
from projops.mapping.catalog import arrow_type
from projops.mapping.keys import key_text
from projops.mapping.model import Direction, System
from projops.mapping.paths import table_of
from projops.mapping.reader import load_maps
from projops.poison import Quarantine
from projops.replay import Selection, approve, replay
from projops.settings import PROJECT_ROOT
from projops.staging import Staging
from projops.state import StateStore, crosswalk, dead_letters, in_flight
from projops.state.batches import NewBatch, open_batch
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin
from projops.systems.decoding import Page
from projops.systems.finance import Finance

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
FORTH = Direction.DATAVERSE_TO_FINANCE
TABLE = table_of(MAPS["currencies"], System.FINANCE)


def page(*codes: str) -> pa.RecordBatch:
    texts = pa.array(codes, pa.string())
    return pa.RecordBatch.from_pydict({"_id": [None] * len(codes), "CurrencyCode": texts})


@dataclass
class Listing:
    """A Finance whose lists leave rows out that it has: a stale replica, or a page that was lost."""

    listed: Sequence[str]
    has: Sequence[str]
    asked: list[str] = field(default_factory=list)

    async def pages(self, *_: object, **__: object) -> AsyncIterator[Page]:
        yield Page(page(*self.listed))

    async def by_keys(self, *_: object) -> pa.Table:
        return pa.Table.from_batches([page(*self.listed)])

    async def by_whole_keys(self, *what: Any) -> pa.Table:
        codes = [code.upper() for (code,) in what[-1]]
        self.asked += codes
        return pa.Table.from_batches([page(*(code for code in codes if code in self.has))])

    async def are_there(self, *what: Any) -> list[bool]:
        codes = [code.upper() for (code,) in what[-1]]
        self.asked += codes
        return [code in self.has for code in codes]


def key(code: str) -> str:
    return key_text([code])


def snapshot(finance: Listing, *known: str) -> Snapshot:
    def keys() -> Any:
        return iter([[key(code) for code in known]])

    return Snapshot(cast(Finance, finance), TABLE, ["CurrencyCode"], ["CurrencyCode"], keys, deletes=True)


async def test_a_row_that_a_list_lacks_is_gone_only_if_its_key_says_404() -> None:
    finance = Listing(listed=["SEK"], has=["SEK", "EUR"])
    chunks = [chunk async for chunk in snapshot(finance, "SEK", "EUR", "USD").chunks()]
    assert [gone for chunk in chunks for gone in chunk.deleted] == [key("USD")]
    assert len(finance.asked) == 2


async def test_a_key_of_a_former_mapping_is_told_and_never_asked_for() -> None:
    finance, former = Listing(listed=["SEK"], has=["SEK"]), key_text(["EUR", "uspm"])
    reader = snapshot(finance, "SEK")
    reader.known = lambda: iter([[key("SEK"), former]])
    assert [gone for chunk in [each async for each in reader.chunks()] for gone in chunk.deleted] == [former]
    reread = from_finance(cast(Finance, finance), TABLE, ["CurrencyCode"], ["CurrencyCode"])
    assert (await reread([former, key("SEK")]))["CurrencyCode"].to_pylist() == ["SEK"]
    assert finance.asked == []


async def test_a_list_without_any_row_is_no_delete_of_all() -> None:
    finance = Listing(listed=[], has=["SEK"])
    with pytest.raises(ImplausibleReadError, match="came back empty"):
        [chunk async for chunk in snapshot(finance, "SEK").chunks()]
    assert finance.asked == []


async def test_a_row_that_is_read_again_is_there_if_its_key_finds_it() -> None:
    finance = Listing(listed=["SEK"], has=["SEK", "EUR"])
    reread = from_finance(cast(Finance, finance), TABLE, ["CurrencyCode"], ["CurrencyCode"])
    found = await reread([key(code) for code in ("SEK", "EUR", "USD")])
    assert found["CurrencyCode"].to_pylist() == ["SEK", "EUR"]
    assert len(finance.asked) == 2


# A leg from Dataverse: rows are known by GUID, and deletes propagate or not as the map says.

LEG = MAPS["funding_sources"].legs[FORTH]
MAP = "funding_sources"
KEY = '["fs","ord","uspm"]'
HELD = Letter("g1", KEY, "awaiting_approval", "load", "mass_delete", "One of 500 deletes.")


@dataclass
class Still:
    """A source in which nothing has changed."""

    async def chunks(self) -> AsyncIterator[Chunk]:
        for chunk in tuple[Chunk, ...]():
            yield chunk

    def watermark(self) -> Watermark:
        return Watermark()


def rows(*guids: str) -> pa.Table:
    table = table_of(MAPS[MAP], System.DATAVERSE)
    columns = {each: pa.nulls(len(guids), arrow_type(table.columns[each])) for each in table.columns}
    columns |= {"_id": pa.array(guids, pa.string()), "_version": pa.nulls(len(guids), pa.string())}
    return pa.table(columns | {"msdyn_fundingsourceid": pa.array(["FS"] * len(guids), pa.string())})


class KnownPaths(Lookups):
    """Every contract is ORD of USPM."""

    def __init__(self) -> None:
        pass

    async def add(self, table: str, found: pa.Table, paths: Sequence[str]) -> pa.Table:
        del table
        for path in (each for each in paths if "." in each):
            value = "USPM" if path.endswith("companycode") else "ORD"
            found = found.append_column(path, pa.array([value] * found.num_rows, pa.string()))
        return found


async def extracted(
    store: StateStore, tmp_path: Path, *there: str, advances: bool = True
) -> tuple[list[tuple[str, bool]], dict[str, int]]:
    """Extract where nothing has changed and only some rows are there: what was staged, and its counts."""

    async def reread(ids: Sequence[str]) -> pa.Table:
        return rows(*(each for each in ids if each in there))

    table_map = MAPS[MAP]
    with store.begin() as connection:
        new = NewBatch("d", "r", MAP, FORTH.value, "incremental", table_map.version, "f", advances)
        batch = open_batch(connection, new)
    staging = Staging(str(tmp_path / "staging"))
    with staging.writer(MAP, FORTH.value, batch.id, "extract") as writer:
        job = ExtractJob(
            state=store,
            table_map=table_map,
            leg=LEG,
            batch=batch,
            source=Still(),
            afresh=Still,
            reread=reread,
            lookups=KnownPaths(),
            companies=None,
            pause=timedelta(0),
            quarantine=Quarantine(store, staging, batch, table_map.version, "extract", most=0),
            writer=writer,
        )
        await extract_rows(job)
    staged = [
        (identity, gone)
        for table in staging.tables(staging.open(staging.uri_of(writer), batch.id))
        for identity, gone in zip(table["_id"].to_pylist(), table["_deleted"].to_pylist(), strict=True)
    ]
    return staged, {name: writer.counts.get(name, 0) for name in ("read", "deletes")}


def put(store: StateStore, letter: Letter, *, known: bool = True) -> int:
    with store.begin() as connection:
        dead_letters.record(connection, Origin(MAP, FORTH.value, 1, "1"), [letter])
        if known:
            crosswalk.put(connection, MAP, 1, [Entry(KEY, "g1", "h")])
        return int(dead_letters.live(connection)[0]["id"])


def fate(store: StateStore, number: int) -> tuple[str, str | None]:
    with store.begin() as connection:
        row = dead_letters.get(connection, number)
    assert row is not None
    return row["status"], row["closed_because"]


async def test_a_held_delete_that_nobody_has_approved_is_left_alone(
    store: StateStore, tmp_path: Path
) -> None:
    number = put(store, HELD)
    assert await extracted(store, tmp_path) == ([], {"read": 0, "deletes": 0})
    assert fate(store, number) == ("awaiting_approval", None)


async def test_an_approved_delete_goes_if_the_row_is_still_gone(store: StateStore, tmp_path: Path) -> None:
    """It is not counted among those that may need an approval."""
    number = put(store, HELD)
    approve(store, Selection((number,)), "anna")
    assert await extracted(store, tmp_path) == ([("g1", True)], {"read": 1, "deletes": 0})
    assert fate(store, number) == ("awaiting_approval", None)


async def test_an_approved_delete_is_needless_if_the_row_is_there_again(
    store: StateStore, tmp_path: Path
) -> None:
    number = put(store, HELD)
    approve(store, Selection((number,)), "anna")
    assert await extracted(store, tmp_path, "g1") == ([("g1", False)], {"read": 1, "deletes": 0})
    assert fate(store, number) == ("resolved", "there again at the source: nothing was deleted")


async def test_an_approved_delete_of_what_is_not_known_any_more_is_over(
    store: StateStore, tmp_path: Path
) -> None:
    number = put(store, HELD, known=False)
    approve(store, Selection((number,)), "anna")
    assert await extracted(store, tmp_path) == ([], {"read": 0, "deletes": 0})
    assert fate(store, number) == ("resolved", "gone at the source")


REFUSED = Letter("g1", KEY, "open", "load", "in_use", "It is in use.")


async def test_a_refused_delete_is_tried_again_by_a_replay(store: StateStore, tmp_path: Path) -> None:
    number = put(store, REFUSED)
    replay(store, Selection((number,)), "anna")
    assert await extracted(store, tmp_path) == ([("g1", True)], {"read": 1, "deletes": 1})
    assert fate(store, number) == ("open", None)


async def test_a_row_that_never_arrived_and_is_gone_needs_nothing(store: StateStore, tmp_path: Path) -> None:
    number = put(store, REFUSED, known=False)
    replay(store, Selection((number,)), "anna")
    assert await extracted(store, tmp_path) == ([], {"read": 0, "deletes": 0})
    assert fate(store, number) == ("resolved", "gone at the source")


def silent(store: StateStore) -> None:
    with store.begin() as connection:
        writing = in_flight.Writing(MAP, FORTH.value, 1, "silent")
        in_flight.record(connection, writing, [in_flight.Doubt("g1", KEY)], timedelta(0))


async def test_what_a_silent_writer_may_have_created_and_is_gone_goes(
    store: StateStore, tmp_path: Path
) -> None:
    silent(store)
    assert await extracted(store, tmp_path) == ([("g1", True)], {"read": 1, "deletes": 1})


async def test_a_run_for_some_companies_ends_no_look_at_rows_that_it_leaves_out(
    store: StateStore, tmp_path: Path
) -> None:
    silent(store)
    assert await extracted(store, tmp_path, "g1", advances=False) == ([], {"read": 0, "deletes": 0})
    with store.begin() as connection:
        assert in_flight.is_due(connection, MAP, FORTH.value, timedelta(0))
        [mark] = in_flight.of_others(connection, MAP, "mine")
    assert mark.is_open


async def test_a_row_that_a_batch_beside_may_be_moving_is_left_to_the_load(
    store: StateStore, tmp_path: Path
) -> None:
    """It counts as no delete: it may well be of no row at all."""
    number = put(store, REFUSED, known=False)
    replay(store, Selection((number,)), "anna")
    with store.begin() as connection:
        open_batch(connection, NewBatch("d", "beside", MAP, FORTH.value, "incremental", "1", "f", True))
    assert await extracted(store, tmp_path) == ([("g1", True)], {"read": 1, "deletes": 0})
