"""What happens in a run of chaos, from its seed alone: changes, faults, workers, and when they die."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from tests.chaos.changes import WEIGHTS
from tests.chaos.faults import held_back, random_faults

MAPS = (
    "units",
    "workers",
    "customers",
    "resource_roles",
    "contract_headers",
    "funding_sources",
    "projects",
    "project_tasks",
    "actuals",
    "transaction_connections",
    "invoice_proposals",
)
STEPS_A_ROUND = 4
# Calls that a worker makes there in its life, more or less.
_PLACES = {
    "projops/extract/": 300,
    "projops/validate/": 60,
    "projops/transform/": 300,
    "projops/load/": 800,
    "projops/state/": 500,
    "projops/systems/": 3000,
}
_COMMITS = 25
_LONGEST_LIFE = 1.5
_LONGEST_FREEZE = 4.0


class Way(Enum):
    """How a worker ends.

    LIVES: by itself. TIME: killed from outside after some seconds. CALL: killed at the n-th call, or
    return, of some functions. ANSWER: killed from outside, while a system keeps its answer to a write
    back. FREEZE: not killed, but stopped at such a call for some seconds, as a machine that sleeps.
    """

    LIVES = "lives"
    TIME = "time"
    CALL = "call"
    ANSWER = "answer"
    FREEZE = "freeze"


@dataclass(frozen=True, slots=True)
class Death:
    """When a worker is killed, or freezes.

    Attributes:
        way: How it ends.
        place: Part of the path of the file whose calls are counted.
        function: Which function there; "" for all.
        count: Which call; from 1.
        after: Whether at its return instead of at its begin.
        loading: Whether to count only from the begin of a load.
        seconds: Life for `Way.TIME`, sleep for `Way.FREEZE`.
    """

    way: Way
    place: str = ""
    function: str = ""
    count: int = 1
    after: bool = False
    loading: bool = False
    seconds: float = 0.0

    @classmethod
    def at_commit(cls, way: Way, count: int, *, after: bool, seconds: float = 0.0) -> Self:
        """Die, or freeze, before or after the n-th commit to the state took effect."""
        place = "sqlalchemy/engine/default.py"
        return cls(way, place, "do_commit", count, after, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Run:
    """One worker: a process that runs whole legs.

    Attributes:
        maps: Maps to move.
        mode: "incremental" or "full".
        again: Whether it goes on under the run id of an earlier worker, as Airflow's second try does.
        death: Its end.
    """

    maps: tuple[str, ...]
    mode: str
    again: bool
    death: Death


@dataclass(frozen=True, slots=True)
class Change:
    """Something that people do, with the seed of its own choices."""

    name: str
    seed: int

    def draw(self) -> random.Random:
        """Its own choices."""
        return random.Random(self.seed)


@dataclass(frozen=True, slots=True)
class Step:
    """Changes, then workers that run at the same time, among faults or among more changes.

    Attributes:
        before: Changes before the workers start.
        meanwhile: Changes while they run; only where there are no faults.
        faults: Rules for the sandbox.
        runs: The workers.
    """

    before: Sequence[Change]
    meanwhile: Sequence[Change]
    faults: Sequence[Mapping[str, Any]]
    runs: Sequence[Run]


def round_of(seed: int, number: int) -> list[Step]:
    """Derive a round from the seed of the whole and its number."""
    draw = random.Random(f"{seed}/{number}")
    return [_step(draw) for _ in range(STEPS_A_ROUND)]


def _step(draw: random.Random) -> Step:
    faulty = draw.random() < 0.6
    runs = _runs(draw)
    held = [held_back(draw)] if any(run.death.way is Way.ANSWER for run in runs) else []
    return Step(
        before=_changes(draw, draw.randint(1, 6)),
        meanwhile=() if faulty else _changes(draw, draw.randint(0, 3)),
        faults=(*held, *(random_faults(draw) if faulty else ())),
        runs=runs,
    )


def _changes(draw: random.Random, count: int) -> list[Change]:
    names = draw.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count)
    return [Change(name, draw.getrandbits(32)) for name in names]


def _runs(draw: random.Random) -> list[Run]:
    """Two to four workers; now and then all of them for the same maps."""
    first = _maps(draw)
    same = draw.random() < 0.3
    return [_run(draw, first if same else _maps(draw)) for _ in range(draw.choice((2, 3, 4)))]


def _maps(draw: random.Random) -> tuple[str, ...]:
    chosen = set(draw.sample(MAPS, draw.choice((1, 2, 2, 3))))
    return tuple(each for each in MAPS if each in chosen)


def _run(draw: random.Random, maps: tuple[str, ...]) -> Run:
    mode = "full" if draw.random() < 0.1 else "incremental"
    return Run(maps, mode, draw.random() < 0.3, _death(draw))


def _death(draw: random.Random) -> Death:
    way = draw.choices(list(Way), (1, 3, 10, 2, 2))[0]
    after = draw.random() < 0.5
    seconds = draw.uniform(0.0, _LONGEST_FREEZE if way is Way.FREEZE else _LONGEST_LIFE)
    if draw.random() < 0.4:
        return Death.at_commit(way, _up_to(_COMMITS, draw), after=after, seconds=seconds)
    place, calls = draw.choice(list(_PLACES.items()))
    loading = draw.random() < 0.3
    return Death(way, place, "", _up_to(calls, draw), after, loading, seconds)


def _up_to(most: int, draw: random.Random) -> int:
    """A number from 1, small ones as often as large ones."""
    return max(1, round(math.pow(most, draw.random())))
