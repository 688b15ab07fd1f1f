"""What the packaged schemas promise to the store and to both APIs."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.schema import load_dataverse, load_enums, load_finance
from sandbox.schema.model import Column, ColumnType, DateTimeBehavior, Table

SCHEMA = Path(__file__).parents[4] / "sandbox" / "schema"
TEXT = {ColumnType.STRING, ColumnType.MEMO}
SYSTEM_COLUMNS = (
    "createdon",
    "createdby",
    "modifiedon",
    "modifiedby",
    "overriddencreatedon",
    "versionnumber",
    "ownerid",
    "owningbusinessunit",
    "statecode",
    "statuscode",
)


def business_tables() -> Iterator[Table]:
    """The tables that people's rows are in, not those of the environment and of the platform."""
    files = ("dataverse_environment.json", "dataverse_platform.json")
    own = {name for file in files for name in json.loads((SCHEMA / file).read_text("utf-8"))["tables"]}
    return (table for name, table in load_dataverse().items() if name not in own)


def columns(tables: Iterator[Table]) -> Iterator[tuple[Table, Column]]:
    return ((table, column) for table in tables for column in table.columns.values())


def dataverse_columns() -> Iterator[tuple[Table, Column]]:
    return columns(iter(load_dataverse().values()))


def finance_columns() -> Iterator[tuple[Table, Column]]:
    return columns(iter(load_finance().values()))


@pytest.mark.parametrize(
    ("system", "part", "loaded"),
    [
        ("dataverse", "tables", load_dataverse()),
        ("finance", "entity_sets", load_finance()),
        ("finance", "enums", load_enums()),
    ],
)
def test_all_files_of_a_system_are_read_and_share_no_name(
    system: str, part: str, loaded: Mapping[str, object]
) -> None:
    files = sorted(SCHEMA.glob(f"{system}*.json"))
    names = [name for file in files for name in json.loads(file.read_text("utf-8")).get(part, {})]
    assert sorted(names) == sorted(loaded)


def test_schemas_are_read_once_and_cannot_be_changed() -> None:
    assert load_dataverse() is load_dataverse()
    with pytest.raises(TypeError):
        load_dataverse()["x"] = load_dataverse()["account"]  # type: ignore[index]
    with pytest.raises(TypeError):
        load_finance()["Ledgers"].columns["x"] = load_finance()["Ledgers"].columns["Name"]  # type: ignore[index]


def test_primary_ids_and_names_are_columns() -> None:
    for table in load_dataverse().values():
        assert table.primary_id is not None
        assert table.columns[table.primary_id].type is ColumnType.GUID
        assert table.primary_name is None or table.primary_name in table.columns


def test_keys_are_columns() -> None:
    for table in (*load_dataverse().values(), *load_finance().values()):
        for key in table.keys:
            assert key
            assert set(key) <= set(table.columns), table.name


def test_company_has_its_own_primary_id_and_no_stray_one() -> None:
    company = load_dataverse()["cdm_company"]
    assert company.primary_id == "cdm_companyid"
    assert "companyid" not in company.columns
    assert company.columns["cdm_companycode"].max_length == 4


@pytest.mark.parametrize("name", SYSTEM_COLUMNS)
def test_every_table_has_the_system_columns(name: str) -> None:
    assert all(name in table.columns for table in business_tables())


def test_state_defaults_to_active_or_draft() -> None:
    drafts = {
        "msdyn_expense": 867380000,
        "msdyn_projectvendorinvoice": 192350000,
        "msdyn_subcontract": 192350000,
    }
    for table in business_tables():
        assert table.columns["statecode"].default == 0
        assert table.columns["statuscode"].default == drafts.get(table.name, 1), table.name


def test_defaults_of_options_are_members() -> None:
    for table, column in dataverse_columns():
        if column.type is ColumnType.OPTION and column.default is not None and column.options:
            members = {option.value for option in column.options}
            assert column.default in members, (table.name, column.name)


