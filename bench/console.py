"""How fast every page of the console answers before a state of 100,000 dead letters and 2,000 runs.

python -m bench console --repeats 40
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx

from bench.console_pages import Page
from bench.console_state import Size, fill
from bench.figures import machine
from bench.promises import Promise, write_suite
from bench.report import measured_on, publish
from bench.suites import RESULTS
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.state import StateStore

SUITE = "console"
LIMIT_MS = 300
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """One page on one database.

    Attributes:
        page: Its path, and what narrows it.
        database: sqlite or postgres.
        status: Status of its answers.
        median_ms: From the request to the last byte, in milliseconds.
        p95_ms: Of 95 in 100 requests at most that.
        cpu_ms: Median of the server's processor time, which a busy machine changes least.
        statements: Statements that went to the state for one answer.
        kilobytes: Of its answer.
    """

    page: str
    database: str
    status: int
    median_ms: float
    p95_ms: float
    cpu_ms: float
    statements: int
    kilobytes: float


def measure(repeats: int = 40, results: Path = RESULTS) -> int:
    """Measure every page on both databases; keep the figures; give 1 if a page was too slow, or failed."""
    figures = [figure for database in ("sqlite", "postgres") for figure in _on(database, repeats)]
    wrong = [each for each in figures if each.status >= 400 or each.p95_ms > LIMIT_MS]
    slowest = max(figures, key=lambda each: each.p95_ms)
    promise = Promise(
        f"each page of the console, {Size().letters:,} letters and {Size().runs:,} runs, 95th percentile",
        f"{LIMIT_MS} ms or less",
        f"{slowest.p95_ms:.0f} ms at most (`{slowest.page}`, {slowest.database})",
        not wrong,
    )
    state, pages = asdict(Size()), [asdict(each) for each in figures]
    write_suite(results, SUITE, [promise], limit_ms=LIMIT_MS, state=state, repeats=repeats, pages=pages)
    below = f"{measured_on(machine())}; {repeats} requests of each page."
    publish(results, SUITE, f"{_table(figures)}\n\n{below}")
    sys.stdout.writelines(f"Too slow or failed: {each}\n" for each in wrong)
    return 1 if wrong else 0


def _on(database: str, repeats: int) -> Iterator[Measured]:
    maps = load_maps(PROJECT_ROOT / "include" / "mappings").maps
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        url = _database(database, folder, opened)
        store = StateStore(url)
        store.prepare()
        fill(store, maps, Size())
        store.close()
        client, pages = opened.enter_context(_serving(url, folder))
        for page in pages:
            yield _measured(client, page, database, repeats)


def _database(kind: str, folder: Path, opened: ExitStack) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'state.db'}"
    from tests.contract.process import postgres

    return opened.enter_context(postgres())


@contextmanager
def _serving(url: str, folder: Path) -> Iterator[tuple[httpx.Client, list[Page]]]:
    environment = os.environ | {
        "PROJOPS_STATE_URL": url,
        "PROJOPS_STAGING": str(folder / "staging"),
        **airflow_settings(folder),
    }
    command = [sys.executable, "-m", "bench.console_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            ready = _ready(process.stdout or [])
            headers = {"Authorization": f"Bearer {ready['token']}"}
            with httpx.Client(
                base_url=ready["address"], headers=headers, timeout=60, trust_env=False
            ) as client:
                yield client, [Page(**each) for each in ready["pages"]]
        finally:
            process.terminate()


def _ready(lines: Iterable[str]) -> dict[str, Any]:
    """Read the line that says where the server answers, behind what Airflow has to say.

    Raises:
        RuntimeError: It has ended without one.
    """
    for line in lines:
        if line.startswith("{"):
            ready: dict[str, Any] = json.loads(line)
            return ready
    raise RuntimeError("The server of the console did not get ready: its reason stands above.")


def airflow_settings(folder: Path) -> Mapping[str, str]:
    """Give settings of an Airflow that has nothing but users; they must stand before its first import."""
    return {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__API_AUTH__JWT_SECRET": "of the bench " * 6,
        "AIRFLOW__API__SECRET_KEY": "of the bench " * 6,
    }


def _measured(client: httpx.Client, page: Page, database: str, repeats: int) -> Measured:
    times, costs = [], []
    for number in range(_WARM_UP + repeats):
        began = perf_counter()
        answer = client.get(page.address)
        if number >= _WARM_UP:
            times.append(1000 * (perf_counter() - began))
            costs.append(float(answer.headers["x-cpu-milliseconds"]))
    return Measured(
        page=page.name,
        database=database,
        status=answer.status_code,
        median_ms=round(median(times), 1),
        p95_ms=round(sorted(times)[ceil(0.95 * len(times)) - 1], 1),
        cpu_ms=round(median(costs), 1),
        statements=int(answer.headers["x-statements"]),
        kilobytes=round(len(answer.content) / 1024, 1),
    )


def _table(figures: list[Measured]) -> str:
    head = "| page | database | median ms | p95 ms | CPU-ms | statements | kB |"
    lines = [head, "|---|---|---:|---:|---:|---:|---:|"]
    for each in figures:
        speeds = f"{each.median_ms:.0f} | {each.p95_ms:.0f} | {each.cpu_ms:.0f}"
        lines.append(
            f"| `{each.page}` | {each.database} | {speeds} | {each.statements} | {each.kilobytes:.0f} |"
        )
    return "\n".join(lines)
