"""The sandbox as a process of its own, and what it has used of the machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.apart import serving

TOKEN = "sandbox-token"
_PORTS = ("dataverse", "finance", "dataverse-tls", "finance-tls", "control")


@dataclass(frozen=True, slots=True)
class Server:
    """A running sandbox.

    Attributes:
        dataverse: Base URL of the Web API, with a slash at its end.
        finance: Base URL of OData, with a slash at its end.
        control: Base URL of the control plane.
        process: The process.
    """

    dataverse: str
    finance: str
    control: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, user and system, all threads."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def peak_mb(self) -> int:
        """Return the largest resident set so far, in MB; the present one where the system keeps no peak."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return int(self.process.memory_info().rss // 2**20)
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) // 1024


@contextmanager
def running(folder: Path, seed: str) -> Iterator[Server]:
    """Run the sandbox on a new SQLite file in `folder` until the block ends.

    Raises:
        RuntimeError: It did not get ready.
    """
    options = ["--seed", seed, "--database", f"sqlite:///{folder / 'sandbox.db'}", "--tls-dir", str(folder)]
    for port in _PORTS:
        options += [f"--{port}-port", "0"]
    with serving("sandbox", "serve", *options) as (pid, ready):
        yield Server(
            f"{ready['dataverse']}/api/data/v9.2/",
            f"{ready['finance']}/data/",
            ready["control"],
            psutil.Process(pid),
        )
