"""Airflow's share: DAG files parsed, and tasks and chains of tasks under its scheduler.

Tasks run as in `make demo`: four components, LocalExecutor, both systems in the sandbox, which holds somewhat
more than a thousand actuals, since not all of them go. How long a task took is what Airflow itself says; a
run is timed from its trigger to its end, of which the API is asked four times a second.

    python -m bench airflow --repeats 5
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import machine
from bench.promises import Promise, write_suite
from bench.report import measured_on, publish
from bench.suites import RESULTS
from projops.mapping.model import Direction
from runner.api import FINAL
from runner.layout import ROOT, Layout, free_port
from runner.moves import counts_of, run_areas
from runner.stack import Stack, running
from runner.waiting import until

SUITE = "airflow"
ROWS = 1000
_PARSE_SECONDS, _VALIDATE_SECONDS = 0.3, 1.0
_RUN_SECONDS = 600.0
_ACTUALS = ("actuals", Direction.DATAVERSE_TO_FINANCE.value)
_FEW, _MANY, _NOTHING = "few rows", f"{ROWS:,} rows", "nothing changed"


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of an area.

    Attributes:
        case: What it had to move, in a few words.
        seconds: From its trigger to its end.
        tasks: Seconds of each task that took a process, in the order in which they ran.
    """

    case: str
    seconds: float
    tasks: Mapping[str, float]


def measure(repeats: int = 5, results: Path = RESULTS) -> int:
    """Parse and run, each as often as asked; give 1 where a promise is broken."""
    parses = _parses(repeats)
    runs = _runs(repeats)
    promises = _promises(parses, runs)
    write_suite(results, SUITE, promises, parses=parses, runs=[asdict(each) for each in runs])
    publish(results, SUITE, f"{_table(parses, runs)}\n\n{measured_on(machine())}.")
    return 0 if all(promise.kept for promise in promises) else 1


def _parses(repeats: int) -> list[dict[str, Any]]:
    """Parse all DAG files in a process of its own, warm as the DAG processor is."""
    command = [sys.executable, "-m", "bench.dag_files", str(repeats)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"file"')]


def _runs(repeats: int) -> list[Ran]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Layout.in_folder(Path(folder)), free_port(), _say, f"scale:{ROWS + ROWS // 10}") as stack,
    ):
        for area in ("reference_data", "setup_and_configuration", "estimates_and_actuals"):
            stack.api.unpause(area)
            run_areas(stack, [area], _say)
        return [ran for _ in range(repeats) for ran in _one_of_each(stack)]


def _one_of_each(stack: Stack) -> list[Ran]:
    return [
        _run(stack, _FEW, "reference_data", {"maps": ["companies"]}),
        _run(stack, _MANY, "estimates_and_actuals", {"maps": [_ACTUALS[0]], "mode": "full"}),
        _run(stack, _NOTHING, "setup_and_configuration", {}),
    ]


def _run(stack: Stack, case: str, area: str, form: Mapping[str, Any]) -> Ran:
    """Trigger a run and wait for its end.

    Raises:
        AssertionError: It failed, or had other rows to move than the case says.
    """
    began = time.perf_counter()
    run_id = stack.api.trigger(area, form)
    state = until(partial(_ended, stack, area, run_id), f"the run {run_id}", _RUN_SECONDS, stack.processes)
    seconds = time.perf_counter() - began
    told = [task for task in stack.api.tasks(area, run_id) if task.state == "success" and task.seconds]
    read = sum(counts.read for counts in counts_of(stack, [(area, run_id)]).values())
    if state != "success" or (case == _NOTHING) != (read == 0) or (case == _MANY and read < ROWS):
        raise AssertionError(f"{case}: the run {run_id} of {area} ended as {state} with {read} rows.")
    return Ran(case, round(seconds, 2), {task.task_id: round(task.seconds, 3) for task in told})


def _ended(stack: Stack, area: str, run_id: str) -> str | None:
    state = stack.api.run_state(area, run_id)
    return state if state in FINAL else None


def _promises(parses: Sequence[Mapping[str, Any]], runs: Sequence[Ran]) -> list[Promise]:
    slowest = max(_seconds_of_files(parses).values())
    heavy = sorted({name for each in parses for name in each["heavy"]})
    task = f"{'__'.join(_ACTUALS)}.validate"
    validate = median(each.tasks[task] for each in runs if each.case == _MANY)
    return [
        Promise(
            "a DAG file in the DAG processor, the slowest",
            f"{_PARSE_SECONDS} s or less, no heavy library",
            f"{slowest:.2f} s, {', '.join(heavy) or 'none'}",
            slowest <= _PARSE_SECONDS and not heavy,
        ),
        Promise(
            f"a validate task of {ROWS:,} rows under the scheduler",
            f"{_VALIDATE_SECONDS:.0f} s or less",
            f"{validate:.2f} s",
            validate <= _VALIDATE_SECONDS,
        ),
        Promise(
            "a run of an area in which nothing changed",
            "one task",
            f"{max(len(each.tasks) for each in runs if each.case == _NOTHING)} task",
            all(len(each.tasks) == 1 for each in runs if each.case == _NOTHING),
        ),
    ]


def _seconds_of_files(parses: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    files = dict.fromkeys(each["file"] for each in parses)
    return {file: median(each["seconds"] for each in parses if each["file"] == file) for file in files}


def _table(parses: Sequence[Mapping[str, Any]], runs: Sequence[Ran]) -> str:
    lines = ["| run | from trigger to end, s | tasks, s each |", "|---|---:|---|"]
    for case in dict.fromkeys(each.case for each in runs):
        of_case = [each for each in runs if each.case == case]
        names = list(of_case[0].tasks)
        tasks = {name: median(each.tasks.get(name, 0.0) for each in of_case) for name in names}
        shown = ", ".join(f"{name.rpartition('.')[2]} {seconds:.2f}" for name, seconds in tasks.items())
        lines.append(f"| {case} | {median(each.seconds for each in of_case):.1f} | {shown} |")
    lines += ["", "| DAG file | parsed in, ms |", "|---|---:|"]
    return "\n".join(
        [*lines, *(f"| {file} | {1000 * each:.0f} |" for file, each in _seconds_of_files(parses).items())]
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
