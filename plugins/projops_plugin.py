"""The one plugin file: what Airflow's own interface gets from Project Operations Sync.

Every process of Airflow imports it at its start, so it stays light: the pages are imported by the API server
alone, when it asks for them.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class ProjectOperationsSync(AirflowPlugin):
    """Adds the pages below `/projops`, and the endpoint to which both systems tell what has changed."""

    name = "project_operations_sync"
    external_views = [
        {"name": "Table maps", "href": "/projops/maps", "destination": "nav", "url_route": "table-maps"},
        {
            "name": "Table maps",
            "href": "/projops/maps?area={DAG_ID}",
            "destination": "dag",
            "url_route": "table-maps-of-dag",
        },
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The pages and the endpoint for signals, for the API server."""
        from projops.console.app import app
        from projops.signals.app import app as signals

        return [
            {"app": app, "url_prefix": "/projops", "name": "Project Operations Sync"},
            {"app": signals, "url_prefix": "/projops-signals", "name": "Signals of Project Operations Sync"},
        ]
