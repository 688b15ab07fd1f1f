"""Proves that Dataverse and Finance hold the same, every night at 02:00 UTC and whenever somebody asks.

Each map is read on both sides and compared row by row; pending changes, parked rows and dead letters are
told apart from drift, which nothing explains. Then the books are checked. In Airflow the task `report` leads
to the report; the run fails when there is drift. Its form narrows what is compared, and repairs.
"""

from projops.orchestration.reconciliation_dag import reconciliation_dag

dag = reconciliation_dag("nightly_reconciliation", doc=__doc__)
