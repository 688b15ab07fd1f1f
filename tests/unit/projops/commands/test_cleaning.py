"""What a cleaning says on the command line, and that a dry run removes nothing."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from projops.commands.retention import clean
from projops.state import StateStore
from projops.state.audit import actions
from projops.state.tables import audit


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateStore:
    """A state with one action of two years ago."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    monkeypatch.setenv("PROJOPS_STATE_URL", url)
    monkeypatch.setenv("PROJOPS_STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("PROJOPS_ACTOR", "ada")
    state = StateStore(url)
    state.prepare()
    old = datetime.now(UTC) - timedelta(days=730)
    with state.begin() as connection:
        facts = {"actor": "bob", "action": "pause", "subject": "units", "reason": ""}
        connection.execute(insert(audit).values(at=old, **facts))
    return state


@pytest.mark.parametrize("dry_run", [True, False])
def test_it_says_what_went_and_who_let_it_go(
    dry_run: bool, store: StateStore, capsys: pytest.CaptureFixture[str]
) -> None:
    clean(dry_run=dry_run, as_json=True)
    told = {row["what"]: (row["number"], row["gone"]) for row in json.loads(capsys.readouterr().out)}
    assert told["actions"] == (1, not dry_run)
    assert told["dead letters"] == told["evidence"] == told["staged batches"] == (0, not dry_run)
    with store.begin() as connection:
        known = [(each["actor"], each["action"], each["reason"]) for each in actions(connection)]
    assert known == ([("bob", "pause", "")] if dry_run else [("ada", "clean", "1 actions")])
    store.close()
