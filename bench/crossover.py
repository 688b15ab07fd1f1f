"""From how many rows on a data package is worth it: the same rows by changesets of one row and by package.

    python -m bench crossover --most 20000 --repeats 3

Both go through what the load itself writes with, to the same sandbox, in turn, always new rows. The
sandbox has neither the batch server's queue nor the network of a live system, so that its seconds are the
least that an import takes; what carries over is the number of requests.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from bench.figures import machine
from bench.made_up import guid
from bench.promises import write_suite
from bench.report import measured_on, publish
from bench.server import TOKEN, Server, running
from bench.suites import RESULTS
from projops.load.decide import Action, Kind, Row
from projops.load.finance import FinanceTarget
from projops.load.packages import Packing
from projops.load.target import Outcome, Result
from projops.mapping.model import Direction, System, TableMap
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.systems.connection import Connection
from projops.systems.finance import Finance, RowWrite, Verb
from projops.systems.imports import Imports
from projops.systems.outcomes import Status
from projops.systems.packages import Packages
from projops.systems.session import ODataSession

COMPANY = "uspm"
_SIZES = (100, 300, 1000, 3000, 10_000, 20_000)
_NUMBERS = count(1)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entity:
    """Rows of one map.

    Attributes:
        map: The map.
        what: How Finance writes them, in a few words.
        row: Makes up a row's key and its other columns from a number and a project.
    """

    map: str
    what: str
    row: Callable[[int, str], tuple[Values, Values]]


@dataclass(frozen=True, slots=True)
class Taken:
    """One run.

    Attributes:
        map: The map.
        way: `changesets` or `package`.
        rows: Rows that were written.
        seconds: From the first request to the last outcome.
        cpu_seconds: Processor time of the client's process.
        server_seconds: Processor time of the sandbox.
        requests: Requests sent.
    """

    map: str
    way: str
    rows: int
    seconds: float
    cpu_seconds: float
    server_seconds: float
    requests: int


def _role(number: int, _project: str) -> tuple[Values, Values]:
    return {"RoleId": f"X-{number}"}, {"Description": f"Role {number}", "IsCategoryDisabled": "False"}


def _task(number: int, project: str) -> tuple[Values, Values]:
    key = {"ProjectId": project, "TaskId": f"X-{number}", "dataAreaId": COMPANY}
    values = {"TaskName": f"Task {number}", "TaskElementId": f"X-{number}"}
    return key, {**values, "ParentTaskElementId": None, "TaskOutlineLevel": 1}


def _hours(number: int, project: str) -> tuple[Values, Values]:
    key = {"EstimateHoursImportId": guid(number), "dataAreaId": COMPANY}
    texts = ("ActivityNumber", "ResourceCategoryId", "TransactionCategoryId", "ContractLineId")
    values = {"ProjectId": project, "Description": f"Work {number}", "StartDate": date(2026, 11, 2)}
    amounts = {"Duration": Decimal(8), "PlannedCostAmount": Decimal("812.50")}
    return key, {**values, **amounts, "PlannedSalesAmount": None, **dict.fromkeys(texts)}


ENTITIES = (
    Entity("project_tasks", "in sets, no rule", _task),
    Entity("resource_roles", "row by row, by a rule", _role),
    Entity("hour_estimates", "row by row, by a rule", _hours),
)


def measure(most: int = 20_000, repeats: int = 3, results: Path = RESULTS) -> int:
    """Measure both ways for each entity and size; no promise is judged by it."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), "demo") as server:
        taken = asyncio.run(_measured(server, [size for size in _SIZES if size <= most], repeats))
    found = [_compared(entity, size, taken) for entity in ENTITIES for size in _SIZES if size <= most]
    write_suite(results, "crossover", [], compared=found, samples=[asdict(each) for each in taken])
    publish(results, "crossover", f"{_table(found)}\n\n{measured_on(machine())}.")
    return 0


