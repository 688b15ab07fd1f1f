from importlib.util import find_spec
from pathlib import Path

import pytest

from bench import suites, summary
from bench.__main__ import main
from bench.extract import DLT, DLT_EXACT, OURS, SDK, SDK_EXACT, Ran, _promises
from bench.promises import Promise, write_suite
from bench.report import insert
from bench.suites import SUITES, Suite


def ran(client: str, rows: int, seconds: float, cpu: float = 1.0, peak: int = 100) -> Ran:
    return Ran(client, rows, seconds, cpu, peak, exact=True)


def measured(ours: float, cpu: float = 20.0, peak: int = 300) -> list[Promise]:
    million = 1_000_000
    peers = [ran(SDK.name, million, 30), ran(SDK_EXACT.name, million, 40)]
    peers += [ran(DLT.name, million, 300), ran(DLT_EXACT.name, million, 200)]
    small = ran(OURS.name, 10_000, 1, peak=peak)
    return [*_promises([ran(OURS.name, million, ours, cpu), *peers, small], million)]


def test_extract_is_judged_by_the_faster_way_of_each_peer_and_by_memory_at_any_size() -> None:
    assert [promise.kept for promise in measured(15.0)] == [True, True, True, True]
    assert [promise.kept for promise in measured(15.1)] == [True, True, False, True]
    assert [promise.kept for promise in measured(20.1)] == [True, True, False, False]
    assert [promise.kept for promise in measured(15.0, cpu=22.1)] == [False, True, True, True]
    assert [promise.kept for promise in measured(15.0, peak=401)] == [True, False, True, True]


def test_every_suite_has_its_module() -> None:
    assert [suite.module for suite in SUITES.values() if find_spec(suite.module) is None] == []


def test_an_unknown_suite_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    told = capsys.readouterr().err
    assert all(name in told for name in SUITES)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    pair = {name: Suite(name, f"bench.{name}", f"what {name} does") for name in ("one", "other")}
    monkeypatch.setattr(summary, "SUITES", pair)
    write_suite(tmp_path, "one", [Promise("speed", "2 or more", "3", kept=True)])
    return tmp_path


def test_a_suite_that_has_not_run_keeps_nothing(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert summary.summarize([], two) == 1
    assert "Not measured: other." in capsys.readouterr().out


def test_all_kept(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_suite(two, "other", [])
    assert summary.summarize([], two) == 0
    assert "| one | speed | 2 or more | 3 | yes |" in capsys.readouterr().out


def test_a_suite_that_failed_says_so_and_its_old_figures_do_not_count(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_suite(two, "other", [])
    assert summary.summarize(["one"], two) == 1
    table = capsys.readouterr().out
    assert "| one | what one does | | did not complete | **no** |" in table
    assert "speed" not in table


def test_a_broken_promise(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_suite(two, "other", [Promise("memory", "1 or less", "2", kept=False)])
    assert summary.summarize([], two) == 1
    assert "| other | memory | 1 or less | 2 | **no** |" in capsys.readouterr().out


def test_options_are_the_whole_numbers_that_a_suite_takes() -> None:
    options = vars(SUITES["extract"].parser().parse_args(["--peer-rows", "5000"]))
    assert options == {"rows": 1_000_000, "peer_rows": 5000, "repeats": 3, "results": suites.RESULTS}


def test_a_text_goes_between_its_markers(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n", encoding="utf-8")
    insert(file, "x", "new")
    assert file.read_text(encoding="utf-8") == "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb\n"
    with pytest.raises(ValueError, match="lacks the markers"):
        insert(file, "y", "new")
