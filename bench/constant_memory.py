"""Peak memory of extract, validate and transform by the number of rows, without either system.

A full read of a map that propagates deletes, all of whose rows the crosswalk knows: the worst case,
as after an expired delta token. The source makes its pages up, so that only the engine is measured:

    python -m bench.constant_memory 100000 1000000

Each number runs in a process of its own; the peaks must lie within a tenth of each other.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from projops.engine import Engine
from projops.extract.change_tracking import ChangeTracking
from projops.extract.lookups import Lookups
from projops.extract.source import Watermark
from projops.extract.sources import own_columns
from projops.extract.stage import ExtractJob, extract_rows
from projops.identities import pages
from projops.mapping import catalog
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Direction, System
from projops.mapping.paths import source_column, table_of
from projops.pipeline import transform, validate
from projops.poison import Quarantine
from projops.run import Staged
from projops.settings import Settings
from projops.state import crosswalk
from projops.state.batches import Batch, NewBatch, open_batch
from projops.state.crosswalk import Entry
from projops.systems.connection import Connection
from projops.systems.dataverse import Dataverse
from projops.systems.decoding import Page

MAP, LEG = "funding_sources", Direction.DATAVERSE_TO_FINANCE
MOST = 1.10  # times the smallest peak
PAGE = 5000


def guid(number: int) -> str:
    """Give the GUID that stands for a number."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def made_up(kind: pa.DataType, name: str, numbers: Sequence[int]) -> pa.Array:
    """Make up a column that differs from row to row; types that need a meaning stay empty."""
    if pa.types.is_string(kind):
        return pa.array([f"{name[-8:]} {number}" for number in numbers], kind)
    if pa.types.is_boolean(kind):
        return pa.array([number % 2 == 0 for number in numbers], kind)
    return pa.nulls(len(numbers), kind)


class Source:
    """A table of so many rows, every hundredth of which the source has no longer."""

    def __init__(self, engine: Engine, rows: int) -> None:
        self.engine, self.rows = engine, rows

    async def changes(self, *_: object) -> AsyncIterator[Page]:
        """Give all rows that are there, page by page."""
        for start in range(0, self.rows, PAGE):
            numbers = [number for number in range(start, min(start + PAGE, self.rows)) if number % 100]
            yield Page(self._batch(numbers), delta_link="next")

    def _batch(self, numbers: Sequence[int]) -> pa.RecordBatch:
        table_map = self.engine.map(MAP)
        leg = table_map.legs[LEG]
        ids, versions = [guid(each) for each in numbers], ["1"] * len(numbers)
        columns = {"_id": pa.array(ids), "_version": pa.array(versions)}
        for name in own_columns(table_map, leg):
            column = source_column(table_map, leg, name)
            is_lookup = column.type is catalog.ColumnType.LOOKUP
            columns[name] = (
                pa.array([guid(10**12 + each) for each in numbers])
                if is_lookup
                else made_up(catalog.arrow_type(column), name, numbers)
            )
        return pa.RecordBatch.from_pydict(columns)

    async def by_ids(self, table: object, columns: object, ids: Sequence[str]) -> tuple[None, Sequence[str]]:
        """Find none of the rows that did not come."""
        return None, ids

    async def parents(self, table: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """Give the rows that lookups lead to: as many as there are rows, but for the one company."""
        known = catalog.table(System.DATAVERSE, table).columns
        numbers = [int(each.replace("-", ""), 16) - 10**12 for each in ids]
        found = {"_id": pa.array(ids)} | {
            name: made_up(catalog.arrow_type(known[name]), name, numbers) for name in columns
        }
        if table == "cdm_company":
            found["cdm_companycode"] = pa.array(["USPM"] * len(ids))
        return pa.table(found)


def fill_crosswalk(engine: Engine, rows: int) -> None:
    """Let all rows have been in step before."""
    for start in range(0, rows, PAGE):
        numbers = range(start, start + PAGE)
        entries = [Entry(f'["k{number}","ord","uspm"]', guid(number), "0" * 32) for number in numbers]
        with engine.state.begin() as connection:
            crosswalk.put(connection, MAP, 1, entries)


def opened(engine: Engine) -> Batch:
    """Open a batch that reads everything."""
    table_map = engine.map(MAP)
    meaning = fingerprint(table_map, table_map.legs[LEG], engine.loaded.value_maps)
    new = NewBatch("bench", "run", MAP, LEG.value, "full", table_map.version, meaning, advances=True)
    with engine.state.begin() as connection:
        return open_batch(connection, new)


def extracted(engine: Engine, batch: Batch, rows: int) -> Staged:
    """Run the real extract stage on the made-up source."""
    table_map = engine.map(MAP)
    leg, source = table_map.legs[LEG], Source(engine, rows)

    def after(last: str) -> list[str]:
        with engine.state.begin() as connection:
            return crosswalk.ids_after(connection, MAP, last, PAGE)

    def known() -> Iterator[Sequence[str]]:
        return pages(after)

    async def nothing(_: Sequence[str]) -> pa.Table:
        raise AssertionError("nothing was set aside")

    table = table_of(table_map, System.DATAVERSE)
    tracking = ChangeTracking(
        cast(Dataverse, source), table, own_columns(table_map, leg), Watermark(), PAGE, known
    )
    with engine.staging.writer(MAP, LEG.value, batch.id, "extract") as writer:
        job = ExtractJob(
            engine.state,
            table_map,
            leg,
            batch,
            tracking,
            lambda: tracking,
            nothing,
            Lookups(source.parents),
            None,
            timedelta(seconds=120),
            Quarantine.of(engine, table_map, batch, "extract"),
            writer,
        )
        watermark = asyncio.run(extract_rows(job))
        meaning = fingerprint(table_map, leg, engine.loaded.value_maps)
        writer.facts.update(
            watermark_to=watermark.text(), fingerprint=meaning, mapping_version=table_map.version
        )
    return Staged(batch.id, MAP, LEG.value, "extract", engine.staging.uri_of(writer), writer.rows)


def no_connection(system: System) -> Connection:
    """Refuse to connect: nothing here asks a system."""
    raise AssertionError(f"{system} was asked")


def measure(rows: int) -> dict[str, Any]:
    """Run the three stages over so many rows; give seconds and the peak of the process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(
            Settings(), state_url=f"sqlite:///{folder}/state.db", staging=str(Path(folder) / "staging")
        )
        with Engine.open(settings, no_connection) as engine:
            fill_crosswalk(engine, rows)
            batch, times = opened(engine), [time.perf_counter()]
            staged = extracted(engine, batch, rows)
            times.append(time.perf_counter())
            staged = validate(engine, staged)
            times.append(time.perf_counter())
            staged = transform(engine, staged)
            times.append(time.perf_counter())
    seconds = [round(after - before, 1) for before, after in zip(times, times[1:], strict=False)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"rows": rows, "staged": staged.rows, "peak_mb": peak, "seconds": seconds}


def main(numbers: Sequence[int]) -> int:
    """Measure each number in a process of its own; fail where the peaks differ by more than a tenth."""
    if len(numbers) == 1:
        print(json.dumps(measure(numbers[0])))  # noqa: T201  its output
        return 0
    peaks = []
    for rows in numbers:
        command = [sys.executable, "-m", "bench.constant_memory", str(rows)]
        line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
        print(line, flush=True)  # noqa: T201  its output
        peaks.append(json.loads(line)["peak_mb"])
    return 0 if max(peaks) <= MOST * min(peaks) else 1


if __name__ == "__main__":
    sys.exit(main([int(each) for each in sys.argv[1:]]))
