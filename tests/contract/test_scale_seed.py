"""The seed scale:N as a client sees it: N actuals, all that they refer to, and the shape of real data.

Nothing here asks the generator: what it should have made follows from the rules of the domain.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx
import pytest

ACTUALS = 2_000
COST, UNBILLED, RESOURCING, INTERORG = 192350000, 192350005, 192350007, 192350008
QUANTITY_BY_PRICE, ADJUSTED, UNADJUSTABLE, CHARGEABLE = 192350000, 192350001, 192350002, 192350001
DIGEST = "050b3d7fd1caa3d017a0d471eb2fc9a93652b00ef5a33fa47665df830ec55a63"
LOOKUPS = {
    "_msdyn_project_value": "msdyn_projects",
    "_msdyn_task_value": "msdyn_projecttasks",
    "_msdyn_salescontract_value": "salesorders",
    "_msdyn_salescontractlineid_value": "salesorderdetails",
    "_msdyn_accountcustomer_value": "accounts",
    "_msdyn_contractcustomer_value": "msdyn_projectcontractsplitbillingrules",
    "_msdyn_bookableresource_value": "bookableresources",
    "_msdyn_resourcecategory_value": "bookableresourcecategories",
    "_msdyn_transactioncategory_value": "msdyn_transactioncategories",
    "_msdyn_unit_value": "uoms",
    "_msdyn_pricelist_value": "pricelevels",
    "_msdyn_owningcompany_value": "cdm_companies",
    "_msdyn_resourcingcompany_value": "cdm_companies",
    "_msdyn_contractorganizationalunitid_value": "msdyn_organizationalunits",
    "_msdyn_resourceorganizationalunitid_value": "msdyn_organizationalunits",
    "_transactioncurrencyid_value": "transactioncurrencies",
}
TEXTS = {
    "msdyn_timeentry": "msdyn_timeentries",
    "msdyn_journal": "msdyn_journals",
    "msdyn_journalline": "msdyn_journallines",
    "msdyn_actual": "msdyn_actuals",
}
PLAIN = (
    "msdyn_actualid,msdyn_actualimportid,msdyn_transactiontypecode,msdyn_transactionclassification,"
    "msdyn_quantity,msdyn_price,msdyn_amount,msdyn_amountmethod,msdyn_billingtype,msdyn_billingstatus,"
    "msdyn_adjustmentstatus,msdyn_skipsync,msdyn_description,msdyn_documentdate,exchangerate,"
    "msdyn_amount_base"
)
Row = dict[str, Any]


def read_all(client: httpx.Client, address: str) -> Iterator[Row]:
    following: str | None = address
    while following is not None:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        page = json.loads(answer.text, parse_float=Decimal)
        yield from page["value"]
        following = page.get("@odata.nextLink")


@pytest.fixture
def actuals(dataverse: httpx.Client, control: httpx.Client) -> list[Row]:
    answer = control.post("/sandbox/reset", json={"seed": f"scale:0{ACTUALS}"})
    assert answer.json() == {"seed": f"scale:{ACTUALS}"}
    return list(read_all(dataverse, f"msdyn_actuals?$select={PLAIN},{','.join(LOOKUPS)}"))


def test_rows_are_complete_right_and_the_same_everywhere(
    actuals: list[Row], dataverse: httpx.Client, finance: httpx.Client
) -> None:
    assert len(actuals) == ACTUALS
    _check_references(actuals, dataverse)
    _check_amounts(actuals)
    _check_currencies(actuals, dataverse)
    _check_connections(actuals, dataverse)
    _check_origins(actuals, dataverse)
    _check_customers(dataverse, finance)
    _check_skew(actuals, dataverse)
    _check_lengths(dataverse)
    assert _digest(actuals) == DIGEST


def _digest(actuals: list[Row]) -> str:
    columns = [*PLAIN.split(","), *LOOKUPS]
    lines = sorted(json.dumps([_plain(row[name]) for name in columns]) for row in actuals)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain(value: object) -> object:
    return str(Decimal(value).normalize()) if isinstance(value, int | Decimal) else value


def _check_references(actuals: list[Row], dataverse: httpx.Client) -> None:
    for lookup, entity_set in LOOKUPS.items():
        meant = {row[lookup] for row in actuals} - {None}
        assert meant, lookup
        assert meant <= _ids(dataverse, entity_set), lookup


def _ids(dataverse: httpx.Client, entity_set: str) -> set[str]:
    rows = read_all(dataverse, f"{entity_set}?$select=createdon")
    return {value for row in rows for name, value in row.items() if name not in {"createdon", "@odata.etag"}}


def _check_amounts(actuals: list[Row]) -> None:
    for row in actuals:
        product = Decimal(row["msdyn_quantity"] * row["msdyn_price"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        if row["msdyn_amountmethod"] == QUANTITY_BY_PRICE:
            assert row["msdyn_amount"] == product, row
        assert row["msdyn_amount_base"] == row["msdyn_amount"] / row["exchangerate"]
        assert row["msdyn_actualimportid"] == row["msdyn_actualid"]
    adjusted = [row["msdyn_amount"] for row in actuals if row["msdyn_adjustmentstatus"] == ADJUSTED]
    taken_back = [row["msdyn_amount"] for row in actuals if row["msdyn_adjustmentstatus"] == UNADJUSTABLE]
    assert adjusted
    assert sorted(adjusted) == sorted(-amount for amount in taken_back)


def _check_currencies(actuals: list[Row], dataverse: httpx.Client) -> None:
    """Sales are in the contract's currency, costs in that of the company that bears them (R112)."""
    contracts = {
        row["salesorderid"]: row["_transactioncurrencyid_value"]
        for row in read_all(dataverse, "salesorders?$select=_transactioncurrencyid_value")
    }
    units = {
        row["_msdyn_company_value"]: row["_msdyn_currency_value"]
        for row in read_all(dataverse, "msdyn_organizationalunits")
    }
    for row in actuals:
        currency, kind = row["_transactioncurrencyid_value"], row["msdyn_transactiontypecode"]
        if kind == UNBILLED:
            assert currency == contracts[row["_msdyn_salescontract_value"]]
        if kind in {COST, RESOURCING}:
            assert currency == units[row["_msdyn_owningcompany_value"]]


