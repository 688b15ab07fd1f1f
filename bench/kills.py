"""Workers killed at random points among all faults of the sandbox: rows that were lost or doubled.

    python -m bench kills --kills 1000 --seed 1

Runs `python -m tests.chaos`, whose judge compares both systems, and reads its last verdict.
"""

import re
import subprocess
import sys
from pathlib import Path

from bench.promises import Promise, write_suite
from bench.report import publish
from bench.suites import RESULTS

SUITE = "kills"
_VERDICT = re.compile(r"^kills (\d+), faults (\d+) .*?, rows (\d+), lost (\d+), doubled (\d+);", re.MULTILINE)


def measure(kills: int = 1000, seed: int = 1, results: Path = RESULTS) -> int:
    """Kill so many workers; give 1 where a row was lost or doubled.

    Raises:
        RuntimeError: It ended without a verdict.
    """
    command = [sys.executable, "-m", "tests.chaos", "--kills", str(kills), "--seed", str(seed)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(ended.stdout)
    verdicts = _VERDICT.findall(ended.stdout)
    if not verdicts:
        raise RuntimeError("The chaos ended without a verdict: its reason stands above.")
    killed, faults, rows, lost, doubled = (int(each) for each in verdicts[-1])
    kept = ended.returncode == 0 and killed >= kills and not lost and not doubled
    measured = f"{lost} lost, {doubled} doubled of {rows:,} ({killed:,} kills, {faults:,} faults)"
    promise = Promise(f"{kills:,} kills at random points", "0 rows lost, 0 doubled", measured, kept)
    counts = {"kills": killed, "faults": faults, "rows": rows, "lost": lost, "doubled": doubled}
    write_suite(results, SUITE, [promise], seed=seed, **counts)
    publish(results, SUITE, f"{promise.what}: {measured}.")
    return 0 if kept else 1
