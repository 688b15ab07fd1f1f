"""The environment of the processes: Airflow's settings, and nothing of the machine's that disturbs."""

import os
from collections.abc import Mapping

from cryptography.fernet import Fernet

from runner.layout import ROOT, Layout, new_token

ROLES = ("admin", "op", "user", "viewer")
"""The roles of Airflow's simple auth manager; a user of the same name has each."""


def base_environment() -> dict[str, str]:
    """The caller's environment without another Airflow's settings, and with no proxy on loopback.

    Where metrics go is the caller's to say (`AIRFLOW__METRICS__…`).
    """
    kept = {name: value for name, value in os.environ.items() if _is_kept(name)}
    return {
        **kept,
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }


def _is_kept(name: str) -> bool:
    return name.startswith("AIRFLOW__METRICS__") or not name.startswith(("AIRFLOW", "PROJOPS"))


def airflow_environment(layout: Layout, port: int) -> Mapping[str, str]:
    """Airflow's settings for four components on one machine.

    Args:
        layout: Where Airflow keeps its files.
        port: Port of the API server.
    """
    address = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": layout.dags,
        "CORE__PLUGINS_FOLDER": ROOT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        # Two cores: spare slots, so that a task that only waits does not hold the others up.
        "CORE__PARALLELISM": 4,
        # From Python 3.14 on the default would lose the warm imports.
        "CORE__MP_START_METHOD": "fork",
        "CORE__FERNET_KEY": layout.kept("fernet-key", Fernet.generate_key().decode()),
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{role}:{role}" for role in ROLES),
        "CORE__TEST_CONNECTION": "Enabled",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{layout.airflow_home / 'airflow.db'}",
        "API__BASE_URL": address,
        "API__SECRET_KEY": layout.kept("api-secret-key", new_token()),
        "API_AUTH__JWT_SECRET": layout.kept("jwt-secret", new_token()),
        # The defaults (1 s and 5 s) are most of what a chain of short tasks takes.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.2,
        "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        # A changed mapping file shows within seconds (defaults: 30 s each).
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 10,
        "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": 5,
        "USAGE_DATA_COLLECTION__ENABLED": False,
        "OPENLINEAGE__DISABLED": True,
    }
    return {
        **base_environment(),
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
        "AIRFLOW_HOME": str(layout.airflow_home),
        "PYTHONPATH": str(ROOT / "config"),
        "PROJOPS_MAPPINGS": str(layout.mappings),
        "PROJOPS_STAGING": str(layout.folder / "staging"),
    }
