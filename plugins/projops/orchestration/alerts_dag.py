"""The DAG that watches: what is late or parked for too long shows by time alone, without any run."""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from projops.orchestration.alert_operators import WatchOperator

_EVERY_FIVE_MINUTES = CronTriggerTimetable("*/5 * * * *", timezone="UTC", run_immediately=timedelta(0))


def alerts_dag(dag_id: str, doc: str | None) -> DAG:
    """Build the DAG.

    Args:
        dag_id: Id of the DAG.
        doc: What it is for, in Markdown.
    """
    with DAG(
        dag_id=dag_id,
        schedule=_EVERY_FIVE_MINUTES,
        catchup=False,
        max_active_runs=1,  # what is sent while the state is away is sent by one run at a time
        is_paused_upon_creation=False,  # it moves nothing, and whoever forgets it would hear of nothing
        default_args={"owner": "projops", "retries": 0, "execution_timeout": timedelta(minutes=4)},
        doc_md=doc,
        tags=["projops"],
    ) as dag:
        WatchOperator(
            task_id="watch",
            doc_md="Finds what is wrong by the rules of `include/alerts.yaml`, tells people once, and takes "
            "back what is over.",
        )
    return dag
