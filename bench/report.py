"""Reports written: one JSON file a suite, and its table between markers of the README."""

import json
import sys
from pathlib import Path

from bench.figures import Report


def write_report(report: Report, results: Path, readme: Path) -> None:
    """Keep a report as `results/<suite>.json`, put its table into `readme`, and print the table.

    Raises:
        ValueError: The README lacks the suite's markers.
    """
    document = report.document()
    results.mkdir(exist_ok=True)
    (results / f"{report.suite}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    machine = document["machine"]
    below = (
        f"Measured {document['measured_at'][:10]} on {machine['cores']} cores ({machine['processor']}, "
        f"Python {machine['python']}), whose load was {machine['load']} at the end; the server's largest "
        f"resident set was {report.peak_mb} MB."
    )
    table = _table(report)
    sys.stdout.write(table + "\n")
    readme.write_text(
        _between(readme.read_text(encoding="utf-8"), report.suite, f"{table}\n\n{below}"), encoding="utf-8"
    )


def _table(report: Report) -> str:
    lines = ["| case | rows/s | rows per CPU-second of the server | target |", "|---|---:|---:|---:|"]
    for figure in report.figures:
        target = f"{figure.target:,}" if figure.target else ""
        speeds = f"{figure.rows_per_second:,} | {figure.rows_per_server_second:,}"
        lines.append(f"| {figure.case} | {speeds} | {target} |")
    return "\n".join(lines)


def _between(text: str, suite: str, table: str) -> str:
    begin, end = f"<!-- {suite}: begin -->", f"<!-- {suite}: end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"The README lacks the markers {begin} and {end}: the table has no place there.")
    return f"{head}{begin}\n{table}\n{end}{tail}"
