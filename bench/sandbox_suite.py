"""How fast the sandbox answers on SQLite: pages, changes, bulk messages, changesets, its seed.

The sandbox runs as a process of its own. The client shares the machine with it, so that it does as little as
it can: bodies are made before the clock starts, answers are read and not parsed.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from bench.figures import Figure, Report, Sample
from bench.promises import Promise
from bench.report import write_report
from bench.server import TOKEN, Server, running
from bench.suites import RESULTS
from bench.wire_load import ACTUAL_COLUMNS, account, changesets, follow, send, side_by_side, upsert_message

_MESSAGE = 1_000  # rows of a bulk message
_BULK = 20_000  # rows that one run of a bulk case writes
_SINGLES = 2_000
_CHANGESETS, _IN_BATCH = 2_000, 100
_FINANCE_PASSES = 4
_NO_LIMITS = {"requests": 10**9, "execution_seconds": 10**9}
_COMPANY_FILTER = "cdm_companies?$select=cdm_companycode&$filter=cdm_companycode eq 'USPM'"

Job = Callable[[aiohttp.ClientSession], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rows: Actuals that the sandbox is filled with.
        repeats: Runs of each case, one after the other over all cases.
    """

    rows: int
    repeats: int


@dataclass
class Bench:
    """What the cases of one run share.

    Attributes:
        server: The sandbox.
        company: GUID of the company whose accounts are written.
        numbers: Gives numbers that no row has yet.
        moved: Rows that the run has moved.
        delta: Link to the changes since the last bulk messages.
        newest: Numbers of the accounts that were created last.
    """

    server: Server
    company: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: count(0, _BULK))
    moved: int = 0
    delta: str = ""
    newest: range = range(0)

    def pages(self) -> tuple[int, Sequence[Job]]:
        """Read all actuals twice, side by side, 30 columns in pages of 5,000."""
        url = f"{self.server.dataverse}msdyn_actuals?$select={','.join(ACTUAL_COLUMNS)}"
        return 2, [partial(self._read, url)] * 2

    def baseline(self) -> tuple[int, Sequence[Job]]:
        """Read all actuals with change tracking."""
        url = f"{self.server.dataverse}msdyn_actuals?$select={','.join(ACTUAL_COLUMNS)}"
        return 1, [partial(self._read, url, prefer="odata.track-changes")]

    def create(self) -> tuple[int, Sequence[Job]]:
        """Create accounts by UpsertMultiple."""
        first = next(self.numbers)
        self.newest = range(first, first + _BULK)
        return 4, self._messages(edition=0)

    def update(self) -> tuple[int, Sequence[Job]]:
        """Change the accounts that were created last by UpsertMultiple."""
        return 4, self._messages(edition=1)

    def changes(self) -> tuple[int, Sequence[Job]]:
        """Read the accounts that were written since the last time, all columns that were written."""
        return 1, [partial(self._read, self.delta)]

    def singles(self) -> tuple[int, Sequence[Job]]:
        """Create accounts one by one."""
        first = next(self.numbers)
        url = f"{self.server.dataverse}accounts"
        rows = (account(number, 0) for number in range(first, first + _SINGLES))
        return 8, [partial(self._send, "POST", url, json.dumps(row).encode()) for row in rows]

    def patches(self) -> tuple[int, Sequence[Job]]:
        """Change accounts one by one, named by their alternate key."""
        row = json.dumps(account(0, 2)).encode()
        keys = (f"accountnumber='B-{n}',_msdyn_company_value={self.company}" for n in self.newest[:_SINGLES])
        url = f"{self.server.dataverse}accounts"
        return 8, [partial(self._send, "PATCH", f"{url}({key})", row) for key in keys]

    def finance_changesets(self) -> tuple[int, Sequence[Job]]:
        """Create customers by `$batch`, each in a changeset of its own."""
        first = next(self.numbers)
        jobs = []
        for start in range(first, first + _CHANGESETS, _IN_BATCH):
            body, kind = changesets(self.server.finance, range(start, start + _IN_BATCH))
            jobs.append(
                partial(self._send, "POST", f"{self.server.finance}$batch", body, kind=kind, rows=_IN_BATCH)
            )
        return 4, jobs

    def finance_pages(self) -> tuple[int, Sequence[Job]]:
        """Read all customers of Finance, their 30 properties, in pages of 10,000."""
        url = f"{self.server.finance}CustomersV3?cross-company=true"
        return 2, [partial(self._read, url)] * _FINANCE_PASSES

    async def prepare(self, session: aiohttp.ClientSession) -> None:
        """Lift the limits, find the company, begin to track the accounts."""
        control = f"{self.server.control}/sandbox/limits"
        await send(session, "PUT", control, json.dumps(_NO_LIMITS).encode())
        url = (self.server.dataverse + _COMPANY_FILTER).replace(" ", "%20")
        found = json.loads(await send(session, "GET", url, b""))
        self.company = found["value"][0]["cdm_companyid"]
        columns = ",".join(account(0, 0))
        url = f"{self.server.dataverse}accounts?$select={columns}"
        _, self.delta = await follow(session, url, {"Prefer": "odata.track-changes"})

    def _messages(self, edition: int) -> Sequence[Job]:
        url = f"{self.server.dataverse}accounts/Microsoft.Dynamics.CRM.UpsertMultiple"
        bodies = (
            upsert_message(self.company, self.newest[start : start + _MESSAGE], edition)
            for start in range(0, _BULK, _MESSAGE)
        )
        return [partial(self._send, "POST", url, body, rows=_MESSAGE) for body in bodies]

    async def _read(self, url: str, session: aiohttp.ClientSession, prefer: str = "") -> None:
        rows, delta = await follow(session, url, {"Prefer": prefer} if prefer else {})
        self.moved += rows
        if delta and not prefer:
            self.delta = delta

    async def _send(
        self,
        method: str,
        url: str,
        body: bytes,
        session: aiohttp.ClientSession,
        kind: str = "application/json",
        rows: int = 1,
    ) -> None:
        answer = await send(session, method, url, body, kind)
        if b"HTTP/1.1 4" in answer or b"HTTP/1.1 5" in answer:
            raise RuntimeError(f"A part of {url} was refused: {answer[:1000]!r}")
        self.moved += rows


