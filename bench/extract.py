"""A million rows of 30 columns to Parquet: our extract stage, peers, and a bare loop, on the same pages.

    python -m bench extract --rows 1000000 --peer-rows 100000 --repeats 3

A server has made all pages before the clock starts (`bench.peers.server`); all clients speak TLS. Each run
of a client is a process of its own, and the clients take turns. After each run DuckDB adds up what it has
written: a client that has lost a digit is shown as inexact. Cost is linear in rows, so that peers read fewer.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench.apart import serving
from bench.figures import machine
from bench.peers.checking import wrong
from bench.peers.client import Cost, Place
from bench.promises import Promise, write_suite
from bench.report import measured_on, publish
from bench.suites import RESULTS

SUITE = "extract"
MOST_CPU, MOST_MB = 22, 400  # processor seconds a million rows; resident set
TIMES_SDK, TIMES_DLT = 2, 10  # rows a second, of ours to theirs
_SMALL = 10_000


@dataclass(frozen=True, slots=True)
class Client:
    """One of those that read.

    Attributes:
        name: As the table has it.
        arguments: Its module, and what else it is told.
        peer: Whether it reads the smaller number of rows.
        exact: Whether it has to be exact; another one is shown as it is.
    """

    name: str
    arguments: tuple[str, ...]
    peer: bool = False
    exact: bool = True


OURS = Client("ours: the whole extract stage", ("bench.peers.ours",))
WIRE = Client("ours: reading and decoding alone", ("bench.peers.wire",))
BARE = Client("bare loop: aiohttp, pyarrow.json", ("bench.peers.bare",))
SDK = Client("Microsoft's Python SDK", ("bench.peers.sdk",), peer=True, exact=False)
SDK_EXACT = Client("Microsoft's Python SDK, told to read decimals", ("bench.peers.sdk", "exact"), peer=True)
DLT = Client("dlt `rest_api`", ("bench.peers.dlt_rest_api",), peer=True, exact=False)
DLT_EXACT = Client("dlt `rest_api`, told to read decimals", ("bench.peers.dlt_rest_api", "exact"), peer=True)
CLIENTS = (OURS, WIRE, BARE, SDK, SDK_EXACT, DLT, DLT_EXACT)


@dataclass(frozen=True, slots=True)
class Ran:
    """A client over so many rows: one run, or the medians of several.

    Attributes:
        client: Its name.
        rows: Rows that were read.
        seconds: By the clock on the wall.
        cpu_seconds: Processor time of the client, user and system.
        peak_mb: Largest resident set of its process.
        exact: Whether every digit has arrived.
    """

    client: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_mb: int
    exact: bool

    @property
    def rows_per_second(self) -> float:
        """By the clock on the wall."""
        return self.rows / self.seconds

    @property
    def cpu_a_million(self) -> float:
        """Processor seconds a million rows; for fewer rows extrapolated."""
        return self.cpu_seconds * 1e6 / self.rows


@dataclass(frozen=True, slots=True)
class Pages:
    """The running server.

    Attributes:
        urls: Base URL for each number of rows.
        sums: What decimals add up to, for each number of rows.
        ca_file: Its certificate.
    """

    urls: Mapping[int, str]
    sums: Mapping[int, Mapping[str, str]]
    ca_file: str


def measure(
    rows: int = 1_000_000, peer_rows: int = 100_000, repeats: int = 3, results: Path = RESULTS
) -> int:
    """Let the clients take turns; keep medians and samples; give 1 where a promise is broken."""
    sizes = sorted({_SMALL, peer_rows, rows})
    turns = [(client, peer_rows if client.peer else rows) for client in CLIENTS]
    turns += [(OURS, size) for size in sizes if size != rows]
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder), sizes) as pages:
        samples = [_ran(pages, *turn) for _ in range(repeats) for turn in turns]
    medians = [_median(samples, *turn) for turn in turns]
    promises = [*_promises(medians, rows)]
    figures = {"medians": [asdict(each) for each in medians], "samples": [asdict(each) for each in samples]}
    write_suite(results, SUITE, promises, **figures)
    publish(results, SUITE, f"{_table(medians)}\n\n{measured_on(machine())}; medians of {repeats} runs.")
    return 0 if all(promise.kept for promise in promises) else 1


@contextmanager
def _serving(folder: Path, sizes: Sequence[int]) -> Iterator[Pages]:
    with serving("bench.peers.server", str(folder), *map(str, sizes)) as (_, ready):
        urls = {int(size): url for size, url in ready["urls"].items()}
        yield Pages(urls, {int(size): sums for size, sums in ready["sums"].items()}, ready["ca_file"])


def _ran(pages: Pages, client: Client, rows: int) -> Ran:
    """Run a client, and look at what it has written.

    Raises:
        RuntimeError: It failed, or was to be exact and is not.
    """
    module, *options = client.arguments
    with tempfile.TemporaryDirectory() as folder:
        place = Place(pages.urls[rows], pages.ca_file, folder)
        place.written.mkdir()
        command = [sys.executable, "-m", module, json.dumps(asdict(place)), *options]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if ended.returncode:
            raise RuntimeError(f"{client.name} failed: its reason stands above.")
        cost = Cost(**json.loads(ended.stdout.splitlines()[-1]))
        problems = wrong(place.written, rows, pages.sums[rows])
    if problems and client.exact:
        raise RuntimeError(f"{client.name} has not written what was sent: {'; '.join(problems)}")
    ran = Ran(client.name, rows, **asdict(cost), exact=not problems)
    sys.stdout.write(f"{json.dumps(asdict(ran))}\n")
    sys.stdout.flush()
    return ran


def _median(taken: Sequence[Ran], client: Client, rows: int) -> Ran:
    samples = [each for each in taken if (each.client, each.rows) == (client.name, rows)]
    return replace(
        samples[0],
        seconds=median(each.seconds for each in samples),
        cpu_seconds=median(each.cpu_seconds for each in samples),
        peak_mb=max(each.peak_mb for each in samples),
        exact=all(each.exact for each in samples),
    )


def _promises(medians: Sequence[Ran], rows: int) -> Iterator[Promise]:
    """Judge ours; of a peer that reads in two ways, by the faster one, whether it is exact or not."""
    ours = next(each for each in medians if (each.client, each.rows) == (OURS.name, rows))
    what = f"extract, {rows:,} rows x 30 columns over TLS to Parquet"
    cpu, peak = ours.cpu_a_million, max(each.peak_mb for each in medians if each.client == OURS.name)
    asked = f"{MOST_CPU} CPU-s a million rows or less"
    yield Promise(f"{what}, processor time", asked, f"{cpu:.1f} CPU-s", cpu <= MOST_CPU)
    yield Promise(f"{what}, memory at any size", f"{MOST_MB} MB or less", f"{peak} MB", peak <= MOST_MB)
    for name, least, ways in (("SDK", TIMES_SDK, (SDK, SDK_EXACT)), ("dlt", TIMES_DLT, (DLT, DLT_EXACT))):
        fastest = max(each.rows_per_second for each in medians if each.client in {way.name for way in ways})
        times = ours.rows_per_second / fastest
        yield Promise(
            f"{what}, rows/s", f"{least} times {name}'s or more", f"{times:.1f} times", times >= least
        )


def medians_table(document: Mapping[str, Any]) -> str:
    """Give the table of what the suite has kept."""
    return _table([Ran(**each) for each in document["medians"]])


def _table(medians: Sequence[Ran]) -> str:
    ours = medians[0]
    lines = [
        "| client | rows | rows/s | CPU-s a million rows | times ours | peak MB | decimals |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for each in medians:
        times = each.cpu_a_million / ours.cpu_a_million
        speeds = f"{each.rows:,} | {each.rows_per_second:,.0f} | {each.cpu_a_million:.1f} | {times:.2f}"
        exact = "exact" if each.exact else "**inexact**"
        lines.append(f"| {each.client} | {speeds} | {each.peak_mb} | {exact} |")
    return "\n".join(lines)