def test_lookups_name_a_table_by_its_logical_name() -> None:
    for table, column in dataverse_columns():
        if column.type is ColumnType.LOOKUP:
            assert column.target == (column.target or "").lower() != "", (table.name, column.name)
            assert column.target in column.targets
        else:
            assert column.targets == ()


def test_polymorphic_lookups() -> None:
    order = load_dataverse()["salesorder"]
    assert order.columns["customerid"].targets == ("account", "contact")
    assert order.columns["ownerid"].targets == ("systemuser", "team")


def test_dataverse_text_has_a_length_and_numbers_a_scale() -> None:
    scales = {ColumnType.MONEY: 4, ColumnType.DECIMAL: 10}
    for table, column in dataverse_columns():
        assert (column.max_length is not None) == (column.type in TEXT), (table.name, column.name)
        assert column.scale == scales.get(column.type), (table.name, column.name)


def test_money_is_bounded_as_the_platform_bounds_it() -> None:
    amount = load_dataverse()["salesorderdetail"].columns["msdyn_contractamount"]
    assert Decimal(amount.maximum or 0) == Decimal(922337203685477)
    for table, column in dataverse_columns():
        if column.minimum is not None and column.maximum is not None:
            assert Decimal(column.minimum) < Decimal(column.maximum), (table.name, column.name)


def test_dates_have_a_behavior() -> None:
    for table, column in (*dataverse_columns(), *finance_columns()):
        dated = column.type in {ColumnType.DATETIME, ColumnType.DATE}
        assert (column.behavior is not None) == dated, (table.name, column.name)
    milestone = load_dataverse()["msdyn_contractlinescheduleofvalue"].columns
    assert milestone["msdyn_milestonedate"].behavior is DateTimeBehavior.DATE_ONLY
    assert milestone["msdyn_invoicedate"].behavior is DateTimeBehavior.USER_LOCAL


def test_finance_keys_alone_are_required() -> None:
    for entity_set in load_finance().values():
        required = {column.name for column in entity_set.columns.values() if column.required}
        assert required == set(entity_set.keys[0])
        assert entity_set.label
        assert entity_set.entity_type


def test_company_columns() -> None:
    sets = load_finance()
    assert sets["ProjectsV2"].company_column == "dataAreaId"
    assert sets["ProjExpensesExport"].company_column == "ReferenceDataAreaId"
    assert sets["ProjVendInvoiceLinesExportEntity"].company_column == "ProjDataAreaId"
    assert sets["LegalEntities"].company_column is None
    for entity_set in sets.values():
        if entity_set.company_column is not None:
            assert entity_set.company_column in entity_set.keys[0]


def test_enum_columns_have_their_members() -> None:
    enums = load_enums()
    for entity_set, column in finance_columns():
        if column.type is ColumnType.ENUM:
            assert column.enum is not None
            assert column.options == enums[column.enum] != (), (entity_set.name, column.name)


def test_known_enums() -> None:
    symbols = {name: [option.label for option in members] for name, members in load_enums().items()}
    assert symbols["NoYes"] == ["No", "Yes"]
    assert symbols["FalseTrue"] == ["False", "True"]
    assert {"InProcess", "Completed"} <= set(symbols["ProjStatus"])
    assert symbols["ProjCDSTransType"][0] == "Cost"
    for members in load_enums().values():
        assert len({option.value for option in members}) == len(members)


def test_proposed_columns_are_marked() -> None:
    tables = load_dataverse()
    proposed = [
        tables["account"].columns["msdyn_billingaccount"],
        tables["account"].columns["msdyn_onholdstatus"],
        tables["msdyn_vendor"].columns["msdyn_invoicevendoraccountnumber"],
        tables["msdyn_ledger"].columns["msdyn_budgetexchangeratetype"],
        tables["msdyn_ledger"].columns["msdyn_reportingcurrencyexchangeratetype"],
    ]
    assert {column.source for column in proposed} == {"proposed"}
