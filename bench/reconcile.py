"""How fast, and in how much memory, both sides of a leg are compared once they are read.

Both sides are made up as a read leaves them on disk: the actuals, 30 columns of all types. They are written
by one process and compared by another, whose clock, processor time and largest resident set are taken:

    python -m bench reconcile --rows 1000000
"""

import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from bench.apart import apart
from bench.figures import machine
from bench.promises import Promise, write_suite
from bench.report import measured_on, publish
from bench.suites import RESULTS
from projops.mapping.model import Direction, Leg, TableMap
from projops.mapping.reader import load_maps
from projops.reconcile.compare.buckets import BUCKETS, SideWriter, hashes, query_engine
from projops.reconcile.compare.comparing import compare
from projops.reconcile.compare.reading import Pair
from projops.reconcile.compare.sides import Terms
from projops.reconcile.compare.totals import Tally
from projops.reconcile.model import Scope
from projops.settings import PROJECT_ROOT

SUITE = "reconcile"
MAP, COLUMNS = "actuals", 30
MOST_SECONDS, MOST_MB = 6, 500
_CHUNK = 50_000
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Case:
    """What differs between the sides.

    Attributes:
        name: In a few words.
        share: Share of what differs.
        of: "buckets", all rows of which differ, or "rows", spread over all buckets.
    """

    name: str
    share: float
    of: str


CASES = (
    Case("nothing differs", 0.0, "rows"),
    Case("1 % of the buckets differ", 0.01, "buckets"),
    Case("1 % of the rows differ, anywhere", 0.01, "rows"),
    Case("all rows differ", 1.0, "rows"),
)
USUAL = CASES[2]  # the worst in which not every row differs


@dataclass(frozen=True, slots=True)
class Measured:
    """One comparison.

    Attributes:
        case: What differed.
        rows: Rows on each side.
        seconds: By the clock on the wall.
        cpu_seconds: Processor time, all threads, user and system.
        peak_mb: Largest resident set of the process, its libraries and all.
        rows_read: Rows of both sides whose columns were opened.
        differences: Rows that were told of.
    """

    case: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: int
    rows_read: int
    differences: int


