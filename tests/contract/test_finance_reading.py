"""Reading Finance over HTTP (protocol 2.1)."""

from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from tests.contract.process import Sandbox

COMPANIES = ("USPM", "GBPM")


def create(client: httpx.Client, entity_set: str, **values: object) -> dict[str, Any]:
    answer = client.post(f"/data/{entity_set}", json=values)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
def companies(finance: httpx.Client) -> None:
    for code in COMPANIES:
        create(finance, "LegalEntities", LegalEntityId=code, Name=f"Company {code}")


def customer(client: httpx.Client, account: str, name: str = "", company: str = "USPM") -> None:
    create(client, "CustomersV3", dataAreaId=company, CustomerAccount=account, OrganizationName=name)


def accounts(client: httpx.Client, where: str, **options: str) -> list[str]:
    answer = client.get(
        "/data/CustomersV3", params={"$filter": where, "$orderby": "CustomerAccount", **options}
    )
    assert answer.status_code == 200, answer.text
    return [row["CustomerAccount"] for row in answer.json()["value"]]


def refusal(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["innererror"]["message"])


def test_no_token_no_data(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.finance) as stranger:
        answer = stranger.get("/data/CustomersV3")
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


@pytest.mark.protocol("finance: list", "D")
@pytest.mark.usefixtures("companies")
def test_a_list_without_cross_company_holds_the_default_company_only(finance: httpx.Client) -> None:
    """[D odata]: the caller's default company, here the first legal entity."""
    customer(finance, "A1", company="USPM")
    customer(finance, "B1", company="GBPM")
    assert accounts(finance, "CustomerAccount ne ''") == ["A1"]
    assert accounts(finance, "CustomerAccount ne ''", **{"cross-company": "true"}) == ["A1", "B1"]
    assert accounts(finance, "dataAreaId eq 'GBPM'") == []
    assert accounts(finance, "dataAreaId eq 'GBPM'", **{"cross-company": "true"}) == ["B1"]


@pytest.mark.protocol("finance: list", "L")
@pytest.mark.usefixtures("companies")
def test_company_codes_are_answered_in_lower_case(finance: httpx.Client) -> None:
    customer(finance, "A1")
    row = finance.get("/data/CustomersV3(dataAreaId='UsPm',CustomerAccount='a1')").json()
    assert (row["dataAreaId"], row["CustomerAccount"]) == ("uspm", "A1")
    assert finance.get("/data/LegalEntities('uspm')").json()["LegalEntityId"] == "USPM"


@pytest.mark.protocol("finance: key", "D")
@pytest.mark.usefixtures("companies")
def test_key_fields_in_any_order_all_of_them(finance: httpx.Client) -> None:
    customer(finance, "O'Brien/1", "Ö")
    key = "CustomerAccount='O''Brien%2F1',dataAreaId='uspm'"
    assert finance.get(f"/data/CustomersV3({key})").json()["OrganizationName"] == "Ö"
    assert "CustomerAccount" in refusal(finance.get("/data/CustomersV3(dataAreaId='uspm')"))
    assert "key" in refusal(finance.get("/data/CustomersV3(dataAreaId='uspm',Nope='1')"))
    assert finance.get("/data/CustomersV3(dataAreaId='uspm',CustomerAccount='no')").status_code == 404


@pytest.mark.protocol("finance: key", "D")
@pytest.mark.usefixtures("companies")
def test_a_row_of_another_company_needs_cross_company(finance: httpx.Client) -> None:
    customer(finance, "B1", company="GBPM")
    address = "/data/CustomersV3(dataAreaId='gbpm',CustomerAccount='B1')"
    assert finance.get(address).status_code == 404
    assert finance.get(address, params={"cross-company": "true"}).status_code == 200


@pytest.mark.protocol("finance: page", "L?")
@pytest.mark.usefixtures("companies")
def test_pages_follow_next_links_with_skip_and_meet_every_row_once(finance: httpx.Client) -> None:
    """[L]: `$skip` in the link; the page size is ours to lower with a preference [?]."""
    for number in range(7):
        customer(finance, f"A{number}")
    url: str | None = "/data/CustomersV3?$select=CustomerAccount&$count=true"
    found, pages = [], 0
    while url is not None:
        body = finance.get(url, headers={"Prefer": "odata.maxpagesize=3"}).json()
        assert body["@odata.count"] == 7
        found += [row["CustomerAccount"] for row in body["value"]]
        url, pages = body.get("@odata.nextLink"), pages + 1
        assert url is None or ("$skip=" in url and url.startswith(str(finance.base_url)[:-1]))
    assert (found, pages) == ([f"A{number}" for number in range(7)], 3)


