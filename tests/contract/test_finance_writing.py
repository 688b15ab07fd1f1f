"""Writing to Finance over HTTP (protocol 2.1)."""

import base64
import re
from typing import Any

import httpx
import pytest


@pytest.fixture
def companies(finance: httpx.Client) -> None:
    for code in ("USPM", "GBPM"):
        assert finance.post("/data/LegalEntities", json={"LegalEntityId": code}).status_code == 201


def post(client: httpx.Client, entity_set: str, **values: object) -> httpx.Response:
    return client.post(f"/data/{entity_set}", json=values)


def contract(client: httpx.Client, number: str = "C1", **values: object) -> httpx.Response:
    return post(
        client, "ProjectContractHeaders", **{"dataAreaId": "USPM", "ProjectContractId": number, **values}
    )


def infolog(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("", "An error has occurred.")
    assert set(error["innererror"]) == {"message", "type", "stacktrace"}
    return str(error["innererror"]["message"])


TYPES = "Microsoft.Dynamics.DataEntities"
CONTRACT = "/data/ProjectContractHeaders(dataAreaId='uspm',ProjectContractId='C1')"


@pytest.mark.protocol("finance: null", "L")
@pytest.mark.protocol("finance: post", "L")
@pytest.mark.usefixtures("companies")
def test_create_answers_the_whole_row_with_the_null_conventions(finance: httpx.Client) -> None:
    """[L]: no null: "", 0, 1900-01-01T12:00:00Z, the first member of an enum."""
    answer = post(
        finance, "ProjectsV2", dataAreaId="USPM", ProjectId="P1", ProjectName=None, ActualStartDate=None
    )
    row = answer.json()
    assert answer.status_code == 201
    assert row["@odata.context"].endswith("/data/$metadata#ProjectsV2/$entity")
    assert None not in row.values()
    assert (row["ProjectName"], row["ActualStartDate"]) == ("", "1900-01-01T12:00:00Z")
    assert finance.get(answer.headers["location"]).json()["ProjectId"] == "P1"


@pytest.mark.protocol("finance: etag", "L")
@pytest.mark.usefixtures("companies")
def test_etags_hold_record_version_and_record_id(finance: httpx.Client) -> None:
    """[L]: base64 of `'RecVersion,RecId'`; 1 on create, another one after an update."""
    created = contract(finance).headers["etag"]
    updated = finance.patch(CONTRACT, json={"CustomersOrderReference": "x"}).headers["etag"]
    versions = []
    for tag in (created, updated):
        match = re.fullmatch(r'W/"([A-Za-z0-9+/=]+)"', tag)
        assert match is not None
        versions.append(base64.b64decode(match[1]).decode())
    assert re.fullmatch(r"'1,\d+'", versions[0])
    assert versions[0].partition(",")[2] == versions[1].partition(",")[2]
    assert created != updated


@pytest.mark.protocol("finance: etag", "L?")
def test_entities_over_several_tables_have_a_pair_for_each_in_their_etags(finance: httpx.Client) -> None:
    """[L]: `'1,5637144576;0,0;…'`; which entities have several tables is ours [?]."""
    tag = post(finance, "Workers", PersonnelNumber="P1").headers["etag"]
    decoded = base64.b64decode(tag.removeprefix('W/"').removesuffix('"')).decode()
    assert re.fullmatch(r"'1,\d{11,};0,0'", decoded)
    row = "/data/Workers('P1')"
    assert finance.get(row).json()["@odata.etag"] == finance.get(row).headers["etag"] == tag
    assert finance.patch(row, json={"Name": "x"}, headers={"If-Match": tag}).status_code == 204
    assert finance.patch(row, json={"Name": "y"}, headers={"If-Match": tag}).status_code == 412


@pytest.mark.protocol("finance: patch", "D")
@pytest.mark.usefixtures("companies")
def test_update_changes_only_what_was_sent(finance: httpx.Client) -> None:
    contract(finance, CustomersOrderReference="a", CustomerRequisitionNumber="b")
    for verb in ("PATCH", "PUT"):
        assert finance.request(verb, CONTRACT, json={"CustomersOrderReference": verb}).status_code == 204
        row = finance.get(CONTRACT).json()
        assert (row["CustomersOrderReference"], row["CustomerRequisitionNumber"]) == (verb, "b")


@pytest.mark.protocol("finance: etag", "?")
@pytest.mark.usefixtures("companies")
def test_if_match(finance: httpx.Client) -> None:
    tag = contract(finance).headers["etag"]
    stale = {"If-Match": tag}
    assert finance.patch(CONTRACT, json={"CustomersOrderReference": "x"}, headers=stale).status_code == 204
    assert finance.patch(CONTRACT, json={"CustomersOrderReference": "y"}, headers=stale).status_code == 412
    assert finance.delete(CONTRACT, headers=stale).status_code == 412
    assert finance.delete(CONTRACT, headers={"If-Match": "*"}).status_code == 204
    assert finance.get(CONTRACT).status_code == 404


@pytest.mark.protocol("finance: no upsert", "?")
@pytest.mark.usefixtures("companies")
def test_missing_rows_are_404(finance: httpx.Client) -> None:
    assert finance.patch(CONTRACT, json={}).status_code == 404
    assert finance.delete(CONTRACT).status_code == 404


@pytest.mark.protocol("finance: no upsert", "L")
@pytest.mark.protocol("finance: error", "L")
@pytest.mark.usefixtures("companies")
def test_a_key_that_exists_is_refused_whatever_its_case(finance: httpx.Client) -> None:
    contract(finance, "Åb1")
    message = infolog(contract(finance, "åB1", dataAreaId="uspm"))
    assert "Infolog:" in message
    assert "The record already exists" in message
    post(finance, "CustomersV3", CustomerAccount="A1")
    message = infolog(post(finance, "CustomersV3", CustomerAccount="A1"))
    assert message.startswith("Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Info: ")


@pytest.mark.protocol("finance: read-only and mandatory", "D")
@pytest.mark.usefixtures("companies")
def test_key_fields_are_mandatory_and_never_change(finance: httpx.Client) -> None:
    assert "'ProjectContractId' must be filled in" in infolog(
        post(finance, "ProjectContractHeaders", dataAreaId="uspm")
    )
    assert "'ProjectContractId' must be filled in" in infolog(contract(finance, ""))
    contract(finance)
    assert finance.patch(CONTRACT, json={"ProjectContractId": "c1", "dataAreaId": "USPM"}).status_code == 204
    assert "does not allow editing" in infolog(finance.patch(CONTRACT, json={"ProjectContractId": "C2"}))


@pytest.mark.protocol("finance: post", "D")
@pytest.mark.usefixtures("companies")
def test_the_company_has_a_default(finance: httpx.Client) -> None:
    row = post(finance, "ProjectContractHeaders", ProjectContractId="C9").json()
    assert row["dataAreaId"] == "uspm"


@pytest.mark.protocol("finance: error", "L?")
@pytest.mark.usefixtures("companies")
def test_values_that_do_not_fit(finance: httpx.Client) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"Nope": 1}, "The property 'Nope' does not exist"),
        ({"NetPrice": "Maybe"}, "NoYes"),
        ({"NetPrice": 1}, "NoYes"),
        ({"CustomersOrderReference": 5}, "CustomersOrderReference"),
        ({"IntrastatAdditionalValue": "x"}, "IntrastatAdditionalValue"),
        ({"CustomersOrderReference": "a\u0000"}, "CustomersOrderReference"),
        ({"SalesCurrencyCode": "EURO"}, "SalesCurrencyCode"),
    ]
    for values, message in refused:
        assert message in infolog(contract(finance, **values)), values


