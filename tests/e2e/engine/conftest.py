"""Both areas moved once from the demo seed, on SQLite and on Postgres; each module gets a copy of that."""

import asyncio
import functools
import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from projops.run import LegOutcome
from projops.systems.retries import RetryPolicy
from projops.systems.session import ODataSession
from tests.contract.process import postgres
from tests.e2e.engine.told import Story, Told, tell_in
from tests.e2e.engine.world import Databases, World, opened

NewDatabases = Callable[[Databases | None], Databases]
_IMPATIENT = RetryPolicy(attempts=3, base=0.01, longest=0.02)


@pytest.fixture(scope="session", autouse=True)
def impatient() -> Iterator[None]:
    """What fails, or is not ready, is asked again soon: waits are as many as ever, and short."""

    async def pause(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.02))

    session = functools.partial(ODataSession, policy=_IMPATIENT, pause=pause)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("projops.engine.ODataSession", session)
        yield


class FirstPass:
    """What the first pass of both areas left behind, and what it said of each leg."""

    def __init__(self, databases: Databases, outcomes: dict[str, LegOutcome]) -> None:
        self.databases = databases
        self.outcomes = outcomes


class Kept:
    """What lasts as long as the session: a folder, a Postgres server once it is needed, and what began there.

    A fixture of the session that has parameters would be made anew at each change of the parameter, and
    with it the first pass, for each module twice.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.first_passes: dict[str, FirstPass] = {}
        self.stories: dict[str, Story] = {}
        self._folder, self._stack = folder, stack
        self._numbers = itertools.count()

    @functools.cached_property
    def _server(self) -> URL:
        return make_url(self._stack.enter_context(postgres()))

    def new_databases(self, kind: str, copied: Databases | None) -> Databases:
        """Make new databases, empty or copies of others that nobody is using."""
        number = next(self._numbers)
        if kind == "sqlite":
            return _files(self._folder / str(number), copied)
        return _on_postgres(self._server, number, copied)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with ExitStack() as stack:
        yield Kept(tmp_path_factory.mktemp("engine"), stack)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def new_databases(kept: Kept, database: str) -> NewDatabases:
    """Make new databases of one kind, empty or copies of others that nobody is using."""
    return functools.partial(kept.new_databases, database)


def _files(folder: Path, copied: Databases | None) -> Databases:
    folder.mkdir()
    made = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
    if copied is not None:
        for source, target in zip((copied.sandbox, copied.state), (made.sandbox, made.state), strict=True):
            for suffix in ("", "-wal"):
                file = Path(f"{make_url(source).database}{suffix}")
                if file.exists():
                    shutil.copy(file, f"{make_url(target).database}{suffix}")
    return made


def _on_postgres(server: URL, number: int, copied: Databases | None) -> Databases:
    urls = []
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in ("sandbox", "state"):
            like = f" TEMPLATE {make_url(getattr(copied, name)).database}" if copied is not None else ""
            connection.execute(text(f"CREATE DATABASE {name}{number}{like}"))
            urls.append(server.set(database=f"{name}{number}").render_as_string(hide_password=False))
    engine.dispose()
    return Databases(*urls)


@pytest.fixture(scope="module")
def first_pass(
    kept: Kept, database: str, new_databases: NewDatabases, tmp_path_factory: pytest.TempPathFactory
) -> FirstPass:
    if database not in kept.first_passes:
        databases = new_databases(None)
        with opened(databases, tmp_path_factory.mktemp("first-pass")) as world:
            kept.first_passes[database] = FirstPass(databases, world.sync())
    return kept.first_passes[database]


@pytest.fixture(scope="module")
def story(
    kept: Kept,
    database: str,
    new_databases: NewDatabases,
    first_pass: FirstPass,
    tmp_path_factory: pytest.TempPathFactory,
) -> Story:
    if database not in kept.stories:
        databases = new_databases(first_pass.databases)
        with opened(databases, tmp_path_factory.mktemp("story")) as world:
            kept.stories[database] = tell_in(world, databases)
    return kept.stories[database]


@pytest.fixture(scope="module")
def told(
    new_databases: NewDatabases, story: Story, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    """A world of the module's own in which the story has happened."""
    databases = new_databases(story.databases)
    with opened(databases, tmp_path_factory.mktemp("told")) as world:
        yield Told(world, databases, story.engagement, story.moved)


@pytest.fixture(scope="module")
def shared_world(
    new_databases: NewDatabases, first_pass: FirstPass, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with opened(new_databases(first_pass.databases), tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """Both systems in step, nothing counted yet, no faults; the rows that a test makes are its own."""
    shared_world.no_faults()
    shared_world.forget_requests()
    yield shared_world
    shared_world.no_faults()
