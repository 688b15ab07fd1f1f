"""What leaves a process as metrics, seen by a real receiver of StatsD and by OpenTelemetry's own reader."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow.sdk._shared.observability.metrics.otel_logger import SafeOtelLogger
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from projops.engine import Engine
from projops.metrics import catalog
from projops.orchestration import metrics
from projops.run import LegOutcome, LegRef

LEG = LegRef("units", "finance_to_dataverse")
OUTCOME = LegOutcome(7, LEG.map, LEG.leg, read=3, loaded=2, unchanged=1, deleted=1, seconds=1.5)
Receive = Callable[[], list[str]]


@contextmanager
def sending() -> Iterator[None]:
    """Airflow's metrics as a task process begins them, as its configuration says at this moment."""
    logger = get_stats_factory()()
    stats.initialize(factory=lambda: logger, export_legacy_names=True)
    try:
        yield
    finally:
        stats.initialize(factory=NoStatsLogger, export_legacy_names=True)
        logger.statsd.close()


@pytest.fixture
def receive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receive]:
    """A receiver of StatsD that Airflow's configuration names; gives what has come since it was asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        port = receiver.getsockname()[1]
        for name, value in (("ON", "True"), ("HOST", "127.0.0.1"), ("PORT", str(port))):
            monkeypatch.setenv(f"AIRFLOW__METRICS__STATSD_{name}", value)

        def received() -> list[str]:
            found = []
            while True:
                try:
                    found.append(receiver.recv(4096).decode())
                except BlockingIOError:
                    return found

        with sending():
            yield received


def test_a_batch_without_tags_is_named_by_its_map_and_leg(receive: Receive) -> None:
    metrics.count_batch(OUTCOME)
    leg = "units.finance_to_dataverse"
    assert receive() == [
        f"airflow.projops.rows.read.{leg}:3|c",
        f"airflow.projops.rows.unchanged.{leg}:1|c",
        f"airflow.projops.rows.loaded.{leg}:2|c",
        f"airflow.projops.rows.deleted.{leg}:1|c",
        f"airflow.projops.batch.{leg}:1500.000000|ms",
    ]


def test_a_batch_with_tags(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
    with sending():
        metrics.count_batch(OUTCOME)
    leg = "map=units,leg=finance_to_dataverse"
    told = receive()
    assert told[0] == f"airflow.projops.rows,outcome=read,{leg}:3|c"
    assert told[-1] == f"airflow.projops.batch,{leg}:1500.000000|ms"


def test_a_superseded_batch_counts_nowhere(receive: Receive) -> None:
    metrics.count_batch(LegOutcome(7, LEG.map, LEG.leg, superseded_by=8))
    assert receive() == []


def test_a_stage_is_timed_also_where_it_fails(receive: Receive) -> None:
    with pytest.raises(ValueError, match="bad row"), metrics.timed_stage(LEG, "validate"):
        raise ValueError("bad row")
    [told] = receive()
    name, _, value = told.partition(":")
    assert name == "airflow.projops.stage.validate.units.finance_to_dataverse"
    assert value.endswith("|ms")


@pytest.mark.parametrize(
    ("value", "part"),
    [("a.b", "a__b"), ("grün und blau", "gr_n_und_blau"), ("x:1|c\nevil", "x_1_c_evil")],
)
def test_a_name_is_one_name_whatever_a_map_is_called(value: str, part: str) -> None:
    assert metrics.named(catalog.LAG.measure(1, value, "leg"), tagged=False) == (
        f"projops.lag.{part}.leg",
        None,
    )


def test_without_a_receiver_nothing_is_read() -> None:
    metrics.tell_standing(SimpleNamespace())  # type: ignore[arg-type]  # it would fail at the first look


@pytest.mark.usefixtures("receive")
def test_a_problem_is_logged_and_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    metrics.tell_standing(SimpleNamespace())  # type: ignore[arg-type]
    assert "Metrics were not sent: AttributeError" in caplog.text


def test_how_everything_stands_is_told_to_the_receiver(receive: Receive, engine: Engine) -> None:
    metrics.tell_standing(engine)
    told = receive()
    legs = sum(len(each.legs) for each in engine.maps.values() if each.enabled)
    assert f"airflow.projops.legs.not_running:{legs}|g" in told
    assert "airflow.projops.legs.in_step:0|g" in told
    assert f"airflow.projops.request_budget:{engine.settings.request_budget}|g" in told
    assert "airflow.projops.dead_letters.parked.actuals.dataverse_to_finance:0|g" in told
    assert "airflow.projops.alerts.critical:0|g" in told


def test_opentelemetry_gets_kinds_and_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    stats.initialize(factory=lambda: SafeOtelLogger(provider), export_legacy_names=True)  # type: ignore[arg-type,return-value]
    try:
        metrics.count_batch(OUTCOME)
        data = reader.get_metrics_data()
    finally:
        stats.initialize(factory=NoStatsLogger, export_legacy_names=True)
        provider.shutdown()
    assert data is not None
    [scope] = json.loads(data.to_json())["resource_metrics"][0]["scope_metrics"]
    found = {each["name"]: each["data"]["data_points"] for each in scope["metrics"]}
    assert set(found) == {"airflow.projops.rows", "airflow.projops.batch"}
    leg = {"map": "units", "leg": "finance_to_dataverse"}
    counted = {point["attributes"]["outcome"]: point for point in found["airflow.projops.rows"]}
    assert counted["loaded"]["value"] == 2
    assert counted["loaded"]["attributes"] == {"outcome": "loaded", **leg}
    [batch] = found["airflow.projops.batch"]
    assert (batch["sum"], batch["attributes"]) == (1500.0, leg)