@pytest.mark.usefixtures("companies")
def test_awkward_text_stays_as_it_is(finance: httpx.Client) -> None:
    text = '  O\'Brien & Söhne, "日本" 🚀\r\n\t%_[a]* '
    contract(finance, CustomersOrderReference=text)
    assert finance.get(CONTRACT).json()["CustomersOrderReference"] == text


@pytest.mark.protocol("finance: null", "L")
@pytest.mark.usefixtures("companies")
def test_dates_are_noon_whatever_time_was_sent(finance: httpx.Client) -> None:
    """[L]: the T12 is literal."""
    row = post(
        finance, "ProjectsV2", dataAreaId="USPM", ProjectId="P1", ProjectedStartDate="2028-02-29T00:00:00Z"
    ).json()
    assert row["ProjectedStartDate"] == "2028-02-29T12:00:00Z"


@pytest.mark.protocol("finance: error", "L")
@pytest.mark.usefixtures("companies")
def test_parents_come_before_children(finance: httpx.Client) -> None:
    orphans: list[tuple[str, dict[str, Any], str]] = [
        ("ProjectContractHeaders", {"dataAreaId": "XXXX", "ProjectContractId": "C"}, "The company 'XXXX'"),
        (
            "ProjectContractHeaders",
            {"ProjectContractId": "C", "CustomerAccountNumber": "K"},
            "Customer account K",
        ),
        ("ProjectsV2", {"ProjectId": "P", "ProjectContractId": "C"}, "Project contract C"),
        ("ProjectTasks", {"ProjectId": "P", "TaskId": "T"}, "Project P"),
        ("ProjectContractLines", {"ProjectContractId": "C", "LineSequenceNumber": 1}, "Project contract C"),
        ("ProjectFundingSources", {"ProjectContractID": "C", "FundingSourceId": "F"}, "Project contract C"),
        (
            "ProjectContractLineMilestones",
            {"ContractLineMilestoneIdentifier": "M", "ContractLineId": "L"},
            "Project contract line L",
        ),
    ]
    for entity_set, values, missing in orphans:
        refused = infolog(post(finance, entity_set, **values))
        assert f"{missing} does not exist" in refused
        assert refused.startswith("Write failed for table row of type '"), refused


