"""All maps at once: that they are those of the documentation, and that they cannot go wrong in known ways.

What `maps lint` checks of any map is worked out here a second time, from the catalog alone, and for the
maps of the project.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from projops.mapping import catalog
from projops.mapping.catalog import Behavior, Column, ColumnType
from projops.mapping.fit import CURRENCY_LENGTH, UNIT_LENGTH
from projops.mapping.model import Deletes, Direction, FieldRule, Leg, System, TableMap, WriteMode
from projops.mapping.paths import key_paths, source_column, source_columns, table_of, target_column
from projops.mapping.reader import load_maps
from projops.transform.canonical import finance_column
from projops.transform.rows import transform_table
from projops.validate.implied import implied_expectations
from projops.validate.rows import validate_table
from tests.golden.frames import read_json, source_frame

ROOT = Path(__file__).parents[2]
LOADED = load_maps(ROOT / "include" / "mappings")
MAPS = LOADED.maps
FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
LEGS = [(name, direction) for name, table_map in MAPS.items() for direction in table_map.legs]
BOTH_WAYS = [name for name, table_map in MAPS.items() if table_map.shared_fields()]

# Legs that bring something back to rows that the other leg makes.
BACK_LEGS = {("actuals", BACK), ("vendor_invoices", FORTH)}

# Areas whose entities have many fields that Project Operations has nothing for.
WIDE = ("reference_data", "setup_and_configuration")

# Finance alone owns these (R101), by how their names begin.
ACCOUNTING = (
    "BankAccount",
    "CustomerPostingProfile",
    "DefaultDimension",
    "DefaultLedgerDimension",
    "Dimension",
    "ItemSalesTaxGroup",
    "LedgerDimension",
    "PostingProfile",
    "SalesTaxGroup",
    "SalesTaxItemGroup",
    "TaxGroup",
    "TaxItemGroup",
)

# Versions: the highest that is documented anywhere.
DOCUMENTED = {
    "actuals": "1.0.0.22",
    "bookable_resources": "1.0.0.0",
    "contract_headers": "1.0.0.1",
    "contract_lines": "1.0.0.2",
    "customer_invoices": "1.0.0.0",
    "expense_categories": "1.0.0.1",
    "expense_estimates": "1.0.0.3",
    "expenses": "1.0.0.5",
    "funding_sources": "1.0.0.2",
    "hour_estimates": "1.0.0.6",
    "invoice_proposals": "1.0.0.4",
    "material_estimates": "1.0.0.4",
    "material_usage": "1.0.0.0",
    "milestone_headers": "1.0.0.0",
    "milestones": "1.0.0.7",
    "project_tasks": "1.0.0.4",
    "projects": "1.0.0.3",
    "resource_roles": "1.0.0.1",
    "subcontract_lines": "1.0.1.0",
    "subcontracts": "1.0.0.0",
    "transaction_categories": "1.0.0.0",
    "transaction_connections": "1.0.0.1",
    "vendor_invoice_lines": "1.0.0.9",
    "vendor_invoices": "1.0.0.1",
    "vendor_invoices_v1": "1.0.0.2",
}


def leg_of(map_id: str, direction: Direction) -> tuple[TableMap, Leg]:
    return MAPS[map_id], MAPS[map_id].legs[direction]


def sourced(table_map: TableMap, leg: Leg) -> Iterator[tuple[FieldRule, Column, Column]]:
    """Field rules that take a source column, with it and the target column."""
    for rule in leg.fields:
        if rule.source is not None:
            yield rule, source_column(table_map, leg, rule.source), target_column(table_map, leg, rule.target)


def test_versions_are_the_highest_documented() -> None:
    mine = {name: table_map.version for name, table_map in MAPS.items() if table_map.area != "reference_data"}
    assert mine == DOCUMENTED


@pytest.mark.parametrize("map_id", MAPS)
def test_the_key_is_the_whole_key_of_both_sides(map_id: str) -> None:
    table_map = MAPS[map_id]
    entity, table = table_of(table_map, System.FINANCE), table_of(table_map, System.DATAVERSE)
    columns = {path.partition(".")[0] for path in key_paths(table_map, System.DATAVERSE)}
    assert set(entity.keys[0]) <= set(key_paths(table_map, System.FINANCE))
    assert table.primary_id in columns or any(columns.issuperset(key) for key in table.keys)


@pytest.mark.parametrize("map_id", [name for name, each in MAPS.items() if each.area not in WIDE])
def test_every_field_of_the_entity_is_mapped_or_named_as_left_out(map_id: str) -> None:
    table_map = MAPS[map_id]
    left_out = [
        line for line in (ROOT / table_map.file).read_text().splitlines() if line.startswith("# left out")
    ]
    named = set(re.findall(r"\w+", " ".join(left_out))) | set(key_paths(table_map, System.FINANCE))
    for leg in table_map.legs.values():
        named |= {rule.target if leg.direction is FORTH else rule.source or "" for rule in leg.fields}
    assert set(table_of(table_map, System.FINANCE).columns) <= named


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_mandatory_fields_are_covered(map_id: str, direction: Direction) -> None:
    table_map, leg = leg_of(map_id, direction)
    target = table_of(table_map, direction.target)
    written = {rule.target.partition(".")[0] for rule in leg.fields}
    written |= {path.partition(".")[0] for path in key_paths(table_map, direction.target)}
    mandatory = {name for name, column in target.columns.items() if column.required and not column.read_only}
    assert leg.write is WriteMode.UPDATE_ONLY or mandatory <= written


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_r101_no_accounting_attribute_is_written_to_finance(map_id: str, direction: Direction) -> None:
    _, leg = leg_of(map_id, direction)
    written = [rule.target for rule in leg.fields if direction is FORTH]
    assert [name for name in written if name.startswith(ACCOUNTING)] == []


def test_r101_the_names_of_accounting_attributes_are_those_of_finance() -> None:
    """The list above would prove nothing if no field of a mapped entity began like that."""
    fields = {name for each in MAPS.values() for name in table_of(each, System.FINANCE).columns}
    assert {"SalesTaxGroupCode", "DefaultLedgerDimensionDisplayValue", "CustomerPostingProfileId"} <= {
        name for name in fields if name.startswith(ACCOUNTING)
    }


def test_r101_contracts_lines_and_projects_are_made_in_dataverse_only() -> None:
    for map_id in ("contract_headers", "contract_lines", "projects"):
        assert set(MAPS[map_id].legs) == {FORTH}


def test_r102_leads_opportunities_and_quotes_are_never_synced() -> None:
    tables = {table_map.dataverse for table_map in MAPS.values()}
    assert tables.isdisjoint({"lead", "opportunity", "opportunityproduct", "quote", "quotedetail"})


def test_r103_funding_sources_flow_with_deletes_and_without_split_percentages() -> None:
    table_map, leg = leg_of("funding_sources", FORTH)
    assert leg.deletes is Deletes.PROPAGATE
    assert "msdyn_splitpercentage" not in source_columns(table_map, leg)


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_value_maps_are_total(map_id: str, direction: Direction) -> None:
    table_map, leg = leg_of(map_id, direction)
    holes = {
        (rule.target, member)
        for rule, source, _ in sourced(table_map, leg)
        for step in rule.steps
        if step.operator == "value_map"
        for member in members(source)
        if member not in LOADED.value_maps[step.argument].towards(direction)
    }
    assert holes == set()


def members(column: Column) -> set[str]:
    if column.enum:
        return set(catalog.finance_enums()[column.enum])
    return {"true", "false"} if column.type is ColumnType.BOOLEAN else {str(each) for each in column.options}


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_value_maps_give_what_the_target_knows(map_id: str, direction: Direction) -> None:
    table_map, leg = leg_of(map_id, direction)
    for rule, _, target in sourced(table_map, leg):
        for step in rule.steps:
            if step.operator == "value_map" and members(target):
                given = set(LOADED.value_maps[step.argument].towards(direction).values()) - {None}
                assert given <= members(target), f"{rule.target} by {step.argument}"


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_texts_fit_or_are_cut_or_are_judged_row_by_row(map_id: str, direction: Direction) -> None:
    """Lengths of most Finance fields are not public: texts without operators are then judged as they come."""
    table_map, leg = leg_of(map_id, direction)
    rules = implied_expectations(table_map, leg, LOADED.value_maps)
    judged = {each.field for each in rules if each.rule == "length"}
    for rule, source, target in sourced(table_map, leg):
        if target.is_text and target.length is not None and source.is_text:
            longest = longest_text(rule, source)
            fits = longest is not None and longest <= target.length
            assert fits or rule.source in judged, f"{rule.target}: {longest} > {target.length}"


def longest_text(rule: FieldRule, source: Column) -> int | None:
    longest = source.length
    for step in rule.steps:
        limit = {"truncate": step.argument, "unit": UNIT_LENGTH, "currency": CURRENCY_LENGTH}.get(
            step.operator
        )
        longest = limit if limit is not None else longest
    return longest


def test_back_legs_never_create() -> None:
    two = {name for name, table_map in MAPS.items() if len(table_map.legs) == 2}
    assert two == {"customers", "vendors"} | {name for name, _ in BACK_LEGS}
    update_only = {
        (name, direction)
        for name, direction in LEGS
        if leg_of(name, direction)[1].write is WriteMode.UPDATE_ONLY
    }
    assert update_only == BACK_LEGS
    assert all(leg_of(*each)[1].deletes is Deletes.IGNORE for each in BACK_LEGS)


@pytest.mark.parametrize("map_id", BOTH_WAYS)
def test_a_round_trip_of_shared_columns_changes_nothing(map_id: str) -> None:
    """There and back gives what was there; an empty number comes back as the 0 that Finance has for it."""
    table_map = MAPS[map_id]
    shared = table_map.shared_fields()
    source = read_json(ROOT / "tests" / "golden" / map_id / FORTH / "source.json")
    by_id = {row["_id"]: row for row in source}
    sent = moved(map_id, FORTH, source)
    rows = {key: by_id[row["_id"]] for key, row in sent.items()}
    returned = moved(map_id, BACK, [as_finance_row(table_map, row) for row in sent.values()])
    again = moved(
        map_id, FORTH, [{**rows[key], **as_source(table_map, row)} for key, row in returned.items()]
    )
    assert again.keys() == returned.keys() == sent.keys() != set()
    for key, row in sent.items():
        assert [again[key][finance] for finance, _ in shared] == [row[finance] for finance, _ in shared]


def moved(map_id: str, direction: Direction, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Target rows that validate and transform let through, by key."""
    table_map, leg = leg_of(map_id, direction)
    rules = implied_expectations(table_map, leg, LOADED.value_maps)
    good = validate_table(table_map, leg, source_frame(table_map, leg, rows), rules).good
    frame, _ = transform_table(table_map, leg, good, LOADED.value_maps, LOADED.companies, MAPS)
    return {row["_key"]: row for row in frame.to_pylist() if not row["_deleted"]}


