"""The demo's setup of Finance: complete for every company, and closed in one month."""

from collections import Counter
from datetime import datetime

import pytest

from sandbox.data import finance_setup, intercompany
from sandbox.data.firm import COMPANIES
from sandbox.schema.load import load_enums, load_finance

ROWS = finance_setup.finance_rows()
PER_COMPANY = sorted(name for name in ROWS if load_finance()[name].company_column)


@pytest.mark.parametrize("entity_set", sorted(ROWS))
def test_rows_have_columns_of_the_schema_keys_of_their_own_and_texts_that_fit(entity_set: str) -> None:
    table = load_finance()[entity_set]
    keys = Counter(tuple(str(row.get(name)) for name in table.keys[0]) for row in ROWS[entity_set])
    assert max(keys.values()) == 1
    for row in ROWS[entity_set]:
        for name, value in row.items():
            limit = table.columns[name].max_length
            assert limit is None or len(str(value)) <= limit, (entity_set, name, value)


@pytest.mark.parametrize("entity_set", PER_COMPANY)
def test_every_company_is_set_up_alike(entity_set: str) -> None:
    counts = Counter(row["dataAreaId"] for row in ROWS[entity_set])
    assert set(counts) == {company.area for company in COMPANIES}
    assert len(set(counts.values())) == 1


def test_every_posting_type_has_an_account_and_every_billing_type_a_line_property() -> None:
    enums = load_enums()
    posting_types = {row["PostingType"] for row in ROWS["ProjectPostingAccounts"]}
    assert posting_types == {member.label for member in enums["ProjLedgerPostingType"]}
    billing_types = {row["BillingType"] for row in ROWS["ProjectBillingTypeLineProperties"]}
    assert billing_types == {member.label for member in enums["ProjBillingType"]}
    chosen = {row["LinePropertyId"] for row in ROWS["ProjectBillingTypeLineProperties"]}
    assert chosen <= {row["LinePropertyId"] for row in ROWS["ProjectLineProperties"]}


def test_default_categories_exist_with_the_type_that_they_are_for() -> None:
    known = {
        (row["dataAreaId"], row["Category"]): row["TransactionType"]
        for row in ROWS["ProjectCategoryEntities"]
    }
    defaults = {
        "EmplCategory": "Hour",
        "CostCategory": "Expense",
        "ItemCategory": "Item",
        "RevenueCategory": "Fee",
        "OnAccountCategory": "OnAccount",
    }
    for row in ROWS["ProjectParametersV2"]:
        for parameter, kind in defaults.items():
            assert known[row["dataAreaId"], row[parameter]] == kind


def test_years_are_covered_without_gaps_and_august_2026_alone_is_closed() -> None:
    rows = [row for row in ROWS["LedgerFiscalPeriods"] if row["dataAreaId"] == "uspm"]
    spans = [(row["StartDate"], row["EndDate"]) for row in rows]
    for (_, end), (start, _) in zip(spans, spans[1:], strict=False):
        assert isinstance(end, datetime)
        assert isinstance(start, datetime)
        assert (start - end).days == 1
    closed = [row["StartDate"] for row in rows if row["PeriodStatus"] == "Closed"]
    assert [str(day)[:10] for day in closed] == ["2026-08-01"]


def test_r1204_relations_name_the_customer_and_the_vendor_that_the_two_have() -> None:
    customers = {(row["dataAreaId"], row["CustomerAccount"]) for row in intercompany.customers()}
    vendors = {(row["dataAreaId"], row["VendorAccountNumber"]) for row in intercompany.vendors()}
    relations = intercompany.relations()
    assert {(row["LendingLegalEntityId"], row["BorrowingLegalEntityId"]) for row in relations} == {
        ("GBPM", "USPM"),
        ("USPM", "GBPM"),
    }
    for row in relations:
        lender, borrower = (
            str(row["LendingLegalEntityId"]).lower(),
            str(row["BorrowingLegalEntityId"]).lower(),
        )
        assert (lender, row["CustomerAccountNumber"]) in customers
        assert (borrower, row["VendorAccountNumber"]) in vendors
