"""`projops alerts`: what is open, by which rules, and whether a channel works."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from projops.alerts.model import Alert, Kind, Severity
from projops.commands.alerting import app
from projops.errors import DeliveryError
from projops.state import StateStore, alerts
from projops.state.alerts import Found
from tests.receivers import Webhook, webhook

RULES = """\
channels:
  slack: {type: slack, connection: hook}
rules:
  failures: {when: failure, notify: [slack]}
  late: {when: late, hours: 2}
"""
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    (tmp_path / "alerts.yaml").write_text(RULES)
    for name, value in {"ALERTS": tmp_path / "alerts.yaml", "STATE_URL": url, "STAGING": tmp_path}.items():
        monkeypatch.setenv(f"PROJOPS_{name}", str(value))
    store = StateStore(url)
    store.prepare()
    with store.begin() as connection:
        for cause, severity in (("old", Severity.WARNING), ("new", Severity.CRITICAL)):
            told = Alert(
                cause, Kind.FAILURE, severity, f"{cause} title", "It failed.", "Bad.", "Mend it.", "maps"
            )
            alerts.settle(connection, [Found(told, ("failures",), ("slack",))], NOW)
    store.close()
    with webhook() as running:
        monkeypatch.setenv(
            "AIRFLOW_CONN_HOOK", json.dumps({"conn_type": "http", "password": running.address})
        )
        yield running


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_open_alerts_and_those_that_are_over_are_listed(hook: Webhook) -> None:
    code, text = run("list", "--json")
    [still] = json.loads(text)
    assert (code, still["cause"], still["severity"]) == (0, "new", "critical")
    assert (still["remedy"], still["sent"]) == ("Mend it.", {"slack": "pending"})
    assert [each["cause"] for each in json.loads(run("list", "--over", "--json")[1])] == ["old"]
    assert "new title" in run("list")[1]


def test_rules_are_shown_and_what_is_wrong_with_them_is_said(hook: Webhook, tmp_path: Path) -> None:
    code, text = run("rules", "--json")
    assert code == 0
    assert [(each["rule"], each["when"], each["minutes"]) for each in json.loads(text)] == [
        ("failures", "failure", 0),
        ("late", "late", 120),
    ]
    (tmp_path / "alerts.yaml").write_text(RULES + "  odd: {when: thunder}\n")
    code, text = run("rules")
    assert code == 1
    assert "alerts.yaml:6: when of rule odd is thunder" in text


def test_a_channel_is_tried(hook: Webhook) -> None:
    assert run("test", "slack") == (0, "Channel slack took the message.\n")
    assert "Test of the channel slack" in hook.posts[0]["text"]
    hook.answers = [(404, {}, "no_service")]
    with pytest.raises(DeliveryError, match="slack"):
        run("test", "slack")
    code, text = run("test", "fax")
    assert (code, "There is no channel fax. There are: slack." in text) == (1, True)
