"""What must hold of every map of the project, and what is derived from maps."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from projops.mapping import catalog
from projops.mapping.catalog import arrow_type, resolve
from projops.mapping.cli import render_docs
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Direction, Extract, System
from projops.mapping.operators import operator_names
from projops.mapping.order import leg_levels, leg_order, leg_parents
from projops.mapping.paths import company_path, parent_lookups, shared_columns, source_columns
from projops.mapping.reader import load_maps
from projops.mapping.value_maps import value_text
from projops.transform.operators import OPERATORS

ROOT = Path(__file__).parents[4]
MAPPINGS = ROOT / "include" / "mappings"
LOADED = load_maps(MAPPINGS)
MAPS = LOADED.maps
FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE

# The ids, legs and directions that are agreed.
AGREED = {
    "reference_data": {
        "companies": {BACK},
        "currencies": {BACK},
        "exchange_rate_types": {BACK},
        "exchange_rate_pairs": {BACK},
        "exchange_rates": {BACK},
        "ledgers": {BACK},
        "units": {BACK},
        "customers": {FORTH, BACK},
        "vendors": {FORTH, BACK},
        "products": {BACK},
        "workers": {BACK},
    },
    "setup_and_configuration": {
        "resource_roles": {FORTH},
        "transaction_categories": {FORTH},
        "contract_headers": {FORTH},
        "funding_sources": {FORTH},
        "projects": {FORTH},
        "contract_lines": {FORTH},
        "project_tasks": {FORTH},
        "milestones": {FORTH},
        "bookable_resources": {FORTH},
        "milestone_headers": {FORTH},
    },
    "estimates_and_actuals": {
        "hour_estimates": {FORTH},
        "expense_estimates": {FORTH},
        "material_estimates": {FORTH},
        "actuals": {FORTH, BACK},
        "transaction_connections": {FORTH},
    },
    "project_invoices": {"invoice_proposals": {FORTH}, "customer_invoices": {BACK}},
    "expense_management": {"expense_categories": {BACK}, "expenses": {BACK}},
    "vendor_invoices": {
        "vendor_invoices_v1": {BACK},
        "vendor_invoices": {FORTH, BACK},
        "vendor_invoice_lines": {BACK},
        "material_usage": {BACK},
    },
    "subcontract_purchase_orders": {"subcontracts": {FORTH}, "subcontract_lines": {FORTH}},
}
OFF = {"bookable_resources", "milestone_headers", "vendor_invoices_v1", "material_usage"}

# Lookups whose rows nobody waits for, by map and column, and why.
NOT_AWAITED = {
    ("actuals", "msdyn_invoice"): "the invoice waits for its actuals",
    ("actuals", "msdyn_bookableresource"): "the map of resources is off unless asked for",
    (
        "actuals",
        "msdyn_vendorinvoiceline",
    ): "a line may have been entered in Dataverse, where Finance has none",
    ("subcontracts", "msdyn_vendor"): "the account of a vendor; no map brings it, Finance has the vendor",
    (
        "vendor_invoices",
        "msdyn_vendor",
    ): "the account of a vendor; no map brings it, Finance has the vendor",
}


def test_maps_and_legs_are_those_agreed() -> None:
    assert LOADED.broken == ()
    found: dict[str, dict[str, set[Direction]]] = {}
    for table_map in MAPS.values():
        found.setdefault(table_map.area, {})[table_map.map] = set(table_map.legs)
    assert found == AGREED
    assert {name for name, table_map in MAPS.items() if not table_map.enabled} == OFF


@pytest.mark.parametrize("map_id", MAPS)
def test_every_field_row_says_where_it_is_known_from(map_id: str) -> None:
    marks = ("DOC", "SHOT", "META", "LEGACY", "INF", "PROPOSED")
    for leg in MAPS[map_id].legs.values():
        for rule in leg.fields:
            assert rule.evidence.startswith(marks), f"{map_id}: {rule.target}"


@pytest.mark.parametrize("map_id", MAPS)
def test_every_lookup_leads_to_a_map_that_is_needed(map_id: str) -> None:
    table_map = MAPS[map_id]
    tables = {MAPS[need].dataverse for need in table_map.needs} | {table_map.dataverse}
    for leg in table_map.legs.values():
        for lookup, table in parent_lookups(table_map, leg):
            assert (table in tables) != ((map_id, lookup) in NOT_AWAITED), (
                f"{map_id}.{lookup} leads to {table}"
            )


def test_the_documentation_is_up_to_date() -> None:
    written = (ROOT / "docs" / "mappings.md").read_text(encoding="utf-8")
    assert written == render_docs(MAPPINGS), "run `projops maps docs`"


def test_reading_maps_imports_nothing_heavy() -> None:
    script = (
        "import sys; from pathlib import Path; from projops.mapping.reader import load_maps\n"
        f"assert load_maps(Path({str(MAPPINGS)!r})).maps\n"
        "heavy = {'pyarrow', 'pandas', 'numpy', 'great_expectations', 'aiohttp', 'sqlalchemy', 'airflow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "plugins", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_legs_come_after_those_that_they_need() -> None:
    order = leg_order(MAPS)
    for leg, parents in leg_parents(MAPS).items():
        assert all(order.index(parent) < order.index(leg) for parent in parents)
    assert order.index(("customers", BACK)) < order.index(("customers", FORTH))
    assert {("companies", BACK), ("resource_roles", FORTH)} <= set(leg_levels(MAPS)[0])


def test_needs_of_other_areas_order_nothing() -> None:
    setup = {name: each for name, each in MAPS.items() if each.area == "setup_and_configuration"}
    assert ("contract_headers", FORTH) in leg_levels(setup)[0]


def test_source_columns_are_key_fields_filter_and_first_lookups() -> None:
    table_map = MAPS["contract_lines"]
    columns = source_columns(table_map, table_map.legs[FORTH])
    assert columns[:3] == (
        "salesorderid.ordernumber",
        "sequencenumber",
        "salesorderid.msdyn_company.cdm_companycode",
    )
    assert {"producttypecode", "extendedamount", "salesorderid", "msdyn_project"} <= set(columns)
    assert len(columns) == len(set(columns))


def test_shared_columns_are_named_as_the_source_names_them() -> None:
    assert "OrganizationName" in shared_columns(MAPS["customers"], BACK)
    assert "transactioncurrencyid.isocurrencycode" in shared_columns(MAPS["customers"], FORTH)
    assert shared_columns(MAPS["projects"], FORTH) == ()


def test_the_company_of_a_row() -> None:
    assert company_path(MAPS["projects"], System.DATAVERSE) == "msdyn_owningcompany.cdm_companycode"
    assert company_path(MAPS["ledgers"], System.FINANCE) == "LegalEntityId"
    assert company_path(MAPS["currencies"], System.FINANCE) is None


def test_a_fingerprint_follows_the_meaning_only() -> None:
    table_map = MAPS["customers"]
    leg = table_map.legs[BACK]
    mark = fingerprint(table_map, leg, LOADED.value_maps)
    renamed = replace(table_map, title="Other", version="9.9")
    assert fingerprint(renamed, leg, LOADED.value_maps) == mark
    filtered = replace(leg, extract=Extract(leg.extract.strategy, "CreditLimit gt 0"))
    assert fingerprint(table_map, filtered, LOADED.value_maps) != mark
    once = replace(leg, fields=(replace(leg.fields[0], create_only=True), *leg.fields[1:]))
    assert fingerprint(table_map, once, LOADED.value_maps) != mark
    value_map = LOADED.value_maps["on_hold_status"]
    other = replace(value_map, to_dataverse={**value_map.to_dataverse, "No": "192350001"})
    assert fingerprint(table_map, leg, {**LOADED.value_maps, "on_hold_status": other}) != mark


def test_every_operator_of_the_vocabulary_is_registered() -> None:
    assert set(OPERATORS) == set(operator_names())


def test_paths_resolve_through_polymorphic_lookups() -> None:
    table = catalog.dataverse_tables()["salesorder"]
    assert [each.name for each in resolve(table, "customerid.accountnumber").tables] == [
        "salesorder",
        "account",
    ]
    with pytest.raises(KeyError, match="did you mean ordernumber"):
        resolve(table, "ordernumbr")


@pytest.mark.parametrize(
    ("system", "table", "column", "expected"),
    [
        (System.DATAVERSE, "salesorderdetail", "msdyn_contractamount", pa.decimal128(38, 16)),
        (System.DATAVERSE, "salesorderdetail", "salesorderid", pa.string()),
        (System.DATAVERSE, "salesorderdetail", "sequencenumber", pa.int64()),
        (System.DATAVERSE, "msdyn_project", "statecode", pa.int64()),
        (System.DATAVERSE, "msdyn_project", "msdyn_istemplate", pa.bool_()),
        (System.DATAVERSE, "msdyn_project", "msdyn_scheduledstart", pa.timestamp("us", "UTC")),
        (System.DATAVERSE, "msdyn_currencyexchangerate", "msdyn_validfrom", pa.date32()),
        (System.FINANCE, "ExchangeRatesCDSEntity", "ValidFrom", pa.date32()),
        (System.FINANCE, "ProjectsV2", "ProjectStage", pa.string()),
    ],
)
def test_arrow_types(system: System, table: str, column: str, expected: pa.DataType) -> None:
    assert arrow_type(catalog.table(system, table).columns[column]) == expected


def test_values_of_value_maps_have_one_text() -> None:
    assert [value_text(value) for value in (True, False, 3, "No", None)] == ["true", "false", "3", "No", None]
