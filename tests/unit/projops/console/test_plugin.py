"""What Airflow finds in the plugin file."""

import runpy
from pathlib import Path
from typing import Any

from projops.console.app import app
from projops.signals.app import app as signals

FILE = Path(__file__).parents[4] / "plugins" / "projops_plugin.py"


def test_the_server_finds_the_pages_below_their_prefix() -> None:
    plugin: Any = runpy.run_path(str(FILE))["ProjectOperationsSync"]()
    assert plugin.fastapi_apps == [
        {"app": app, "url_prefix": "/projops", "name": "Project Operations Sync"},
        {"app": signals, "url_prefix": "/projops-signals", "name": "Signals of Project Operations Sync"},
    ]