def _check_connections(actuals: list[Row], dataverse: httpx.Client) -> None:
    known = {row["msdyn_actualid"]: row for row in actuals}
    roles: Counter[tuple[str, str]] = Counter()
    sold: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in read_all(dataverse, "msdyn_transactionconnections"):
        ends = [known[row[f"msdyn_transaction{end}"]] for end in (1, 2)]
        roles[row["msdyn_transaction1role"], row["msdyn_transaction2role"]] += 1
        if row["msdyn_transaction1role"] == "Unbilled Sales":
            assert [end["msdyn_transactiontypecode"] for end in ends] == [UNBILLED, COST]
            sold[row["msdyn_transaction2"]] += ends[0]["msdyn_quantity"]
        if row["msdyn_transaction1role"] == "Reversing":
            assert ends[0]["msdyn_quantity"] == -ends[1]["msdyn_quantity"]
            assert ends[0]["msdyn_price"] == ends[1]["msdyn_price"]
    assert all(quantity >= known[cost]["msdyn_quantity"] for cost, quantity in sold.items())
    assert set(roles) == {
        ("Unbilled Sales", "Cost"),
        ("Reversing", "Original"),
        ("Resourcing Unit Cost", "Cost"),
        ("Inter-Organizational Sales", "Cost"),
        ("Inter-Organizational Sales", "Resourcing Unit Cost"),
    }


def _check_origins(actuals: list[Row], dataverse: httpx.Client) -> None:
    """All but reversals came from a time entry or a posted journal line."""
    sources = _ids(dataverse, "msdyn_timeentries") | {
        row["msdyn_journallineid"]
        for row in read_all(dataverse, "msdyn_journallines")
        if row["msdyn_isposted"]
    }
    origins = list(read_all(dataverse, "msdyn_transactionorigins"))
    assert {row["msdyn_origin"] for row in origins} <= sources
    came = {row["msdyn_transaction"] for row in origins}
    assert came == {row["msdyn_actualid"] for row in actuals if row["msdyn_adjustmentstatus"] != UNADJUSTABLE}


def _check_customers(dataverse: httpx.Client, finance: httpx.Client) -> None:
    """Maps can begin at once: Finance knows the customers of Dataverse, by the same names."""
    theirs = {
        row["CustomerAccount"]: row["OrganizationName"]
        for row in read_all(finance, "/data/CustomersV3?cross-company=true")
    }
    ours = {row["accountnumber"]: row["name"] for row in read_all(dataverse, "accounts")}
    assert ours
    assert ours.items() <= theirs.items()


def _check_lengths(dataverse: httpx.Client) -> None:
    """No text is longer than its column: what is seeded could have been written."""
    for table, entity_set in TEXTS.items():
        address = f"EntityDefinitions(LogicalName='{table}')/Attributes/Microsoft.Dynamics.CRM."
        answer = dataverse.get(f"{address}StringAttributeMetadata?$select=LogicalName,MaxLength")
        longest = {row["LogicalName"]: row["MaxLength"] for row in answer.json()["value"]}
        assert longest["msdyn_description"] >= 100
        for row in read_all(dataverse, entity_set):
            for column in longest.keys() & row.keys():
                assert len(row[column] or "") <= longest[column], (table, column)


def _check_skew(actuals: list[Row], dataverse: httpx.Client) -> None:
    """Few projects have most of it, recent months too; all kinds occur, some of them seldom."""
    projects = Counter(row["_msdyn_project_value"] for row in actuals)
    few = projects.most_common(len(projects) // 4)
    assert sum(count for _, count in few) > ACTUALS / 2
    months = Counter(row["msdyn_documentdate"][:7] for row in actuals)
    recent = sorted(months)[-len(months) // 3 :]
    assert sum(months[month] for month in recent) > ACTUALS / 2
    kinds = Counter(row["msdyn_transactiontypecode"] for row in actuals)
    assert kinds[COST] > ACTUALS / 3 > kinds[RESOURCING] == kinds[INTERORG] > 0
    companies = Counter(row["_msdyn_owningcompany_value"] for row in actuals)
    assert len(companies) == len({row["_transactioncurrencyid_value"] for row in actuals}) == 3
    assert Counter(row["msdyn_billingtype"] for row in actuals)[CHARGEABLE] > ACTUALS / 10
    texts = [row["msdyn_description"] for row in actuals]
    assert ACTUALS / 5 < texts.count(None) < ACTUALS / 2
    lengths = {len(text) for text in texts if text}
    assert min(lengths) < 15
    assert max(lengths) > 80
    names = [row["name"] for row in read_all(dataverse, "bookableresources")]
    assert len(set(names)) < len(names)


@pytest.mark.parametrize("number", ["0", "-5", "many", "", "1e6", "50000001", "9" * 30])
def test_a_scale_that_cannot_be_is_refused_in_one_sentence(control: httpx.Client, number: str) -> None:
    answer = control.post("/sandbox/reset", json={"seed": f"scale:{number}"})
    assert answer.status_code == 400
    assert "from 1 to 50,000,000" in answer.json()["error"]