def as_finance_row(table_map: TableMap, row: dict[str, Any]) -> dict[str, Any]:
    """A row as Finance would answer it after it was written."""
    names = {*source_columns(table_map, table_map.legs[BACK])} & row.keys()
    return {"_id": row["_key"], **{name: plain(row[name]) for name in names}}


def as_source(table_map: TableMap, row: dict[str, Any]) -> dict[str, Any]:
    """What Dataverse would answer, after it was written, of the columns that are sent."""
    columns = source_columns(table_map, table_map.legs[FORTH])
    return {name: plain(row[name]) for name in columns if name in row}


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize(("map_id", "direction"), LEGS, ids=str)
def test_r504_days_pass_no_time_zone(map_id: str, direction: Direction) -> None:
    """A DateOnly column becomes a day as it stands; only UserLocal moments are read in a zone."""
    table_map, leg = leg_of(map_id, direction)
    for rule, source, target in sourced(table_map, leg):
        operators = [step.operator for step in rule.steps]
        if source.is_day != target.is_day:
            assert "date" in operators, rule.target
            assert Behavior.USER_LOCAL in (source.behavior, target.behavior), rule.target


def test_r501_only_actuals_that_do_not_skip_the_sync_are_sent() -> None:
    assert leg_of("actuals", FORTH)[1].extract.where == "msdyn_skipsync eq false"


