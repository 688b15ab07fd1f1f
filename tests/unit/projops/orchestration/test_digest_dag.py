"""The DAG of the daily digest: when it runs, and what its task does with a channel that is away."""

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import CronTriggerTimetable
from airflow.sdk.exceptions import AirflowException

from projops.alerts.digest import Sent
from projops.engine import Engine
from projops.orchestration import digest_dag


@pytest.mark.parametrize(
    ("text", "cron", "zone"),
    [
        ('rules: {}\ndigest: {at: "07:30", zone: Europe/Stockholm}\n', "30 7 * * *", "Europe/Stockholm"),
        ("channels: {}\nrules: {}\n", "0 6 * * *", "UTC"),
        ("nonsense: [", "0 6 * * *", "UTC"),
    ],
)
def test_it_runs_when_the_file_says(
    text: str, cron: str, zone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alerts.yaml").write_text(text)
    monkeypatch.setenv("PROJOPS_ALERTS", str(tmp_path / "alerts.yaml"))
    dag = digest_dag.digest_dag("daily_digest", doc="Digest.")
    timetable = dag.timetable
    assert isinstance(timetable, CronTriggerTimetable)
    assert (timetable.expression, str(timetable.timezone)) == (cron, zone)
    assert dag.task_ids == ["send"]


@pytest.mark.parametrize("unsent", [(), ("Channel mail: away.",)])
def test_its_task_is_tried_again_for_a_channel_that_is_away(
    unsent: tuple[str, ...], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def send(*given: Any) -> Sent:
        asked.append(given)
        return Sent(("slack",), (), unsent)

    monkeypatch.setenv("PROJOPS_STATE_URL", str(engine.state.url))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example.com/")
    monkeypatch.setattr("projops.alerts.digest.send_digest", send)
    task = digest_dag.digest_dag("daily_digest", doc=None).get_task("send")
    assert isinstance(task, digest_dag.DigestOperator)
    if unsent:
        with pytest.raises(AirflowException, match=r"Channel mail: away\."):
            task.execute({})
    else:
        assert task.execute({}) == {"to": ["slack"], "before": []}
    [(_, _, console)] = asked
    assert console == "https://airflow.example.com/projops"
