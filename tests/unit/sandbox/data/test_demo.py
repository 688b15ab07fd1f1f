"""The demo seed fits the schemas, refers to nothing that is missing, and has the awkward rows in."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from sandbox.clock import Clock
from sandbox.data import awkward
from sandbox.data.demo import dataverse_rows, finance_rows, seed_demo
from sandbox.data.empty import seed_empty
from sandbox.data.firm import COMPANIES, Row, finance_day, local_midnight
from sandbox.schema import load_dataverse, load_finance
from sandbox.schema.model import Column, ColumnType, Table
from sandbox.store import Store

DATAVERSE = dataverse_rows()
FINANCE = finance_rows()
PYTHON_TYPES: Mapping[ColumnType, type] = {
    ColumnType.STRING: str,
    ColumnType.MEMO: str,
    ColumnType.GUID: str,
    ColumnType.LOOKUP: str,
    ColumnType.ENUM: str,
    ColumnType.INTEGER: int,
    ColumnType.BIGINT: int,
    ColumnType.OPTION: int,
    ColumnType.DECIMAL: Decimal,
    ColumnType.MONEY: Decimal,
    ColumnType.DOUBLE: Decimal,
    ColumnType.BOOLEAN: bool,
    ColumnType.DATETIME: datetime,
    ColumnType.DATE: date,
}


def seeded() -> Iterator[tuple[Table, Row]]:
    for name, rows in DATAVERSE.items():
        for row in rows:
            yield load_dataverse()[name], row
    for name, rows in FINANCE.items():
        for row in rows:
            yield load_finance()[name], row


def values() -> Iterator[tuple[Table, Column, object]]:
    for table, row in seeded():
        for name, value in row.items():
            if value is not None:
                yield table, table.columns[name], value


def by_id(table: str) -> dict[object, Row]:
    primary_id = load_dataverse()[table].primary_id or ""
    return {row[primary_id]: row for row in DATAVERSE[table]}


def test_some_thousands_of_rows_in_the_order_of_their_references() -> None:
    assert 3_000 < sum(1 for _ in seeded()) < 6_000
    arrived: set[object] = set()
    for name, rows in DATAVERSE.items():
        lookups = [c for c in load_dataverse()[name].columns.values() if c.type is ColumnType.LOOKUP]
        for row in rows:
            arrived.add(row[load_dataverse()[name].primary_id or ""])
        for row in rows:
            for column in lookups:
                if row.get(column.name) is not None:
                    assert row[column.name] in arrived, (name, column.name)


def test_values_have_the_type_of_their_column() -> None:
    for table, column, value in values():
        expected = PYTHON_TYPES[column.type]
        assert type(value) is expected, (table.name, column.name, value)


def test_texts_and_numbers_fit_their_column() -> None:
    for table, column, value in values():
        where = (table.name, column.name, value)
        if isinstance(value, str) and column.max_length is not None:
            assert len(value.encode("utf-16-le")) // 2 <= column.max_length, where
        if isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int), where
            assert column.scale is None or -exponent <= column.scale, where
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            assert column.minimum is None or value >= Decimal(column.minimum), where
            assert column.maximum is None or value <= Decimal(column.maximum), where


def test_options_and_symbols_are_members() -> None:
    for table, column, value in values():
        if column.type is ColumnType.OPTION:
            assert value in {option.value for option in column.options}, (table.name, column.name, value)
        if column.type is ColumnType.ENUM:
            assert value in {option.label for option in column.options}, (table.name, column.name, value)


def test_required_columns_are_given() -> None:
    for table, row in seeded():
        for column in table.columns.values():
            assert not column.required or row.get(column.name) not in {None, ""}, (table.name, column.name)


def test_lookups_point_to_a_table_that_the_column_allows() -> None:
    ids = {name: set(by_id(name)) for name in DATAVERSE}
    for table, column, value in values():
        if column.type is ColumnType.LOOKUP:
            assert any(value in ids.get(target, ()) for target in column.targets), (table.name, column.name)


def test_keys_are_unique_without_regard_to_case() -> None:
    for rows_by_name, schema in ((DATAVERSE, load_dataverse()), (FINANCE, load_finance())):
        for name, rows in rows_by_name.items():
            for key in (*schema[name].keys, (schema[name].primary_id or schema[name].keys[0][0],)):
                if schema[name].system == "finance" and key != schema[name].keys[0]:
                    continue
                found = Counter(
                    tuple(str(row[part]).casefold() for part in key)
                    for row in rows
                    if all(row.get(part) is not None for part in key)
                )
                assert found.most_common(1)[0][1] == 1, (name, key)


def test_seed_is_the_same_every_time() -> None:
    assert dataverse_rows() == DATAVERSE
    assert finance_rows() == FINANCE


def test_reference_data_stands_in_finance_alone() -> None:
    assert set(DATAVERSE).isdisjoint(
        {"msdyn_currencyexchangerate", "msdyn_ledger", "msdyn_vendor", "cdm_worker", "product"}
    )
    assert {row["cdm_companycode"] for row in DATAVERSE["cdm_company"]} == {"USPM", "GBPM", "DEMF"}
    currencies = {row["CurrencyCode"] for row in FINANCE["Currencies"]}
    assert {row["isocurrencycode"] for row in DATAVERSE["transactioncurrency"]} < currencies


def test_customers_on_both_sides_are_equal() -> None:
    codes = {row["cdm_companyid"]: str(row["cdm_companycode"]).lower() for row in DATAVERSE["cdm_company"]}
    accounts = {
        (codes[row["msdyn_company"]], row["accountnumber"]): row
        for row in DATAVERSE["account"]
        if row.get("accountnumber") is not None
    }
    customers = {(row["dataAreaId"], row["CustomerAccount"]): row for row in FINANCE["CustomersV3"]}
    shared = accounts.keys() & customers.keys()
    assert len(shared) == 6 * len(COMPANIES)
    assert len(accounts) > len(shared)
    assert len(customers) > 2 * len(accounts)
    for key in shared:
        assert accounts[key]["name"] == customers[key]["OrganizationName"]
        assert accounts[key]["creditlimit"] == customers[key]["CreditLimit"]
        assert accounts[key]["emailaddress1"] == customers[key]["PrimaryContactEmail"]


def test_finance_references_are_met() -> None:
    customers = {(row["dataAreaId"], row["CustomerAccount"]) for row in FINANCE["CustomersV3"]}
    vendors = {(row["dataAreaId"], row["VendorAccountNumber"]) for row in FINANCE["VendorsV2"]}
    currencies = {row["CurrencyCode"] for row in FINANCE["Currencies"]}
    units = {row["UnitSymbol"] for row in FINANCE["UnitsOfMeasure"]}
    for row in FINANCE["CustomersV3"]:
        assert row["InvoiceAccount"] == "" or (row["dataAreaId"], row["InvoiceAccount"]) in customers
        assert row["SalesCurrencyCode"] in currencies
    for row in FINANCE["VendorsV2"]:
        payee = row["InvoiceVendorAccountNumber"]
        assert payee == "" or (row["dataAreaId"], payee) in vendors
    for row in FINANCE["ReleasedProductsV2"]:
        assert {row["InventoryUnitSymbol"], row["PurchaseUnitSymbol"]} <= units


def test_contracts_have_customers_of_their_own_company() -> None:
    accounts = by_id("account")
    orders = by_id("salesorder")
    for row in DATAVERSE["salesorder"]:
        assert accounts[row["customerid"]]["msdyn_company"] == row["msdyn_company"]
    for row in DATAVERSE["msdyn_projectcontractsplitbillingrule"]:
        order = orders[row["msdyn_projectcontract"]]
        assert (
            accounts[row["msdyn_customer"]]["msdyn_company"] == row["msdyn_company"] == order["msdyn_company"]
        )


def test_split_percentages_make_a_hundred_and_one_customer_is_primary() -> None:
    shares: dict[object, list[Row]] = {}
    for row in DATAVERSE["msdyn_projectcontractsplitbillingrule"]:
        shares.setdefault(row["msdyn_projectcontract"], []).append(row)
    assert max(len(rows) for rows in shares.values()) == 3
    for rows in shares.values():
        assert sum(Decimal(str(row["msdyn_splitpercentage"])) for row in rows) == 100
        assert [row["msdyn_isprimary"] for row in rows].count(True) == 1


def test_r107_milestones_add_up_to_the_value_of_a_line_with_a_project() -> None:
    lines = by_id("salesorderdetail")
    sums: Counter[object] = Counter()
    for row in DATAVERSE["msdyn_contractlinescheduleofvalue"]:
        amount = row["msdyn_amount"]
        assert isinstance(amount, Decimal)
        sums[row["msdyn_contractlineid"]] += amount  # type: ignore[assignment]
    assert len(sums) > 50
    for line_id, total in sums.items():
        line = lines[line_id]
        assert line["msdyn_project"] is not None
        assert total == line["msdyn_contractamount"] == line["extendedamount"]


def test_r112_contracting_unit_has_the_currency_of_its_company() -> None:
    currencies = by_id("transactioncurrency")
    units = {row["msdyn_company"]: row for row in DATAVERSE["msdyn_organizationalunit"]}
    codes = {row["cdm_companycode"]: row["cdm_companyid"] for row in DATAVERSE["cdm_company"]}
    for row in FINANCE["Ledgers"]:
        unit = units[codes[str(row["LegalEntityId"]).upper()]]
        assert currencies[unit["msdyn_currency"]]["isocurrencycode"] == row["AccountingCurrency"]


def test_tasks_make_trees_within_their_project() -> None:
    tasks = by_id("msdyn_projecttask")
    depths = Counter(str(row["msdyn_wbsid"]).count(".") for row in tasks.values())
    assert set(depths) == {0, 1, 2}
    for row in tasks.values():
        if row["msdyn_parenttask"] is not None:
            parent = tasks[row["msdyn_parenttask"]]
            assert parent["msdyn_project"] == row["msdyn_project"]
            assert str(row["msdyn_wbsid"]).startswith(f"{parent['msdyn_wbsid']}.")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("salesorder", "ordernumber"),
        ("msdyn_project", "msdyn_projectnumber"),
        ("msdyn_projecttask", "msdyn_projecttasknumber"),
        ("msdyn_projectcontractsplitbillingrule", "msdyn_fundingsourceid"),
        ("msdyn_contractlinescheduleofvalue", "msdyn_milestonenumber"),
    ],
)
def test_numbers_are_short_enough_for_finance(table: str, column: str) -> None:
    assert max(len(str(row[column])) for row in DATAVERSE[table]) <= 20


@pytest.mark.parametrize("name", awkward.NAMES)
def test_awkward_names_go_both_ways(name: str) -> None:
    assert name in {row["OrganizationName"] for row in FINANCE["CustomersV3"]}
    dataverse = [row.get("name") or row.get("msdyn_subject") for rows in DATAVERSE.values() for row in rows]
    assert name in dataverse


def test_awkward_rows_are_in() -> None:
    lines, projects = DATAVERSE["salesorderdetail"], DATAVERSE["msdyn_project"]
    assert awkward.MOST_MONEY in {row["extendedamount"] for row in lines}
    assert awkward.MOST_MONEY in {
        row["msdyn_amount"] for row in DATAVERSE["msdyn_contractlinescheduleofvalue"]
    }
    assert any(row["msdyn_project"] is None for row in lines if row["msdyn_linetype"] == 690970000 if row)
    assert {row["statecode"] for row in projects} == {0, 1}
    assert {row["msdyn_istemplate"] for row in projects} == {False, True}
    assert any(row["msdyn_salesorderid"] is None for row in projects if not row["msdyn_istemplate"])
    assert {None, ""} < {row.get("description", "absent") for row in DATAVERSE["salesorder"]}
    assert {row["msdyn_ordertype"] for row in DATAVERSE["salesorder"]} == {192350000, 192350001}
    assert {row.get("msdyn_billingmethod") for row in lines} > {192350000, 192350001}
    assert date(2028, 2, 29) in {
        row["msdyn_milestonedate"] for row in DATAVERSE["msdyn_contractlinescheduleofvalue"]
    }
    assert finance_day(date(2028, 2, 29)) in {row["ValidFrom"] for row in FINANCE["ExchangeRatesCDSEntity"]}


@pytest.mark.parametrize(
    ("table", "column", "length"),
    [
        ("account", "name", 160),
        ("salesorder", "name", 300),
        ("salesorder", "description", 2000),
        ("msdyn_project", "msdyn_subject", 200),
        ("msdyn_projecttask", "msdyn_subject", 450),
        ("msdyn_contractlinescheduleofvalue", "msdyn_name", 100),
    ],
)
def test_the_longest_texts_that_columns_allow(table: str, column: str, length: int) -> None:
    assert load_dataverse()[table].columns[column].max_length == length
    assert max(len(str(row.get(column))) for row in DATAVERSE[table]) == length


def test_a_user_local_midnight_is_a_day_in_the_zone_of_the_company() -> None:
    germany = COMPANIES[2]
    midnight = local_midnight(date(2026, 11, 1), germany.zone)
    assert midnight == datetime(2026, 10, 31, 23, tzinfo=UTC)
    owned = [row for row in DATAVERSE["msdyn_project"] if row["msdyn_owningcompany"] == germany.company_id]
    assert midnight in {row["msdyn_scheduledstart"] for row in owned}


def test_two_customers_pay_for_each_other() -> None:
    pays = {
        (row["dataAreaId"], row["CustomerAccount"]): row["InvoiceAccount"] for row in FINANCE["CustomersV3"]
    }
    cycles = [key for key, payer in pays.items() if payer and pays.get((key[0], payer)) == key[1]]
    assert len(cycles) == 2 * len(COMPANIES)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'sandbox.db'}", Clock())
    yield opened
    opened.close()


def test_the_store_takes_every_row_and_gives_it_back(store: Store) -> None:
    seed_demo(store)
    with store.read() as connection:
        for table, rows in ((store.dataverse[name], rows) for name, rows in DATAVERSE.items()):
            assert connection.execute(
                sa.select(sa.func.count()).select_from(store.sql(table))
            ).scalar() == len(rows)
        lines = store.sql(store.dataverse["salesorderdetail"])
        most = sa.select(sa.func.count()).where(lines.c.extendedamount == awkward.MOST_MONEY)
        assert connection.execute(most).scalar() == len(COMPANIES)


def test_the_empty_seed_leaves_no_row(store: Store) -> None:
    seed_empty(store)
    with store.read() as connection:
        for table in (*store.dataverse.values(), *store.finance.values()):
            assert connection.execute(sa.select(sa.func.count()).select_from(store.sql(table))).scalar() == 0
