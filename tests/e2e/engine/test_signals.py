"""A change tells of itself: webhook, endpoint, signal, run; and no write of ours does."""

import asyncio
from collections.abc import Coroutine, Iterator
from threading import Thread
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from projops.engine import Engine
from projops.pipeline import detect
from projops.run import LegRef, RunRequest
from projops.signals import app as endpoint_app
from projops.signals.endpoint import PATH, Endpoint, KeptEndpoint
from projops.signals.noting import Notebook
from projops.signals.polling import look_at_all
from projops.signals.registration import Changed, Registrar, Step, wanted_steps
from projops.state import signals
from projops.state.signals import Fate
from tests.contract.polling import until
from tests.e2e.engine import rows
from tests.e2e.engine.world import World

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
SECRET = "s3cret-s3cret-s3cret-s3cret"
AREA = "setup_and_configuration"
ROLES = LegRef("resource_roles", "dataverse_to_finance")
TABLE, SET = "bookableresourcecategory", "bookableresourcecategories"
NOTHING = Changed()


@pytest.fixture
def address(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the endpoint answers, as Airflow's server mounts it, on a port of its own."""
    with world.engine() as engine:
        monkeypatch.setattr(endpoint_app, "kept_engine", lambda: engine)
        monkeypatch.setattr(endpoint_app, "_endpoint", KeptEndpoint(lambda: Endpoint(SECRET)))
        monkeypatch.setattr(endpoint_app, "_notebook", Notebook())
        app = Starlette(routes=[Mount(PATH, endpoint_app.app)])
        server = uvicorn.Server(
            uvicorn.Config(app, "127.0.0.1", 0, log_level="critical", lifespan="off", access_log=False)
        )
        thread = Thread(target=server.run)
        thread.start()
        until(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        thread.join()


def steps_of(engine: Engine, *tables: str) -> dict[str, Step]:
    wanted = wanted_steps(engine.maps.values())
    return {name: step for name, step in wanted.items() if step.table in tables}


def run(engine: Engine, what: str, *arguments: Any) -> Changed:
    async def asked() -> Changed:
        async with engine.systems() as systems:
            call: Coroutine[Any, Any, Changed] = getattr(Registrar(systems.dataverse), what)(*arguments)
            return await call

    return asyncio.run(asked())


def waiting(engine: Engine) -> set[LegRef]:
    with engine.state.begin() as connection:
        return {LegRef(*place) for place in signals.waiting(connection)}


def counted(engine: Engine, fate: Fate) -> int:
    with engine.state.begin() as connection:
        return signals.counted_today(connection).get(("dataverse", fate), 0)


def by_signal(engine: Engine, run_id: str) -> list[LegRef]:
    return detect(engine, AREA, RunRequest(AREA, run_id, signalled=True))


def test_a_change_is_told_taken_and_moved_and_our_own_write_wakes_nobody(world: World, address: str) -> None:
    """From the write of a user to Finance, and the write that comes back with our tag."""
    endpoint = Endpoint(SECRET, address)
    world.sync("resource_roles")
    with world.engine() as engine:
        added = run(engine, "register", endpoint, steps_of(engine, TABLE))
        assert sorted(added.added) == sorted(steps_of(engine, TABLE))
        assert run(engine, "register", endpoint, steps_of(engine, TABLE)) == NOTHING

        number = rows.fresh("ROLE")
        role = rows.role(world, number)
        until(lambda: ROLES in waiting(engine))
        assert by_signal(engine, "1") == [ROLES]
        assert waiting(engine) == set()
        assert world.sync("resource_roles")[str(ROLES)].loaded == 1

        # A column that no leg reads; then, tagged, one that a leg reads: neither is news.
        world.change(SET, role, description="For nobody")
        tagged = f"{SET}({role})?tag=project-operations-sync"
        world.dataverse.patch(tagged, json={"name": "Ours"}, headers={"If-Match": "*"}).raise_for_status()
        until(lambda: counted(engine, Fate.OWN) == 1)
        assert waiting(engine) == set()
        assert by_signal(engine, "2") == []

        world.delete(SET, role)
        until(lambda: ROLES in waiting(engine))
        removed = run(engine, "unregister").removed
        assert sorted(removed) == sorted(added.added)
        assert run(engine, "unregister") == NOTHING


def test_all_delta_links_are_one_request_and_what_has_changed_waits(world: World) -> None:
    world.sync("resource_roles")
    with world.engine() as engine:
        asyncio.run(look_at_all(engine))
        by_signal(engine, "3")
        assert ROLES not in waiting(engine)
        rows.role(world, rows.fresh("ROLE"))
        world.forget_requests()
        asyncio.run(look_at_all(engine))
        assert ROLES in waiting(engine)
        assert world.requests("dataverse", "POST", "$batch") == 1
        assert ROLES in by_signal(engine, "4")
