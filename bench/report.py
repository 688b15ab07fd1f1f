"""Reports written: one JSON file a suite, and its table between markers of the README."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Report, machine
from bench.promises import Promise, write_suite


def write_report(report: Report, results: Path, promises: Sequence[Promise] = ()) -> None:
    """Keep a report as `results/<suite>.json`, and publish its table.

    Raises:
        ValueError: The README lacks the suite's markers.
    """
    write_suite(results, report.suite, promises, **report.document())
    below = f"{measured_on(machine())}; the server's largest resident set was {report.peak_mb} MB."
    publish(results, report.suite, f"{_table(report)}\n\n{below}")


def publish(results: Path, suite: str, text: str) -> None:
    """Print a text, and put it between the markers of its suite in the README above `results`.

    Raises:
        ValueError: There is a README, which lacks the suite's markers.
    """
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    readme = results.parent / "README.md"
    if readme.exists():
        insert(readme, suite, text)


def insert(file: Path, name: str, text: str) -> None:
    """Put a text between the markers of that name.

    Raises:
        ValueError: The file lacks them.
    """
    file.write_text(_between(file.read_text(encoding="utf-8"), name, text), encoding="utf-8")


def measured_on(at: Mapping[str, Any]) -> str:
    """Say when (today), on which machine, and beside what load something was measured."""
    return f"Measured {datetime.now(UTC):%Y-%m-%d} {on_machine(at)}, whose load was {at['load']} at the end"


def on_machine(at: Mapping[str, Any]) -> str:
    """Name the machine."""
    return f"on {at['cores']} cores ({at['processor']}, Python {at['python']})"


def _table(report: Report) -> str:
    lines = ["| case | rows/s | rows per CPU-second of the server | target |", "|---|---:|---:|---:|"]
    for figure in report.figures:
        target = f"{figure.target:,}" if figure.target else ""
        speeds = f"{figure.rows_per_second:,} | {figure.rows_per_server_second:,}"
        lines.append(f"| {figure.case} | {speeds} | {target} |")
    return "\n".join(lines)


def _between(text: str, name: str, inserted: str) -> str:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"The README lacks the markers {begin} and {end}: the table has no place there.")
    return f"{head}{begin}\n{inserted}\n{end}{tail}"
