"""What a restore says on the command line."""

import json

import pytest

from projops.commands import restoring
from projops.restore import Restored
from projops.state.recovery import Forgotten

LEG = "funding_sources__dataverse_to_finance"
DONE = Restored(
    Forgotten(
        pairs=12,
        batches=2,
        letters=3,
        legs=(("projects", "dataverse_to_finance"),),
        legs_in_full=(("workers", "finance_to_dataverse"),),
    ),
    {LEG: tuple(f'["k{number}"]' for number in range(25))},
    ("customers",),
)


@pytest.fixture(autouse=True)
def healed(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("PROJOPS_STATE_URL", f"sqlite:///{tmp_path}/state.db")
    monkeypatch.setattr(restoring, "restore_state", lambda engine, actor: DONE)


def test_it_says_what_was_forgotten_and_what_comes(capsys: pytest.CaptureFixture[str]) -> None:
    restoring.restore(yes=True)
    out = capsys.readouterr().out
    assert out.startswith("12 pairs of rows are compared with the target when they are read next")
    assert "3 rows that were set aside are tried again; 2 unfinished batches are given up." in out
    assert f'{LEG}: 25 rows at the target that the source does not have await approval: ["k0"], ' in out
    assert '["k19"] and 5 more.' in out
    assert "Paused since before the backup: customers." in out


def test_json_names_legs_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    restoring.restore(yes=True, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["pairs"], told["from_watermark"], told["in_full"]) == (
        12,
        ["projects__dataverse_to_finance"],
        ["workers__finance_to_dataverse"],
    )
    assert len(told["await_approval"][LEG]) == 25


def test_a_no_changes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("typer.confirm", lambda question: False)
    with pytest.raises(SystemExit) as ended:
        restoring.restore()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Nothing was changed.\n"
