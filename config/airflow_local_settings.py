"""Warms what forks: what the forking process has imported and read, each child inherits.

Airflow imports this file at every start. The scheduler (LocalExecutor) and the Celery worker fork tasks:
they pay for the heavy imports, about five seconds once instead of four in every task. The DAG processor
forks a child for each parse of a DAG file, which needs nothing heavy. No other process pays.
"""

import os
import sys

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

if sys.argv[1:2] in (["scheduler"], ["celery"]):
    from projops.orchestration.warming import warm

    warm()
elif sys.argv[1:2] == ["dag-processor"]:
    from projops.orchestration.warming import warm_parsing

    warm_parsing()