def measure(rows: int = 1_000_000, repeats: int = 3, results: Path = RESULTS) -> int:
    """Measure each case as often as asked; keep the medians; give 1 where a promise is broken."""
    samples = [[compared(case, rows) for _ in range(repeats)] for case in CASES]
    medians = [sorted(each, key=lambda one: one.seconds)[len(each) // 2] for each in samples]
    promises = [*_promises(medians)]
    taken = [asdict(one) for each in samples for one in each]
    write_suite(results, SUITE, promises, medians=[asdict(each) for each in medians], samples=taken)
    publish(results, SUITE, f"{_table(medians)}\n\n{measured_on(machine())}.")
    return 0 if all(promise.kept for promise in promises) else 1


def _promises(medians: Sequence[Measured]) -> Iterator[Promise]:
    """Judge time by the usual case, memory by the worst of all."""
    usual = next(each for each in medians if each.case == USUAL.name)
    peak = max(each.peak_mb for each in medians)
    what = f"reconcile, {usual.rows:,} rows on each side"
    seconds, in_time = f"{usual.seconds:.1f} s", usual.seconds <= MOST_SECONDS
    yield Promise(f"{what}, {usual.case}", f"{MOST_SECONDS} s or less", seconds, in_time)
    yield Promise(f"{what}, memory of the worst case", f"{MOST_MB} MB or less", f"{peak} MB", peak <= MOST_MB)


def _table(medians: Sequence[Measured]) -> str:
    head = "| case | rows on each side | s | CPU-s | peak MB | rows opened | differences |"
    lines = [head, "|---|---:|---:|---:|---:|---:|---:|"]
    for each in medians:
        opened = f"{each.rows_read:,} ({each.rows_read / each.rows / 2:.1%})"
        figures = f"{each.rows:,} | {each.seconds:.2f} | {each.cpu_seconds:.2f} | {each.peak_mb} | {opened}"
        lines.append(f"| {each.case} | {figures} | {each.differences:,} |")
    return "\n".join(lines)


def compared(case: Case, rows: int) -> Measured:
    """Write both sides of a case in one process, and compare them in another."""
    with tempfile.TemporaryDirectory() as name:
        pair = apart(write_pair, case, rows, Path(name))
        return apart(compare_pair, case, rows, pair)


def write_pair(case: Case, rows: int, folder: Path) -> Pair:
    """Write both sides as `read_map` does."""
    terms = _terms()
    with query_engine(folder) as database:
        sides = []
        for name in ("expected", "found"):
            (folder / name).mkdir()
            writer, tally = SideWriter(folder / name, terms, database), Tally(terms.money)
            for start in range(0, rows, _CHUNK):
                frame = _frame(terms, range(start, min(start + _CHUNK, rows)))
                if name == "found":
                    frame = _changed(frame, case, hashes(database, terms, frame)["_bucket"])
                writer.write(frame)
                tally.add(frame)
            sides.append((writer.close(), tally))
    (expected, ours), (found, theirs) = sides
    return Pair(expected, found, ours, theirs, datetime.now(UTC), folder)


def compare_pair(case: Case, rows: int, pair: Pair) -> Measured:
    """Compare, and look at what it needed."""
    table_map, leg = _leg()
    began, busy = time.perf_counter(), time.process_time()
    comparison = compare(table_map, leg, pair, Scope())
    differences = sum(len(chunk) for chunk in comparison)
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT // 2**20
    return Measured(case.name, rows, seconds, cpu, peak, comparison.rows_read, differences)


def _leg() -> tuple[TableMap, Leg]:
    table_map = load_maps(PROJECT_ROOT / "include" / "mappings").maps[MAP]
    leg = table_map.legs[Direction.DATAVERSE_TO_FINANCE]
    return table_map, replace(leg, fields=leg.fields[:COLUMNS])


def _terms() -> Terms:
    return Terms.of(*_leg())


def _frame(terms: Terms, numbers: range) -> pa.Table:
    """Make up rows, whole columns at a time: each value follows from the number of its row."""
    number = pa.array(numbers, pa.int64())
    identity = _text("id", number)
    facts = {
        "_key": pc.binary_join_element_wise('["', identity, '","uspm"]', ""),
        "_id": identity,
        "_hash": _text("payload", number),
        "_company": pa.array(["uspm"] * len(numbers)),
        "_day": _day(number),
        "_reason": pa.nulls(len(numbers), pa.string()),
        "_counts": pa.array([True] * len(numbers)),
    }
    columns = {name: _values(terms.schema.field(name).type, name, number) for name in terms.columns}
    return pa.table(facts | columns, schema=terms.schema)


def _values(kind: pa.DataType, name: str, number: pa.Array) -> pa.Array:
    if pa.types.is_date32(kind):
        return _day(number)
    return _text(name, number) if pa.types.is_string(kind) else number.cast(kind)


def _text(name: str, number: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(name, number.cast(pa.string()), " of the bench ")


def _day(number: pa.Array) -> pa.Array:
    days = pc.subtract(number, pc.multiply(pc.divide(number, 365), 365))
    return pc.add(days, 20_454).cast(pa.int32()).cast(pa.date32())  # from 2026-01-01 on


def _changed(frame: pa.Table, case: Case, buckets: pa.Array) -> pa.Table:
    """Let one text column of some rows have another value."""
    if case.of == "buckets":
        here = pc.less(buckets, int(BUCKETS * case.share))
    else:
        numbers = pa.array(range(frame.num_rows))
        here = pc.less(pc.subtract(numbers, pc.multiply(pc.divide(numbers, 100), 100)), int(100 * case.share))
    name = frame.column_names[-1]
    place = frame.column_names.index(name)
    return frame.set_column(place, name, pc.if_else(here, "changed", frame[name]))