async def _measured(server: Server, sizes: Sequence[int], repeats: int) -> list[Taken]:
    maps, taken = load_maps(PROJECT_ROOT / "include" / "mappings").maps, list[Taken]()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ODataSession(_connection(server)))
        project = await _make_project(Finance(session))
        for _ in range(repeats):
            for size in sizes:
                for entity in ENTITIES:
                    for way in ("changesets", "package"):
                        taken.append(
                            await _take(server, session, maps[entity.map], entity, way, size, project)
                        )
    return taken


async def _take(
    server: Server,
    session: ODataSession,
    table_map: TableMap,
    entity: Entity,
    way: str,
    size: int,
    project: str,
) -> Taken:
    leg = table_map.legs[Direction.DATAVERSE_TO_FINANCE]
    actions = [_action(entity, project) for _ in range(size)]
    packing = Packing(Imports(Packages(session)), table_map, leg, 1)
    target = FinanceTarget(Finance(session), table_map, leg)
    before, server_before = sum(session.counts.values()), server.cpu_seconds()
    began, cpu = time.perf_counter(), time.process_time()
    written = _by_package(packing, actions) if way == "package" else target.write(actions)
    outcomes = await written
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    refused = [each.message for each in outcomes if each.result is not Result.WRITTEN]
    if refused:
        raise RuntimeError(f"Not all rows of {table_map.map} were written by {way}: {refused[0]}")
    requests = sum(session.counts.values()) - before
    return Taken(table_map.map, way, size, seconds, cpu, server.cpu_seconds() - server_before, requests)


async def _by_package(packing: Packing, actions: Sequence[Action]) -> list[Outcome]:
    [parcel] = packing.parcels(actions)
    outcomes = await packing.send(parcel)
    return [outcomes[place] for place in parcel.places]


def _action(entity: Entity, project: str) -> Action:
    number = next(_NUMBERS)
    identity, payload = entity.row(number, project)
    row = Row(guid(number), str(number), "", None, None, identity, payload)
    return Action(Kind.CREATE, row, columns=tuple(payload))


async def _make_project(finance: Finance) -> str:
    """Make the project of the company that rows refer to."""
    values = {"dataAreaId": COMPANY, "ProjectId": "X-CROSSOVER", "ProjectName": "Crossover"}
    [made] = await finance.write_each("ProjectsV2", [RowWrite(Verb.CREATE, body=orjson.dumps(values))])
    if made.status is not Status.OK:
        raise RuntimeError(f"No project can be made: {made.message}")
    return values["ProjectId"]


def _connection(server: Server) -> Connection:
    root = server.finance.removesuffix("/data/")
    return Connection("finance_default", System.FINANCE, root, static_token=TOKEN)


def _compared(entity: Entity, size: int, taken: Sequence[Taken]) -> dict[str, Any]:
    """Give the medians of both ways, side by side."""
    facts: dict[str, Any] = {"map": entity.map, "written": entity.what, "rows": size}
    for way in ("changesets", "package"):
        runs = [each for each in taken if (each.map, each.way, each.rows) == (entity.map, way, size)]
        for name in ("seconds", "cpu_seconds", "server_seconds", "requests"):
            facts[f"{way}_{name}"] = round(median(getattr(run, name) for run in runs), 3)
    return facts


def _table(found: Sequence[dict[str, Any]]) -> str:
    """Show requests, seconds, and processor seconds of client and sandbox of both ways."""
    lines = [
        "| map | rows | changesets: requests, s, client, sandbox | package: requests, s, client, sandbox |",
        "|---|---:|---|---|",
    ]
    for each in found:
        ways = [
            ", ".join(
                str(each[f"{way}_{name}"])
                for name in ("requests", "seconds", "cpu_seconds", "server_seconds")
            )
            for way in ("changesets", "package")
        ]
        lines.append(f"| {each['map']} ({each['written']}) | {each['rows']:,} | {' | '.join(ways)} |")
    return "\n".join(lines)
