"""The engine as the command line runs it, with the real sandbox as a process."""

import json
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
from sqlalchemy import text

from projops.engine import Engine
from projops.mapping.model import Direction, System
from projops.pipeline import detect, extract, load, transform, validate
from projops.replay import Decided, Selection, approve, replay
from projops.run import LegOutcome, LegRef, RunRequest, Staged
from projops.settings import PROJECT_ROOT, Settings
from projops.systems.connection import Connection
from runner.environment import base_environment
from runner.processes import Process, start, stop
from runner.sandbox import Addresses
from runner.waiting import until

TOKEN = "sandbox-token"
AREAS = (
    "reference_data",
    "setup_and_configuration",
    "expense_management",
    "subcontract_purchase_orders",
    "vendor_invoices",
    "estimates_and_actuals",
    "project_invoices",
)
Value: TypeAlias = Any  # whatever JSON, or a setting, can be
Row: TypeAlias = Mapping[str, Value]
_SECONDS = 60


@dataclass(frozen=True)
class Databases:
    """Where sandbox and engine keep their rows.

    Attributes:
        sandbox: URL of the sandbox's database.
        state: URL of the engine's.
    """

    sandbox: str
    state: str


@dataclass(frozen=True)
class World:
    """A running sandbox and an engine's state and staging.

    Attributes:
        sandbox: Addresses.
        settings: Settings of the engine.
        token: What the engine shows to both systems.
        finance_at: Another address of Finance, for an engine that is misled.
    """

    sandbox: Addresses
    settings: Settings
    token: str = TOKEN
    finance_at: str | None = None

    def engine(self) -> Engine:
        return Engine.open(self.settings, self.connection)

    def connection(self, system: System) -> Connection:
        address = self.sandbox.dataverse if system is System.DATAVERSE else self.sandbox.finance
        if system is System.FINANCE and self.finance_at is not None:
            address = self.finance_at
        return Connection(f"{system.value}_default", system, address, static_token=self.token)

    def with_settings(self, **changes: Value) -> "World":
        return replace(self, settings=replace(self.settings, **changes))

    # What people do: run the engine.

    def request(self, *maps: str, **asked: Value) -> RunRequest:
        return RunRequest("test", uuid.uuid4().hex, maps or None, manual=True, **asked)

    def sync(self, *maps: str, **asked: Value) -> dict[str, LegOutcome]:
        """Run whole legs of some maps, or of all, in order; give their outcomes by leg."""
        request = self.request(*maps, **asked)
        with self.engine() as engine:
            return dict(self._legs(engine, request, tuple(Direction)))

    def forth(self, *maps: str) -> dict[str, LegOutcome]:
        """Run the legs towards Finance only: no exports, which take their time."""
        with self.engine() as engine:
            return dict(self._legs(engine, self.request(*maps), (Direction.DATAVERSE_TO_FINANCE,)))

    def _legs(
        self, engine: Engine, request: RunRequest, directions: Sequence[Direction]
    ) -> Iterator[tuple[str, LegOutcome]]:
        for area in AREAS:
            named = request.maps and tuple(each for each in request.maps if engine.map(each).area == area)
            if request.maps is None or named:
                due = detect(engine, area, replace(request, maps=named))
                for ref in (each for each in due if each.direction in directions):
                    outcome = load(engine, transform(engine, validate(engine, extract(engine, ref, request))))
                    check_sum(outcome)
                    yield str(ref), outcome

    @contextmanager
    def batch(self, map_id: str, leg: str, **asked: Value) -> Iterator["Stages"]:
        """Open one leg's batch, to run its stages one by one."""
        with self.engine() as engine:
            yield Stages(engine, LegRef(map_id, leg), self.request(map_id, **asked))

    # What stands in the state, read by plain SQL.

    def sql(self, statement: str, **values: Value) -> list[dict[str, Any]]:
        with self.engine() as engine, engine.state.begin() as connection:
            result = connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def letters(self, map_id: str) -> list[dict[str, Any]]:
        """Give the rows of a map that are set aside now."""
        live = "status in ('open', 'parked', 'awaiting_approval')"
        return self.sql(f"select * from dead_letter where map = :map and {live} order by id", map=map_id)

    def replay(self, map_id: str) -> Decided:
        """Mark what is set aside of a map, as `projops dead-letters replay --map` does."""
        with self.engine() as engine:
            return replay(engine.state, Selection(map=map_id), "a test")

    def approve(self, map_id: str) -> Decided:
        """Let the held deletes of a map go, as `projops dead-letters approve --map` does."""
        with self.engine() as engine:
            return approve(engine.state, Selection(map=map_id), "a test")

    # Both systems over plain HTTP.

    @cached_property
    def control(self) -> httpx.Client:
        return httpx.Client(base_url=self.sandbox.control, timeout=_SECONDS, trust_env=False)

    @cached_property
    def dataverse(self) -> httpx.Client:
        return _client(f"{self.sandbox.dataverse}/api/data/v9.2/")

    @cached_property
    def finance(self) -> httpx.Client:
        return _client(f"{self.sandbox.finance}/data/")

    def close(self) -> None:
        for name in ("control", "dataverse", "finance"):
            if name in self.__dict__:
                getattr(self, name).close()

    def dataverse_rows(self, entity_set: str, where: str | None = None) -> list[Row]:
        return _pages(self.dataverse, entity_set, where)

    def finance_rows(self, entity_set: str, where: str | None = None) -> list[Row]:
        return _pages(self.finance, f"{entity_set}?cross-company=true", where)

    def dataverse_row(self, entity_set: str, where: str) -> Row:
        [row] = self.dataverse_rows(entity_set, where)
        return row

    def finance_row(self, entity_set: str, where: str) -> Row:
        [row] = self.finance_rows(entity_set, where)
        return row

    def create(self, entity_set: str, **values: Value) -> str:
        """Create a Dataverse row; give its GUID."""
        answer = _done(self.dataverse.post(entity_set, json=values))
        return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")").lower()

    def create_many(self, entity_set: str, targets: Sequence[Row]) -> None:
        """Create Dataverse rows by the bulk message, as a data import does."""
        address = f"{entity_set}/Microsoft.Dynamics.CRM.CreateMultiple"
        _done(self.dataverse.post(address, json={"Targets": targets}))

    def change(self, entity_set: str, row_id: str, **values: Value) -> None:
        _done(self.dataverse.patch(f"{entity_set}({row_id})", json=values, headers={"If-Match": "*"}))

    def correct(self, actual: str, **values: Value) -> None:
        """Change an actual by the bulk message, as a data import does: users may not (R309)."""
        target = {"@odata.type": "Microsoft.Dynamics.CRM.msdyn_actual", "msdyn_actualid": actual, **values}
        address = "msdyn_actuals/Microsoft.Dynamics.CRM.UpdateMultiple"
        _done(self.dataverse.post(address, json={"Targets": [target]}))

    def delete(self, entity_set: str, row_id: str) -> None:
        _done(self.dataverse.delete(f"{entity_set}({row_id})"))

    def post(self, entity_set: str, **values: Value) -> None:
        _done(self.finance.post(f"{entity_set}?cross-company=true", json=values))

    def patch(self, entity_set: str, key: Mapping[str, str | uuid.UUID], **values: Value) -> None:
        self.patch_at(entity_set, _predicate(key), **values)

    def patch_at(self, entity_set: str, predicate: str, **values: Value) -> None:
        """Patch a row whose key holds an enum, written out."""
        _done(self.finance.patch(f"{entity_set}({predicate})?cross-company=true", json=values))

    def remove(self, entity_set: str, key: Mapping[str, str | uuid.UUID]) -> None:
        _done(self.finance.delete(f"{entity_set}({_predicate(key)})?cross-company=true"))

    # The sandbox's control plane.

    def job(self, name: str, **parameters: Value) -> None:
        """Run a batch job of either system, in USPM."""
        _done(self.control.post(f"/sandbox/jobs/{name}", json={"company": "USPM", **parameters}))

    def faults(self, *rules: Mapping[str, Any]) -> None:
        _done(self.control.put("/sandbox/faults", json=list(rules)))

    def no_faults(self) -> None:
        _done(self.control.delete("/sandbox/faults"))

    def forget_requests(self) -> None:
        _done(self.control.delete("/sandbox/stats"))

    def requests(self, system: str, verb: str, entity: str) -> int:
        counted = _done(self.control.get("/sandbox/stats?writes=false")).json()["requests"]
        place = {"system": system, "verb": verb, "entity": entity}
        return sum(each["count"] for each in counted if place.items() <= each.items())

    def writes(self) -> list[Row]:
        """Give all rows that were asked to be written since `forget_requests`; exports are no rows."""
        log = _done(self.control.get("/sandbox/stats")).json()["writes"]
        apart = ("$batch", "token", "DataManagementDefinitionGroup", "blobs")
        return [each for each in log if not each["entity"].startswith(apart)]


