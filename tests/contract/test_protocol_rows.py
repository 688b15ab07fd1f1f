"""Tests name rows of the protocols that exist, with evidence that exists."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.protocol_rows import EVIDENCE, ROWS

_FILES = sorted(Path(__file__).parent.glob("test_*.py"))


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
