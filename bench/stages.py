"""What validate and transform cost of the processor and of memory, for rows of 30 columns.

The rows are made up as an extract leaves them on disk: actuals, with the first 30 fields of their map, every
thousandth of which breaks a rule. Each stage runs in a process of its own, warm as a worker's tasks are: what
is imported before the clock starts is not counted, but for memory.

    python -m bench stages --rows 1000000 --repeats 3
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bench.figures import machine
from bench.promises import Promise, write_suite
from bench.report import measured_on, publish
from projops.engine import Engine
from projops.mapping.catalog import arrow_type
from projops.mapping.expressions import columns_of, parse
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Direction, Leg, System, TableMap
from projops.mapping.paths import source_column, source_columns
from projops.orchestration.warming import warm
from projops.pipeline import transform, validate
from projops.run import Staged
from projops.settings import Settings
from projops.state.batches import NewBatch, open_batch
from projops.systems.connection import Connection
from projops.validate.implied import expectations_of
from projops.validate.written import read_expectations

SUITE = "stages"
MAP, LEG, COLUMNS = "actuals", Direction.DATAVERSE_TO_FINANCE, 30
MOST = 1.10  # times the memory for a tenth of the rows
_CHUNK = 5000
_EVERY = 1000
_IDS = ("msdyn_actualid", "msdyn_actualimportid")
_CODES = {"currency": "USD", "company": "uspm"}
_BROKEN = "msdyn_transactiontypecode"
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_STAGES: dict[str, Callable[[Engine, Staged], Staged]] = {"validate": validate, "transform": transform}


@dataclass(frozen=True, slots=True)
class Measured:
    """One stage over so many rows.

    Attributes:
        stage: Its name.
        made_up: Rows that there were before the stages.
        rows: Rows that it was given.
        cpu_seconds: Processor time, all threads, user and system.
        peak_mb: Largest resident set of its process, libraries and all.
        staged: What it gave.
    """

    stage: str
    made_up: int
    rows: int
    cpu_seconds: float
    peak_mb: int
    staged: Staged


def measure(results: Path, rows: int = 1_000_000, repeats: int = 3) -> int:
    """Measure both stages for a hundredth, a tenth and all of the rows; give 1 where a promise is broken."""
    sizes = [rows // 100, rows // 10, rows]
    samples = [sample for size in sizes for sample in _stages(size, repeats)]
    promises = [_constant_memory(stage, samples, sizes) for stage in _STAGES]
    kept = [{**asdict(each), "staged": each.staged.rows} for each in samples]
    write_suite(results, SUITE, promises, samples=kept)
    publish(results, SUITE, f"{_table(samples, sizes)}\n\n{measured_on(machine())}.")
    return 0 if all(promise.kept for promise in promises) else 1


def _stages(rows: int, repeats: int) -> Iterator[Measured]:
    with tempfile.TemporaryDirectory() as name:
        staged = _apart(prepare, Path(name), rows)
        for _ in range(repeats):
            given = staged
            for stage in _STAGES:
                measured: Measured = _apart(run, stage, Path(name), given, rows)
                given = measured.staged
                yield measured


def prepare(folder: Path, rows: int) -> Staged:
    """Stage made-up rows as an extract does."""
    with _engine(folder) as engine:
        table_map = engine.map(MAP)
        leg = table_map.legs[LEG]
        meaning = fingerprint(table_map, leg, engine.loaded.value_maps)
        new = NewBatch("bench", "run", MAP, LEG.value, "full", table_map.version, meaning, advances=True)
        with engine.state.begin() as connection:
            batch = open_batch(connection, new)
        with engine.staging.writer(MAP, LEG.value, batch.id, "extract") as writer:
            for start in range(0, rows, _CHUNK):
                writer.write(made_up(engine, table_map, leg, range(start, min(start + _CHUNK, rows))))
            writer.facts["fingerprint"] = meaning
            writer.count("read", rows)
        uri = engine.staging.uri_of(writer)
    return Staged(batch.id, MAP, LEG.value, "extract", uri, writer.rows)


def run(stage: str, folder: Path, staged: Staged, rows: int) -> Measured:
    """Run one stage; what a worker has warmed before it forks a task is warmed before the clock starts.

    Raises:
        AssertionError: Other rows than the bad ones were set aside.
    """
    warm()
    with _engine(folder) as engine:
        began = time.process_time()
        given = _STAGES[stage](engine, staged)
        seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT // 2**20
    if given.rows != rows - len(range(0, rows, _EVERY)):
        raise AssertionError(f"Of {rows} rows {given.rows} came through {stage}.")
    return Measured(stage, rows, staged.rows, round(seconds, 3), peak, given)


def made_up(engine: Engine, table_map: TableMap, leg: Leg, numbers: range) -> pa.Table:
    """Make up source rows that keep all rules but one: each thousandth has an unknown transaction type.

    Args:
        engine: Knows value maps and what is written about the rows.
        table_map: The map.
        leg: Its leg.
        numbers: Numbers of the rows, from which their values follow.
    """
    written = read_expectations(engine.settings.expectations, table_map, leg)
    known = {
        each.columns["column"]: each.options["value_set"][0]
        for each in expectations_of(table_map, leg, engine.loaded.value_maps, written)
        if each.type == "expect_column_values_to_be_in_set"
    }
    number = pa.array(numbers, pa.int64())
    kinds = {path: arrow_type(source_column(table_map, leg, path)) for path in source_columns(table_map, leg)}
    columns = {path: _values(path, kind, number, known) for path, kind in kinds.items()}
    bad = pa.array([each % _EVERY == 0 for each in numbers])
    columns[_BROKEN] = pc.if_else(bad, pa.scalar(-1, kinds[_BROKEN]), columns[_BROKEN])
    facts = {
        "_id": _guid(number),
        "_key": _text('["', number, '","uspm"]'),
        "_version": pa.repeat("1", len(number)),
        "_deleted": pa.repeat(False, len(number)),
    }
    return pa.table({**facts, **columns})


def _values(path: str, kind: pa.DataType, number: pa.Array, known: Mapping[str, Any]) -> pa.Array:
    if path in known:
        return pa.repeat(pa.scalar(known[path], kind), len(number))
    if path in _IDS:
        return _guid(number)
    if pa.types.is_string(kind):
        code = next((code for part, code in _CODES.items() if part in path), None)
        return _text("T", number) if code is None else pa.repeat(code, len(number))
    if pa.types.is_decimal(kind) and "quantity" not in path:
        return number.cast(pa.decimal128(19, 0)).cast(kind)  # the amount is once the price
    if pa.types.is_temporal(kind):
        return _moments(number).cast(kind)
    one = pa.nulls(1, kind) if pa.types.is_boolean(kind) else pa.array([1]).cast(kind)
    return pa.repeat(one[0], len(number))


def _guid(number: pa.Array) -> pa.Array:
    return _text("00000000-0000-0000-0000-", pc.utf8_lpad(number.cast(pa.string()), 12, "0"))


def _moments(number: pa.Array) -> pa.Array:
    days = pc.subtract(number, pc.multiply(pc.divide(number, 365), 365))
    return pc.add(days, 20_454).cast(pa.int32()).cast(pa.date32()).cast(pa.timestamp("us"))  # from 2026-01-01


def _text(*parts: str | pa.Array) -> pa.Array:
    texts = [part if isinstance(part, str) else part.cast(pa.string()) for part in parts]
    return pc.binary_join_element_wise(*texts, "")


def _constant_memory(stage: str, samples: Sequence[Measured], sizes: Sequence[int]) -> Promise:
    few, many = (_median(stage, samples, rows).peak_mb for rows in sizes[1:])
    return Promise(
        f"{stage}, memory for {sizes[2]:,} rows beside {sizes[1]:,}",
        f"{MOST} times or less",
        f"{many / few:.2f} times ({many} MB)",
        many <= MOST * few,
    )


def _median(stage: str, samples: Sequence[Measured], rows: int) -> Measured:
    of_stage = [each for each in samples if each.stage == stage and each.made_up == rows]
    return sorted(of_stage, key=lambda each: each.cpu_seconds)[len(of_stage) // 2]


def _table(samples: Sequence[Measured], sizes: Sequence[int]) -> str:
    lines = ["| stage | rows | CPU-s | CPU-s a million rows | peak MB |", "|---|---:|---:|---:|---:|"]
    for stage in _STAGES:
        for rows in sizes:
            found = _median(stage, samples, rows)
            each = 1_000_000 * found.cpu_seconds / found.rows
            lines.append(f"| {stage} | {rows:,} | {found.cpu_seconds:.2f} | {each:.1f} | {found.peak_mb} |")
    return "\n".join(lines)


def _engine(folder: Path) -> Engine:
    """Open the engine on a state of its own, with a map of 30 fields."""
    state, staging = f"sqlite:///{folder / 'state.db'}", str(folder / "staging")
    engine = Engine.open(replace(Settings(), state_url=state, staging=staging), _no_connection)
    table_map = engine.loaded.maps[MAP]
    leg = table_map.legs[LEG]
    judged = _judged(engine, table_map, leg)
    fields = sorted(leg.fields, key=lambda field: field.source not in judged)[:COLUMNS]
    leg = replace(leg, fields=tuple(fields))
    maps = {**engine.loaded.maps, MAP: replace(table_map, legs={**table_map.legs, LEG: leg})}
    return replace(engine, loaded=replace(engine.loaded, maps=maps))


def _judged(engine: Engine, table_map: TableMap, leg: Leg) -> frozenset[str]:
    """Name the columns that written expectations look at, which would find fault with a map without them."""
    written = read_expectations(engine.settings.expectations, table_map, leg)
    where = [name for each in written if each.where for name in columns_of(parse(each.where))]
    return frozenset(where).union(*(each.column_names for each in written))


def _no_connection(system: System) -> Connection:
    """Refuse to connect: nothing here asks a system."""
    raise AssertionError(f"{system} was asked")


def _apart(act: Callable[..., Any], *arguments: object) -> Any:
    """Act in a new process, which has inherited nothing."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(act, *arguments).result()
