"""What we start is stopped for certain, with all that it started itself."""

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from runner.errors import RunnerError
from runner.processes import Process, remember, remembered, start, stop
from runner.waiting import until

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, threading\\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\\nthreading.Event().wait()"])
print(child.pid, flush=True)
child.wait()
"""
LEAVES_AN_ORPHAN = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
print(child.pid, flush=True)
"""

Run = Callable[[str], Process]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return lambda program: start("program", [sys.executable, "-c", program], {}, tmp_path / "log", tmp_path)


def child_of(process: Process) -> psutil.Process:
    pid = until(lambda: process.log.read_text().strip() or None, "the child's pid", 30, [])
    return psutil.Process(int(pid))


def test_what_ignores_the_signal_is_killed_with_its_children(run: Run) -> None:
    process = run(STUBBORN)
    child = child_of(process)
    stop([process], grace=0.2)
    assert not process.running
    assert not child.is_running()


def test_orphans_of_a_dead_leader_are_stopped_too(run: Run) -> None:
    process = run(LEAVES_AN_ORPHAN)
    orphan = child_of(process)
    until(lambda: (not process.running) or None, "the leader's end", 30, [])
    assert orphan.is_running()
    stop([process], grace=0.2)
    assert not orphan.is_running()


def test_another_process_of_the_same_number_is_left_alone(run: Run) -> None:
    process = run(STUBBORN)
    child_of(process)
    stranger = Process(process.name, process.pid, process.created - 60, process.log)
    assert not stranger.running
    assert stranger.family() == []
    stop([stranger], grace=0.1)
    assert process.running
    stop([process], grace=0.1)


def test_what_runs_is_remembered_until_it_ends(run: Run, tmp_path: Path) -> None:
    process = run(STUBBORN)
    file = tmp_path / "processes.json"
    remember([process], file)
    assert remembered(file) == [process]
    stop([process], grace=0.1)
    assert remembered(file) == []


def test_waiting_for_what_has_ended_shows_the_end_of_its_log(run: Run) -> None:
    process = run("import sys; print('no such table'); sys.exit(3)")
    with pytest.raises(RunnerError, match="The program has stopped; see .*log, which ends:\nno such table"):
        until(lambda: None, "the program", 30, [process])
    stop([process])


def test_waiting_in_vain_names_what_was_waited_for() -> None:
    with pytest.raises(RunnerError, match="Waited 0 s for rain in vain"):
        until(lambda: None, "rain", 0, [])