_CASES: dict[str, tuple[Callable[[Bench], tuple[int, Sequence[Job]]], int | None]] = {
    "Dataverse pages, 30 columns": (Bench.pages, 20_000),
    "Dataverse pages with change tracking": (Bench.baseline, None),
    "UpsertMultiple that creates, 30 columns": (Bench.create, 5_000),
    "UpsertMultiple that updates, 30 columns": (Bench.update, 5_000),
    "Dataverse changes since a delta link": (Bench.changes, None),
    "Dataverse single creates": (Bench.singles, None),
    "Dataverse single updates by alternate key": (Bench.patches, None),
    "Finance changesets of one create": (Bench.finance_changesets, None),
    "Finance pages, 30 properties": (Bench.finance_pages, None),
}


def measure(rows: int = 100_000, repeats: int = 3, results: Path = RESULTS) -> int:
    """Measure every case; give 1 where one is slower than its target."""
    report = measure_sandbox(Plan(rows, repeats))
    promises = [*_promises(report)]
    write_report(report, results, promises)
    return 0 if all(promise.kept for promise in promises) else 1


def _promises(report: Report) -> Iterator[Promise]:
    """Judge by the server's processor time: the client shares the machine with it."""
    for figure in report.figures:
        if figure.target is not None:
            served = figure.rows_per_server_second
            asked = f"{figure.target:,} rows a CPU-second or more"
            yield Promise(f"sandbox: {figure.case}", asked, f"{served:,}", served >= figure.target)


def measure_sandbox(plan: Plan) -> Report:
    """Fill a sandbox, then run every case as often as the plan says."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with running(Path(folder), f"scale:{plan.rows}") as server:
            seeded = Sample(plan.rows, time.perf_counter() - began, server.cpu_seconds())
            bench = Bench(server)
            asyncio.run(side_by_side(1, [bench.prepare], TOKEN))
            samples: dict[str, list[Sample]] = {case: [] for case in _CASES}
            for _ in range(plan.repeats):
                for case, (jobs, _target) in _CASES.items():
                    samples[case].append(_run(bench, jobs))
            peak = server.peak_mb()
    figures = [Figure(case, _CASES[case][1], tuple(taken)) for case, taken in samples.items()]
    seed = Figure(f"Seed scale:{plan.rows}, actuals", _SEED_TARGET, (seeded,))
    return Report("sandbox", [*figures, seed], peak)


_SEED_TARGET = round(1_000_000 / 120)  # a million in two minutes


def _run(bench: Bench, case: Callable[[Bench], tuple[int, Sequence[Job]]]) -> Sample:
    connections, jobs = case(bench)
    bench.moved = 0
    cpu, began = bench.server.cpu_seconds(), time.perf_counter()
    asyncio.run(side_by_side(connections, jobs, TOKEN))
    return Sample(bench.moved, time.perf_counter() - began, bench.server.cpu_seconds() - cpu)
