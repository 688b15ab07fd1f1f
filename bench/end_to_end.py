"""Changed rows through the whole engine on the sandbox, next to a bare client that moves the same rows.

    python -m bench end_to_end --rows 100000 --changesets 20000

Products come from Finance and are updated in Dataverse by bulk messages; funding sources come from Dataverse
and are updated in Finance, a changeset each. Engine and bare client (`bench.bare_client`) take turns on
the same sandbox, each run in a process of its own; that both have written as many rows, and with how many
requests, is counted by the sandbox.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import httpx
from sqlalchemy import update

from bench.apart import apart
from bench.bare_client import FUNDING_COLUMNS, TRACKED, Around, move_products, move_sources
from bench.made_up import guid
from bench.promises import Promise, write_suite
from bench.server import TOKEN, Server, running
from bench.suites import RESULTS
from bench.wire_load import follow, side_by_side
from projops.engine import Engine
from projops.mapping.model import Direction, System
from projops.orchestration.warming import warm
from projops.pipeline import detect, extract, load, transform, validate
from projops.run import LegOutcome, LegRef, RunRequest
from projops.settings import Settings
from projops.state import crosswalk
from projops.state.crosswalk import Entry
from projops.state.tables import crosswalk as pairs
from projops.systems.connection import Connection
from sandbox.clock import Clock
from sandbox.store import Store

COMPANY, SHARE = "uspm", 0.5
_AROUND = ("companies", "currencies", "units", "customers", "products", "contract_headers", "funding_sources")
_AREAS = ("reference_data", "setup_and_configuration")
_NO_LIMITS = {"requests": 10**9, "execution_seconds": 10**9}
_A_MESSAGE, _A_SLICE = 1000, 5000
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_UNIT = "ea"
_SOURCES = "msdyn_projectcontractsplitbillingrules"
_MOVED_BEFORE = "0" * 32  # the payload hash of rows that were in step with other values


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is, for processes that have inherited nothing.

    Attributes:
        folder: Of both databases and the staging area.
        dataverse: Base URL of the Web API, with a slash at its end.
        finance: Base URL of OData, with a slash at its end.
        control: Base URL of the sandbox's control plane.
    """

    folder: Path
    dataverse: str
    finance: str
    control: str

    def connection(self, system: System) -> Connection:
        """Give the engine's connection to a system."""
        url = httpx.URL(self.dataverse if system is System.DATAVERSE else self.finance)
        root = f"{url.scheme}://{url.netloc.decode()}"
        options = {"limits": {"requests": 10**9, "execution_seconds": 10**9}}
        return Connection(f"{system}_default", system, root, static_token=TOKEN, options=options)

    def engine(self) -> Engine:
        """Open the engine."""
        state = f"sqlite:///{self.folder / 'state.db'}"
        staging = str(self.folder / "staging")
        # The bare client writes row by row: packages are another matter (`bench.crossover`).
        settings = replace(Settings(), state_url=state, staging=staging, package_rows=0)
        return Engine.open(settings, self.connection)

    def client(self) -> httpx.Client:
        """Open a client of the Web API."""
        return httpx.Client(base_url=self.dataverse, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)


@dataclass(frozen=True, slots=True)
class Ran:
    """One run, by the engine or by the bare client.

    Attributes:
        rows: Rows that the sandbox counted as written.
        requests: Requests that wrote or read them, as the sandbox counted them, by system and kind.
        seconds: From the first request to the last state written.
        cpu_seconds: Processor time of the client's process in between, user and system.
        peak_mb: Largest resident set of the client's process.
    """

    rows: int
    requests: Mapping[str, int]
    seconds: float
    cpu_seconds: float
    peak_mb: int


class Case(Protocol):
    """A map whose changed rows are moved by the engine and by the bare client."""

    @property
    def name(self) -> str:
        """What moves, in a few words."""

    @property
    def rows(self) -> int:
        """How many."""

    @property
    def leg(self) -> LegRef:
        """The leg of the engine that moves them."""

    @property
    def mode(self) -> str:
        """The mode of its run."""

    @property
    def target(self) -> str:
        """The entity set that is written."""

    def fill(self, place: Place) -> None:
        """Let the rows stand on both sides, known to the crosswalk with other values."""

    def change(self, place: Place, run: int) -> None:
        """Change all rows at the source."""

    async def bare(self, place: Place) -> None:
        """Move them by the bare client."""


