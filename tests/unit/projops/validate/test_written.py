from pathlib import Path

import pytest

from projops.errors import MappingError
from projops.validate.breaker import PartialLimit
from projops.validate.expectations import Severity
from projops.validate.written import lint_expectations, read_expectations, read_written
from tests.unit.projops.validate.test_rows import LEG, LOADED, ROLE, ROLES, ROOT, broken, validate


def expectations_of(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "include" / "expectations"
    folder.mkdir(parents=True)
    (folder / "resource_roles.yaml").write_text(text)
    return folder


GOOD = """\
map: resource_roles
expectations:
  - rule: short
    leg: dataverse_to_finance
    expectation: expect_column_value_lengths_to_be_between
    columns: {column: name}
    options: {max_value: 3}
    where: statecode eq 0
    message: The name is too long; shorten it.
"""


def test_written_expectations_are_read(tmp_path: Path) -> None:
    folder = expectations_of(tmp_path, GOOD)
    (rule,) = read_expectations(folder, ROLES, LEG)
    assert (rule.rule, rule.field, rule.where, rule.options) == (
        "short",
        "name",
        "statecode eq 0",
        {"max_value": 3},
    )
    assert broken(validate(ROLE, expectations=(rule,))) == [("r1", "short", "name")]
    assert lint_expectations(folder, LOADED.maps) == ()


def test_a_map_without_a_file_has_no_written_expectations(tmp_path: Path) -> None:
    assert read_expectations(tmp_path, ROLES, LEG) == ()


BREAKER = GOOD.replace(
    "expectations:\n",
    "breaker: {share: 0.1, rows: 20, rules: {short: {rows: 3}, value_map: {share: 0}}}\nexpectations:\n",
)


def test_a_map_says_what_it_tolerates_and_which_rules_are_warnings(tmp_path: Path) -> None:
    text = BREAKER.replace("    message", "    severity: warning\n    message")
    folder = expectations_of(tmp_path, text)
    written = read_written(folder, ROLES)
    assert written.breaker.whole == PartialLimit(0.1, 20)
    assert written.breaker.rules == {"short": PartialLimit(rows=3), "value_map": PartialLimit(share=0)}
    assert [each.severity for each in written.expectations[LEG.direction]] == [Severity.WARNING]


def test_an_expectation_is_an_error_unless_it_says_otherwise(tmp_path: Path) -> None:
    (rule,) = read_expectations(expectations_of(tmp_path, GOOD), ROLES, LEG)
    assert rule.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("share: 0.1", "share: 10", "yaml:2: share of breaker is 10. Write a number from 0 to 1"),
        ("rows: 20", "rows: 2.5", "rows of breaker is 2.5."),
        ("rows: 20", "rows: many", "rows of breaker must be a number."),
        ("rows: 20", "row: 20", "Breaker has the unknown key row."),
        ("{rows: 3}", "{rows: -1}", "rows of breaker of short is -1."),
        ("short: {rows", "shorter: {rows", "breaker limits the rule shorter, which this map does not have."),
        ("    message", "    severity: bad\n    message", "There is no severity bad."),
        ("rule: short", "rule: required", "The rule required is one that map and schema imply."),
        ("max_value: 3", "max_value: 2.5", "max_value of short is no whole number"),
        ("max_value: 3", "most: 3", "yaml:4: The expectation short on name is none:"),
        ("lengths_to_be_between", "lengths_to_be_nice", "expect_column_value_lengths_to_be_nice not found."),
    ],
)
def test_wrong_limits_and_severities_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = expectations_of(tmp_path, BREAKER.replace(old, new, 1))
    found = [str(finding) for finding in lint_expectations(folder, LOADED.maps)]
    assert any(message in each for each in found), found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "column: name",
            "column: nome",
            "short reads nome, which the leg dataverse_to_finance does not extract.",
        ),
        (
            "expect_column_value_lengths_to_be_between",
            "expect_table_row_count_to_equal",
            "does not judge single rows",
        ),
        ("statecode eq 0", "statecode eq", "`where` of short takes a condition"),
        (
            "statecode eq 0",
            "statuscode eq 1",
            "short reads statuscode, which the leg dataverse_to_finance does not extract.",
        ),
        (
            "leg: dataverse_to_finance",
            "leg: finance_to_dataverse",
            "resource_roles has no leg finance_to_dataverse.",
        ),
        ("    message: The name is too long; shorten it.\n", "", "The expectation lacks the entry message."),
        ("map: resource_roles", "map: roles", "is not named after its map"),
        ("rule: short", "regel: short", "An expectation has the unknown key regel."),
    ],
)
def test_wrong_expectations_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = expectations_of(tmp_path, GOOD.replace(old, new))
    found = [str(finding) for finding in lint_expectations(folder, LOADED.maps)]
    assert any(message in each for each in found), found
    with pytest.raises(MappingError):
        read_expectations(folder, ROLES, LEG)


def test_the_expectations_of_the_project_are_good() -> None:
    assert lint_expectations(ROOT / "include" / "expectations", LOADED.maps) == ()
