"""How the cost of each stage, and its memory, grow with the rows: a hundredth, a tenth, and all of them.

    python -m bench growth --rows 1000000

The stages of a full read, the worst case (`bench.constant_memory`), and the comparison of both sides, of
which one row in a hundred differs (`bench.reconcile`). Extract over the wire is in `bench.extract`.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import constant_memory, reconcile
from bench.figures import machine
from bench.promises import Promise, write_suite
from bench.report import measured_on, publish
from bench.suites import RESULTS

SUITE = "growth"
MOST = 1.10  # times the memory of a tenth of the rows
_COMPARED = "compare"


@dataclass(frozen=True, slots=True)
class Grown:
    """A stage over so many rows.

    Attributes:
        stage: Its name.
        rows: Rows, of each side where two are compared.
        cpu_seconds: Processor time of its process, user and system.
        peak_mb: Largest resident set of its process.
    """

    stage: str
    rows: int
    cpu_seconds: float
    peak_mb: int


def measure(rows: int = 1_000_000, results: Path = RESULTS) -> int:
    """Measure each stage at three sizes; give 1 where memory grows from the second to the third."""
    sizes = (rows // 100, rows // 10, rows)
    grown = [each for size in sizes for each in _at(size)]
    promises = [*_promises(grown, sizes)]
    write_suite(results, SUITE, promises, grown=[asdict(each) for each in grown])
    publish(results, SUITE, f"{_table(grown, sizes)}\n\n{measured_on(machine())}.")
    return 0 if all(promise.kept for promise in promises) else 1


def _at(rows: int) -> Iterator[Grown]:
    for each in constant_memory.stages(rows):
        yield _said(Grown(each.staged.stage, rows, each.cpu_seconds, each.peak))
    compared = reconcile.compared(reconcile.USUAL, rows)
    yield _said(Grown(_COMPARED, rows, round(compared.cpu_seconds, 2), compared.peak_mb))


def _said(grown: Grown) -> Grown:
    sys.stdout.write(f"{json.dumps(asdict(grown))}\n")
    sys.stdout.flush()
    return grown


def _promises(grown: Sequence[Grown], sizes: Sequence[int]) -> Iterator[Promise]:
    _, tenth, whole = sizes
    for stage, peaks in _by_stage(grown, "peak_mb"):
        times = peaks[whole] / peaks[tenth]
        what = f"memory of {stage} at {whole:,} rows"
        asked = f"{MOST} times that at {tenth:,} or less"
        yield Promise(
            what, asked, f"{times:.2f} times ({peaks[tenth]:.0f}, {peaks[whole]:.0f} MB)", times <= MOST
        )


def _table(grown: Sequence[Grown], sizes: Sequence[int]) -> str:
    named = [f"{size:,}" for size in sizes]
    heads = [*(f"CPU-s, {name} rows" for name in named), *(f"peak MB, {name}" for name in named)]
    lines = [f"| stage | {' | '.join(heads)} |", f"|---{'|---:' * len(heads)}|"]
    peaks = dict(_by_stage(grown, "peak_mb"))
    for stage, costs in _by_stage(grown, "cpu_seconds"):
        cells = [*(f"{costs[size]:.2f}" for size in sizes), *(f"{peaks[stage][size]:.0f}" for size in sizes)]
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _by_stage(grown: Sequence[Grown], figure: str) -> Iterator[tuple[str, dict[int, float]]]:
    for stage in dict.fromkeys(each.stage for each in grown):
        yield stage, {each.rows: float(getattr(each, figure)) for each in grown if each.stage == stage}
