"""The engine opened: settings, maps, state, staging, and sessions with both systems."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from projops.errors import ConfigurationError
from projops.extract.all_rows import companies_of
from projops.extract.lookups import Lookups
from projops.mapping import catalog
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.reader import LoadedMaps, load_maps
from projops.run import LegRef
from projops.settings import Settings
from projops.staging import Staging
from projops.state import StateStore
from projops.state.environments import bind_environment
from projops.state.throttling import SharedLimits
from projops.systems.columns import entity_set, properties
from projops.systems.connection import Connection, from_environment
from projops.systems.dataverse import Dataverse
from projops.systems.finance import Finance
from projops.systems.limits import limits_of
from projops.systems.session import ODataSession

CONNECTIONS = {System.DATAVERSE: "dataverse_default", System.FINANCE: "finance_default"}


@dataclass(frozen=True, slots=True)
class Systems:
    """Both systems, with open sessions.

    Attributes:
        dataverse: Dataverse.
        finance: Finance.
    """

    dataverse: Dataverse
    finance: Finance

    def lookups(self) -> Lookups:
        """Give a resolver of lookup paths that remembers what it reads."""

        async def read(name: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
            table = catalog.table(System.DATAVERSE, name)
            found, _ = await self.dataverse.by_ids(entity_set(table), properties(table, columns), ids)
            return found

        return Lookups(read)

    async def companies(self) -> list[str]:
        """Give the codes of all legal entities, in lower case, sorted."""
        return await companies_of(self.finance)


@dataclass(frozen=True, slots=True)
class Engine:
    """What every stage works with; a context manager that closes the state database.

    Attributes:
        settings: Settings.
        loaded: Maps, those that are broken, value maps and companies.
        state: State database, at the current schema.
        staging: Staging area.
        connect: Resolves the connection to a system; asked only when a session is opened.
        limits_in: State that keeps what all tasks have sent, where `state` is but a copy to rehearse on.
    """

    settings: Settings
    loaded: LoadedMaps
    state: StateStore
    staging: Staging
    connect: Callable[[System], Connection]
    limits_in: StateStore | None = None

    @classmethod
    def from_environment(cls, settings: Settings | None = None) -> Self:
        """Open the engine as the environment says, without Airflow.

        Raises:
            ConfigurationError: A setting is wrong, or the state database cannot be opened.
        """
        chosen = settings or Settings.from_environment()
        return cls.open(chosen, lambda system: from_environment(CONNECTIONS[system]))

    @classmethod
    def open(cls, settings: Settings, connect: Callable[[System], Connection]) -> Self:
        """Open the engine with connections from elsewhere, such as Airflow's."""
        state = StateStore(settings.state_url)
        state.prepare()
        return cls(settings, load_maps(Path(settings.mappings)), state, Staging(settings.staging), connect)

    def __enter__(self) -> Self:
        """Give the engine itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the state database."""
        self.state.close()

    @property
    def maps(self) -> Mapping[str, TableMap]:
        """Maps that can run, by id."""
        return self.loaded.maps

    def map(self, map_id: str) -> TableMap:
        """Find a map.

        Raises:
            MappingError: It is broken.
            ConfigurationError: There is no such map.
        """
        broken = next((each for each in self.loaded.broken if each.map == map_id), None)
        if broken is not None:
            raise broken.findings[0].as_error()
        if map_id not in self.maps:
            raise ConfigurationError(
                f"There is no map {map_id}.", remedy="`projops maps list` shows the maps and their legs."
            )
        return self.maps[map_id]

    def leg(self, ref: LegRef) -> tuple[TableMap, Leg]:
        """Find a leg and its map.

        Raises:
            MappingError: The map is broken.
            ConfigurationError: There is no such map or leg.
        """
        table_map = self.map(ref.map)
        if ref.direction not in table_map.legs:
            raise ConfigurationError(
                f"Map {ref.map} has no leg {ref.leg}.", remedy="`projops maps show` shows its legs."
            )
        return table_map, table_map.legs[ref.direction]

    @asynccontextmanager
    async def systems(self, deadline: Callable[[], float] | None = None) -> AsyncIterator[Systems]:
        """Open sessions with both systems, after making sure that the state belongs to them.

        Args:
            deadline: Seconds left of the lease, for a writer.

        Raises:
            ConfigurationError: A connection is missing or incomplete.
            EnvironmentMismatchError: The state belongs to other environments.
        """
        async with (
            self._session(System.DATAVERSE, deadline) as to_dataverse,
            self._session(System.FINANCE, deadline) as to_finance,
        ):
            systems = Systems(Dataverse(to_dataverse), Finance(to_finance))
            organization = await systems.dataverse.environment_id()
            with self.state.begin() as connection:
                bind_environment(connection, System.DATAVERSE, organization)
                bind_environment(connection, System.FINANCE, systems.finance.environment_id())
            yield systems

    def _session(self, system: System, deadline: Callable[[], float] | None) -> ODataSession:
        """Give a session that shares the system's limits with all tasks on this state."""
        connection = self.connect(system)
        store = self.limits_in or self.state
        shared = SharedLimits(store, system, connection.principal, limits_of(connection))
        return ODataSession(connection, deadline, ledger=shared)