@dataclass(frozen=True, slots=True)
class Products:
    """Released products of Finance to Dataverse."""

    rows: int
    name: str = "Finance to Dataverse, UpdateMultiple"
    leg: LegRef = LegRef("products", Direction.FINANCE_TO_DATAVERSE.value)
    mode: str = "full"  # read over OData by both, since an export is read once by whoever asked for it
    target: str = "products"

    def fill(self, place: Place) -> None:
        """Put products into both databases, and pairs into the crosswalk."""
        with closing(Store(f"sqlite:///{place.folder / 'sandbox.db'}", Clock())) as store:
            company, unit = _company(place), _unit(place)
            finance = ({"dataAreaId": COMPANY, **_product(number)} for number in range(self.rows))
            store.bulk_insert(store.finance["ReleasedProductsV2"], finance)
            dataverse = (
                {
                    "productid": guid(number),
                    "name": "before",
                    "productnumber": _item(number),
                    "msdyn_productnumber": _item(number),
                    "msdyn_companyid": company,
                    "defaultuomid": unit,
                }
                for number in range(self.rows)
            )
            store.bulk_insert(store.dataverse["product"], dataverse)
        keys = (f'["{_item(number).lower()}","{COMPANY}"]' for number in range(self.rows))
        _pair(place, self.leg, keys)

    def change(self, place: Place, run: int) -> None:
        """Let the crosswalk know all rows with other values: they have changed since."""
        with place.engine() as engine, engine.state.begin() as connection:
            mine = (pairs.c.map == self.leg.map, pairs.c.dataverse_id <= guid(self.rows))
            connection.execute(update(pairs).where(*mine).values(hash_finance_to_dataverse=_MOVED_BEFORE))

    async def bare(self, place: Place) -> None:
        """Read all, write all."""
        around = Around(
            COMPANY, unit=_unit(place), ids={_item(each): guid(each) for each in range(self.rows)}
        )
        await side_by_side(
            1, [lambda session: move_products(session, place.finance, place.dataverse, around)], TOKEN
        )


@dataclass(frozen=True, slots=True)
class Sources:
    """Funding sources of Dataverse to Finance."""

    rows: int
    name: str = "Dataverse to Finance, a changeset a row"
    leg: LegRef = LegRef("funding_sources", Direction.DATAVERSE_TO_FINANCE.value)
    mode: str = "incremental"
    target: str = "ProjectFundingSources"

    def fill(self, place: Place) -> None:
        """Put funding sources of one contract into both databases, and pairs into the crosswalk."""
        lookups, contract, customer = _model_source(place)
        asyncio.run(self._begin(place))
        with closing(Store(f"sqlite:///{place.folder / 'sandbox.db'}", Clock())) as store:
            dataverse = (
                {"msdyn_projectcontractsplitbillingruleid": guid(number), **_source(number), **lookups}
                for number in range(self.rows)
            )
            store.bulk_insert(store.dataverse["msdyn_projectcontractsplitbillingrule"], dataverse)
            finance = (
                {
                    "dataAreaId": COMPANY,
                    "ProjectContractID": contract,
                    "FundingSourceId": _item(number),
                    "CustomerOrOrganization": customer,
                }
                for number in range(self.rows)
            )
            store.bulk_insert(store.finance["ProjectFundingSources"], finance)
        keys = (
            f'["{_item(number).lower()}","{contract.lower()}","{COMPANY}"]' for number in range(self.rows)
        )
        _pair(place, self.leg, keys)

    async def _begin(self, place: Place) -> None:
        """Take the link from which the bare client reads on."""

        async def read(session: Any) -> None:
            url = f"{place.dataverse}{_SOURCES}?$select={','.join(FUNDING_COLUMNS)}"
            _, link = await follow(session, url, {"Prefer": TRACKED})
            (place.folder / "delta_link").write_text(link, encoding="utf-8")

        await side_by_side(1, [read], TOKEN)

    def change(self, place: Place, run: int) -> None:
        """Write another name to all rows."""
        address = f"{_SOURCES}/Microsoft.Dynamics.CRM.UpdateMultiple"
        with place.client() as client:
            for start in range(0, self.rows, _A_MESSAGE):
                targets = [
                    {
                        "@odata.type": "Microsoft.Dynamics.CRM.msdyn_projectcontractsplitbillingrule",
                        "msdyn_projectcontractsplitbillingruleid": guid(number),
                        "msdyn_billtoname": f"Payer {number} of run {run}",
                    }
                    for number in range(start, min(start + _A_MESSAGE, self.rows))
                ]
                client.post(address, json={"Targets": targets}).raise_for_status()

    async def bare(self, place: Place) -> None:
        """Read the changes since the link of the run before, write them, keep the next link."""
        _, contract, customer = _model_source(place)
        around, kept = Around(COMPANY, contract, customer), place.folder / "delta_link"

        async def move(session: Any) -> None:
            link = kept.read_text(encoding="utf-8")
            _, link = await move_sources(session, place.finance, link, around)
            kept.write_text(link, encoding="utf-8")

        await side_by_side(1, [move], TOKEN)


