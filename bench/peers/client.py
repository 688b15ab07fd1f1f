"""A client as a process of its own: what it is told, and what its reading has cost."""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.peers import rows

TOKEN = "of-the-bench"
API = "/api/data/v9.2"
ADDRESS = f"{API}/{rows.ENTITY_SET}?$select={','.join(rows.WIRE_COLUMNS)}"
HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "Accept": "application/json",
    "OData-Version": "4.0",
    "Prefer": f"odata.maxpagesize={rows.PAGE}",
}
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read from, and where to write to.

    Attributes:
        url: Base URL of the server, without a slash at the end.
        ca_file: The certificate to trust.
        folder: Takes whatever the client keeps.
    """

    url: str
    ca_file: str
    folder: str

    @property
    def written(self) -> Path:
        """The folder below which the Parquet files are to be."""
        return Path(self.folder) / "written"

    @property
    def parquet(self) -> Path:
        """A file in it, for clients that write one."""
        return self.written / "rows.parquet"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a client has used, from before its first request until its last file was written.

    Attributes:
        seconds: By the clock on the wall.
        cpu_seconds: Processor time, user and system, all threads, children included.
        peak_mb: Largest resident set of the process, its libraries and all.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: int


def run(read: Callable[[Place], None]) -> None:
    """Read as the command line says, and print what it cost; what was imported before is not in it."""
    place = Place(**json.loads(sys.argv[1]))
    began, busy = time.perf_counter(), _busy()
    read(place)
    seconds, cpu = time.perf_counter() - began, _busy() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT // 2**20
    sys.stdout.write(json.dumps(asdict(Cost(round(seconds, 3), round(cpu, 3), peak))) + "\n")


def _busy() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
