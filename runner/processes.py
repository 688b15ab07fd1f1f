"""Processes of ours: started in a session of their own, stopped for certain, remembered in a file."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from runner.errors import RunnerError

GRACE_SECONDS = 10.0
_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Process:
    """A process that we started.

    Attributes:
        name: What it is, for messages.
        pid: Process id, also of the session that it leads.
        created: When it began, in seconds since the epoch: with the pid it is unmistakable.
        log: File that holds what it prints.
        handle: The child as it was started; None where another process started it.
    """

    name: str
    pid: int
    created: float
    log: Path
    handle: "subprocess.Popen[bytes] | None" = field(default=None, compare=False, repr=False)

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        found = self._found()
        return found is not None and found.status() != psutil.STATUS_ZOMBIE

    def last_lines(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-_LAST_LINES:])

    def require_running(self) -> None:
        """Refuse to wait for what has ended.

        Raises:
            RunnerError: It has ended; shows the end of its log.
        """
        if not self.running:
            raise RunnerError(
                f"The {self.name} has stopped; see {self.log}, which ends:\n{self.last_lines()}"
            )

    def _found(self) -> psutil.Process | None:
        with suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.pid)
            if abs(found.create_time() - self.created) < 1:
                return found
        return None

    def family(self) -> list[psutil.Process]:
        """The process, its descendants, and what else is left in its session."""
        leader = self._found()
        if leader is None and psutil.pid_exists(self.pid):
            return []  # the number belongs to someone else by now
        family = set(_session(self.pid))
        with suppress(psutil.NoSuchProcess):
            family.update([leader, *leader.children(recursive=True)] if leader else [])
        return list(family)


def start(
    name: str, command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path
) -> Process:
    """Start a process in a session of its own, its output in a log file.

    Args:
        name: What it is, for messages.
        command: Program and arguments.
        environment: All of its environment.
        log: File to write; emptied first.
        folder: Working directory.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(name, started.pid, psutil.Process(started.pid).create_time(), log, started)


def stop(processes: Sequence[Process], grace: float = GRACE_SECONDS) -> None:
    """Stop processes and all that they started: ask, wait, insist, and see that they are gone.

    Args:
        processes: In the order in which they were started; asked in the reverse.
        grace: Seconds that all of them together have before they are killed.

    Raises:
        RunnerError: Something survived.
    """
    families = {found for process in processes for found in process.family()}
    for process in reversed(processes):
        if process.running:
            os.kill(process.pid, signal.SIGTERM)
    leaders = [found for found in families if found.pid in {process.pid for process in processes}]
    psutil.wait_procs(leaders, timeout=grace)
    alive = [found for found in families if _alive(found)]
    for found in alive:
        with suppress(psutil.NoSuchProcess):
            found.kill()
    _, survivors = psutil.wait_procs(alive, timeout=GRACE_SECONDS)
    for process in processes:
        if process.handle is not None:
            process.handle.wait(GRACE_SECONDS)
    if survivors:
        raise RunnerError(f"Processes {', '.join(str(found.pid) for found in survivors)} cannot be stopped.")


def _session(leader: int) -> Iterator[psutil.Process]:
    for found in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(found.pid) == leader:
                yield found


def _alive(found: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(found.is_running()) and found.status() != psutil.STATUS_ZOMBIE
    return False


def remember(processes: Sequence[Process], file: Path) -> None:
    """Write down what runs, so that another process can stop it."""
    rows = [
        {"name": each.name, "pid": each.pid, "created": each.created, "log": str(each.log)}
        for each in processes
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, indent=1))


def remembered(file: Path) -> list[Process]:
    """Read what was written down and still runs."""
    if not file.exists():
        return []
    rows = json.loads(file.read_text())
    found = [Process(row["name"], row["pid"], row["created"], Path(row["log"])) for row in rows]
    return [process for process in found if process.running]
