"""How fields come about, against the golden files: what the trace shows is what was reviewed."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from projops.lineage.trace import explaining
from projops.mapping.model import Direction, Leg, TableMap
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.validate.written import read_expectations
from tests.golden.frames import read_json, source_frame

LOADED = load_maps(PROJECT_ROOT / "include" / "mappings")
GOLDEN = PROJECT_ROOT / "tests" / "golden"
LEGS = [(name, direction) for name, table_map in LOADED.maps.items() for direction in table_map.legs]
FORTH = Direction.DATAVERSE_TO_FINANCE


def parts(map_id: str, direction: Direction) -> tuple[TableMap, Leg, list[dict[str, Any]]]:
    table_map = LOADED.maps[map_id]
    rows = read_json(GOLDEN / map_id / direction / "source.json")
    return table_map, table_map.legs[direction], [each for each in rows if not each.get("_deleted")]


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_what_is_shown_as_made_is_what_the_mapping_makes(map_id: str, direction: Direction) -> None:
    table_map, leg, rows = parts(map_id, direction)
    expected = read_json(GOLDEN / map_id / direction / "expected.json")["rows"]
    reviewed = {each["_id"]: each for each in expected if not each["_deleted"]}
    shown = 0
    for row in rows:
        source = source_frame(table_map, leg, [row])
        made, rejects = explaining.transformed(table_map, leg, source, LOADED)
        fields = explaining.fields(table_map, leg, source, made, None, LOADED)
        assert [each.target for each in fields] == [rule.target for rule in leg.fields]
        assert [len(each.changes) for each in fields] == [len(rule.steps) for rule in leg.fields]
        for each in fields:
            befores = [each.value, *(change.after for change in each.changes)]
            assert [change.before for change in each.changes] == befores[: len(each.changes)]
        told = reviewed.get(source["_id"][0].as_py())
        if told is not None:
            assert not rejects
            assert {each.target: _json(each.made) for each in fields} == {
                each.target: told[each.target] for each in fields
            }
            shown += 1
    assert shown == len(reviewed) > 0


def test_a_value_is_shown_before_and_after_each_operator_and_against_what_the_target_holds() -> None:
    table_map, leg, rows = parts("actuals", FORTH)
    source = source_frame(table_map, leg, [rows[0]])
    made, _ = explaining.transformed(table_map, leg, source, LOADED)
    held = made.select([rule.target for rule in leg.fields])
    place = held.column_names.index("Amount")
    held = held.set_column(place, "Amount", pa.array([Decimal("-1")], held["Amount"].type))
    fields = {each.target: each for each in explaining.fields(table_map, leg, source, made, held, LOADED)}
    assert [name for name, each in fields.items() if each.equal is False] == ["Amount"]
    assert fields["Amount"].held == Decimal("-1")
    assert [change.operator for change in fields["TransactionType"].changes] == [
        "value_map",
        "when",
        "default",
    ]


def test_an_operator_that_makes_no_value_says_why_and_the_row_would_be_set_aside() -> None:
    table_map, leg, rows = parts("actuals", FORTH)
    source = source_frame(table_map, leg, [{**rows[0], "msdyn_billingtype": 5}])
    made, rejects = explaining.transformed(table_map, leg, source, LOADED)
    assert made.num_rows == 0
    assert len(rejects) == 1
    fields = explaining.fields(table_map, leg, source, made, None, LOADED)
    [change] = next(each for each in fields if each.target == "BillingType").changes
    assert "no line in the value map billing_type" in change.fault
    assert {each.equal for each in fields} == {None}


def test_each_rule_says_whether_the_row_keeps_it() -> None:
    table_map, leg, rows = parts("actuals", FORTH)
    written = read_expectations(PROJECT_ROOT / "include" / "expectations", table_map, leg)
    good = explaining.checks(table_map, leg, source_frame(table_map, leg, [rows[0]]), LOADED, written)
    assert [each.rule for each in good if each.passed is False] == []
    broken = source_frame(table_map, leg, [{**rows[0], "msdyn_amount": "1.23"}])
    bad = [
        (each.rule, each.written)
        for each in explaining.checks(table_map, leg, broken, LOADED, written)
        if each.passed is False
    ]
    assert bad == [("amount", True)]


def test_a_row_that_the_filter_leaves_out_is_told_of() -> None:
    table_map, leg, rows = parts("actuals", FORTH)
    for skips in (True, False):
        source = source_frame(table_map, leg, [{**rows[0], "msdyn_skipsync": skips}])
        assert explaining.takes(leg, source) is not skips


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
