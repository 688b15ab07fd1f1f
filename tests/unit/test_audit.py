"""What `bin/audit` says of a lock, and when it fails."""

import json
import subprocess
import sys
from datetime import date
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINE = "PYSEC-1 2026-12-31 Only a server that we do not run."


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module, asked for nothing yet."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("bin_audit", str(ROOT / "bin" / "audit"))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bin_audit", module)  # dataclasses look themselves up there
    loader.exec_module(module)
    return module


def answer(*entries: dict[str, Any]) -> str:
    return json.dumps({"dependencies": list(entries), "fixes": []})


GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {
    "name": "bad",
    "version": "1",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-7"], "fix_versions": ["2"]}],
}
UNKNOWN = {"name": "private", "skip_reason": "not found"}


@pytest.fixture
def said(
    audit: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Any:
    """Audit with an answer of pip-audit; give exit code and output."""

    def run(output: str, *excuses: str, strict: bool = False, errors: str = "") -> tuple[int, str]:
        done = subprocess.CompletedProcess([], 1, stdout=output, stderr=errors)
        monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: done)
        monkeypatch.setenv("AUDIT", "strict" if strict else "")
        (tmp_path / "excuses.txt").write_text("\n".join(("# why", "", *excuses)))
        code = audit.main(["the.lock", str(tmp_path / "excuses.txt")])
        return code, capsys.readouterr().out

    return run


def test_a_lock_without_holes_passes(said: Any) -> None:
    assert said(answer(GOOD), strict=True) == (0, "1 locked packages checked, 0 open vulnerabilities.\n")


@pytest.mark.parametrize("excuses", [[], ["PYSEC-2 2099-01-01 another"], ["PYSEC-1 2020-01-01 long ago"]])
def test_a_known_hole_always_fails(said: Any, excuses: list[str]) -> None:
    code, text = said(answer(GOOD, BAD), *excuses)
    assert code == 1
    assert "bad 1: PYSEC-1, CVE-7, mended in 2." in text
    assert "1 open vulnerabilities" in text


@pytest.mark.parametrize("name", ["PYSEC-1", "cve-7"])
def test_an_excuse_holds_until_its_day(said: Any, name: str) -> None:
    code, text = said(answer(BAD), f"{name} 2099-01-01 We do not call it.", strict=True)
    assert (code, "Excused: We do not call it." in text) == (0, True)


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("", "The lock was NOT checked for known vulnerabilities: pip-audit failed (no route)"),
        ("<html>", "The lock was NOT checked for known vulnerabilities: pip-audit failed (no route)"),
        (
            answer(UNKNOWN),
            "The lock was NOT checked for known vulnerabilities: the advisory service does not know",
        ),
        (answer(GOOD, UNKNOWN), "1 locked packages were NOT checked for known vulnerabilities"),
    ],
)
def test_what_was_not_checked_is_said_and_fails_only_if_strict(
    said: Any, output: str, sentence: str, strict: bool, code: int
) -> None:
    found, text = said(output, strict=strict, errors="a\nno route")
    assert (found, sentence in text) == (code, True)


def test_an_excuse_without_day_or_reason_is_refused(audit: Any) -> None:
    assert audit.read_excuses([LINE], date(2026, 12, 31)) == {"PYSEC-1": "Only a server that we do not run."}
    assert audit.read_excuses([LINE], date(2027, 1, 1)) == {}
    for line in ("PYSEC-1", "PYSEC-1 2026-12-31", "PYSEC-1 tomorrow because"):
        with pytest.raises(ValueError, match=r"PYSEC-1|tomorrow"):
            audit.read_excuses([line], date(2026, 1, 1))
