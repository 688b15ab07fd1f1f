"""The DAG that sends the daily digest, at the time and in the zone of the file of alerts."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator, Context, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowException

from projops.alerts.rules import read_rules
from projops.orchestration.engine_task import open_engine
from projops.orchestration.failures import CALLBACKS
from projops.settings import Settings

if TYPE_CHECKING:
    from projops.alerts.digest import Sent

_DEFAULTS: dict[str, Any] = {
    "owner": "projops",
    "retries": 3,
    "retry_delay": timedelta(minutes=5),
    "execution_timeout": timedelta(minutes=10),
    **CALLBACKS,
}


def digest_dag(dag_id: str, doc: str | None) -> DAG:
    """Build the DAG.

    Args:
        dag_id: Id of the DAG.
        doc: What it is for, in Markdown.
    """
    told, _ = read_rules(Settings.from_environment().alerts, {})  # what is wrong in it the watch tells
    at = told.digest
    with DAG(
        dag_id=dag_id,
        schedule=CronTriggerTimetable(
            f"{at.minute} {at.hour} * * *", timezone=at.zone, run_immediately=timedelta(0)
        ),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # it moves nothing
        default_args=dict(_DEFAULTS),
        doc_md=doc,
        tags=["projops"],
    ) as dag:
        DigestOperator(
            task_id="send",
            doc_md="Sends each channel of `digest` in `include/alerts.yaml` the day's digest, once a day.",
        )
    return dag


class DigestOperator(BaseOperator):
    """Sends the day's digest to each channel that has not had it."""

    def execute(self, context: Context) -> dict[str, list[str]]:
        """Send; return the channels that took it, and those that have had it before.

        Raises:
            AirflowException: A channel did not take it; the next try sends it there alone.
        """
        from projops.alerts.digest import send_digest
        from projops.orchestration.alert_sending import console_address, send_on_airflow

        del context
        with open_engine() as engine:
            sent = send_digest(engine, send_on_airflow, console_address())
        self.log.info("%s", _told(sent))
        if sent.unsent:
            raise AirflowException(" ".join(sent.unsent))
        return {"to": list(sent.to), "before": list(sent.before)}


def _told(sent: "Sent") -> str:
    if not (sent.to or sent.before or sent.unsent):
        return "The file of alerts names no channel for the digest."
    return f"Sent to: {', '.join(sent.to) or 'nobody'}. Had it before: {', '.join(sent.before) or 'nobody'}."