@pytest.mark.protocol("finance: options", "D")
@pytest.mark.usefixtures("companies")
def test_top_and_skip(finance: httpx.Client) -> None:
    for number in range(5):
        customer(finance, f"A{number}")
    assert accounts(finance, "CustomerAccount ne ''", **{"$top": "2", "$skip": "1"}) == ["A1", "A2"]
    body = finance.get("/data/CustomersV3?$top=2").json()
    assert len(body["value"]) == 2
    assert "@odata.nextLink" not in body
    assert "$top" in refusal(finance.get("/data/CustomersV3?$top=x"))


@pytest.mark.protocol("finance: options", "D")
@pytest.mark.usefixtures("companies")
def test_count_as_text(finance: httpx.Client) -> None:
    customer(finance, "A1")
    answer = finance.get("/data/CustomersV3/$count")
    assert (answer.text, answer.headers["content-type"].partition(";")[0]) == ("1", "text/plain")


@pytest.mark.usefixtures("companies")
def test_decimals_are_exact_to_the_last_digit(finance: httpx.Client) -> None:
    body = b'{"dataAreaId":"USPM","CustomerAccount":"A1","CreditLimit":922337203685476.9999}'
    created = finance.post("/data/CustomersV3", content=body)
    decoder = msgspec.json.Decoder(float_hook=Decimal)
    assert decoder.decode(created.content)["CreditLimit"] == Decimal("922337203685476.9999")
    read = finance.get("/data/CustomersV3?$select=CreditLimit")
    assert b'"CreditLimit":922337203685476.9999' in read.content


@pytest.mark.protocol("finance: unknown address", "L")
def test_unknown_urls_have_a_form_of_their_own(finance: httpx.Client) -> None:
    """[L]."""
    for address in ("/data/Nope", "/data/CustomersV3/Nope", "/data/CustomersV3/a/b"):
        answer = finance.get(address)
        assert answer.status_code == 404
        assert answer.json()["Message"].startswith("No HTTP resource was found that matches the request URI")


@pytest.mark.protocol("finance: options", "D")
def test_unknown_options_and_expands_are_refused(finance: httpx.Client) -> None:
    assert "$nope" in refusal(finance.get("/data/CustomersV3?$nope=1"))
    assert "Parent" in refusal(finance.get("/data/CustomersV3?$expand=Parent"))
    assert "Nope" in refusal(finance.get("/data/CustomersV3?$select=Nope"))
    assert "Nope" in refusal(finance.get("/data/CustomersV3?$orderby=Nope desc"))


@pytest.mark.protocol("finance: etag", "?")
@pytest.mark.usefixtures("companies")
def test_conditional_read(finance: httpx.Client) -> None:
    customer(finance, "A1")
    address = "/data/CustomersV3(dataAreaId='uspm',CustomerAccount='A1')"
    tag = finance.get(address).headers["etag"]
    assert finance.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_service_document_metadata_and_environment(finance: httpx.Client) -> None:
    names = {entry["name"] for entry in finance.get("/data").json()["value"]}
    assert {"CustomersV3", "ProjectsV2", "DataManagementDefinitionGroups"} <= names
    metadata = finance.get("/data/$metadata")
    assert metadata.headers["content-type"].startswith("application/xml")
    assert '<EntitySet Name="ProjectsV2"' in metadata.text
    entity = finance.get("/Metadata/PublicEntities('ProjectTask')").json()
    keys = [entry["Name"] for entry in entity["Properties"] if entry["IsKey"]]
    assert keys == ["dataAreaId", "ProjectId", "TaskId"]
    members = finance.get("/Metadata/PublicEnumerations('NoYes')").json()["Members"]
    assert [entry["Name"] for entry in members] == ["No", "Yes"]
    assert finance.get("/Metadata/PublicEntities('Nope')").status_code == 404


@pytest.mark.protocol("finance: headers", "L")
def test_answers_carry_activity_id_and_timing(finance: httpx.Client) -> None:
    answer = finance.get("/data/CustomersV3", headers={"x-ms-client-request-id": "abc"})
    assert {"ms-dyn-aid", "server-timing"} <= set(answer.headers)
    assert answer.headers["x-ms-client-request-id"] == "abc"
