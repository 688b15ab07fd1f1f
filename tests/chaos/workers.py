"""Workers forked from a server that has everything loaded, killed and waited for."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

import psutil

from runner.errors import RunnerError
from runner.layout import ROOT
from tests.chaos.plan import Death, Way
from tests.chaos.worker import Job, work

_KILLED = -9
_LOOK_SECONDS = 0.02


@dataclass(slots=True)
class Running:
    """A worker that was started.

    Attributes:
        process: The process.
        death: How it ends.
        began: `time.monotonic()` at its start.
        froze: `time.monotonic()` when it was first seen frozen; None while it was not.
    """

    process: BaseProcess
    death: Death
    began: float = field(default_factory=time.monotonic)
    froze: float | None = None

    @property
    def frozen(self) -> bool:
        """Whether it is stopped."""
        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED)
        return False

    def freeze(self) -> None:
        """Stop it where it is."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid or 0, signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on after a freeze."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid or 0, signal.SIGCONT)

    def is_due(self, now: float, answer_is_held: Callable[[], bool]) -> bool:
        """Say whether it is to be killed from outside now."""
        if self.death.way is Way.TIME:
            return now - self.began >= self.death.seconds
        return self.death.way is Way.ANSWER and answer_is_held()

    def sleep_is_over(self, now: float) -> bool:
        """Say whether it is frozen, and has been for as long as it was to be."""
        if self.death.way is not Way.FREEZE or not self.frozen:
            return False
        self.froze = self.froze or now
        return now - self.froze >= self.death.seconds


class Workers:
    """Starts workers and sees them end."""

    def __init__(self) -> None:
        """Prepare the server; it starts with the first worker."""
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.worker"])
        self._started: list[BaseProcess] = []

    def start(self, job: Job) -> Running:
        """Fork a worker."""
        process = self._context.Process(target=work, args=(job,))
        process.start()
        self._started.append(process)
        return Running(process, job.death)

    def let_work(self, seconds: float) -> None:
        """Wait so long.

        Raises:
            RunnerError: One of them has ended before.
        """
        if ended := wait([process.sentinel for process in self._started], seconds):
            raise RunnerError(f"{len(ended)} of {len(self._started)} workers had nothing left to do.")

    def close(self) -> None:
        """Kill those that are left, such as one that was never woken."""
        for process in self._started:
            process.kill()

    def see_end(self, workers: Sequence[Running], answer_is_held: Callable[[], bool], patience: float) -> int:
        """Kill those whose time has come, and all that are left when patience is over; wait for all.

        Returns:
            How many were killed.
        """
        deadline = time.monotonic() + patience
        alive = list(workers)
        while alive:
            wait([each.process.sentinel for each in alive], _LOOK_SECONDS)
            alive = [each for each in alive if each.process.exitcode is None]
            now = time.monotonic()
            for each in alive:
                if now > deadline or each.is_due(now, answer_is_held):
                    each.process.kill()
                elif each.sleep_is_over(now):
                    each.wake()
        return sum(each.process.exitcode == _KILLED for each in workers)
