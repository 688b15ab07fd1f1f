"""The one plugin file: what Airflow's own interface gets from Project Operations Sync.

Airflow imports it at every start, so it stays light.
"""

from airflow.plugins_manager import AirflowPlugin


class ProjectOperationsSync(AirflowPlugin):
    """Names the project on Airflow's plugin page."""

    name = "project_operations_sync"
