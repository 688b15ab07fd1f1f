"""`projops quality` and the ends of `projops maps profile` that need no system."""

import json
from pathlib import Path

import pytest

from projops.cli import main
from projops.mapping.model import Direction
from projops.state import StateStore, quality
from projops.state.batches import NewBatch, open_batch
from projops.state.quality import Breach


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateStore:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    monkeypatch.setenv("PROJOPS_STATE_URL", url)
    monkeypatch.setenv("COLUMNS", "200")
    store = StateStore(url)
    store.prepare()
    return store


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["projops", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code or 0))


def test_rows_are_told_by_rule_and_day(
    state: StateStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leg = Direction.DATAVERSE_TO_FINANCE.value
    with state.begin() as connection:
        batch = open_batch(connection, NewBatch("d", "r", "actuals", leg, "full", "1.0.0.22", "f", True))
        quality.record(connection, batch, "validate", [Breach("amount", "msdyn_amount", "error", 3)])
    assert run(monkeypatch, "quality", "actuals", "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["map"], row["rule"], row["rows"], row["batches"]) == ("actuals", "amount", 3, 1)
    assert run(monkeypatch, "quality") == 0
    assert "amount" in capsys.readouterr().out
    assert run(monkeypatch, "quality", "projects") == 0
    assert capsys.readouterr().out.strip() == "No row broke a rule in the last 30 days."
    assert run(monkeypatch, "quality", "nothing") == 1
    assert "There is no map nothing." in capsys.readouterr().err
    assert run(monkeypatch, "quality", "--days", "99999999") == 2
    assert "--days" in capsys.readouterr().err


def test_a_profile_overwrites_no_file(
    state: StateStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    del state
    file = tmp_path / "projects.yaml"
    file.write_text("mine")
    assert run(monkeypatch, "maps", "profile", "projects", "--write", str(file)) == 1
    assert "is there already" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_a_profile_names_a_leg_that_is_not_there(
    state: StateStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del state
    assert run(monkeypatch, "maps", "profile", "projects", "--leg", "finance_to_dataverse") == 1
    assert capsys.readouterr().err.startswith("Map projects has no leg finance_to_dataverse.")
