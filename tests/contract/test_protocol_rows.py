"""Tests name rows of the protocols that exist, every row has one, and choices of ours stand in one table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.protocol_rows import EVIDENCE, ROWS

_ROOT = Path(__file__).parents[2]
_SANDBOX = _ROOT / "sandbox"
_FILES = sorted(
    path for folder in ("contract", "clients") for path in (_ROOT / "tests" / folder).glob("test_*.py")
)
_MARK = "[?]"


def marked(path: Path) -> Iterator[tuple[str, str, str]]:
    """Give test, row and evidence of each mark."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.protocol":
                    row, evidence = (ast.literal_eval(each) for each in mark.args)
                    yield node.name, row, evidence


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_marks_name_rows_and_evidence(path: Path) -> None:
    for test, row, evidence in marked(path):
        section, _, name = row.partition(": ")
        assert name in ROWS.get(section, ()), (
            f"{test} names the row {row!r}, which is not in protocol_rows.py"
        )
        assert evidence and set(evidence) <= EVIDENCE, f"{test} rests on {evidence!r}"


def test_each_row_is_held_by_a_test() -> None:
    held = {row for path in _FILES for _, row, _ in marked(path)}
    rows = {f"{section}: {name}" for section, names in ROWS.items() for name in names}
    assert rows - held == set()


def places_of_choices() -> set[str]:
    """Give the files that the table of undocumented choices names, by their paths below the sandbox."""
    _, _, section = (_SANDBOX / "README.md").read_text().partition("## Choices where nothing is documented\n")
    table = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    places = [line.removesuffix("|").rpartition(" | ")[2] for line in table]
    return {name for place in places for name in re.findall(r"`([^`]+\.(?:py|json))`", place)}


def test_the_table_of_choices_names_every_file_that_holds_one() -> None:
    holding = {
        path.relative_to(_SANDBOX).as_posix() for path in _SANDBOX.rglob("*.py") if _MARK in path.read_text()
    }
    assert holding
    assert holding - places_of_choices() == set()


def test_the_table_of_choices_names_files_that_exist() -> None:
    assert {place for place in places_of_choices() if not (_SANDBOX / place).is_file()} == set()
