"""The task of the DAG of alerts: the watch; and what it tells where it cannot even open the state."""

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Context, Variable
from airflow.sdk.exceptions import AirflowFailException

from projops.errors import DeliveryError, ProjOpsError

if TYPE_CHECKING:
    from projops.alerts.model import Message

TOLD = "projops_told_without_state"
"""Airflow variable: the alert that was sent while the state could not be opened, so that it is sent once."""
_PATIENCE = timedelta(minutes=2)  # half of what the task may take: the last message begun may be slow
_log = logging.getLogger(__name__)


class WatchOperator(BaseOperator):
    """Finds what is wrong, tells people once, and takes back what is over.

    Where the state is away nothing can be kept: what is wrong is sent directly, and an Airflow variable
    remembers it. Runs of this DAG do not overlap, so that no two of them do.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Watch; return the numbers of the alerts that were opened and of those that are over.

        Raises:
            AirflowFailException: The engine cannot be opened, or the state is away.
        """
        from projops.orchestration.alert_sending import watch_on_airflow
        from projops.orchestration.connections import airflow_engine

        try:
            with airflow_engine() as engine:
                done = watch_on_airflow(engine, _PATIENCE)
        except ProjOpsError as error:
            tell_without_state(context, error)
            raise AirflowFailException(str(error)) from None
        except Exception as defect:  # nobody else watches the watch
            tell_without_state(context, defect)
            raise
        take_back()
        return asdict(done)


def tell_without_state(context: Context, error: Exception) -> None:
    """Send what is wrong to the channels of failures, unless that was done before."""
    from projops.alerts import texts
    from projops.alerts.failing import failure_of
    from projops.alerts.found_failures import alert_of
    from projops.orchestration.alert_sending import console_address
    from projops.orchestration.failures import task_of
    from projops.state.task_failures import OpenFailure

    failure = failure_of(task_of(context), error)
    told = Variable.get(TOLD, default=None)
    if failure is None or told is not None:
        return
    alert = alert_of([OpenFailure.of(failure, context["ti"].start_date)])
    number = int(context["ti"].start_date.timestamp())
    if _sent(texts.opened(alert, number, console_address())):
        Variable.set(TOLD, {**asdict(alert), "number": number}, serialize_json=True)


def take_back() -> None:
    """Tell that the state is there again, if anybody was told that it was not."""
    from projops.alerts import texts
    from projops.alerts.model import Alert, Kind, Severity
    from projops.orchestration.alert_sending import console_address

    told = Variable.get(TOLD, default=None, deserialize_json=True)
    if told is not None:
        number = told.pop("number")
        told |= {"kind": Kind(told["kind"]), "severity": Severity(told["severity"])}
        alert = Alert(**told)
        if _sent(texts.resolved(alert, number, console_address())):
            Variable.delete(TOLD)


def _sent(message: "Message") -> bool:
    """Send to the channels of the rules about failures; say whether that is done."""
    from projops.alerts.model import Kind
    from projops.alerts.rules import read_rules
    from projops.orchestration.alert_sending import send_on_airflow
    from projops.settings import Settings

    rules, _ = read_rules(Settings.from_environment().alerts, {})
    names = dict.fromkeys(name for rule in rules.rules if rule.when is Kind.FAILURE for name in rule.notify)
    reached = []
    for name in names:
        try:
            send_on_airflow(rules.channels[name], message)
        except DeliveryError as error:
            _log.warning("An alert was not sent: %s", error)
        else:
            reached.append(name)
    return bool(reached) or not names
