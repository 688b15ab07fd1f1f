"""How long a single change takes to be written on the other side, by signals and Airflow's scheduler.

Sandbox and Airflow run as they do in `make demo`, both systems in step, and both tell of their changes. Then
rows are edited one by one, at random moments and now and then several at once. When a row was written is read
from the sandbox's own log of writes.
"""

import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx

from bench.promises import Promise, write_suite
from bench.signalled import signal_all
from bench.suites import RESULTS
from projops.mapping.model import Direction, System
from projops.mapping.reader import load_maps
from runner.changes import Change, change_row, place_of, rows_that_move
from runner.expected import Side
from runner.layout import Layout, free_port
from runner.moves import all_runs, run_until_in_step
from runner.rows import Rows
from runner.stack import Stack, running
from runner.waiting import until
from runner.wire import Wire

_ASKED_SECONDS = 30.0
_MEAN_GAP_SECONDS = 2.5
_BURST_EVERY, _BURST = 25, 5  # of every 25 edits, 5 come at once
_PATIENCE_SECONDS = 240.0
_TEXT = re.compile(r"Latency (\d{5})")
_EDITS = (
    Change("projects", Direction.DATAVERSE_TO_FINANCE, "msdyn_description", "Latency"),
    Change("project_tasks", Direction.DATAVERSE_TO_FINANCE, "msdyn_subject", "Latency"),
    Change("contract_headers", Direction.DATAVERSE_TO_FINANCE, "name", "Latency"),
    Change("customers", Direction.FINANCE_TO_DATAVERSE, "OrganizationName", "Latency"),
    Change("vendors", Direction.FINANCE_TO_DATAVERSE, "VendorOrganizationName", "Latency"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A row that is edited.

    Attributes:
        change: Which column, and in which system.
        place: Entity set and key of the row, as its system names them.
    """

    change: Change
    place: str


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit that was answered.

    Attributes:
        number: Stands in the text that was written; no other edit has it.
        target: The row.
        answered: When, in seconds since the epoch.
    """

    number: int
    target: Target
    answered: float


def measure(changes: int = 200, seed: int = 1, results: Path = RESULTS) -> int:
    """Measure; give 1 where the promise is broken."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Layout.in_folder(Path(folder)), free_port(), _say) as stack,
    ):
        run_until_in_step(stack, _say)
        targets = _targets(stack)
        signal_all(stack, *_sources(stack, targets))
        before = len(all_runs(stack.api))
        httpx.delete(f"{stack.sandbox.control}/sandbox/stats", trust_env=False).raise_for_status()
        edits = _edit_all(stack, moments(changes, seed), targets, random.Random(seed))
        _wait_for_all(stack, edits)
        stats = _stats(stack)
        runs = len(all_runs(stack.api)) - before
    waits = waits_of(edits, stats["writes"])
    return _report(edits, waits, runs, _requests(stats) - len(edits), results)


def waits_of(edits: Sequence[Edit], writes: Sequence[Mapping[str, Any]]) -> list[float | None]:
    """Give how long each edit waited until its row was written on the other side, seconds; None: never.

    An edit that was overtaken by another of the same row has arrived with that one.

    Args:
        edits: By number, from 0.
        writes: Lines of the sandbox's log.
    """
    arrived: dict[Target, list[tuple[float, int]]] = {}
    for write in writes:
        found = _TEXT.search(str(write["values"]))
        if found is None or not write["rows"]:
            continue
        edit = edits[int(found[1])]
        if write["system"] != edit.target.change.direction.source:
            ended = datetime.fromisoformat(write["ended"]).timestamp()
            arrived.setdefault(edit.target, []).append((ended, edit.number))
    ends = [[at for at, number in arrived.get(edit.target, ()) if number >= edit.number] for edit in edits]
    return [min(found) - edit.answered if found else None for edit, found in zip(edits, ends, strict=True)]


def _targets(stack: Stack) -> Sequence[Target]:
    loaded = load_maps(stack.layout.mappings)
    found = []
    with closing(Wire.sign_in(stack.sandbox)) as wire:
        for change in _EDITS:
            side = Side(loaded.maps[change.map], change.direction.source, Rows(wire), loaded)
            found += [Target(change, place_of(side, row)) for row in rows_that_move(side, change.direction)]
    return found


def _sources(stack: Stack, targets: Sequence[Target]) -> tuple[list[str], list[str]]:
    """Tables of Dataverse and entity sets of Finance whose rows are edited."""
    maps = load_maps(stack.layout.mappings).maps
    changes = {target.change for target in targets}
    tables = {maps[each.map].dataverse for each in changes if each.direction.source is System.DATAVERSE}
    sets = {maps[each.map].finance for each in changes if each.direction.source is System.FINANCE}
    return sorted(tables), sorted(sets)


def moments(changes: int, seed: int) -> list[float]:
    """Seconds from the beginning at which edits are due: gaps of a Poisson process, and bursts."""
    chance, at, found = random.Random(seed), 0.0, []
    for number in range(changes):
        if number % _BURST_EVERY >= _BURST or number % _BURST_EVERY == 0:
            at += chance.expovariate(1 / _MEAN_GAP_SECONDS)
        found.append(at)
    return found


def _edit_all(
    stack: Stack, due: Sequence[float], targets: Sequence[Target], chance: random.Random
) -> list[Edit]:
    """Edit a row that is chosen at random, whenever one is due."""
    by_map: dict[str, list[Target]] = {}
    for target in targets:
        by_map.setdefault(target.change.map, []).append(target)
    maps, edits, began = sorted(by_map), [], time.monotonic()
    with closing(Wire.sign_in(stack.sandbox)) as wire:
        for number, moment in enumerate(due):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            target = chance.choice(by_map[chance.choice(maps)])
            values = {target.change.column: f"{target.change.text} {number:05}"}
            change_row(wire, target.change.direction.source, target.place, values)
            edits.append(Edit(number, target, time.time()))
    return edits


def _wait_for_all(stack: Stack, edits: Sequence[Edit]) -> None:
    """Wait until all have arrived, or for as long as nothing can take that is not lost."""
    deadline = time.monotonic() + _PATIENCE_SECONDS

    def over() -> bool | None:
        done = None not in waits_of(edits, _stats(stack)["writes"])
        return done or time.monotonic() > deadline or None

    until(over, "the edits to arrive", 2 * _PATIENCE_SECONDS, stack.processes)


def _stats(stack: Stack) -> Mapping[str, Any]:
    answer = httpx.get(f"{stack.sandbox.control}/sandbox/stats", timeout=60, trust_env=False)
    found: Mapping[str, Any] = answer.raise_for_status().json()
    return found


def _requests(stats: Mapping[str, Any]) -> int:
    return sum(line["count"] for line in stats["requests"])


def _report(
    edits: Sequence[Edit], waits: Sequence[float | None], runs: int, requests: int, results: Path
) -> int:
    known = [wait for wait in waits if wait is not None]
    lost = len(waits) - len(known)
    highest = quantiles(known, n=20)[-1] if len(known) > 1 else float("inf")
    sides = {direction: _side(edits, waits, direction) for direction in Direction}
    promise = Promise(
        f"{len(edits)} signalled single changes, from the answer to the write on the other side",
        "30 s or less at the 95th percentile, none lost",
        f"{highest:.1f} s, median {median(known):.1f} s, {lost} lost" if known else f"{lost} lost",
        lost == 0 and highest <= _ASKED_SECONDS,
    )
    facts = {
        "seconds": [None if wait is None else round(wait, 2) for wait in waits],
        "directions": sides,
        "changes": Counter(f"{edit.target.change.map}" for edit in edits),
        "runs": runs,
        "requests": requests,
    }
    write_suite(results, "latency", [promise], **facts)
    _say(f"{promise.what}: {promise.measured}; {runs} runs, {requests} requests")
    for name, side in sides.items():
        _say(f"  {name}: {side}")
    return 0 if promise.kept else 1


def _side(edits: Sequence[Edit], waits: Sequence[float | None], direction: Direction) -> Mapping[str, float]:
    known = [
        wait
        for edit, wait in zip(edits, waits, strict=True)
        if wait is not None and edit.target.change.direction is direction
    ]
    if len(known) < 2:
        return {"changes": len(known)}
    steps = quantiles(known, n=20)
    return {
        "changes": len(known),
        "median": round(median(known), 2),
        "p95": round(steps[-1], 2),
        "most": round(max(known), 2),
    }


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(measure())
