"""Proposals from rows: what is proposed, what is not, and that it is what `include/expectations` takes."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from projops.mapping.model import Direction
from projops.validate.expectations import RowExpectation, Severity
from projops.validate.implied import implied_expectations
from projops.validate.profile.document import as_plain, as_yaml
from projops.validate.profile.facts import MOST_VALUES, ColumnFacts, gather
from projops.validate.profile.proposals import LEAST_ROWS, Proposal, proposals
from projops.validate.rows import validate_table
from projops.validate.written import check_expectations, read_written
from tests.golden.frames import source_frame
from tests.unit.projops.validate.test_rows import LOADED

PROJECTS = LOADED.maps["projects"]
FORTH = Direction.DATAVERSE_TO_FINANCE
LEG = PROJECTS.legs[FORTH]
IMPLIED = implied_expectations(PROJECTS, LEG, LOADED.value_maps)
NAMES = ("Ann's bridge", "Björn – dam", "東京", "  tunnel ")
COUNT = 40


def project(number: int) -> dict[str, Any]:
    return {
        "_id": f"g{number}",
        "msdyn_projectnumber": f"PRJ-{1000 + number}-AB",
        "msdyn_owningcompany": f"c{number % 2}",
        "msdyn_owningcompany.cdm_companycode": ("USPM", "GBPM")[number % 2],
        "msdyn_subject": f"{NAMES[number % 4]} {'x' * number}",
        "msdyn_scheduledstart": f"2026-0{1 + number % 9}-01T00:00:00Z",
        "statecode": number % 2,
        "msdyn_istemplate": False,
        "msdyn_customer.accountnumber": None if number % 4 == 0 else f"C-{number}",
    }


def frame(count: int = COUNT) -> pa.Table:
    return source_frame(PROJECTS, LEG, [project(number) for number in range(count)])


def seen(*pages: pa.Table) -> dict[str, ColumnFacts]:
    facts: dict[str, ColumnFacts] = {}
    for page in pages:
        gather(facts, page)
    return facts


def proposed(table: pa.Table, known: tuple[RowExpectation, ...] = IMPLIED) -> dict[str, Proposal]:
    return {each.expectation.rule: each for each in proposals(PROJECTS, LEG, seen(table), known)}


def test_what_held_of_all_rows_is_proposed_as_a_warning_with_its_evidence() -> None:
    found = proposed(frame())
    assert {each.expectation.severity for each in found.values()} == {Severity.WARNING}
    company = found["msdyn_owningcompany_cdm_companycode_choice"]
    assert company.expectation.options == {"value_set": ["GBPM", "USPM"]}
    assert company.evidence == "held of all 40 values in 40 rows"
    number = found["msdyn_projectnumber_shape"]
    assert number.expectation.options == {"regex": r"^(?:[A-Z]+\-[0-9]+\-[A-Z]+)$"}
    assert found["msdyn_scheduledstart_range"].expectation.options == {
        "min_value": date(2026, 1, 1),
        "max_value": date(2027, 1, 1),
    }
    assert found["msdyn_customer_accountnumber_unique"].evidence == (
        "held of all 30 values in 40 rows, 25.0% of them empty"
    )
    assert found["msdyn_istemplate_choice"].expectation.options == {"value_set": [False]}
    assert not any(rule.startswith("msdyn_owningcompany_present") for rule in found)  # but a hop of a path


def test_what_is_implied_or_written_already_is_not_proposed() -> None:
    found = proposed(frame())
    assert "msdyn_projectnumber_present" not in found  # a part of the key
    assert "msdyn_subject_present" not in found  # required
    assert "statecode_choice" not in found  # a value map
    assert "msdyn_istemplate_present" in found
    own = RowExpectation(
        "own", "msdyn_istemplate", "", "expect_column_values_to_not_be_null", {"column": "msdyn_istemplate"}
    )
    assert "msdyn_istemplate_present" not in proposed(frame(), (*IMPLIED, own))


def test_no_text_that_may_be_about_people_is_named() -> None:
    few = [{**project(number), "msdyn_subject": f"Ann {number % 2}"} for number in range(COUNT)]
    table = source_frame(PROJECTS, LEG, few)
    text = as_yaml("projects", {FORTH: list(proposed(table).values())})
    assert "Ann" not in text
    assert "msdyn_subject_shape" not in text
    assert "msdyn_subject_length_seen" in text


def test_few_rows_prove_nothing() -> None:
    assert proposed(frame(LEAST_ROWS - 1)) == {}


def test_pages_are_added_up_and_compared_with_each_other() -> None:
    whole = frame()
    facts = seen(whole.slice(0, 15), whole.slice(15))
    number, customer = facts["msdyn_projectnumber"], facts["msdyn_customer.accountnumber"]
    assert (number.rows, number.missing, number.unique) == (COUNT, 0, True)
    assert (customer.rows, customer.missing, customer.present) == (COUNT, 10, 30)
    assert facts["statecode"].values == {0: 20, 1: 20}
    assert number.shapes == {"A-9-A": COUNT}
    assert number.values is None and COUNT > MOST_VALUES
    again = seen(whole, whole.slice(3, 1))["msdyn_projectnumber"]
    assert (again.unique, again.rows) == (False, COUNT + 1)


@pytest.mark.parametrize(
    ("least", "most", "bounds"),
    [
        ("0", "12.5", (0, 100)),
        ("0.0001", "0.5", (0, 10)),
        ("-3", "99999.99", (-10, 100000)),
        ("-700", "-0.5", (-1000, 0)),
    ],
)
def test_ranges_of_numbers_end_at_zero_or_a_power_of_ten(
    least: str, most: str, bounds: tuple[int, int]
) -> None:
    actuals = LOADED.maps["actuals"]
    values = [Decimal(least), *[Decimal(most)] * LEAST_ROWS]
    table = pa.table({"msdyn_amount": pa.array(values, pa.decimal128(38, 16))})
    (found,) = [
        each.expectation.options
        for each in proposals(actuals, actuals.legs[FORTH], seen(table), ())
        if each.expectation.rule == "msdyn_amount_range"
    ]
    assert (found["min_value"], found["max_value"]) == bounds


def test_a_file_of_proposals_is_one_of_expectations_and_holds_of_the_rows(tmp_path: Path) -> None:
    """Written, read back, and held against the very rows: nothing is wrong with it, and nothing breaks it."""
    table = frame()
    found = list(proposed(table).values())
    folder = tmp_path / "include" / "expectations"
    folder.mkdir(parents=True)
    path = folder / "projects.yaml"
    path.write_text(as_yaml("projects", {FORTH: found}), encoding="utf-8")
    file = "include/expectations/projects.yaml"
    written, findings = check_expectations(path, file, PROJECTS)
    assert findings == ()
    rules = written.expectations[FORTH]
    assert [each.rule for each in rules] == [each.expectation.rule for each in found]
    assert read_written(folder, PROJECTS) == written
    validated = validate_table(PROJECTS, LEG, table, rules)
    assert [count.broken for count in validated.counts] == [0] * len(validated.counts)
    assert validated.good.num_rows == COUNT


def test_nothing_to_propose_is_a_good_file_too(tmp_path: Path) -> None:
    path = tmp_path / "projects.yaml"
    path.write_text(as_yaml("projects", {FORTH: []}), encoding="utf-8")
    assert check_expectations(path, "projects.yaml", PROJECTS)[1] == ()


def test_proposals_are_plain_json() -> None:
    plain = [as_plain(FORTH, each) for each in proposed(frame()).values()]
    start = next(
        each for each in json.loads(json.dumps(plain)) if each["rule"] == "msdyn_scheduledstart_range"
    )
    assert start["options"] == {"min_value": "2026-01-01", "max_value": "2027-01-01"}
    assert (start["leg"], start["severity"]) == ("dataverse_to_finance", "warning")
    assert start["evidence"] == "held of all 40 values in 40 rows"
