from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projops.errors import MappingError
from projops.identities import Identities
from projops.mapping.model import Direction
from projops.mapping.reader import load_maps
from projops.validate import rows as stage
from projops.validate.counts import breaches
from projops.validate.expectations import OF_KEYS, RowExpectation, Severity
from projops.validate.implied import implied_expectations
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
) -> Validated:
    return validate_table(ROLES, LEG, source_frame(ROLES, LEG, rows), expectations, seen)


def broken(validated: Validated) -> list[tuple[str, str, str]]:
    return [(each["_id"], each["rule"], each["field"]) for each in validated.rejects.to_pylist()]


def counted(
    validated: Validated, expectations: tuple[RowExpectation, ...] = IMPLIED
) -> dict[str, tuple[str, int]]:
    found = breaches((*expectations, *OF_KEYS), validated.counts)
    return {f"{each.rule}:{each.field}": (each.severity, each.rows) for each in found}


def test_good_rows_pass() -> None:
    validated = validate(ROLE)
    assert validated.good["_id"].to_pylist() == ["r1"]
    assert (broken(validated), counted(validated)) == ([], {})


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
    assert counted(validated) == {
        "key:msdyn_resourcecategorynumber": ("error", 1),
        "required:name": ("error", 1),
        "value_map:statecode": ("error", 1),
    }
    judged = dict(zip(((each.rule, each.field) for each in IMPLIED), validated.counts, strict=False))
    number, state = judged["required", "name"], judged["value_map", "statecode"]
    assert (number.rows, number.missing, number.broken) == (4, 0, 1)
    assert (state.rows, state.missing, state.broken) == (4, 1, 1)


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


def test_many_rows_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "MOST_ROWS", 2)
    rows = [
        {**ROLE, "_id": str(place), "msdyn_resourcecategorynumber": f"R{place % 4}"} for place in range(5)
    ]
    validated = validate(*rows)
    assert broken(validated) == [("4", "unique_key", "_key")]
    assert validated.good["_id"].to_pylist() == ["0", "1", "2", "3"]
    assert {count.rows for count in validated.counts} == {5}
    assert counted(validated) == {"unique_key:_key": ("error", 1)}


def test_a_row_that_breaks_a_warning_goes_on_and_is_counted() -> None:
    rule = RowExpectation(
        "short", "name", "Too long.", "expect_column_value_lengths_to_be_between", {"column": "name"},
        {"max_value": 3}, severity=Severity.WARNING,
    )  # fmt: skip
    rules = (*IMPLIED, rule)
    validated = validate(ROLE, expectations=rules)
    assert (broken(validated), validated.good.num_rows) == ([], 1)
    assert counted(validated, rules) == {"short:name": ("warning", 1)}


def test_two_rules_that_say_the_same_are_both_counted_and_the_first_is_the_reason() -> None:
    again = replace(IMPLIED[0], rule="numbered")
    rules = (*IMPLIED, again)
    validated = validate({**ROLE, "msdyn_resourcecategorynumber": None}, expectations=rules)
    assert broken(validated) == [("r1", "key", "msdyn_resourcecategorynumber")]
    assert set(counted(validated, rules)) == {
        "key:msdyn_resourcecategorynumber",
        "numbered:msdyn_resourcecategorynumber",
    }


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
    unknown = replace(rule, options={"regx": "a"}, file="include/expectations/x.yaml", line=7)
    with pytest.raises(MappingError, match="x.yaml:7: The expectation odd on name is none: .*regx"):
        validate(ROLE, expectations=(unknown,))
