"""Each business rule and each documented error has a test that bears its number.

The numbers are those of the rules that the docstrings of `sandbox/` and the maps cite: R101 to R1204
by subject, E1 to E16.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
HIGHEST = {1: 15, 2: 4, 3: 10, 4: 8, 5: 5, 6: 13, 7: 5, 8: 7, 9: 5, 10: 8, 11: 4, 12: 4}
"""The highest rule of each subject: setup, estimates, transactions, proforma invoices, sync of actuals,
import from staging, posting, invoice proposals, expenses, vendor invoices, purchase orders, intercompany."""
RULES = [f"r{subject * 100 + rule}" for subject, last in HIGHEST.items() for rule in range(1, last + 1)]
ERRORS = [f"e{number}" for number in range(1, 17)]


def numbered_tests() -> dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]]:
    """All tests whose names begin with numbers: `test_r603_r602_a_full_journal` stands under both."""
    found: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    for function in functions():
        for part in function.name.split("_")[1:]:
            if part[:1] not in {"r", "e"} or not part[1:].isdigit():
                break
            found.setdefault(part, []).append(function)
    return found


def functions() -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield node


def can_fail(function: ast.AST) -> bool:
    """Whether a test asserts something, or expects an error."""
    return any(
        isinstance(node, ast.Assert) or (isinstance(node, ast.Attribute) and node.attr == "raises")
        for node in ast.walk(function)
    )


TESTED = numbered_tests()


@pytest.mark.parametrize("number", [*RULES, *ERRORS])
def test_a_test_bears_the_number(number: str) -> None:
    assert number in TESTED, f"no test is named test_{number}_…"
    assert all(can_fail(function) for function in TESTED[number])


def test_no_test_bears_a_number_that_does_not_exist() -> None:
    assert set(TESTED) <= {*RULES, *ERRORS}