@pytest.mark.usefixtures("companies")
def test_a_parent_counts_in_its_own_company_only(finance: httpx.Client) -> None:
    post(finance, "ProjectsV2", dataAreaId="USPM", ProjectId="P1")
    assert post(finance, "ProjectTasks", dataAreaId="uspm", ProjectId="p1", TaskId="T1").status_code == 201
    refused = post(finance, "ProjectTasks", dataAreaId="GBPM", ProjectId="P1", TaskId="T1")
    assert "Project P1 does not exist" in infolog(refused)


@pytest.mark.usefixtures("companies")
def test_a_grant_needs_no_customer(finance: httpx.Client) -> None:
    contract(finance)
    source = {"dataAreaId": "USPM", "ProjectContractID": "C1", "CustomerOrOrganization": "nobody"}
    refused = post(finance, "ProjectFundingSources", **source, FundingSourceId="F1", FundingType="Customer")
    assert "Customer account nobody does not exist" in infolog(refused)
    taken = post(finance, "ProjectFundingSources", **source, FundingSourceId="F1", FundingType="Grant")
    assert taken.status_code == 201


def test_verbs_that_do_not_fit(finance: httpx.Client) -> None:
    assert finance.patch("/data/ProjectsV2", json={}).status_code == 405
    assert finance.post("/data/LegalEntities('USPM')", json={}).status_code == 405
    assert finance.post("/data/$metadata", json={}).status_code == 405


@pytest.mark.usefixtures("companies")
def test_every_write_is_in_the_log(finance: httpx.Client, control: httpx.Client) -> None:
    control.delete("/sandbox/stats")
    contract(finance, CustomersOrderReference="x")
    contract(finance)
    writes = control.get("/sandbox/stats").json()["writes"]
    assert [(it["system"], it["entity"], it["verb"], it["status"]) for it in writes] == [
        ("finance", "ProjectContractHeaders", "POST", 201),
        ("finance", "ProjectContractHeaders", "POST", 400),
    ]
    assert "CustomersOrderReference" in writes[0]["columns"]


