"""Eight legs at once against narrow limits: how much of them was used, and whether a leg starved.

python -m tests.chaos.load
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from projops.mapping.model import System
from projops.systems.connection import Connection
from runner.waiting import until
from tests.chaos.plan import Death, Way
from tests.chaos.worker import Job
from tests.chaos.workers import Workers
from tests.e2e.engine.world import Databases, World, opened

# Maps towards Dataverse, which write one row a request, with the table that tells them apart in the log.
LEGS = {
    "currencies": "transactioncurrencies",
    "units": "uoms",
    "workers": "cdm_workers",
    "customers": "accounts",
    "vendors": "msdyn_vendors",
    "products": "products",
    "exchange_rate_types": "msdyn_exchangeratetypes",
    "exchange_rates": "msdyn_currencyexchangerates",
}
_FIRST = ("companies", "currencies", "units", "exchange_rate_types", "exchange_rate_pairs")
QUARTERS = 4
_MORE = 120  # rows of those tables of which a firm has but a few
_START_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Narrow:
    """Limits of Dataverse that are put to the test for four windows, after a start.

    Attributes:
        requests: Requests in a window.
        window: Its seconds.
        execution: Seconds of work in a window.
        concurrent: Requests at once.
    """

    requests: int
    window: float
    execution: float
    concurrent: int

    def as_json(self) -> dict[str, Any]:
        """The limits, as the sandbox and a connection's extra name them."""
        return {
            "window_seconds": self.window,
            "requests": self.requests,
            "execution_seconds": self.execution,
            "concurrent": self.concurrent,
        }


@dataclass(frozen=True)
class NarrowWorld(World):
    """A world whose connections know how narrow Dataverse is."""

    limits: Mapping[str, Any] | None = None

    def connection(self, system: System) -> Connection:
        """Give the connection, with the limits as its extra says."""
        options = {"limits": dict(self.limits or {})} if system is System.DATAVERSE else {}
        return replace(super().connection(system), options=options)


@dataclass(frozen=True, slots=True)
class Throughput:
    """What came of it.

    Attributes:
        shares: How much of the limit was used, by quarter of the run, as Dataverse itself counted.
        throttled: Requests that were turned away.
        written: Rows written in each quarter, by map.
    """

    shares: Sequence[float]
    throttled: int
    written: Sequence[Mapping[str, int]]

    def lines(self) -> list[str]:
        """Say it to people."""
        found = [f"throttled {self.throttled}"]
        for number, (share, written) in enumerate(zip(self.shares, self.written, strict=True), start=1):
            rows = ", ".join(f"{name} {written[name]}" for name in LEGS)
            found.append(f"quarter {number}: {share:.0%} of the limit; rows written: {rows}")
        return found


def put_to_the_test(narrow: Narrow, folder: Path) -> Throughput:
    """Run eight legs at once, each in a process of its own, for a start and four windows; then kill them."""
    databases = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
    workers = Workers()
    with opened(databases, folder) as world:
        world.sync(*_FIRST)
        _make_more(world)
        world.control.put("/sandbox/limits", json=narrow.as_json()).raise_for_status()
        world.forget_requests()
        settings = replace(world.settings, chunk_rows=1)
        narrowed = NarrowWorld(world.sandbox, settings, limits=narrow.as_json())
        try:
            for name in LEGS:
                job = Job(
                    narrowed,
                    name,
                    (name,),
                    "incremental",
                    Death(Way.LIVES),
                    folder / "load.jsonl",
                    hasty=False,
                )
                workers.start(job)
            return _measured(world, workers, narrow)
        finally:
            workers.close()


def _make_more(world: World) -> None:
    for number in range(_MORE):
        world.post("Currencies", CurrencyCode=f"{number:03}", Name=f"Currency {number}", Symbol="X")
        world.post("UnitsOfMeasure", UnitSymbol=f"LOAD{number}", UnitDescription=f"Unit {number}")
        world.post("ExchangeRateTypes", Name=f"LOAD{number}", Description=f"Type {number}")


def _measured(world: World, workers: Workers, narrow: Narrow) -> Throughput:
    until(lambda: all(_written(world).values()) or None, "a row of each leg", _START_SECONDS, [])
    before, shares, written = _written(world), [], []
    for _ in range(QUARTERS):
        workers.let_work(narrow.window)
        shares.append(_share_used(world, narrow))
        now = _written(world)
        written.append({name: now[name] - before[name] for name in LEGS})
        before = now
    throttled = world.control.get("/sandbox/stats?writes=false").json()["throttled"]
    return Throughput(shares, sum(each["count"] for each in throttled), written)


def _written(world: World) -> dict[str, int]:
    """Rows that Dataverse took so far, by map."""
    counted = world.control.get("/sandbox/stats?writes=false").json()["requests"]
    writes = [each for each in counted if each["system"] == "dataverse" and each["verb"] != "GET"]
    return {
        name: sum(each["rows"] for each in writes if each["entity"] == table) for name, table in LEGS.items()
    }


def _share_used(world: World, narrow: Narrow) -> float:
    """How much of the requests of the last window Dataverse has counted, by what it says is left."""
    left = world.dataverse.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"]
    return 1 - int(left.replace(",", "")) / narrow.requests


# Documented: 6000 requests and 1200 seconds of work in 300 seconds, 52 requests at once.
TENTH = Narrow(requests=600, window=300.0, execution=120.0, concurrent=5)


def main() -> int:
    """A tenth of the documented limits, in their own window: takes half an hour."""
    found = put_to_the_test(TENTH, Path(tempfile.mkdtemp(prefix="load-")))
    sys.stdout.write("\n".join(found.lines()) + "\n")
    return 0 if not found.throttled and min(found.shares) >= 0.8 else 1


if __name__ == "__main__":
    sys.exit(main())
