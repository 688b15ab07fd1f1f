"""`python -m bench sandbox`: measure, write `bench/results/*.json`, and put the table into the README."""

import argparse
import sys
from pathlib import Path

from bench.report import write_report
from bench.sandbox_suite import Plan, measure_sandbox

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"


def main(arguments: list[str]) -> int:
    """Run one suite."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks: medians of runs")
    suites = parser.add_subparsers(dest="suite", required=True)
    sandbox = suites.add_parser("sandbox", help="how fast the sandbox reads, writes and is filled, on SQLite")
    sandbox.add_argument("--rows", type=int, default=100_000, help="actuals that the sandbox is filled with")
    sandbox.add_argument("--repeats", type=int, default=3, help="how often each is measured")
    options = parser.parse_args(arguments)
    report = measure_sandbox(Plan(options.rows, options.repeats))
    write_report(report, RESULTS, README)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
