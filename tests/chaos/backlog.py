"""A backlog of changed rows after a pause of 30 days: caught up in memory that does not grow with it.

python -m tests.chaos.backlog --rows 1000000
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.clock import Clock
from sandbox.store import Store
from tests.chaos.plan import Death, Way
from tests.chaos.worker import Job
from tests.chaos.workers import Workers
from tests.e2e.engine.world import Databases, World, opened

_MAP, _SET, _TABLE = "resource_roles", "bookableresourcecategories", "bookableresourcecategory"
_A_MESSAGE, _SAMPLE = 1000, 50
_PAUSE_SECONDS = 30 * 86400
_KNOWN = 10  # one row in so many stood before the pause
_PATIENCE_SECONDS = 6 * 3600.0
_MOST_GROWTH = 1.1
_BEFORE, _AFTER = "Before the pause", "After the pause"


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What catching up took.

    Attributes:
        rows: Changed rows.
        seconds: From the first look to the end of the load.
        megabytes: Peak of the worker's resident memory.
        wrong: What is not as it should be.
    """

    rows: int
    seconds: float
    megabytes: float
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        speed = self.rows / self.seconds
        figures = f"{self.rows} rows in {self.seconds:.0f} s ({speed:.0f} a second), {self.megabytes:.0f} MB"
        return "; ".join((figures, *self.wrong))


def catch_up(rows: int, folder: Path) -> CaughtUp:
    """Bring a tenth of the rows in step, change them and make the others, let 30 days pass, and catch up.

    Args:
        rows: Rows of Dataverse, all of them new or changed.
        folder: For the databases and what is staged.
    """
    databases = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
    workers = Workers()
    try:
        with opened(databases, folder) as world:
            ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(rows)]
            known, new = ids[: rows // _KNOWN], ids[rows // _KNOWN :]
            _create(world, known)
            _run(world, workers, "before", folder)
            _change(world, known)
            _fill(databases.sandbox, new)
            clock = world.control.put("/sandbox/clock", json={"advance_seconds": _PAUSE_SECONDS})
            clock.raise_for_status()
            began = time.monotonic()
            facts = _run(world, workers, "after", folder)
            seconds = time.monotonic() - began
            again = _run(world, workers, "again", folder)
            return CaughtUp(rows, seconds, _peak(facts), (*_wrong(world, ids, facts), *_restless(again)))
    finally:
        workers.close()


def _create(world: World, ids: list[str]) -> None:
    """Make roles by the bulk message, the number of each in its GUID."""
    _in_messages(ids, lambda some: world.create_many(_SET, [_target(each, _BEFORE) for each in some]))


def _change(world: World, ids: list[str]) -> None:
    address = f"{_SET}/Microsoft.Dynamics.CRM.UpdateMultiple"

    def update(some: list[str]) -> None:
        targets = [_target(each, _AFTER) for each in some]
        world.dataverse.post(address, json={"Targets": targets}).raise_for_status()

    _in_messages(ids, update)


def _fill(database: str, ids: list[str]) -> None:
    """Make roles beside the running system, in its database: how they came is not what is tested."""
    store = Store(database, Clock())
    roles = store.dataverse[_TABLE]
    _in_messages(ids, lambda some: store.bulk_insert(roles, [_row(each, _AFTER) for each in some]))
    store.close()


def _in_messages(ids: list[str], send: Callable[[list[str]], None]) -> None:
    for start in range(0, len(ids), _A_MESSAGE):
        send(ids[start : start + _A_MESSAGE])


def _target(row_id: str, when: str) -> dict[str, Any]:
    return {"@odata.type": f"Microsoft.Dynamics.CRM.{_TABLE}", **_row(row_id, when)}


def _row(row_id: str, when: str) -> dict[str, Any]:
    return {
        f"{_TABLE}id": row_id,
        "msdyn_resourcecategorynumber": _number(row_id),
        "name": f"{when} {_number(row_id)}",
    }


def _number(row_id: str) -> str:
    return f"B{row_id[-9:]}"


def _run(world: World, workers: Workers, run: str, folder: Path) -> list[dict[str, Any]]:
    """Run the leg in a process of its own; give what it noted."""
    log = folder / f"{run}.jsonl"
    running = workers.start(Job(replace(world), run, (_MAP,), "incremental", Death(Way.LIVES), log))
    workers.see_end([running], lambda: False, _PATIENCE_SECONDS)
    return [json.loads(line) for line in log.read_text().splitlines()]


def _peak(facts: list[dict[str, Any]]) -> float:
    return next((each["peak_megabytes"] for each in facts if "peak_megabytes" in each), 0.0)


def _wrong(world: World, ids: list[str], facts: list[dict[str, Any]]) -> list[str]:
    """Compare a sample of rows, and what the leg says of itself."""
    found = [each["text"] for each in facts if "text" in each]
    loaded = sum(each.get("loaded", 0) for each in facts)
    if loaded != len(ids):
        found.append(f"{loaded} rows were loaded instead of {len(ids)}")
    for row_id in random.Random(len(ids)).sample(ids, min(_SAMPLE, len(ids))):
        held = world.finance_rows("ResourceCategoriesShared", f"RoleId eq '{_number(row_id)}'")
        if [row["Description"] for row in held] != [f"{_AFTER} {_number(row_id)}"]:
            found.append(f"role {_number(row_id)} is {held}")
    return found


def _restless(facts: list[dict[str, Any]]) -> list[str]:
    """Say so if the watermark did not move."""
    read = sum(each.get("read", 0) for each in facts)
    return [f"{read} rows came once more"] if read else []


def main() -> int:
    """Catch up with a tenth of the rows, then with all: time may grow, memory may not."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.backlog", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="changed rows (default a million)")
    rows = parser.parse_args().rows
    found = []
    for size in (rows // 10, rows):
        with tempfile.TemporaryDirectory(prefix="backlog-") as folder:
            found.append(catch_up(size, Path(folder)))
        sys.stdout.write(f"{found[-1]}\n")
        sys.stdout.flush()
    small, large = found
    is_flat = large.megabytes <= small.megabytes * _MOST_GROWTH
    return 0 if is_flat and not (small.wrong or large.wrong) else 1


if __name__ == "__main__":
    sys.exit(main())
