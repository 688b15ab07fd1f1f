"""Plant differences into filled maps and see whether the reconciliation finds all of them and nothing else.

python -m tests.plantings --count 10000 --maps 20 --seed 7
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.chaos.worker import make_impatient
from tests.contract.process import postgres
from tests.e2e.engine.world import Databases, opened
from tests.plantings.filling import COPIES, fill
from tests.plantings.score import Score, table
from tests.plantings.trial import Repaired, Trial, begun

# Beside the copied maps those whose rows the demo, or `documents`, has in plenty.
MAPS = (*COPIES, "exchange_rates", "project_tasks", "expense_categories", "expenses")
_FEWEST_ROWS = 60


def main() -> int:
    """Plant, judge, repair and judge again; 1 unless precision and recall are 1.0 and the repair is whole."""
    asked = _arguments().parse_args()
    make_impatient()
    maps = sorted(random.Random(asked.seed).sample(MAPS, asked.maps))
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="plantings-"))
        databases = stack.enter_context(_databases(asked.database, folder))
        world = stack.enter_context(opened(databases, Path(folder)))
        fill(world, databases.sandbox, maps, max(_FEWEST_ROWS, asked.count * 3 // 2 // len(maps)))
        trial = stack.enter_context(begun(world, databases.sandbox, maps))
        return tried(trial, asked.count, asked.seed, began)


def tried(trial: Trial, count: int, seed: int, began: float) -> int:
    """Plant into maps in step, judge, repair and judge again; give the exit code."""
    differing = [*trial.entries(), *trial.reconcile().cells]
    _say([f"in step before anything was planted: {not differing}"], began)
    trial.plant(count, seed)
    served = trial.served()
    _say([f"{len(trial.plantings)} plantings in {len(trial.maps)} maps, all served: {not served}"], began)
    at_once = trial.at_once()
    _say(_of_score("at once", at_once), began)
    later = trial.later()
    _say([*_of_score("after a run of all legs", later), *table(trial.plantings, later)], began)
    repaired = trial.repaired()
    _say(_of_repair(repaired), began)
    right = at_once.perfect and later.perfect and not repaired.wrong and not differing and not served
    _say([f"{'right' if right else 'WRONG'}; seed {seed}"], began)
    return 0 if right else 1


def _of_score(when: str, score: Score) -> Iterator[str]:
    yield (
        f"{when}: {score.due} to be reported, {score.reported} reported; recall {score.recall:.6f}, "
        f"precision {score.precision:.6f}, said wrongly {len(score.wrong)}"
    )
    yield from (f"  missed: {cell}" for cell in score.missed)
    yield from (f"  invented: {cell}: {said}" for cell, said in score.invented)
    yield from (f"  wrong: {sentence}" for sentence in score.wrong)


def _of_repair(done: Repaired) -> Iterator[str]:
    yield f"repair: {done.drift} had drifted, {len(done.left)} are left, wrongly {len(done.wrong)}"
    why = Counter((each.kind, each.verdict, each.explanation) for each in done.left.values())
    yield from (f"  {count} {kind}, {what}: {text}" for (kind, what, text), count in why.most_common(20))
    yield from (f"  said: {sentence}" for sentence in done.sentences)
    yield from (f"  wrong: {cell}: {done.left[cell]}" for cell in done.wrong)


def _say(lines: Sequence[str] | Iterator[str], began: float) -> None:
    first, *rest = lines
    sys.stdout.write("\n".join((f"[{time.monotonic() - began:4.0f} s] {first}", *rest)) + "\n")
    sys.stdout.flush()


@contextmanager
def _databases(name: str, folder: str) -> Iterator[Databases]:
    if name == "sqlite":
        yield Databases(f"sqlite:///{folder}/sandbox.db", f"sqlite:///{folder}/state.db")
        return
    with postgres() as server:
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE state"))
        engine.dispose()
        yield Databases(server, make_url(server).set(database="state").render_as_string(hide_password=False))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.plantings", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="plantings (default 10,000)")
    parser.add_argument("--maps", type=int, default=20, help=f"maps, up to {len(MAPS)} (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="all that is planted follows from it (default 1)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite", help="of both")
    return parser


if __name__ == "__main__":
    sys.exit(main())
