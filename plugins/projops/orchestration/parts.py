"""An Airflow connection's fields, as those take them that need no Airflow."""

from airflow.sdk import Connection
from airflow.sdk.log import mask_secret

from projops.systems.connection import Parts


def parts_of(found: Connection) -> Parts:
    """Give the fields of a connection; from now on its password is masked in the logs."""
    if found.password:
        mask_secret(found.password)
    return Parts(
        conn_type=found.conn_type or "",
        host=found.host,
        schema=found.schema,
        login=found.login,
        password=found.password,
        port=found.port,
        extra=found.extra_dejson,
    )
