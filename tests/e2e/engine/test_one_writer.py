"""Two workers at the same map, and one whose machine freezes in the middle: processes of their own."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from runner.waiting import until
from tests.chaos.plan import Death, Way
from tests.chaos.worker import Job
from tests.chaos.workers import Running, Workers
from tests.e2e.engine import rows
from tests.e2e.engine.world import Databases, Row, World, opened

LEASE, PATIENCE, ROLES = 2.0, 60.0, 12
BEFORE, AFTER = "Before the freeze", "After the freeze"
# Where the machine freezes in the middle of a load.
POINTS = {
    "before a chunk is sent": Death(Way.FREEZE, "load/sending.py", "send", 2),
    "at the bytes of a request": Death(Way.FREEZE, "aiohttp/client_reqrep.py", "send", 3),
    "at the bytes of a later one": Death(Way.FREEZE, "aiohttp/client_reqrep.py", "send", 5),
    "before an outcome is committed": Death(Way.FREEZE, "load/outcomes.py", "commit_chunk", 2),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Roles alone, in step; leases are short, and chunks small."""
    folder = tmp_path_factory.mktemp("one-writer")
    databases = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
    with opened(databases, folder) as world:
        world.sync("resource_roles")
        hasty = world.with_settings(lease_seconds=LEASE, chunk_rows=4)
        yield hasty
        hasty.close()


@pytest.fixture
def begin(world: World, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start a worker for the roles; what it met stands in `tmp_path / its run`."""
    workers = Workers()

    def start(run: str, death: Death) -> Running:
        run_id, log = f"{tmp_path.name}-{run}", tmp_path / run
        return workers.start(Job(replace(world), run_id, ("resource_roles",), "incremental", death, log))

    yield start
    workers.close()


def make(world: World) -> dict[str, str]:
    """Roles that wait to be moved: GUID by number."""
    made = {
        number: rows.role(world, number, name=BEFORE) for number in (rows.fresh("ROLE") for _ in range(ROLES))
    }
    world.forget_requests()
    return made


def at_finance(world: World, numbers: Sequence[str]) -> list[str]:
    held = {row["RoleId"]: row["Description"] for row in world.finance_rows("ResourceCategoriesShared")}
    return [held[number] for number in numbers]


def locks_nothing(world: World, zombie: Running) -> bool:
    """Say whether a frozen worker holds no lock of the state; if it does, let it go on for a moment.

    Its heartbeat may have frozen within a transaction, and SQLite's lock nobody could take from it.
    """
    state = sqlite3.connect(str(make_url(world.settings.state_url).database), timeout=0)
    try:
        state.execute("BEGIN IMMEDIATE")
        return True
    except sqlite3.OperationalError:
        zombie.wake()
        zombie.process.join(0.01)
        zombie.freeze()
        return False
    finally:
        state.close()


def ended(worker: Running) -> None:
    worker.process.join(PATIENCE)
    assert worker.process.exitcode == 0


def written(world: World, text: str) -> list[Row]:
    return [row for row in world.writes() if row["values"] and row["values"].get("Description") == text]


def test_two_runs_of_one_map_write_each_row_once(world: World, begin: Callable[..., Running]) -> None:
    made = make(world)
    both = [begin(run, Death(Way.LIVES)) for run in ("one", "other")]
    for worker in both:
        ended(worker)
    assert at_finance(world, list(made)) == [BEFORE] * ROLES
    assert [row["status"] for row in world.writes()] == [201] * ROLES


@pytest.mark.parametrize("point", POINTS)
def test_of_a_machine_that_froze_at_most_one_request_comes_late_and_is_repaired(
    world: World, begin: Callable[..., Running], tmp_path: Path, point: str
) -> None:
    made = make(world)
    zombie = begin("zombie", replace(POINTS[point], loading=True))
    until(lambda: zombie.frozen or None, f"a freeze {point}", PATIENCE, [])
    until(lambda: locks_nothing(world, zombie) or None, "a freeze outside of transactions", PATIENCE, [])
    for guid in made.values():
        world.change("bookableresourcecategories", guid, name=AFTER)
    ended(begin("taker", Death(Way.LIVES)))
    assert at_finance(world, list(made)) == [AFTER] * ROLES
    taken = min(row["began"] for row in written(world, AFTER))

    zombie.wake()
    ended(zombie)

    assert "LeaseHeldError" in (tmp_path / "zombie").read_text()
    late = {row["request"] for row in written(world, BEFORE) if row["began"] > taken}
    assert len(late) <= 1
    for _ in range(2):
        world.sync("resource_roles")
    assert at_finance(world, list(made)) == [AFTER] * ROLES
