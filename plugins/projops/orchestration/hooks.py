"""Hooks of the two systems, on the http provider's.

They give Airflow what its users expect of a connection (the form, the test button, secrets backends)
and hand the resolved connection on; requests go through `projops.systems` and its pooled session.
"""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

from airflow.providers.http.hooks.http import HttpHook

from projops.errors import ProjOpsError
from projops.mapping import catalog
from projops.mapping.model import System
from projops.orchestration.parts import parts_of
from projops.systems.columns import properties
from projops.systems.connection import Connection, from_parts
from projops.systems.dataverse import Dataverse
from projops.systems.finance import Finance
from projops.systems.session import ODataSession


class SystemHook(HttpHook, ABC):
    """What both hooks share; a subclass names its connection type."""

    def __init__(self, conn_id: str | None = None, **kwargs: Any) -> None:
        name = kwargs.pop(self.conn_name_attr, None) or conn_id or self.default_conn_name
        super().__init__(http_conn_id=name, **kwargs)
        setattr(self, self.conn_name_attr, name)

    def get_conn(self) -> Connection:  # type: ignore[override]
        """Resolve the connection from wherever Airflow keeps it.

        A value and no session: whoever talks to the system opens `projops.systems.session.ODataSession`
        on it, since the http provider would send the client secret as a password with each request.

        Raises:
            ConfigurationError: A field is missing or wrong; names connection and field.
        """
        parts = parts_of(self.get_connection(self.http_conn_id))
        return from_parts(self.http_conn_id, replace(parts, conn_type=self.conn_type))

    def test_connection(self) -> tuple[bool, str]:
        """Sign in and read something small, for the test button."""
        try:
            return True, asyncio.run(self._probe())
        except ProjOpsError as error:
            return False, str(error)

    async def _probe(self) -> str:
        async with ODataSession(self.get_conn()) as session:
            return await self.read_something(session)

    @abstractmethod
    async def read_something(self, session: ODataSession) -> str:
        """Read something that every integration user may read; say in one sentence what it was."""


class DataverseHook(SystemHook):
    """Connection to Microsoft Dataverse, type `dataverse`."""

    conn_name_attr = "dataverse_conn_id"
    default_conn_name = "dataverse_default"
    conn_type = "dataverse"
    hook_name = "Microsoft Dataverse"

    async def read_something(self, session: ODataSession) -> str:
        """Ask who we are (WhoAmI)."""
        return f"Signed in; the environment's id is {await Dataverse(session).environment_id()}."


class FinanceHook(SystemHook):
    """Connection to Dynamics 365 Finance, type `finance`."""

    conn_name_attr = "finance_conn_id"
    default_conn_name = "finance_default"
    conn_type = "finance"
    hook_name = "Dynamics 365 Finance"

    async def read_something(self, session: ODataSession) -> str:
        """Read the legal entities."""
        entities = catalog.table(System.FINANCE, "LegalEntities")
        pages = Finance(session).pages(entities.entity_set, properties(entities, ["LegalEntityId"]))
        codes = [code async for page in pages for code in page.batch["LegalEntityId"].to_pylist() if code]
        return f"Signed in; the legal entities are {', '.join(sorted(codes))}."
