"""Where a row of a map is opened in Dataverse and in Finance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.lineage.trace.addresses import dataverse_link, finance_link_of_key
from projops.mapping.model import System
from projops.systems.connection import Connection


@dataclass(frozen=True, slots=True)
class Records:
    """Gives the addresses of rows.

    Attributes:
        engine: Maps.
        bases: Base URL of each system that has a connection.
    """

    engine: Engine
    bases: Mapping[System, str]

    @classmethod
    def of(cls, engine: Engine) -> "Records":
        """Look both connections up; a system without one has no addresses."""
        return cls(engine, _bases(engine.connect))

    def of_row(self, map_id: str, key: str | None, dataverse_id: str | None) -> dict[str, str]:
        """Give where a row is opened, by the system's name; only where that can be told.

        Args:
            map_id: Map, which may be gone.
            key: Integration key text, or None.
            dataverse_id: GUID of the row in Dataverse, or None.
        """
        table_map = self.engine.maps.get(map_id)
        if table_map is None:
            return {}
        links = {}
        if dataverse_id and System.DATAVERSE in self.bases:
            base = self.bases[System.DATAVERSE]
            links["Dataverse"] = dataverse_link(base, table_map.dataverse, dataverse_id)
        if key and System.FINANCE in self.bases:
            links["Finance"] = finance_link_of_key(self.bases[System.FINANCE], table_map, key)
        return {name: link for name, link in links.items() if link}


def _bases(connect: Callable[[System], Connection]) -> Mapping[System, str]:
    bases = {}
    for system in System:
        try:
            bases[system] = connect(system).base_url
        except ConfigurationError:
            continue
    return bases
