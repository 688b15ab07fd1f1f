"""Hooks of the two systems, on the http provider's.

They give Airflow what its users expect of a connection (the form, the test button, secrets backends)
and hand the resolved connection on; requests go through `projops.systems` and its pooled session.
"""

import asyncio
from typing import Any

from airflow.providers.http.hooks.http import HttpHook

from projops.errors import ProjOpsError
from projops.systems.connection import Connection, Parts, from_parts
from projops.systems.dataverse import Dataverse
from projops.systems.finance import Finance
from projops.systems.session import ODataSession


class _SystemHook(HttpHook):
    """What both hooks share; a subclass names its connection type and its client."""

    client: type[Dataverse] | type[Finance]

    def __init__(self, conn_id: str | None = None, **kwargs: Any) -> None:  # noqa: ANN401
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
        found = self.get_connection(self.http_conn_id)
        parts = Parts(
            conn_type=self.conn_type,
            host=found.host,
            schema=found.schema,
            login=found.login,
            password=found.password,
            port=found.port,
            extra=found.extra_dejson,
        )
        return from_parts(self.http_conn_id, parts)

    def test_connection(self) -> tuple[bool, str]:
        """Sign in and ask the environment for its id, for the test button."""
        try:
            environment = asyncio.run(self._environment_id())
        except ProjOpsError as error:
            return False, str(error)
        return True, f"Signed in; the environment's id is {environment}."

    async def _environment_id(self) -> str:
        async with ODataSession(self.get_conn()) as session:
            return await self.client(session).environment_id()


class DataverseHook(_SystemHook):
    """Connection to Microsoft Dataverse, type `dataverse`."""

    conn_name_attr = "dataverse_conn_id"
    default_conn_name = "dataverse_default"
    conn_type = "dataverse"
    hook_name = "Microsoft Dataverse"
    client = Dataverse


class FinanceHook(_SystemHook):
    """Connection to Dynamics 365 Finance, type `finance`."""

    conn_name_attr = "finance_conn_id"
    default_conn_name = "finance_default"
    conn_type = "finance"
    hook_name = "Dynamics 365 Finance"
    client = Finance
