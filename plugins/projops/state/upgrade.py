"""Bringing the state database to the current schema with Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from projops.errors import StopError

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 5_283_017  # any constant: the key of Postgres' advisory lock


def upgrade(connection: Connection) -> None:
    """Upgrade to the newest revision within the caller's transaction, one process at a time.

    Raises:
        StopError: The database was written by a newer version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StopError(
            f"The state database {connection.engine.url.render_as_string()} has an unknown schema.",
            remedy="A newer version wrote it: install that version, or restore an older state.",
        ) from error
