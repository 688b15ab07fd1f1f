"""The rounds: people change rows, systems fail, workers die; then peace, and judgement."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.chaos.books import Books
from tests.chaos.changes import ACTS
from tests.chaos.checker import Verdict, judge
from tests.chaos.plan import MAPS, Change, Run, Step, round_of
from tests.chaos.settling import settle
from tests.chaos.worker import Job, make_impatient
from tests.chaos.workers import Workers
from tests.e2e.engine.world import Databases, World, opened

_PARENTS = ("companies", "currencies", "products", "transaction_categories", "contract_lines")
_PATIENCE_SECONDS = 20.0
_SETTINGS = {
    "chunk_rows": 5,
    "package_rows": 2,
    "lease_seconds": 2.0,
    "request_budget": 10**9,
    "delete_share": 1.0,
    "delete_rows": 10**6,
}


@dataclass
class Tally:
    """What has happened so far.

    Attributes:
        kills: Workers killed.
        workers: Workers started.
        rounds: Rounds ended.
        rows: Rows compared by the last judgement.
        faults: Faults that the sandbox put in the way, by kind.
        errors: Errors that workers met, by type.
        bare: Errors of workers that are none of the engine's own, by place and text.
    """

    kills: int = 0
    workers: int = 0
    rounds: int = 0
    rows: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    bare: Counter[str] = field(default_factory=Counter)

    def read(self, log: Path) -> None:
        """Count what workers noted."""
        facts = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        self.errors = Counter(each["error"] for each in facts if "error" in each)
        self.bare = Counter(f"{each['at']}: {each['text']}" for each in facts if "bare" in each)


@dataclass
class Chaos:
    """A world in trouble.

    Attributes:
        seed: All rounds follow from it.
        books: What people did, and the world that they did it to.
        folder: Where workers note what became of their legs.
        workers: Starts them.
        tally: What has happened so far.
    """

    seed: int
    books: Books
    folder: Path
    workers: Workers = field(default_factory=Workers)
    tally: Tally = field(default_factory=Tally)
    _last_run: str = "none"

    @property
    def world(self) -> World:
        """Both systems, state and staging."""
        return self.books.world

    @property
    def log(self) -> Path:
        """What workers noted, a line of JSON each."""
        return self.folder / "workers.jsonl"

    def round(self) -> None:
        """Let the next round happen."""
        for step in round_of(self.seed, self.tally.rounds):
            self._step(step)
        self.tally.rounds += 1

    def judged(self) -> Verdict:
        """Let the engine come to rest, and judge what is there."""
        restless = settle(self.world, MAPS)
        verdict = judge(self.books, MAPS)
        self.books.in_step()
        self.tally.rows = verdict.rows
        self.tally.faults = Counter(self.world.control.get("/sandbox/stats").json()["faults"])
        self.tally.read(self.log)
        moving = [f"{leg} still moves {count} rows" for leg, count in restless.items()]
        return replace(verdict, unexplained=[*verdict.unexplained, *moving])

    def _step(self, step: Step) -> None:
        self.world.no_faults()
        self._change(step.before)
        self.world.faults(*step.faults)
        running = [self.workers.start(self._job(run)) for run in step.runs]
        self._change(step.meanwhile)
        self.tally.workers += len(running)
        self.tally.kills += self.workers.see_end(running, self._answer_is_held, _PATIENCE_SECONDS)

    def _change(self, changes: Sequence[Change]) -> None:
        for change in changes:
            ACTS[change.name](self.books, change.draw())

    def _job(self, run: Run) -> Job:
        if not run.again:
            self._last_run = uuid.uuid4().hex
        return Job(replace(self.world), self._last_run, run.maps, run.mode, run.death, self.log)

    def _answer_is_held(self) -> bool:
        """Whether the rule that holds an answer back has met its request."""
        rules = self.world.control.get("/sandbox/faults").json()["rules"]
        held = rules[0] if rules else {}
        return held.get("count") == 0 and bool(held.get("delay_seconds"))


@contextmanager
def begun(databases: Databases, folder: Path, seed: int) -> Iterator[Chaos]:
    """Start both systems, bring them in step, and make the first rows."""
    make_impatient()
    with opened(databases, folder) as calm:
        world = calm.with_settings(**_SETTINGS)
        calm.sync(*_PARENTS, *MAPS)
        calm.forget_requests()
        chaos = Chaos(seed, Books(world), folder)
        chaos.books.begin()
        try:
            yield chaos
        finally:
            chaos.workers.close()
            world.close()
