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

# Maps whose extract reads one row a request, with the table that tells them apart in the counts.
LEGS = {
    "contract_headers": "salesorders",
    "contract_lines": "salesorderdetails",
    "funding_sources": "msdyn_projectcontractsplitbillingrules",
    "resource_roles": "bookableresourcecategories",
    "transaction_categories": "msdyn_transactioncategories",
    "milestones": "msdyn_contractlinescheduleofvalues",
    "projects": "msdyn_projects",
    "project_tasks": "msdyn_projecttasks",
}
QUARTERS = 4
_WINDOWS_A_QUARTER = 2
_MORE = 300  # roles and categories, of which a firm has but a few
_START_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Narrow:
    """Limits of Dataverse that are put to the test for eight windows, after a start.

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
        answered: Requests that were answered in each quarter, by map.
    """

    shares: Sequence[float]
    throttled: int
    answered: Sequence[Mapping[str, int]]

    def lines(self) -> list[str]:
        """Say it to people."""
        found = [f"throttled {self.throttled}"]
        for number, (share, answered) in enumerate(zip(self.shares, self.answered, strict=True), start=1):
            each = ", ".join(f"{name} {answered[name]}" for name in LEGS)
            found.append(f"quarter {number}: {share:.0%} of the limit; requests: {each}")
        return found


def put_to_the_test(narrow: Narrow, folder: Path) -> Throughput:
    """Run eight legs at once, each in a process of its own, for a start and eight windows; then kill them."""
    databases = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
    workers = Workers()
    with opened(databases, folder) as world:
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
    roles = [{"msdyn_resourcecategorynumber": f"L{each}", "name": f"Role {each}"} for each in range(_MORE)]
    _create(world, "resource_roles", "bookableresourcecategory", roles)
    number = "msdyn_transactioncategorynumber"
    categories = [{number: f"L{each}", "msdyn_name": f"Category {each}"} for each in range(_MORE)]
    _create(world, "transaction_categories", "msdyn_transactioncategory", categories)


def _create(world: World, name: str, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    world.create_many(LEGS[name], [{"@odata.type": f"Microsoft.Dynamics.CRM.{table}", **row} for row in rows])


def _measured(world: World, workers: Workers, narrow: Narrow) -> Throughput:
    until(lambda: all(_answered(world).values()) or None, "a request of each leg", _START_SECONDS, [])
    before, shares, answered = _answered(world), [], []
    for _ in range(QUARTERS):
        workers.let_work(_WINDOWS_A_QUARTER * narrow.window)
        shares.append(_share_used(world, narrow))
        now = _answered(world)
        answered.append({name: now[name] - before[name] for name in LEGS})
        before = now
    throttled = world.control.get("/sandbox/stats?writes=false").json()["throttled"]
    return Throughput(shares, sum(each["count"] for each in throttled), answered)


def _answered(world: World) -> dict[str, int]:
    """Requests for the table of each map so far."""
    counted = world.control.get("/sandbox/stats?writes=false").json()["requests"]
    return {
        name: sum(each["count"] for each in counted if each["entity"] == table)
        for name, table in LEGS.items()
    }


def _share_used(world: World, narrow: Narrow) -> float:
    """How much of the requests of the last window Dataverse has counted, by what it says is left."""
    left = world.dataverse.get("WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"]
    return 1 - int(left.replace(",", "")) / narrow.requests


# Documented: 6000 requests and 1200 seconds of work in 300 seconds, 52 requests at once.
TENTH = Narrow(requests=600, window=300.0, execution=120.0, concurrent=5)


def main() -> int:
    """A tenth of the documented limits, in their own window: takes three quarters of an hour."""
    found = put_to_the_test(TENTH, Path(tempfile.mkdtemp(prefix="load-")))
    sys.stdout.write("\n".join(found.lines()) + "\n")
    return 0 if not found.throttled and min(found.shares) >= 0.8 else 1


if __name__ == "__main__":
    sys.exit(main())
