"""The forms in which Finance answers: metadata, `$format`, numbers as text, Prefer (protocol 2.1)."""

import re
from typing import Any

import httpx
import pytest

CUSTOMER = "/data/CustomersV3(dataAreaId='uspm',CustomerAccount='A%2F1')"


@pytest.fixture
def customer(finance: httpx.Client) -> None:
    assert finance.post("/data/LegalEntities", json={"LegalEntityId": "USPM"}).status_code == 201
    body = b'{"dataAreaId":"USPM","CustomerAccount":"A/1","CreditLimit":922337203685476.9999}'
    assert finance.post("/data/CustomersV3", content=body).status_code == 201


def read(client: httpx.Client, accept: str, address: str = CUSTOMER, **options: str) -> httpx.Response:
    answer = client.get(address, params=options, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.protocol("finance: enum value", "L")
@pytest.mark.usefixtures("customer")
@pytest.mark.parametrize("accept", ["application/json;odata.metadata=full", "odata.metadata=full"])
def test_full_metadata(finance: httpx.Client, accept: str) -> None:
    """[L]: type, id, edit link, links of navigation, and types beside what JSON does not say."""
    answer = read(finance, accept)
    assert "odata.metadata=full" in answer.headers["content-type"]
    row = answer.json()
    path = "CustomersV3(dataAreaId='uspm',CustomerAccount='A%2F1')"
    origin = str(finance.base_url).rstrip("/")
    assert list(row)[1:5] == ["@odata.type", "@odata.id", "@odata.etag", "@odata.editLink"]
    assert row["@odata.type"] == "#Microsoft.Dynamics.DataEntities.CustomerV3"
    assert (row["@odata.id"], row["@odata.editLink"]) == (f"{origin}/data/{path}", path)
    assert row["OnHoldStatus@odata.type"] == "#Microsoft.Dynamics.DataEntities.CustVendorBlocked"
    assert row["CreditLimit@odata.type"] == "#Decimal"
    assert "CustomerAccount@odata.type" not in row
    assert row["ProjectsV2@odata.navigationLink"] == f"{origin}/data/{path}/ProjectsV2"
    assert row["ProjectsV2@odata.associationLink"] == f"{origin}/data/{path}/ProjectsV2/$ref"
    assert finance.get(row["@odata.id"]).json()["CustomerAccount"] == "A/1"
    [listed] = read(finance, accept, "/data/CustomersV3", **{"$select": "OnHoldStatus"}).json()["value"]
    assert listed["@odata.editLink"] == path
    assert [name for name in listed if "@" not in name] == ["OnHoldStatus"]


@pytest.mark.protocol("finance: enum value", "L")
@pytest.mark.usefixtures("customer")
def test_minimal_and_no_metadata(finance: httpx.Client) -> None:
    """[L]: symbols of enums; minimal is what nobody has to ask for."""
    for accept in ("application/json", "application/json;odata.metadata=minimal", "*/*", "odata.metadata=x"):
        row = read(finance, accept).json()
        annotations = [name for name in row if "@" in name]
        assert annotations == ["@odata.context", "@odata.etag"], accept
        assert row["OnHoldStatus"] == "No"
    bare = read(finance, "application/json;odata.metadata=none")
    assert "odata.metadata=none" in bare.headers["content-type"]
    assert [name for name in bare.json() if "@" in name] == []
    page = read(finance, "application/json;odata.metadata=none", "/data/CustomersV3", **{"$count": "true"})
    assert list(page.json()) == ["@odata.count", "value"]


@pytest.mark.protocol("finance: options", "D")
@pytest.mark.usefixtures("customer")
def test_format(finance: httpx.Client) -> None:
    """[D odata]: `?$format=json`; it wins over the Accept header."""
    assert finance.get("/data/CustomersV3?$format=json").json()["value"]
    wanted = {"$format": "application/json;odata.metadata=full"}
    [row] = read(finance, "application/json;odata.metadata=none", "/data/CustomersV3", **wanted).json()[
        "value"
    ]
    assert "@odata.id" in row
    assert finance.get("/data/CustomersV3?$format=atom").status_code == 415


@pytest.mark.protocol("finance: post", "?")
@pytest.mark.usefixtures("customer")
def test_numbers_as_text_where_the_client_asks_for_it(finance: httpx.Client) -> None:
    """IEEE754Compatible=true of OData 4.0: for readers that know no number but the double."""
    answer = read(finance, "application/json;IEEE754Compatible=true")
    assert answer.json()["CreditLimit"] == "922337203685476.9999"
    assert "IEEE754Compatible=true" in answer.headers["content-type"]
    text = {"Content-Type": "application/json;IEEE754Compatible=true"}
    body = b'{"CreditLimit":"0.10000000000000000001"}'
    assert finance.patch(CUSTOMER, content=body, headers=text).status_code == 204
    assert b'"CreditLimit":0.10000000000000000001' in finance.get(CUSTOMER).content
    plain = {"Content-Type": "application/json"}
    assert finance.patch(CUSTOMER, content=body, headers=plain).status_code == 400
    for wrong in ("x", "NaN", "", "1e999"):
        refused = finance.patch(CUSTOMER, json={"CreditLimit": wrong}, headers=text)
        assert refused.status_code == 400, wrong


@pytest.mark.protocol("finance: post", "L")
@pytest.mark.usefixtures("customer")
def test_a_body_may_name_its_type(finance: httpx.Client) -> None:
    """[L]: `#Microsoft.Dynamics.DataEntities.CustomerV3`, and types of properties."""
    own = "#Microsoft.Dynamics.DataEntities.CustomerV3"
    body: dict[str, Any] = {
        "@odata.type": own,
        "dataAreaId": "uspm",
        "CustomerAccount": "A2",
        "OnHoldStatus@odata.type": "#Microsoft.Dynamics.DataEntities.CustVendorBlocked",
        "OnHoldStatus": "Payment",
    }
    created = finance.post("/data/CustomersV3", json=body)
    assert (created.status_code, created.json()["OnHoldStatus"]) == (201, "Payment")
    for wrong in ("#Microsoft.Dynamics.DataEntities.VendorV2", 5, {"a": 1}):
        refused = finance.post("/data/CustomersV3", json={**body, "@odata.type": wrong})
        assert "not compatible with the expected type" in refused.json()["error"]["innererror"]["message"]


@pytest.mark.protocol("finance: post", "?")
@pytest.mark.protocol("finance: patch", "?")
@pytest.mark.usefixtures("customer")
def test_return_preferences(finance: httpx.Client) -> None:
    """Those of OData: nothing of what was created, or all of what was changed."""
    body = {"dataAreaId": "USPM", "CustomerAccount": "A2"}
    created = finance.post("/data/CustomersV3", json=body, headers={"Prefer": "return=minimal"})
    assert (created.status_code, created.content) == (204, b"")
    assert created.headers["odata-entityid"] == created.headers["location"]
    assert finance.get(created.headers["location"]).json()["CustomerAccount"] == "A2"
    changed = finance.patch(
        CUSTOMER,
        params={"$select": "OrganizationName"},
        json={"OrganizationName": "x"},
        headers={"Prefer": "return=representation"},
    )
    assert (changed.status_code, changed.json()["OrganizationName"]) == (200, "x")
    assert changed.headers["preference-applied"] == "return=representation"
    assert changed.json()["@odata.context"].endswith("#CustomersV3(OrganizationName)/$entity")
    assert changed.json()["@odata.etag"] == changed.headers["etag"] == finance.get(CUSTOMER).headers["etag"]


@pytest.mark.protocol("finance: headers", "L")
@pytest.mark.usefixtures("customer")
def test_headers_of_every_answer(finance: httpx.Client) -> None:
    """[L]: an activity id, the time that it took, and the client's own id back; links to the same host."""
    sent = {"x-ms-client-request-id": "abc"}
    for answer in (
        finance.get(CUSTOMER, headers=sent),
        finance.get("/data/Nope", headers=sent),
        finance.post("/data/CustomersV3", json={}, headers=sent),
        finance.delete(CUSTOMER, headers=sent),
    ):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["ms-dyn-aid"])
        assert re.search(r"dur=\d+", answer.headers["server-timing"])
        assert answer.headers["x-ms-client-request-id"] == "abc"
        assert answer.headers["odata-version"] == "4.0"
    host = {"Host": "finance.example:9"}
    page = finance.get("/data", headers=host).json()
    assert page["@odata.context"] == "http://finance.example:9/data/$metadata"