def prepare(place: Place) -> None:
    """Bring the rows around those that will move in step, by the engine."""
    with place.engine() as engine:
        for area in _AREAS:
            mine = tuple(each for each in _AROUND if engine.map(each).area == area)
            request = RunRequest("bench", f"prepare {area}", mine, manual=True)
            for ref in detect(engine, area, request):
                _move(engine, ref, request)


def run_engine(place: Place, case: Case, run: int) -> Ran:
    """Move the changed rows by the engine, in a process that is warm as a worker's are.

    The bare client too has imported what it needs before the clock starts.
    """
    warm()
    request = RunRequest("bench", f"run {run}", (case.leg.map,), mode=case.mode, manual=True)

    def move() -> None:
        with place.engine() as engine:
            outcome = _move(engine, case.leg, request)
        if outcome.loaded != case.rows:
            raise RuntimeError(f"Of {case.rows} rows came {outcome}.")

    return _measured(place, case, move)


def run_bare(place: Place, case: Case, _: int) -> Ran:
    """Move the changed rows by the bare client."""
    return _measured(place, case, lambda: asyncio.run(case.bare(place)))


def _move(engine: Engine, ref: LegRef, request: RunRequest) -> LegOutcome:
    return load(engine, transform(engine, validate(engine, extract(engine, ref, request))))


def _measured(place: Place, case: Case, move: Callable[[], None]) -> Ran:
    httpx.delete(f"{place.control}/sandbox/stats").raise_for_status()
    cpu, began = time.process_time(), time.perf_counter()
    move()
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    counted = httpx.get(f"{place.control}/sandbox/stats?writes=false").json()["requests"]
    written = sum(
        each["rows"]
        for each in counted
        if each["entity"] == case.target and each["verb"] != "GET" and each["status"] < 400
    )
    if written != case.rows:
        raise RuntimeError(f"The sandbox has written {written} of {case.rows} rows.")
    requests = {f"{each['system']} {each['verb']} {each['entity']}": each["count"] for each in counted}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT // 2**20
    return Ran(written, requests, round(seconds, 2), round(cpu, 2), peak)


def measure(rows: int = 100_000, changesets: int = 20_000, repeats: int = 3, results: Path = RESULTS) -> int:
    """Run engine and bare client in turn on both cases; keep what came of it.

    Args:
        rows: Rows that go by bulk messages.
        changesets: Rows that go by changesets, about a thousand of which the sandbox does in a second.
        repeats: Runs of each, interleaved.
        results: Folder of the results.

    Returns:
        0 if the promise is kept, else 1.
    """
    cases: tuple[Case, ...] = (Products(rows), Sources(changesets))
    with tempfile.TemporaryDirectory() as name, running(Path(name), "demo") as server:
        place = Place(Path(name), server.dataverse, server.finance, server.control)
        httpx.put(f"{place.control}/sandbox/limits", json=_NO_LIMITS).raise_for_status()
        apart(prepare, place)
        ran = {case.name: _turns(server, place, case, repeats) for case in cases}
    promises = [_promise(case, ran[case.name]) for case in cases]
    kept = {case: [{way: asdict(each) for way, each in turn.items()} for turn in ran[case]] for case in ran}
    write_suite(results, "end_to_end", promises, rows=rows, changesets=changesets, runs=kept)
    for promise in promises:
        print(json.dumps(asdict(promise)), flush=True)  # noqa: T201  its output
    return 0 if all(promise.kept for promise in promises) else 1


