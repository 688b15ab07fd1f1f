"""The engine opened on Airflow's connections, from wherever Airflow keeps them.

The engine itself reads connections from its environment, as the command line does; here Airflow's
secrets backends, metadata database and connection form come in.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from airflow.sdk import BaseHook
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret
from sqlalchemy import URL

from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.orchestration.hooks import DataverseHook, FinanceHook, SystemHook
from projops.orchestration.parts import parts_of
from projops.settings import Settings
from projops.signals.endpoint import CONNECTION as SIGNAL_CONNECTION
from projops.signals.endpoint import Endpoint, endpoint_of
from projops.systems.connection import Connection

STATE_CONNECTION = "projops_state"
_STATE_VARIABLES = ("PROJOPS_STATE_URL", f"AIRFLOW_CONN_{STATE_CONNECTION.upper()}")


HOOKS: Mapping[System, type[SystemHook]] = {System.DATAVERSE: DataverseHook, System.FINANCE: FinanceHook}


@contextmanager
def airflow_engine() -> Iterator[Engine]:
    """Open the engine on the connections `dataverse_default`, `finance_default` and `projops_state`.

    Raises:
        ConfigurationError: A connection is missing or wrong; names it and its field.
    """
    with Engine.open(airflow_settings(), airflow_connection) as engine:
        yield engine


def airflow_connection(system: System) -> Connection:
    """Resolve the connection to a system.

    Raises:
        ConfigurationError: It is missing or wrong; names it and its field.
    """
    hook = HOOKS[system]()
    try:
        connection = hook.get_conn()
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Connection {hook.http_conn_id} is not defined.",
            remedy=f"Create it in Airflow with the type {hook.hook_name}.",
            connection=hook.http_conn_id,
        ) from None
    for secret in connection.secrets:  # Airflow masks passwords by itself, but not every extra
        mask_secret(secret)
    return connection


def signal_endpoint() -> Endpoint | None:
    """Read our endpoint for signals from the connection `projops_signals`; None where it is not defined.

    Raises:
        ConfigurationError: The connection is wrong; names its field.
    """
    try:
        found = BaseHook.get_connection(SIGNAL_CONNECTION)
    except AirflowNotFoundException:
        return None
    return endpoint_of(parts_of(found))


def airflow_settings() -> Settings:
    """Read the settings, with the state database that Airflow's connection names."""
    settings = Settings.from_environment()
    if any(os.environ.get(name) for name in _STATE_VARIABLES):
        return settings
    try:
        found = BaseHook.get_connection(STATE_CONNECTION)
    except AirflowNotFoundException:
        return settings
    return replace(settings, state_url=database_url(found))


def database_url(found: AirflowConnection) -> str:
    """Give the SQLAlchemy URL of a database connection.

    Its extra field may hold it as `url`; else it follows from the fields as in Airflow's own
    SQLite (`host` is the file) and Postgres types.
    """
    if url := found.extra_dejson.get("url"):
        return str(url)
    if found.conn_type == "sqlite":
        return f"sqlite:///{found.host}"
    if found.conn_type != "postgres":
        raise ConfigurationError(
            f"Connection {found.conn_id} is of type {found.conn_type}, which names no state database.",
            remedy='Use the type sqlite or postgres, or put {"url": "…"} into its extra field.',
        )
    if found.password:
        mask_secret(found.password)
    url = URL.create("postgresql+psycopg", found.login, found.password, found.host, found.port, found.schema)
    return url.render_as_string(hide_password=False)
