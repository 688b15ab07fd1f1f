"""Peak memory of extract, validate, transform and load by the number of rows, without either system.

A full read of a map that propagates deletes, all of whose rows the crosswalk knows, with other
values: the worst case, as after an expired delta token. The source makes its pages up and the target
takes whatever it is told, so that only the engine is measured, with a real state on SQLite:

    python -m bench.constant_memory 100000 1000000

Each stage runs in a process of its own, as a task does; its peaks must lie within a tenth of each
other, whatever the number.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pyarrow as pa

from bench.apart import apart
from bench.made_up import LEG, MAP, PAGE, Source, Taker, fill_crosswalk
from projops.engine import Engine
from projops.extract.change_tracking import ChangeTracking
from projops.extract.lookups import Lookups
from projops.extract.source import Watermark
from projops.extract.sources import own_columns
from projops.extract.stage import ExtractJob, extract_rows
from projops.identities import pages
from projops.load.guard import delete_guard
from projops.load.job import LoadJob
from projops.load.stage import load_tables
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import System
from projops.mapping.paths import table_of
from projops.pipeline import transform, validate
from projops.poison import Quarantine
from projops.run import Staged
from projops.settings import Settings
from projops.state import crosswalk
from projops.state.batches import Batch, NewBatch, get_batch, open_batch
from projops.state.leases import held
from projops.systems.connection import Connection
from projops.systems.dataverse import Dataverse

MOST = 1.10  # times the smallest peak of a stage
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """A stage over so many rows.

    Attributes:
        staged: What it gave.
        peak: Highest resident memory of its process, in MB.
        seconds: How long it ran.
        cpu_seconds: Processor time of its process meanwhile, all threads, user and system.
    """

    staged: Staged
    peak: int
    seconds: float
    cpu_seconds: float


def prepare(folder: Path, rows: int) -> Staged:
    """Let both sides be in step, and open a batch that reads everything."""
    with _engine(folder, rows) as engine:
        fill_crosswalk(engine, rows)
        table_map = engine.map(MAP)
        meaning = fingerprint(table_map, table_map.legs[LEG], engine.loaded.value_maps)
        new = NewBatch("bench", "run", MAP, LEG.value, "full", table_map.version, meaning, advances=True)
        with engine.state.begin() as connection:
            batch = open_batch(connection, new)
    return Staged(batch.id, MAP, LEG.value, "none", "", 0)


def extract(engine: Engine, staged: Staged, rows: int) -> Staged:
    """Run the real extract stage on the made-up source."""
    table_map, batch = engine.map(MAP), _batch(engine, staged)
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
        writer.facts.update(
            watermark_to=watermark.text(), fingerprint=batch.fingerprint, mapping_version=table_map.version
        )
    return replace(staged, stage="extract", uri=engine.staging.uri_of(writer), rows=writer.rows)


def load(engine: Engine, staged: Staged, rows: int) -> Staged:
    """Run the real load stage: decide, send, commit; the made-up target says that all is written.

    Raises:
        AssertionError: A row was not written.
    """
    table_map, batch = engine.map(MAP), _batch(engine, staged)
    leg, settings = table_map.legs[LEG], engine.settings
    manifest = engine.staging.open(staged.uri, batch.id)
    with held(engine.state, MAP, "bench", settings.lease_seconds) as lease:
        job = LoadJob(
            engine.state,
            table_map,
            leg,
            batch,
            Taker(),
            settings,
            delete_guard(engine.state, settings, leg, batch, manifest.counts["deletes"]),
            lease=lease,
            quarantine=Quarantine.of(engine, table_map, batch, "load"),
        )
        counts = asyncio.run(load_tables(job, engine.staging.tables(manifest)))
    if counts.loaded != rows:
        raise AssertionError(f"Of {rows} rows came {counts}.")
    return replace(staged, stage="load", rows=counts.loaded)


STAGES: tuple[Callable[[Engine, Staged, int], Staged], ...] = (
    extract,
    lambda engine, staged, _: validate(engine, staged),
    lambda engine, staged, _: transform(engine, staged),
    load,
)


def measure(place: int, folder: Path, staged: Staged, rows: int) -> Measured:
    """Run one stage, and look at what its process has needed; for a process of its own."""
    began, busy = time.perf_counter(), time.process_time()
    with _engine(folder, rows) as engine:
        staged = STAGES[place](engine, staged, rows)
    seconds, cpu = round(time.perf_counter() - began, 2), round(time.process_time() - busy, 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT // 2**20
    return Measured(staged, peak, seconds, cpu)


def main(numbers: Sequence[int]) -> int:
    """Measure each stage for each number; fail where its peaks differ by more than a tenth."""
    peaks: dict[str, list[int]] = {}
    for rows in numbers:
        for each in stages(rows):
            figures = {"rows": rows, "stage": each.staged.stage, "staged": each.staged.rows}
            figures |= {"peak_mb": each.peak, "seconds": each.seconds, "cpu_seconds": each.cpu_seconds}
            print(json.dumps(figures), flush=True)  # noqa: T201  its output
            peaks.setdefault(each.staged.stage, []).append(each.peak)
    return 0 if all(max(each) <= MOST * min(each) for each in peaks.values()) else 1


def stages(rows: int) -> Iterator[Measured]:
    """Run all stages over so many rows, each in a process of its own, which has inherited nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        staged = apart(prepare, folder, rows)
        for place in range(len(STAGES)):
            measured = apart(measure, place, folder, staged, rows)
            staged = measured.staged
            yield measured


def _engine(folder: Path, rows: int) -> Engine:
    state, staging = f"sqlite:///{folder / 'state.db'}", str(folder / "staging")
    settings = replace(Settings(), state_url=state, staging=staging, delete_rows=rows)
    return Engine.open(settings, _no_connection)


def _no_connection(system: System) -> Connection:
    """Refuse to connect: nothing here asks a system."""
    raise AssertionError(f"{system} was asked")


def _batch(engine: Engine, staged: Staged) -> Batch:
    with engine.state.begin() as connection:
        return get_batch(connection, staged.batch)


if __name__ == "__main__":
    sys.exit(main([int(each) for each in sys.argv[1:]]))
