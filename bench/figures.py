"""What is measured, as plain values: samples of a case, their median, the machine."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one case.

    Attributes:
        rows: Rows that were moved.
        seconds: From the first request to the last byte of the last answer.
        server_seconds: Processor time of the server in between, all threads, user and system.
    """

    rows: int
    seconds: float
    server_seconds: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A case with all its samples.

    Attributes:
        case: What was measured, in a few words.
        target: Rows a second that are promised, None where nothing is.
        samples: In the order in which they were taken.
    """

    case: str
    target: int | None
    samples: tuple[Sample, ...]

    @property
    def rows_per_second(self) -> int:
        """Median over the samples, by the clock on the wall."""
        return round(median(sample.rows / sample.seconds for sample in self.samples))

    @property
    def rows_per_server_second(self) -> int:
        """Median over the samples, by the server's processor time: what a busy machine changes least."""
        return round(median(sample.rows / sample.server_seconds for sample in self.samples))


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of one suite.

    Attributes:
        suite: Its name.
        figures: In the order of the table.
        peak_mb: The largest resident set of the server, in MB.
    """

    suite: str
    figures: Sequence[Figure]
    peak_mb: int

    def document(self) -> dict[str, Any]:
        """Return what is kept as JSON: medians, and every sample."""
        return {
            "peak_mb": self.peak_mb,
            "figures": [
                {
                    "case": figure.case,
                    "target_rows_per_second": figure.target,
                    "rows_per_second": figure.rows_per_second,
                    "rows_per_server_second": figure.rows_per_server_second,
                    "samples": [
                        {
                            "rows": sample.rows,
                            "seconds": round(sample.seconds, 3),
                            "server_seconds": round(sample.server_seconds, 3),
                        }
                        for sample in figure.samples
                    ],
                }
                for figure in self.figures
            ],
        }


def machine() -> dict[str, Any]:
    """Return what figures depend on: processor, cores that this process may use, Python, present load."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
