"""What is shown while long work goes on, and to whom."""

import asyncio
import sys
from io import StringIO
from typing import Any

import pyarrow as pa
import pytest

from projops import progress
from projops.commands.progress import progress_shown
from projops.staging import Staging


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def shown_on(stderr: StringIO, monkeypatch: pytest.MonkeyPatch, *, quiet: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_shown(quiet) as say:
        say("customers [red]dataverse_to_finance")
        progress.done("extract", 1_000)
        progress.done("extract", 234)
        progress.done("load", 50)
    return stderr.getvalue()


def test_a_terminal_is_shown_what_goes_on_stage_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_on(Terminal(), monkeypatch, quiet=False)
    assert "customers [red]dataverse_to_finance: load" in shown
    assert "50 rows" in shown


def test_nothing_is_shown_with_json_or_behind_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_on(Terminal(), monkeypatch, quiet=True) == ""
    assert shown_on(StringIO(), monkeypatch, quiet=False) == ""


def test_stages_tell_of_their_rows_to_whoever_listens(tmp_path: Any) -> None:
    told: list[tuple[str, int]] = []
    staging = Staging(str(tmp_path))

    async def stage() -> None:
        with staging.writer("roles", "dataverse_to_finance", 1, "extract") as writer:
            writer.write(pa.table({"a": [1, 2, 3]}))
            writer.write(pa.table({"a": [1]}))

    with progress.listening(lambda *what: told.append(what)):
        asyncio.run(stage())
    asyncio.run(stage())
    assert told == [("extract", 3), ("extract", 1)]