@pytest.mark.protocol("finance: etag", "?")
@pytest.mark.usefixtures("companies")
def test_conditions_on_every_verb(finance: httpx.Client) -> None:
    """If-Match and If-None-Match as HTTP has them; `null`, which some clients send, says nothing."""
    tag = contract(finance).headers["etag"]
    other = 'W/"JzEsMSc="'
    assert finance.get(CONTRACT, headers={"If-Match": tag}).status_code == 200
    assert finance.get(CONTRACT, headers={"If-Match": other}).status_code == 412
    assert finance.get(CONTRACT, headers={"If-None-Match": f"{other}, {tag}"}).status_code == 304
    for verb in ("PATCH", "PUT", "DELETE"):
        for refused in ({"If-Match": other}, {"If-None-Match": "*"}, {"If-None-Match": tag}):
            assert finance.request(verb, CONTRACT, json={}, headers=refused).status_code == 412, (
                verb,
                refused,
            )
    assert finance.patch(CONTRACT, json={}, headers={"If-None-Match": "null"}).status_code == 204
    changed = finance.get(CONTRACT).headers["etag"]
    wanted = {"If-Match": f"{other}, {changed}"}
    assert finance.delete(CONTRACT, headers=wanted).status_code == 204
    assert finance.patch(CONTRACT, json={}, headers={"If-None-Match": "*"}).status_code == 404


@pytest.mark.protocol("finance: read-only and mandatory", "?")
def test_posted_books_are_for_reading(finance: httpx.Client) -> None:
    """[?]: which entities are read-only is not public; ours are those that posting alone writes."""
    for name in ("Customer", "Vendor", "Project"):
        assert "is read-only" in infolog(post(finance, f"{name}Transactions")), name
        assert finance.get(f"/data/{name}Transactions").json()["value"] == []
    assert "is read-only" in infolog(post(finance, "GeneralJournalAccountEntries"))


@pytest.mark.protocol("finance: key", "D")
@pytest.mark.usefixtures("companies")
def test_keys_of_dates_and_enums(finance: httpx.Client) -> None:
    """A day is found by its noon, by the day itself, and by any time of it [?]."""
    rate = {"RateTypeName": "Default", "FromCurrency": "EUR", "ToCurrency": "USD", "StartDate": "2026-10-31"}
    created = post(finance, "ExchangeRates", **rate, Rate=1.1)
    assert created.status_code == 201, created.text
    where = "ToCurrency='USD',StartDate={},RateTypeName='default',FromCurrency='eur'"
    for time in ("T12:00:00Z", "", "T00:00:00Z", "T12%3A00%3A00%2B00%3A00"):
        found = finance.get(f"/data/ExchangeRates({where.format('2026-10-31' + time)})")
        assert found.json()["Rate"] == 1.1, time
    assert finance.get(created.headers["location"]).status_code == 200
    key = {"EndDate": "2026-10-31", "Periods": 1, "PeriodKeyId": "K", "ProjectTransactionId": "T1"}
    without = {name: value for name, value in key.items() if name != "Periods"}
    unfilled = infolog(post(finance, "ProjectItemForecasts", dataAreaId="USPM", **without))
    assert "'Periods' must be filled in" in unfilled
    address = post(finance, "ProjectItemForecasts", dataAreaId="USPM", **key).headers["location"]
    assert "AllocateMethod=Microsoft.Dynamics.DataEntities.BudgetAllocateMethod'None'" in address
    assert finance.get(address).json()["ProjectTransactionId"] == "T1"


@pytest.mark.protocol("finance: error", "L")
@pytest.mark.usefixtures("companies")
def test_a_second_customer_group_is_refused_in_the_words_of_the_documented_sample(
    finance: httpx.Client,
) -> None:
    group = {"dataAreaId": "uspm", "CustomerGroupId": "B2", "Description": "Partners"}
    made = finance.post("/data/CustomerGroups", json={"@odata.type": f"#{TYPES}.CustomerGroup", **group})
    assert made.status_code == 201, made.text
    assert made.json()["IsSalesTaxIncludedInPrice"] == "No"
    text = infolog(finance.post("/data/CustomerGroups", json=group))
    assert text.startswith("Write failed for table row of type 'CustCustomerGroupEntity'. Infolog: Info: ")
    assert text.endswith("The record already exists..")
    row = finance.get("/data/CustomerGroups(CustomerGroupId='B2',dataAreaId='USPM')").json()
    assert (row["CustomerGroupId"], row["Description"]) == ("B2", "Partners")