def _turns(server: Server, place: Place, case: Case, repeats: int) -> list[dict[str, Ran]]:
    apart(case.fill, place)
    turns = []
    for run in range(repeats):
        case.change(place, run)
        ways = {"engine": run_engine, "bare": run_bare}
        order = list(ways)[:: 1 if run % 2 else -1]
        turns.append({way: apart(ways[way], place, case, run) for way in order})
        print(json.dumps({case.name: {way: _brief(each) for way, each in turns[-1].items()}}), flush=True)  # noqa: T201
    return turns


def _brief(ran: Ran) -> dict[str, object]:
    return {
        "rows_per_second": round(ran.rows / ran.seconds),
        "cpu_seconds_a_million": round(ran.cpu_seconds / ran.rows * 10**6, 1),
        "requests": sum(ran.requests.values()),
        "peak_mb": ran.peak_mb,
    }


def _promise(case: Case, turns: list[dict[str, Ran]]) -> Promise:
    """Judge by medians; what each million costs the client in processor time is told beside."""
    speed, cost = (
        {way: median(figure(turn[way]) for turn in turns) for way in ("engine", "bare")}
        for figure in (_speed, _cost)
    )
    share = speed["engine"] / speed["bare"]
    return Promise(
        f"{case.rows:,} changed rows, {case.name}",
        f"at least {SHARE:.0%} of the bare client's rows a second",
        f"{share:.0%}: {speed['engine']:.0f} of {speed['bare']:.0f} rows/s; "
        f"{cost['engine']:.0f} against {cost['bare']:.0f} CPU-s a million rows",
        share >= SHARE,
    )


def _speed(ran: Ran) -> float:
    return ran.rows / ran.seconds


def _cost(ran: Ran) -> float:
    return ran.cpu_seconds / ran.rows * 10**6


def _pair(place: Place, leg: LegRef, keys: Iterator[str]) -> None:
    """Let the crosswalk know the rows of a leg, in order of their numbers, with other values."""
    forth = leg.direction is Direction.DATAVERSE_TO_FINANCE
    hashes = (_MOVED_BEFORE, None) if forth else (None, _MOVED_BEFORE)
    entries = (Entry(key, guid(number), *hashes) for number, key in enumerate(keys))
    with place.engine() as engine:
        while part := list(islice(entries, _A_SLICE)):
            with engine.state.begin() as connection:
                crosswalk.put(connection, leg.map, 1, part)


def _found(place: Place, address: str) -> Any:
    """Give the first row that an address of the Web API finds."""
    with place.client() as client:
        return client.get(address).raise_for_status().json()["value"][0]


def _company(place: Place) -> str:
    return str(_found(place, f"cdm_companies?$filter=cdm_companycode eq '{COMPANY}'")["cdm_companyid"])


def _unit(place: Place) -> str:
    return str(_found(place, f"uoms?$filter=msdyn_symbol eq '{_UNIT}'")["uomid"])


def _model_source(place: Place) -> tuple[Mapping[str, str], str, str]:
    """Give a funding source's lookups, its contract's number and its customer's account."""
    row = _found(
        place,
        f"{_SOURCES}?$filter=msdyn_company/cdm_companycode eq '{COMPANY}'"
        "&$expand=msdyn_projectcontract($select=ordernumber)",
    )
    lookups = {
        name: str(row[f"_{name}_value"])
        for name in ("msdyn_projectcontract", "msdyn_customer", "msdyn_company")
    }
    customer = _found(place, f"accounts?$filter=accountid eq {lookups['msdyn_customer']}")
    return lookups, str(row["msdyn_projectcontract"]["ordernumber"]), str(customer["accountnumber"])


def _item(number: int) -> str:
    return f"X-{number:07}"


def _product(number: int) -> dict[str, object]:
    return {
        "ItemNumber": _item(number),
        "ProductNumber": _item(number),
        "ProductSearchName": f"Part {number}, 2 m",
        "ProductType": "Service" if number % 2 else "Item",
        "SalesUnitSymbol": _UNIT,
        "SalesPrice": Decimal(number) / 8,
        "UnitCost": Decimal(number) / 16,
        "PurchasePrice": Decimal(number) / 4,
    }


def _source(number: int) -> dict[str, object]:
    return {
        "msdyn_fundingsourceid": _item(number),
        "msdyn_name": _item(number),
        "msdyn_isprimary": False,
        "msdyn_billtoname": f"Payer {number}",
        "msdyn_paymentterms": "Net30",
    }
