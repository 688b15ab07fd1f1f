"""The sandbox as a process."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

from runner.environment import base_environment
from runner.layout import ROOT, Layout, sandbox_ports
from runner.processes import Process, start
from runner.waiting import until

CLIENT_ID, CLIENT_SECRET, TENANT = "sandbox-client", "sandbox-secret", "sandbox-tenant"
_READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the sandbox answers: base URLs, as its ready line says.

    Attributes:
        dataverse: Dataverse over http.
        finance: Finance over http.
        control: Control plane.
    """

    dataverse: str
    finance: str
    control: str


def start_sandbox(
    layout: Layout,
    seed: str,
    started: Callable[[Process], None],
) -> Addresses:
    """Start the sandbox and wait for its ready line.

    Args:
        layout: Where its database and log lie.
        seed: Data to begin with; left alone where the database holds it already.
        started: Told of the process as soon as it runs, so that it is stopped whatever follows.

    Raises:
        RunnerError: It did not come up; shows the end of its log.
    """
    dataverse_port, finance_port = sandbox_ports()
    command = [
        *(sys.executable, "-m", "sandbox", "serve", "--seed", seed, "--database", layout.sandbox_database),
        *("--dataverse-port", str(dataverse_port), "--finance-port", str(finance_port)),
        *(
            "--tls-dir",
            str(layout.folder / "tls"),
            "--client-id",
            CLIENT_ID,
            "--client-secret",
            CLIENT_SECRET,
        ),
    ]
    process = start("sandbox", command, base_environment(), layout.logs / "sandbox.log", ROOT)
    started(process)
    ready = until(lambda: _ready_line(process), "the sandbox", _READY_SECONDS, [process])
    return Addresses(ready["dataverse"], ready["finance"], ready["control"])


def _ready_line(process: Process) -> dict[str, str] | None:
    for line in process.log.read_text(errors="replace").splitlines():
        if line.startswith("{") and line.endswith("}"):
            found: dict[str, str] = json.loads(line)
            return found
    return None
