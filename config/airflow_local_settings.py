"""Warms the workers: what the forking process has imported, each task inherits.

Airflow imports this file at every start. Only the scheduler (LocalExecutor) and the Celery worker fork
tasks, so only they pay for the heavy imports: about five seconds once instead of four in every task.
"""

import os
import sys

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

if sys.argv[1:2] in (["scheduler"], ["celery"]):
    import great_expectations  # noqa: F401
    import pandas  # noqa: F401

    import projops.pipeline  # noqa: F401