def test_r1001_vendor_invoices_come_from_finance_and_only_their_status_goes_back() -> None:
    assert [rule.target for rule in leg_of("vendor_invoices", FORTH)[1].fields] == ["ProjVendInvoiceStatus"]
    assert set(MAPS["vendor_invoice_lines"].legs) == {BACK}


def test_r1003_what_a_project_manager_verified_is_not_reset_by_a_later_change() -> None:
    _, leg = leg_of("vendor_invoice_lines", BACK)
    assert [rule.target for rule in leg.fields if rule.create_only] == ["msdyn_verificationstatus"]
    assert "msdyn_verificationstatus" not in leg.kept_in_step


def test_r801_an_invoice_proposal_has_the_number_of_its_proforma_invoice_and_waits_for_its_actuals() -> None:
    table_map = MAPS["invoice_proposals"]
    assert [(part.finance, part.dataverse) for part in table_map.key][0] == (
        "InvoiceProposalId",
        "invoicenumber",
    )
    assert table_map.gate is not None
    assert table_map.gate.billed_actuals == "msdyn_invoice"


def test_empty_numbers_of_finance_are_zero() -> None:
    column = catalog.finance_tables()["ProjActualsImports"].columns["ExchangeRate"]
    assert finance_column(column, pa.array([None], pa.decimal128(38, 16))).to_pylist() == [Decimal(0)]
