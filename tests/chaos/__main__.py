"""Kill workers until enough have died, and say whether anything was lost or doubled.

python -m tests.chaos --kills 1000 --seed 7
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.chaos.chaos import Chaos, begun
from tests.chaos.checker import Verdict
from tests.contract.process import postgres
from tests.e2e.engine.world import Databases

_ROUNDS_BETWEEN_JUDGEMENTS = 10


def main() -> int:
    """Run rounds until enough workers were killed or time is up; 1 where the verdict is bad."""
    asked = _arguments().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    with _databases(asked.database, folder) as databases, begun(databases, folder, asked.seed) as chaos:
        verdict = until_enough(chaos, asked.kills, asked.seconds)
        say(chaos, verdict)
    return 0 if verdict.clean and not chaos.tally.bare else 1


def until_enough(chaos: Chaos, kills: int, seconds: float) -> Verdict:
    """Go on until enough workers were killed, time is up or a judgement is bad; give the last one."""
    deadline = time.monotonic() + seconds
    while True:
        chaos.round()
        over = chaos.tally.kills >= kills or time.monotonic() > deadline
        if over or chaos.tally.rounds % _ROUNDS_BETWEEN_JUDGEMENTS == 0:
            verdict = chaos.judged()
            if over or not verdict.clean:
                return verdict
            say(chaos, verdict)


def say(chaos: Chaos, verdict: Verdict) -> None:
    """Print the figures, what is wrong, and how to see it again."""
    sys.stdout.write("\n".join(_lines(chaos, verdict)) + "\n")
    sys.stdout.flush()


def _lines(chaos: Chaos, verdict: Verdict) -> Iterator[str]:
    tally = chaos.tally
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(tally.faults.items()))
    yield (
        f"kills {tally.kills}, faults {tally.faults.total()} ({kinds}), rows {verdict.rows}, "
        f"lost {len(verdict.lost)}, doubled {len(verdict.doubled)}; "
        f"workers {tally.workers}, rounds {tally.rounds}, seed {chaos.seed}"
    )
    yield f"  errors that workers met: {dict(tally.errors)}"
    for title in ("lost", "doubled", "unexplained"):
        yield from (f"  {title}: {line}" for line in getattr(verdict, title))
    yield from (f"  bare error ({count} times): {line}" for line, count in tally.bare.items())
    if not verdict.clean:
        yield f"  again: python -m tests.chaos --seed {chaos.seed} --kills {tally.kills}"
        yield f"  logs: {chaos.folder}"


@contextmanager
def _databases(name: str, folder: Path) -> Iterator[Databases]:
    sandbox = f"sqlite:///{folder / 'sandbox.db'}"
    if name == "sqlite":
        yield Databases(sandbox, f"sqlite:///{folder / 'state.db'}")
        return
    with postgres() as server:
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE state"))
        engine.dispose()
        state = make_url(server).set(database="state").render_as_string(hide_password=False)
        yield Databases(sandbox, state)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="workers to kill (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="all rounds follow from it (default 1)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="start no round later (no limit)")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite", help="of the state")
    return parser


if __name__ == "__main__":
    sys.exit(main())