@dataclass(frozen=True)
class Stages:
    """The four stages of one batch."""

    engine: Engine
    ref: LegRef
    request: RunRequest

    def extract(self) -> Staged:
        return extract(self.engine, self.ref, self.request)

    def validate(self, staged: Staged) -> Staged:
        return validate(self.engine, staged)

    def transform(self, staged: Staged) -> Staged:
        return transform(self.engine, staged)

    def staged(self) -> Staged:
        """Run all that comes before the load."""
        return self.transform(self.validate(self.extract()))

    def load(self, staged: Staged) -> LegOutcome:
        return check_sum(load(self.engine, staged))


def check_sum(outcome: LegOutcome) -> LegOutcome:
    """Every row that was read became one thing and no other."""
    parts = ("unchanged", "loaded", "parked", "rejected", "failed")
    assert outcome.read == sum(getattr(outcome, part) for part in parts), outcome
    return outcome


@contextmanager
def opened(databases: Databases, folder: Path, seed: str = "demo") -> Iterator[World]:
    """Run a sandbox on a database, seeded if it is new, and an engine beside it, until the block ends."""
    command = [sys.executable, "-m", "sandbox", "serve", "--database", databases.sandbox, "--seed", seed]
    for port in ("dataverse", "finance", "dataverse-tls", "finance-tls", "control"):
        command += [f"--{port}-port", "0"]
    command += ["--tls-dir", str(folder)]
    process = start("sandbox", command, base_environment(), folder / "sandbox.log", PROJECT_ROOT)
    try:
        addresses = until(lambda: _ready_line(process), "the sandbox", _SECONDS, [process])
        world = World(addresses, Settings(state_url=databases.state, staging=str(folder / "staging")))
        yield world
        world.close()
    finally:
        stop([process])


