"""Watches over the other DAGs of Airflow, and tells people of each cause once.

Every five minutes it looks at what the other DAGs have noted, and at what time alone brings about: areas that
are late, rows that have been parked for long, reconciliations that did not run. Each cause is told once, to
the channels of `include/alerts.yaml`, and on page *Alerts* of the console; what is over is taken back.
"""

from projops.orchestration.alerts_dag import alerts_dag

dag = alerts_dag("alerts", doc=__doc__)
