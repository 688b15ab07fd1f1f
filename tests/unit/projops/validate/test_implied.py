"""What map and schema imply, on rows of real maps."""

from typing import Any

import pytest

from projops.mapping.model import Direction
from projops.validate.expectations import Severity
from projops.validate.implied import IMPLIED_RULES, implied_expectations
from projops.validate.rows import validate_table
from tests.golden.frames import read_json, source_frame
from tests.unit.projops.validate.test_rows import LOADED, ROOT

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
GUID = "5D9E7A10-0B6F-4C68-8D14-7A2E6C6D3F01"


@pytest.mark.parametrize(
    ("map_id", "leg", "rule", "column", "good", "bad"),
    [
        ("transaction_connections", FORTH, "guid", "msdyn_transaction1", f"{{{GUID}}}", "actual 1"),
        ("expenses", BACK, "range", "Amount", "-922337203685476.9999", "922337203685478"),
        ("expenses", BACK, "range", "Quantity", "100000000000", "100000000000.01"),
        ("units", BACK, "range", "DecimalPrecision", 2**31 - 1, 2**31),
        ("expenses", BACK, "day", "TransDate", "1753-01-01", "1752-12-31"),
        ("projects", FORTH, "day", "msdyn_scheduledend", "2154-12-31T23:59:59Z", "2155-01-01T00:00:00Z"),
        ("projects", FORTH, "day", "msdyn_scheduledstart", "1900-01-02T00:00:00Z", "1899-12-31T00:00:00Z"),
        ("milestones", FORTH, "day", "msdyn_milestonedate", "2154-12-31", "2155-01-01"),
        ("projects", FORTH, "value_map", "statecode", 1, 2),
        ("projects", FORTH, "required", "msdyn_subject", "x", None),
        ("projects", FORTH, "key_blank", "msdyn_projectnumber", " x", "  "),
        ("resource_roles", FORTH, "key", "msdyn_resourcecategorynumber", "x", None),
        ("customers", BACK, "length", "OrganizationName", "x" * 160, "x" * 161),
    ],
)
def test_a_row_that_the_target_cannot_hold_is_set_aside(
    map_id: str, leg: str, rule: str, column: str, good: Any, bad: Any
) -> None:
    table_map, direction = LOADED.maps[map_id], Direction(leg)
    row = read_json(ROOT / "tests" / "golden" / map_id / leg / "source.json")[0]
    rows = [
        {**row, column: value, "_id": name, "_key": name} for name, value in (("good", good), ("bad", bad))
    ]
    rules = implied_expectations(table_map, table_map.legs[direction], LOADED.value_maps)
    frame = source_frame(table_map, table_map.legs[direction], rows)
    rejects = validate_table(table_map, table_map.legs[direction], frame, rules).rejects.to_pylist()
    assert [(each["_id"], each["rule"], each["field"]) for each in rejects] == [("bad", rule, column)]


def test_an_option_that_the_schema_does_not_know_goes_on_and_is_counted() -> None:
    """A tenant may have options of its own; the number goes to Finance as it stands."""
    actuals = LOADED.maps["actuals"]
    leg = actuals.legs[Direction(FORTH)]
    row = read_json(ROOT / "tests" / "golden" / "actuals" / FORTH / "source.json")[0]
    rules = [
        each
        for each in implied_expectations(actuals, leg, LOADED.value_maps)
        if each.field == "msdyn_billingstatus"
    ]
    assert [(each.rule, each.severity) for each in rules] == [("option", Severity.WARNING)]
    frame = source_frame(actuals, leg, [{**row, "msdyn_billingstatus": 100000001}])
    validated = validate_table(actuals, leg, frame, rules)
    assert (validated.good.num_rows, validated.counts[0].broken) == (1, 1)


def test_the_names_of_implied_rules_are_complete() -> None:
    """No written rule may bear the name of an implied one: all that any map implies are known."""
    found = {
        each.rule
        for table_map in LOADED.maps.values()
        for leg in table_map.legs.values()
        for each in implied_expectations(table_map, leg, LOADED.value_maps)
    }
    assert found | {"key_length", "unique_key"} == IMPLIED_RULES
