"""Exact values, keys without case, versions in order, one environment for the life of a database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sandbox.clock import Clock
from sandbox.store import OtherVersionError, Store, fold


def test_decimals_are_exact_and_compare_as_numbers(store: Store) -> None:
    account = store.dataverse["account"]
    amounts = [
        Decimal(text) for text in ("922337203685476.9999", "922337203685476.9998", "-5", "10", "9", "0.10")
    ]
    store.bulk_insert(account, [{"name": str(amount), "openrevenue": amount} for amount in amounts])
    column = store.sql(account).c.openrevenue
    with store.read() as connection:
        ordered = connection.execute(sa.select(column).order_by(column)).scalars().all()
        assert ordered == sorted(amounts)
        above = connection.execute(sa.select(column).where(column > Decimal("9.5"))).scalars().all()
        assert set(above) == {amount for amount in amounts if amount > Decimal("9.5")}
        assert connection.execute(sa.select(column).where(column == Decimal("0.1"))).scalar_one() == Decimal(
            "0.1"
        )


@pytest.mark.parametrize(("one", "other"), [("abc", "ABC"), ("åäö", "ÅÄÖ"), ("O'Brien", "o'BRIEN")])
def test_keys_and_comparisons_ignore_case(store: Store, one: str, other: str) -> None:
    company = store.dataverse["cdm_company"]
    store.bulk_insert(company, [{"cdm_companycode": one}])
    with store.read() as connection:
        code = store.sql(company).c.cdm_companycode
        assert connection.execute(sa.select(code).where(fold(code) == fold(other))).scalar_one() == one
    with pytest.raises(IntegrityError):
        store.bulk_insert(company, [{"cdm_companycode": other}])


def test_empty_keys_do_not_meet(store: Store) -> None:
    store.bulk_insert(store.dataverse["cdm_company"], [{"cdm_companycode": None}, {"cdm_companycode": None}])


def test_stored_values_are_as_on_the_wire(store: Store) -> None:
    account = store.dataverse["account"]
    instant = datetime(2026, 10, 31, 22, tzinfo=UTC)
    store.bulk_insert(account, [{"name": "a", "lastusedincampaign": instant, "donotemail": True}])
    with store.read() as connection:
        row = connection.execute(sa.select(store.sql(account))).mappings().one()
    assert row["lastusedincampaign"] == "2026-10-31T22:00:00Z"
    assert row["donotemail"] is True
    assert (row["statecode"], row["statuscode"]) == (0, 1)
    assert row["createdon"].startswith("2026-10-01T00:00:0")


def test_a_fraction_of_a_second_sorts_behind_its_second(store: Store) -> None:
    account = store.dataverse["account"]
    store.bulk_insert(
        account, [{"name": "a", "lastusedincampaign": datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC)}]
    )
    column = store.sql(account).c.lastusedincampaign
    half_past = datetime(2026, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    with store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).where(column < half_past)).scalar_one() == 1
        half_before = half_past.replace(second=0)
        assert connection.execute(sa.select(sa.func.count()).where(column > half_before)).scalar_one() == 1


def test_finance_knows_no_null(store: Store) -> None:
    customers = store.finance["CustomersV3"]
    store.bulk_insert(customers, [{"dataAreaId": "uspm", "CustomerAccount": "C1"}])
    with store.read() as connection:
        row = connection.execute(sa.select(store.sql(customers))).mappings().one()
    assert None not in set(row.values())
    assert row["recversion"] == 1
    assert row["recid"] > 0


def test_dates_are_kept_as_days(store: Store) -> None:
    table = next(
        table
        for table in store.dataverse.values()
        if any(column.type.value == "date" for column in table.columns.values())
    )
    name = next(column.name for column in table.columns.values() if column.type.value == "date")
    store.bulk_insert(table, [{name: date(2028, 2, 29)}])
    with store.read() as connection:
        assert connection.execute(sa.select(store.sql(table).c[name])).scalar_one() == "2028-02-29"


def test_versions_become_visible_in_order(store: Store) -> None:
    """A reader that has seen version n has seen every version below it, whatever the writers do."""
    company = store.dataverse["cdm_company"]
    sql = store.sql(company)
    problems: list[str] = []

    def write(name: str) -> None:
        for number in range(15):
            store.bulk_insert(company, [{"cdm_companycode": f"{name}{number}"}])

    writers = [Thread(target=write, args=(name,)) for name in "abcd"]
    for writer in writers:
        writer.start()
    seen: set[int] = set()
    while any(writer.is_alive() for writer in writers):
        with store.read() as connection:
            versions = set(connection.execute(sa.select(sql.c.versionnumber)).scalars())
            known = connection.execute(sa.select(store.environment.c.version)).scalar_one()
        late = {version for version in versions - seen if seen and version < max(seen)}
        if late or (versions and max(versions) > known):
            problems.append(f"{sorted(late)} came late, newest {max(versions)}, counter {known}")
        seen = versions
    for writer in writers:
        writer.join()
    assert not problems
    with store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(sql)).scalar_one() == 60


def test_a_failed_unit_leaves_nothing(store: Store) -> None:
    company = store.sql(store.dataverse["cdm_company"])
    with pytest.raises(ZeroDivisionError), store.write() as unit:
        row = {"cdm_companyid": "x", "versionnumber": unit.next_version()}
        unit.connection.execute(sa.insert(company).values(row))
        raise ZeroDivisionError
    with store.read() as connection:
        assert connection.execute(sa.select(company)).all() == []


def test_an_environment_keeps_its_id_and_its_versions(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    first = Store(url, Clock())
    first.bulk_insert(first.dataverse["uom"], [{"name": "Hour", "msdyn_symbol": "h"}])
    with first.read() as connection:
        before = connection.execute(sa.select(first.environment.c.version)).scalar_one()
    first.clear()
    first.close()
    second = Store(url, Clock())
    assert second.environment_id == first.environment_id
    assert second.seed_name() is None
    with second.read() as connection:
        assert connection.execute(sa.select(second.environment.c.version)).scalar_one() > before
        assert connection.execute(sa.select(second.sql(second.dataverse["uom"]))).all() == []
    second.close()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE dataverse_account DROP COLUMN name",
        "ALTER TABLE finance_projectsv2 ADD COLUMN gone TEXT",
    ],
)
def test_a_database_of_another_version_is_refused_by_name(tmp_path: Path, change: str) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    clock = Clock(datetime(2026, 10, 1, tzinfo=UTC))
    made = Store(url, clock)
    with made.engine.begin() as connection:
        connection.exec_driver_sql(change)
    made.close()
    with pytest.raises(OtherVersionError, match=r"old\.db was made by another version .*table"):
        Store(url, clock)
