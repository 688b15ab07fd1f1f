"""`python -m bench <suite> [options]`, or `python -m bench all`: figures in `results/`, tables in the README.

`all` runs each suite as a process of its own, so that one that fails hides no other, and ends with one
table of what is promised in numbers. It gives 1 where a promise is broken or was not measured.
"""

import subprocess
import sys
import time

from bench.suites import RESULTS, SUITES, Suite
from bench.summary import summarize


def main(arguments: list[str]) -> int:
    """Run what is asked for."""
    match arguments:
        case ["all"]:
            return all_suites()
        case ["summary"]:
            return summarize([])
        case [name, *options] if name in SUITES:
            return SUITES[name].run(options)
    sys.stderr.write("python -m bench all|summary, or a suite; --help behind it shows its options:\n")
    sys.stderr.writelines(f"  {suite.name:<12}{suite.what}\n" for suite in SUITES.values())
    return 2


def all_suites() -> int:
    """Run all suites, one after another, and put what they found together."""
    broken = [suite.name for suite in SUITES.values() if not _completed(suite)]
    return summarize(broken)


def _completed(suite: Suite) -> bool:
    """Run a suite; one that has kept its figures has completed, whether its promises are kept or not."""
    kept, began = RESULTS / f"{suite.name}.json", time.time()
    options = [text for name, number in (suite.smaller or {}).items() for text in (f"--{name}", str(number))]
    sys.stdout.write(f"\n== {suite.name}: {suite.what}\n")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "bench", suite.name, *options], check=False)
    return kept.exists() and kept.stat().st_mtime >= began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