def _ready_line(process: Process) -> Addresses | None:
    lines = [line for line in process.log.read_text().splitlines() if line.startswith("{")]
    if not lines:
        return None
    ready = json.loads(lines[0])
    return Addresses(ready["dataverse"], ready["finance"], ready["control"])


def named(outcomes: Mapping[str, LegOutcome], count: str) -> dict[str, int]:
    """Give one count of each leg where it is not zero."""
    return {leg: getattr(each, count) for leg, each in outcomes.items() if getattr(each, count)}


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _predicate(key: Mapping[str, str | uuid.UUID]) -> str:
    """Write an entity key; GUIDs stand there bare."""
    texts = {name: value if isinstance(value, str) else None for name, value in key.items()}
    return ",".join(
        f"{name}={key[name] if text is None else quote(literal(text), safe='')}"
        for name, text in texts.items()
    )


def _client(base: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    return httpx.Client(base_url=base, headers=headers, timeout=_SECONDS, trust_env=False)


def _pages(client: httpx.Client, address: str, where: str | None) -> list[Row]:
    if where is not None:
        address += f"{'&' if '?' in address else '?'}$filter={quote(where, safe='')}"
    rows: list[Row] = []
    link: str | None = address
    while link is not None:
        page = json.loads(_done(client.get(link)).text, parse_float=Decimal)
        rows += page["value"]
        link = page.get("@odata.nextLink")
    return rows


def _done(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    )
    return answer
