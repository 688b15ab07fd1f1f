"""Sends the daily digest of Airflow's other DAGs here: how all maps stand, and what needs a person.

One message a day and channel of `digest` in `include/alerts.yaml`: what is in step and what is not, what
moved, what a person has to do with links to where, the last reconciliation, alerts, and requests used. A
rerun sends to nobody who has had the day's. `projops digest` prints it.
"""

from projops.orchestration.digest_dag import digest_dag

dag = digest_dag("daily_digest", doc=__doc__)
