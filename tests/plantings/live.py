"""Reconciliations while a live sync goes on: people change both sides, the engine moves, nothing has drifted.

python -m tests.plantings.live --minutes 5

Halfway one row is changed beside all change tracking: from then on that one, and nothing else, is drift.
"""

import argparse
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.synchronize import Event
from pathlib import Path

import sqlalchemy as sa

from projops.errors import ProjOpsError
from projops.mapping.model import Direction
from projops.mapping.reader import load_maps
from runner.waiting import until
from sandbox.clock import Clock
from sandbox.store import Store
from tests.chaos.worker import make_impatient
from tests.e2e.engine import rows
from tests.e2e.engine.world import Databases, World, opened
from tests.plantings.answers import Reported, reconcile
from tests.plantings.book import DRIFT, Cell, column_name
from tests.plantings.filling import with_needs

MAPS = ("customers", "workers", "resource_roles", "funding_sources")
_PLANTED = "RCN-0001"
_A_MINUTE = 60.0
_PATIENCE_SECONDS = 120.0


class Writer(threading.Thread):
    """People at work: so many changes a minute on both sides, over plain HTTP.

    Args:
        world: The sandbox; the clients are the writer's own.
        a_minute: Changes a minute.
        seed: All that is drawn follows from it.
    """

    def __init__(self, world: World, a_minute: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.world, self.chance, self.seconds = replace(world), random.Random(seed), _A_MINUTE / a_minute
        self.changes = 0
        self.failure: BaseException | None = None
        self._over = threading.Event()
        accounts = world.dataverse_rows(
            "accounts", "customertypecode eq 3 and startswith(accountnumber,'US-')"
        )
        self._accounts = {str(row["accountnumber"]): str(row["accountid"]) for row in accounts}
        finance = {
            row["CustomerAccount"] for row in world.finance_rows("CustomersV3", "dataAreaId eq 'uspm'")
        }
        self._customers = sorted(self._accounts.keys() & finance)
        self._sources: list[str] = []
        self._roles: list[str] = []
        self._workers: list[str] = []

    def run(self) -> None:
        """Change one thing after the other until told to stop."""
        try:
            self._contract = self._make_contract()
            began = time.monotonic()
            while not self._over.wait(max(0.0, began + self.changes * self.seconds - time.monotonic())):
                self.chance.choice(_ACTS)(self)
                self.changes += 1
        except BaseException as failure:
            self.failure = failure
        finally:
            self.world.close()

    def stop(self) -> None:
        """Let the change that is under way be the last one."""
        self._over.set()
        self.join()
        self.require_alive()

    def require_alive(self) -> None:
        """Raise what has stopped it."""
        if self.failure is not None:
            raise self.failure

    def _make_contract(self) -> tuple[str, str]:
        customer = self._accounts[self._customers[0]]
        return rows.contract(self.world, rows.fresh("LIVE"), customer), customer

    def make_role(self) -> None:
        self._roles.append(rows.role(self.world, rows.fresh("LR")))

    def rename_role(self) -> None:
        if self._roles:
            role = self.chance.choice(self._roles)
            self.world.change("bookableresourcecategories", role, name=self._words())

    def hire(self) -> None:
        number = rows.fresh("LW")
        rows.worker(self.world, number)
        self._workers.append(number)

    def rename_worker(self) -> None:
        if self._workers:
            key = {"PersonnelNumber": self.chance.choice(self._workers)}
            self.world.patch("Workers", key, LastName=self._words())

    def rename_in_finance(self) -> None:
        key = {"dataAreaId": "uspm", "CustomerAccount": self.chance.choice(self._customers)}
        self.world.patch("CustomersV3", key, OrganizationName=self._words())

    def rename_in_dataverse(self) -> None:
        account = self._accounts[self.chance.choice(self._customers)]
        self.world.change("accounts", account, name=self._words())

    def make_source(self) -> None:
        self._sources.append(rows.funding_source(self.world, rows.fresh("LF"), *self._contract))

    def change_source(self) -> None:
        if self._sources:
            source = self.chance.choice(self._sources)
            name = self._words()
            self.world.change("msdyn_projectcontractsplitbillingrules", source, msdyn_billtoname=name)

    def delete_source(self) -> None:
        if len(self._sources) > len(_ACTS):
            source = self._sources.pop(self.chance.randrange(len(self._sources)))
            self.world.delete("msdyn_projectcontractsplitbillingrules", source)

    def _words(self) -> str:
        return f"Café {self.chance.randrange(10**9)}"


_ACTS: Sequence[Callable[[Writer], None]] = (
    Writer.make_role,
    Writer.rename_role,
    Writer.hire,
    Writer.rename_worker,
    Writer.rename_in_finance,
    Writer.rename_in_dataverse,
    Writer.make_source,
    Writer.change_source,
    Writer.delete_source,
)


@dataclass
class Watch:
    """What reconciliations said while the sync went on.

    Attributes:
        world: The sandbox and the engine.
        reconciliations: How many there were.
        pending: Cells that were pending, in all of them.
        false: Drift that was none.
        unseen: Reconciliations after the planting that did not see it.
        planted: What was planted; None before.
    """

    world: World
    reconciliations: int = 0
    pending: int = 0
    false: list[tuple[Cell, Reported]] = field(default_factory=list)
    unseen: int = 0
    planted: Cell | None = None

    def look(self) -> None:
        """Reconcile once."""
        loaded = load_maps(self.world.settings.mappings)
        answer = reconcile(self.world, {name: loaded.maps[name] for name in MAPS})
        drift = {cell: said[0] for cell, said in answer.cells.items() if said[0].verdict == DRIFT}
        self.reconciliations += 1
        self.pending += sum(said[0].verdict == "pending" for said in answer.cells.values())
        self.false += [(cell, said) for cell, said in drift.items() if cell != self.planted]
        self.unseen += self.planted is not None and self.planted not in drift

    def plant(self, database: str) -> None:
        """Change one description in Finance, beside all change tracking."""
        table_map = load_maps(self.world.settings.mappings).maps["resource_roles"]
        column = column_name(table_map, Direction.DATAVERSE_TO_FINANCE, "Description")
        store = Store(database, Clock())
        sql = store.sql(store.finance["ResourceCategoriesShared"])
        with store.write() as unit:
            changed = sa.update(sql).where(sql.c.RoleId == _PLANTED).values(Description="Planted")
            assert unit.connection.execute(changed).rowcount == 1
        store.close()
        self.planted = Cell("resource_roles", f'["{_PLANTED.lower()}"]', column)

    @property
    def right(self) -> bool:
        """Whether all drift that was reported was planted, and that always."""
        return not self.false and not self.unseen and self.planted is not None

    def __str__(self) -> str:
        """What it came to, a line for each thing that is wrong."""
        figures = (
            f"{self.reconciliations} reconciliations, {self.pending} pending cells, "
            f"{len(self.false)} times false drift, the planted one unseen {self.unseen} times"
        )
        return "\n  ".join((figures, *(f"false: {cell}: {said}" for cell, said in self.false)))


@contextmanager
def moving(world: World, folder: Path) -> Iterator[Path]:
    """Run the engine over and over in a process of its own until the block ends; give its log."""
    context = multiprocessing.get_context("spawn")
    over, log = context.Event(), folder / "engine.log"
    log.touch()
    process = context.Process(target=_keep_moving, args=(replace(world), over, log))
    process.start()
    try:
        yield log
    finally:
        over.set()
        process.join()
    assert process.exitcode == 0, log.read_text()


def _keep_moving(world: World, over: Event, log: Path) -> None:
    make_impatient()
    while not over.is_set():
        with log.open("a", encoding="utf-8") as file:
            try:
                moved: Mapping[str, int] = {leg: each.loaded for leg, each in world.sync(*MAPS).items()}
                file.write(f"moved {sum(moved.values())}\n")
            except ProjOpsError as error:
                file.write(f"{type(error).__name__}: {error}\n")


@dataclass(frozen=True)
class Pace:
    """How long and how fast.

    Attributes:
        seconds: How long it goes on at least.
        a_minute: Changes a minute.
        looks: Reconciliations before and after the planting, at least.
    """

    seconds: float
    a_minute: int
    looks: int


def watch(world: World, database: str, folder: Path, pace: Pace, seed: int) -> Watch:
    """Write, move and reconcile, with a planting halfway."""
    found, writer, began = Watch(world), Writer(world, pace.a_minute, seed), time.monotonic()
    with moving(world, folder) as log:
        writer.start()
        try:
            until(lambda: _moved(log) or writer.failure, "the engine's first rows", _PATIENCE_SECONDS, ())
            for part in (1, 2):
                least = found.reconciliations + pace.looks
                while found.reconciliations < least or time.monotonic() - began < pace.seconds * part / 2:
                    found.look()
                    writer.require_alive()
                if part == 1:
                    found.plant(database)
        finally:
            writer.stop()
    minutes = (time.monotonic() - began) / _A_MINUTE
    paced = f"{writer.changes} changes ({writer.changes / minutes:.0f} a minute), {_moved(log)} moved"
    sys.stdout.write(f"{paced}; {found}\n")
    return found


def _moved(log: Path) -> int | None:
    """Rows that the engine has moved; None before the first."""
    lines = (line.split() for line in log.read_text(encoding="utf-8").splitlines())
    return sum(int(words[1]) for words in lines if words[0] == "moved") or None


def main() -> int:
    """Watch for some minutes; 1 unless nothing but what was planted was drift."""
    parser = argparse.ArgumentParser(prog="python -m tests.plantings.live", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default 5)")
    parser.add_argument("--changes", type=int, default=1000, help="changes a minute (default 1,000)")
    parser.add_argument("--seed", type=int, default=1, help="what is changed follows from it (default 1)")
    asked = parser.parse_args()
    make_impatient()
    with tempfile.TemporaryDirectory(prefix="live-") as name:
        folder = Path(name)
        databases = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
        with opened(databases, folder) as world:
            # The changes are those of many people, who share one user here.
            world.control.put("/sandbox/limits", json={"requests": 1_000_000, "execution_seconds": 86_400})
            world.sync(*with_needs(load_maps(world.settings.mappings), MAPS))
            pace = Pace(asked.minutes * _A_MINUTE, asked.changes, looks=2)
            found = watch(world, databases.sandbox, folder, pace, asked.seed)
    return 0 if found.right else 1


if __name__ == "__main__":
    sys.exit(main())
