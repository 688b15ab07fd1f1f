from pathlib import Path
from typing import Any

import pytest

from projops.errors import BreakerOpenError, MappingError
from projops.identities import Identities
from projops.mapping.model import Direction
from projops.mapping.reader import load_maps
from projops.validate import rows as stage
from projops.validate.breaker import check_breaker
from projops.validate.expectations import (
    RowExpectation,
    implied_expectations,
    lint_expectations,
    read_expectations,
)
from projops.validate.rows import Validated, validate_table
from tests.golden.frames import source_frame

ROOT = Path(__file__).parents[4]
LOADED = load_maps(ROOT / "include" / "mappings")
FORTH = Direction.DATAVERSE_TO_FINANCE
ROLES = LOADED.maps["resource_roles"]
LEG = ROLES.legs[FORTH]
IMPLIED = implied_expectations(ROLES, LEG, LOADED.value_maps)
ROLE = {"_id": "r1", "msdyn_resourcecategorynumber": "RCN-1", "name": "Tester", "statecode": 0}


def validate(
    *rows: dict[str, Any],
    expectations: tuple[RowExpectation, ...] = IMPLIED,
    seen: Identities | None = None,
    docs: Path | None = None,
) -> Validated:
    return validate_table(ROLES, LEG, source_frame(ROLES, LEG, rows), expectations, seen, docs)


def broken(validated: Validated) -> list[tuple[str, str, str]]:
    return [(each["_id"], each["rule"], each["field"]) for each in validated.rejects.to_pylist()]


def test_good_rows_pass() -> None:
    validated = validate(ROLE)
    assert validated.good["_id"].to_pylist() == ["r1"]
    assert (broken(validated), validated.broken) == ([], {})


def test_what_map_and_schema_imply() -> None:
    validated = validate(
        {**ROLE, "_id": "nokey", "msdyn_resourcecategorynumber": None},
        {**ROLE, "_id": "noname", "msdyn_resourcecategorynumber": "RCN-2", "name": None},
        {**ROLE, "_id": "state", "msdyn_resourcecategorynumber": "RCN-3", "statecode": 9},
        {**ROLE, "_id": "null", "msdyn_resourcecategorynumber": "RCN-4", "statecode": None},
    )
    assert broken(validated) == [
        ("nokey", "key", "msdyn_resourcecategorynumber"),
        ("noname", "required", "name"),
        ("state", "value_map", "statecode"),
    ]
    assert validated.good["_id"].to_pylist() == ["null"]
    assert validated.broken == {
        "key:msdyn_resourcecategorynumber": 1,
        "required:name": 1,
        "value_map:statecode": 1,
    }


def test_deletes_are_not_judged() -> None:
    validated = validate({"_id": "gone", "_deleted": True})
    assert (validated.good.num_rows, validated.rejects.num_rows) == (1, 0)


def test_two_rows_with_one_key_are_named_and_the_first_goes_on() -> None:
    validated = validate(ROLE, {**ROLE, "_id": "r2", "msdyn_resourcecategorynumber": "rcn-1 "})
    assert validated.good["_id"].to_pylist() == ["r1"]
    (reject,) = validated.rejects.to_pylist()
    assert reject["rule"] == "unique_key"
    assert "Row r2 has the same integration key as row r1" in reject["message"]


def test_a_bad_row_takes_no_key_from_a_good_one() -> None:
    validated = validate({**ROLE, "_id": "bad", "name": None}, {**ROLE, "_id": "good"})
    assert validated.good["_id"].to_pylist() == ["good"]


def test_keys_of_earlier_frames_of_the_batch_count() -> None:
    seen = Identities()
    validate(ROLE, seen=seen)
    assert seen.among(['["rcn-1"]', '["rcn-2"]']) == {'["rcn-1"]': "r1"}
    assert broken(validate({**ROLE, "_id": "r9"}, seen=seen)) == [("r9", "unique_key", "_key")]
    assert broken(validate(ROLE, seen=seen)) == []


def test_many_rows_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stage, "MOST_ROWS", 2)
    rows = [
        {**ROLE, "_id": str(place), "msdyn_resourcecategorynumber": f"R{place % 4}"} for place in range(5)
    ]
    validated = validate(*rows, docs=tmp_path / "docs" / "roles.html")
    assert broken(validated) == [("4", "unique_key", "_key")]
    assert validated.good["_id"].to_pylist() == ["0", "1", "2", "3"]
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == [
        "roles-1.html",
        "roles-2.html",
        "roles.html",
    ]


def test_data_docs_hold_no_values_of_rows(tmp_path: Path) -> None:
    page = tmp_path / "roles.html"
    validate({**ROLE, "statecode": 987654}, docs=page)
    text = page.read_text(encoding="utf-8")
    assert "statecode" in text
    assert "987654" not in text


def test_an_expectation_may_hold_for_some_rows_only() -> None:
    rule = RowExpectation(
        "short", "name", "Too long.", "expect_column_value_lengths_to_be_between", {"column": "name"},
        {"max_value": 3}, where="statecode eq 1",
    )  # fmt: skip
    active = {**ROLE, "_id": "active", "msdyn_resourcecategorynumber": "a"}
    validated = validate(active, {**ROLE, "_id": "inactive", "statecode": 1}, expectations=(*IMPLIED, rule))
    assert broken(validated) == [("inactive", "short", "name")]


def test_an_expectation_that_cannot_be_judged_stops_the_leg() -> None:
    rule = RowExpectation(
        "odd", "name", "Odd.", "expect_column_values_to_match_regex", {"column": "name"}, {"regex": "("}
    )
    with pytest.raises(MappingError, match="The expectation odd on name cannot be judged"):
        validate(ROLE, expectations=(rule,))


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


@pytest.mark.parametrize(("rejected", "total"), [(0, 0), (50, 50), (51, 255), (200, 1000)])
def test_the_breaker_stays_closed_below_either_limit(rejected: int, total: int) -> None:
    check_breaker(rejected, total)


@pytest.mark.parametrize(("rejected", "total"), [(51, 254), (201, 1000), (1000, 1000)])
def test_the_breaker_opens_above_both_limits(rejected: int, total: int) -> None:
    with pytest.raises(
        BreakerOpenError, match=f"{rejected} of {total} rows of roles are bad, more than 20% and"
    ):
        check_breaker(rejected, total, leg="roles")
