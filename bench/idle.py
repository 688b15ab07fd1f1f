"""What it costs to watch maps in which nothing changes: processor time, and requests a day.

Airflow's processes are watched for some minutes with our DAGs paused, then with them at work, in turn. The
DAG processor reads our files all the same; what that costs hangs on a setting of Airflow, and is told apart.
The time of processes that have ended in between is their parents' by then. Every five minutes the clock has
each area looked at; a window with our DAGs is as long, so that it has one look of every area.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil

from bench.promises import Promise, write_suite
from bench.suites import RESULTS
from runner.layout import Layout, free_port
from runner.moves import all_runs, run_until_in_step
from runner.stack import AREAS, Stack, running
from runner.waiting import until

_ASKED_SHARE = 0.01
_BUDGET = 50_000
_DAY = 86_400
_PARSER = "dag-processor"
_MOST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Window:
    """Some minutes of a stack in which nothing changes.

    Attributes:
        watched: Whether our DAGs were at work.
        seconds: How long.
        processor: Processor time of each of Airflow's processes and all that they started, in seconds.
        runs: Runs of our DAGs that began.
        requests: Requests that both systems were sent.
    """

    watched: bool
    seconds: float
    processor: Mapping[str, float]
    runs: int
    requests: int

    @property
    def share(self) -> float:
        """Share of one core that they took, the DAG processor left out."""
        return sum(used for name, used in self.processor.items() if name != _PARSER) / self.seconds


def measure(seconds: int = 300, rounds: int = 1, results: Path = RESULTS) -> int:
    """Measure; give 1 where a promise is broken.

    Args:
        seconds: How long our DAGs are at work in a round; a multiple of five minutes.
        rounds: Pairs of windows.
        results: Folder of the figures.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Layout.in_folder(Path(folder)), free_port(), _say) as stack,
    ):
        run_until_in_step(stack, _say)
        # At rest Airflow does the same every second: half a window tells what that costs.
        lengths = {False: seconds // 2, True: seconds}
        windows = [_window(stack, *each) for _ in range(rounds) for each in lengths.items()]
    return _report(windows, results)


def _window(stack: Stack, watched: bool, seconds: int) -> Window:
    for area in AREAS:
        stack.api.set_paused(area, not watched)
    _wait_for_rest(stack)
    requests, runs, before = _requests(stack), len(all_runs(stack.api)), _processor(stack)
    began = time.monotonic()
    until(lambda: time.monotonic() >= began + seconds or None, "the window", 2 * seconds, stack.processes)
    after, took = _processor(stack), time.monotonic() - began
    used = {name: round(after[name] - before[name], 2) for name in after}
    window = Window(watched, took, used, len(all_runs(stack.api)) - runs, _requests(stack) - requests)
    _say(f"{'watched' if watched else 'paused'}: {window.share:.2%} of a core, {window.runs} runs, {used}")
    return window


def _wait_for_rest(stack: Stack) -> None:
    """Wait until no run is under way."""

    def rested() -> bool | None:
        states = (state for area in AREAS for _, state in stack.api.runs(area)[:3])
        return None if {"queued", "running"} & set(states) else True

    until(rested, "the runs to end", _MOST_SECONDS, stack.processes)


def _processor(stack: Stack) -> Mapping[str, float]:
    """Processor time of each of Airflow's processes so far, with that of all that they have started."""
    return {each.name: sum(map(_used, each.family())) for each in stack.processes if each.name != "sandbox"}


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # its parent has its time by now
    return float(times.user + times.system + times.children_user + times.children_system)


def _requests(stack: Stack) -> int:
    answer = httpx.get(f"{stack.sandbox.control}/sandbox/stats?writes=false", timeout=60, trust_env=False)
    document: Mapping[str, Any] = answer.raise_for_status().json()
    return sum(line["count"] for line in document["requests"])


def _report(windows: list[Window], results: Path) -> int:
    paused = [each for each in windows if not each.watched]
    watched = [each for each in windows if each.watched]
    more = median(each.share for each in watched) - median(each.share for each in paused)
    requests = round(median(each.requests * _DAY / each.seconds for each in watched))
    processes = {
        name: round(_share(watched, name) - _share(paused, name), 5) for name in watched[0].processor
    }
    promises = [
        Promise(
            "all watched maps at rest, processor time beside Airflow's own",
            "less than 1 % of a core",
            f"{more:.2%}",
            more < _ASKED_SHARE,
        ),
        Promise(
            "all watched maps at rest, requests to both systems",
            f"{_BUDGET:,} a day or less",
            f"{requests:,}",
            requests <= _BUDGET,
        ),
    ]
    facts = {
        "windows": [
            {
                "watched": each.watched,
                "seconds": round(each.seconds),
                "share": round(each.share, 5),
                "runs": each.runs,
                "requests": each.requests,
                "processor": each.processor,
            }
            for each in windows
        ],
        "more_by_process": processes,
        "parsing": round(_share(windows, _PARSER), 5),
    }
    write_suite(results, "idle", promises, **facts)
    for promise in promises:
        _say(f"{promise.what}: {promise.measured} (asked: {promise.asked})")
    _say(f"By process: {processes}")
    return 0 if all(promise.kept for promise in promises) else 1


def _share(windows: list[Window], name: str) -> float:
    return median(each.processor[name] / each.seconds for each in windows)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(measure())
