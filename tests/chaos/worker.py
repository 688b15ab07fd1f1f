"""A worker of chaos: a process that runs whole legs, as a task or the command line does, until it dies.

The module is loaded once, by the server that workers are forked from, so that each of them costs
some milliseconds.
"""

import asyncio
import functools
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import projops.engine
from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.pipeline import detect, extract, load, transform, validate
from projops.run import LegRef, RunRequest
from projops.systems.retries import RetryPolicy
from projops.systems.session import ODataSession
from tests.chaos.plan import Death, Way
from tests.e2e.engine.world import AREAS, World

_SIGNALS = {Way.CALL: signal.SIGKILL, Way.FREEZE: signal.SIGSTOP}
_PATIENCE = RetryPolicy(attempts=3, base=0.01, longest=0.02)
_LONGEST_PAUSE = 0.02
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do.

    Attributes:
        world: Where the systems, the state and the staging area are.
        run_id: Run.
        maps: Maps to move.
        mode: "incremental" or "full".
        death: Its end.
        log: File to which it appends a line of JSON for each leg.
        hasty: Whether to ask again soon what fails, instead of when it is polite.
    """

    world: World
    run_id: str
    maps: tuple[str, ...]
    mode: str
    death: Death
    log: Path
    hasty: bool = True


def work(job: Job) -> None:
    """Run the legs that are due, one after another; one that fails does not stop the others."""
    if job.hasty:
        make_impatient()
    if not job.death.loading:
        arm(job.death)
    with job.world.engine() as engine:
        for area in AREAS:
            named = tuple(each for each in job.maps if engine.map(each).area == area)
            if named:
                _area(job, engine, area, RunRequest("chaos", job.run_id, named, mode=job.mode, manual=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
    note(job.log, {"run": job.run_id, "ended": True, "peak_megabytes": round(peak / 2**20, 1)})


def make_impatient() -> None:
    """Ask again soon what fails: waits are as many as ever, and short."""

    async def pause(seconds: float) -> None:
        await asyncio.sleep(min(seconds, _LONGEST_PAUSE))

    session = functools.partial(ODataSession, policy=_PATIENCE, pause=pause)
    vars(projops.engine)["ODataSession"] = session


def note(log: Path, fact: dict[str, Any]) -> None:
    """Append a line; short ones of several processes do not mix."""
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(fact) + "\n")


def _area(job: Job, engine: Engine, area: str, request: RunRequest) -> None:
    due: list[LegRef] = []
    _noting(job, area, lambda: due.extend(detect(engine, area, request)))
    for ref in due:
        _noting(job, str(ref), functools.partial(_leg, job, engine, ref, request))


def _leg(job: Job, engine: Engine, ref: LegRef, request: RunRequest) -> None:
    staged = transform(engine, validate(engine, extract(engine, ref, request)))
    if job.death.loading:
        arm(job.death)
    outcome = load(engine, staged)
    note(job.log, {"run": job.run_id, "at": str(ref), "read": outcome.read, "loaded": outcome.loaded})


def _noting(job: Job, what: str, act: Callable[[], object]) -> None:
    """Act; an error of the engine's own kind is ordinary here, any other is a finding."""
    try:
        act()
    except ProjOpsError as error:
        note(
            job.log, {"run": job.run_id, "at": what, "error": type(error).__name__, "text": str(error)[:500]}
        )
    except Exception as error:
        text = f"{type(error).__name__}: {error}"[:500]
        note(job.log, {"run": job.run_id, "at": what, "bare": type(error).__name__, "text": text})


def arm(death: Death) -> None:
    """Make this process kill itself by SIGKILL, or stop by SIGSTOP, at a call."""
    if death.way not in _SIGNALS:
        return
    wanted = "return" if death.after else "call"
    known: dict[CodeType, bool] = {}
    left = death.count

    def look(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        if event != wanted:
            return
        code = frame.f_code
        if code not in known:
            known[code] = death.place in code.co_filename and death.function in ("", code.co_name)
        if known[code]:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), _SIGNALS[death.way])

    threading.setprofile(look)
    sys.setprofile(look)
