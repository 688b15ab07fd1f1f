from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from projops.mapping.model import Direction, Leg, System, TableMap
from projops.mapping.paths import source_columns
from projops.mapping.reader import load_maps
from projops.transform.outcome import REJECT_SCHEMA
from projops.transform.rows import target_schema, transform_table
from projops.transform.shared import read_digests, shared_digests
from tests.golden.frames import source_frame

LOADED = load_maps(Path(__file__).parents[4] / "include" / "mappings")
LEGS = [(name, direction) for name, table_map in LOADED.maps.items() for direction in table_map.legs]
FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
ROLE = {"_id": "r1", "msdyn_resourcecategorynumber": "RCN-1", "name": "Tester", "statecode": 0}
CUSTOMER = {"CustomerAccount": "C1", "dataAreaId": "uspm", "OrganizationName": "A", "OnHoldStatus": "No"}


def transform(map_id: str, direction: Direction, *rows: dict[str, Any]) -> tuple[pa.Table, pa.Table]:
    table_map, leg = part(map_id, direction)
    table = source_frame(table_map, leg, rows)
    return transform_table(table_map, leg, table, LOADED.value_maps, LOADED.companies, LOADED.maps)


def part(map_id: str, direction: Direction) -> tuple[TableMap, Leg]:
    return LOADED.maps[map_id], LOADED.maps[map_id].legs[direction]


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_every_leg_keeps_its_schema_also_without_rows(map_id: str, direction: Direction) -> None:
    table_map, leg = part(map_id, direction)
    frame, rejects = transform(map_id, direction)
    assert frame.schema == target_schema(table_map, leg)
    assert (frame.num_rows, rejects.schema) == (0, REJECT_SCHEMA)


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_a_row_without_any_value_is_set_aside_and_a_delete_is_not(map_id: str, direction: Direction) -> None:
    frame, rejects = transform(
        map_id, direction, {"_id": "empty"}, {"_id": "gone", "_key": "k", "_deleted": True}
    )
    assert frame["_id"].to_pylist() == ["gone"]
    assert rejects.select(["_id", "stage", "rule"]).to_pylist() == [
        {"_id": "empty", "stage": "transform", "rule": "key"}
    ]


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_source_columns_are_all_that_a_leg_reads(map_id: str, direction: Direction) -> None:
    table_map, leg = part(map_id, direction)
    table = source_frame(table_map, leg, [{}])
    assert tuple(table.column_names[4:]) == source_columns(table_map, leg)


def test_a_row_is_set_aside_once_for_the_first_rule_that_it_breaks() -> None:
    frame, rejects = transform(
        "resource_roles", FORTH, {**ROLE, "name": None, "statecode": 9}, {**ROLE, "_id": "r2"}
    )
    assert frame["_id"].to_pylist() == ["r2"]
    (reject,) = rejects.to_pylist()
    assert (reject["_id"], reject["rule"], reject["field"]) == ("r1", "required", "Description")
    assert reject["message"] == "Description must have a value and has none; fill it at the source."


def test_the_offending_value_stands_in_its_own_column_only() -> None:
    _, rejects = transform("resource_roles", FORTH, {**ROLE, "statecode": 987654})
    (reject,) = rejects.to_pylist()
    assert (reject["rule"], reject["value"]) == ("value_map", "987654")
    assert "987654" not in reject["message"]


def test_the_hash_covers_the_fields_and_not_the_row_facts() -> None:
    first, _ = transform("resource_roles", FORTH, ROLE)
    same, _ = transform("resource_roles", FORTH, {**ROLE, "_id": "other", "_version": "9"})
    other, _ = transform("resource_roles", FORTH, {**ROLE, "name": "Trainer"})
    assert first["_hash"] == same["_hash"]
    assert first["_hash"] != other["_hash"]


def test_the_hash_leaves_out_what_is_written_at_creation_only() -> None:
    table_map, leg = part("resource_roles", FORTH)
    once = replace(
        leg, fields=tuple(replace(rule, create_only=rule.target == "Description") for rule in leg.fields)
    )
    hashes = set()
    for name in ("Tester", "Trainer"):
        table = source_frame(table_map, once, [{**ROLE, "name": name}])
        frame, _ = transform_table(table_map, once, table, LOADED.value_maps, LOADED.companies, LOADED.maps)
        assert frame["Description"].to_pylist() == [name]
        hashes |= set(frame["_hash"].to_pylist())
    assert len(hashes) == 1


def test_what_one_leg_writes_has_the_digests_that_the_other_leg_reads() -> None:
    table_map, _ = part("customers", BACK)
    written, _ = transform("customers", BACK, CUSTOMER)
    shared = {path: written[path].to_pylist()[0] for _, path in table_map.shared_fields()}
    key = {"accountnumber": "C1", "msdyn_company.cdm_companycode": "USPM"}
    read, _ = transform("customers", FORTH, key | shared)
    [digests] = read_digests(read["_source_shared"])
    assert [digests] == read_digests(shared_digests(table_map, System.DATAVERSE, written))
    assert digests is not None
    assert set(digests) == set(shared)


def test_a_shared_lookup_has_one_digest_whatever_its_case_and_a_name_has_two() -> None:
    table_map, _ = part("customers", BACK)
    found = [
        read_digests(transform("customers", BACK, CUSTOMER | values)[0]["_source_shared"])[0] or {}
        for values in (
            {"OrganizationName": "a", "InvoiceAccount": "c2"},
            {"OrganizationName": "A", "InvoiceAccount": "C2 "},
        )
    ]
    changed = {name for name in found[0] if found[0][name] != found[1][name]}
    assert changed == {"OrganizationName"}


def test_parents_are_the_rows_of_needed_maps_and_of_the_own_map_but_not_the_row_itself() -> None:
    row = {
        "accountnumber": "C1",
        "msdyn_company.cdm_companycode": "USPM",
        "name": "A",
        "msdyn_company": "company",
        "msdyn_billingaccount": "a2",
        "msdyn_billingaccount.accountnumber": "C2",
    }
    frame, _ = transform(
        "customers", FORTH, {**row, "_id": "a1"}, {**row, "_id": "a2", "accountnumber": "C2"}
    )
    company = {"map": "companies", "id": "company", "lookup": "msdyn_company", "key": '["uspm"]'}
    payer = {"map": "customers", "id": "a2", "lookup": "msdyn_billingaccount", "key": '["c2",null]'}
    assert frame["_parents"].to_pylist() == [[company, payer], [company]]


def test_nobody_waits_for_the_rows_of_a_map_that_is_off() -> None:
    table_map, leg = part("customers", FORTH)
    row = {"_id": "a1", "accountnumber": "C1", "msdyn_company": "company", "name": "A"}
    table = source_frame(table_map, leg, (row | {"msdyn_company.cdm_companycode": "USPM"},))
    maps = {**LOADED.maps, "companies": replace(LOADED.maps["companies"], enabled=False)}
    frame, _ = transform_table(table_map, leg, table, LOADED.value_maps, LOADED.companies, maps)
    assert frame["_parents"].to_pylist() == [[]]


def test_a_finance_source_names_no_parents() -> None:
    frame, _ = transform("customers", BACK, CUSTOMER)
    assert frame["_parents"].to_pylist() == [[]]


def test_the_source_order_of_rows_is_kept() -> None:
    rows = [{**ROLE, "_id": str(place), "msdyn_resourcecategorynumber": str(place)} for place in range(5)]
    frame, _ = transform("resource_roles", FORTH, *rows)
    assert frame["_id"].to_pylist() == ["0", "1", "2", "3", "4"]
