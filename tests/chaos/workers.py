"""Workers forked from a server that has everything loaded, killed and waited for."""

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

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
    """

    process: BaseProcess
    death: Death
    began: float = field(default_factory=time.monotonic)

    def is_due(self, now: float, answer_is_held: Callable[[], bool]) -> bool:
        """Say whether it is to be killed from outside now."""
        if self.death.way is Way.TIME:
            return now - self.began >= self.death.seconds
        return self.death.way is Way.ANSWER and answer_is_held()


class Workers:
    """Starts workers and sees them end."""

    def __init__(self) -> None:
        """Prepare the server; it starts with the first worker."""
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.worker"])

    def start(self, job: Job) -> Running:
        """Fork a worker."""
        process = self._context.Process(target=work, args=(job,))
        process.start()
        return Running(process, job.death)

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
        return sum(each.process.exitcode == _KILLED for each in workers)
