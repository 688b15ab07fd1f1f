"""What is promised in numbers, and what a suite has measured of it: one form for all suites."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import machine


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise, and whether the machine at hand has kept it.

    Attributes:
        what: What is promised, in a few words: "extract, 1M rows x 30 columns, processor time".
        asked: The bound, with its unit: "22 CPU-s a million rows or less".
        measured: What was measured, in the same unit: "17.4 CPU-s".
        kept: Whether it holds.
    """

    what: str
    asked: str
    measured: str
    kept: bool


def write_suite(folder: Path, suite: str, promises: Sequence[Promise], **facts: Any) -> None:
    """Keep what a suite has measured in `<folder>/<suite>.json`: machine, time, promises, and its own facts.

    Args:
        folder: `bench/results`.
        suite: Name of the suite and of the file.
        promises: What the suite judges.
        **facts: Whatever else it keeps, samples above all; plain values.
    """
    document = {
        "suite": suite,
        "machine": machine(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "promises": [asdict(promise) for promise in promises],
        **facts,
    }
    (folder / f"{suite}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_promises(folder: Path, suites: Iterable[str]) -> Mapping[str, Sequence[Promise]]:
    """Give the promises that suites have judged, by suite; a suite that has not run judged none."""
    documents = {suite: read_document(folder, suite) for suite in suites}
    return {
        suite: [Promise(**promise) for promise in document.get("promises", ())]
        for suite, document in documents.items()
    }


def read_document(folder: Path, suite: str) -> Mapping[str, Any]:
    """Give what a suite has kept; nothing where it has not run."""
    file = folder / f"{suite}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
