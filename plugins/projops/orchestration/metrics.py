"""Sends what is measured where Airflow's own metrics go: StatsD, Datadog or OpenTelemetry (`[metrics]`).

Nothing is read or sent where no receiver is configured. A receiver that is away, or refuses, disturbs no run.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats

from projops.metrics.catalog import Kind, Measure

if TYPE_CHECKING:
    from projops.engine import Engine
    from projops.run import LegOutcome, LegRef

_log = logging.getLogger(__name__)
_SENDERS: dict[Kind, Callable[..., None]] = {
    Kind.COUNTER: stats.incr,
    Kind.GAUGE: stats.gauge,
    Kind.TIMER: stats.timing,
}


def count_batch(outcome: "LegOutcome") -> None:
    """Tell what became of the rows of a batch, and how long it took."""
    from projops.metrics.measures import of_batch

    _send(lambda: of_batch(outcome))


@contextmanager
def timed_stage(leg: "LegRef", stage: str) -> Iterator[None]:
    """Tell how long the block took, also where it fails."""
    began = time.monotonic()
    try:
        yield
    finally:
        took = timedelta(seconds=time.monotonic() - began)
        _send(lambda: [_of_stage(leg, stage, took)])


def tell_standing(engine: "Engine") -> None:
    """Tell how everything stands: lag, backlog, what is set aside, requests, drift, alerts."""
    from projops.metrics.measures import gather, of_everything

    _send(lambda: of_everything(gather(engine)))


def named(measure: Measure, tagged: bool) -> tuple[str, dict[str, str] | None]:
    """Give the name and tags under which a value goes out.

    A receiver that takes no tags gets their values in the name, in their order, as Airflow's own metrics do:
    `projops.rows.loaded.customers.finance_to_dataverse`.

    Args:
        measure: The value.
        tagged: Whether the receiver takes tags.
    """
    if tagged:
        return measure.metric.name, dict(measure.tagged) or None
    parts = [stats.normalize_name_for_stats(each).replace(".", "__") for each in measure.tags]
    return ".".join([measure.metric.name, *parts]), None


def _of_stage(leg: "LegRef", stage: str, took: timedelta) -> Measure:
    from projops.metrics.measures import of_stage

    return of_stage(leg, stage, took)


def _send(measured: Callable[[], Iterable[Measure]]) -> None:
    receiver = _receiver()
    if receiver is None:
        return
    try:
        for measure in measured():
            name, tags = named(measure, tagged=receiver)
            _SENDERS[measure.metric.kind](name, measure.value, tags=tags)
    except Exception as problem:  # a receiver's library may raise anything; the run it is about goes on
        _log.warning("Metrics were not sent: %s: %s", type(problem).__name__, problem)


def _receiver() -> bool | None:
    """Say whether the receiver takes tags; None where there is none. Airflow prefers them in this order."""
    if _is_on("statsd_datadog_enabled"):
        return _is_on("statsd_datadog_metrics_tags")
    if _is_on("statsd_on"):
        return _is_on("statsd_influxdb_enabled")
    return True if _is_on("otel_on") else None


def _is_on(option: str) -> bool:
    value: Any = conf.getboolean("metrics", option, fallback=False)
    return bool(value)
