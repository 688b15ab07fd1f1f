"""Pages of Finance over HTTP: 10,000 rows, and links that lead on to the rest (protocol 2.1)."""

import ssl
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.contract.conftest import REQUEST_SECONDS, TOKEN
from tests.contract.data_packages import DataManagement, customers, package
from tests.contract.process import Sandbox


@pytest.fixture
def management(finance: httpx.Client) -> DataManagement:
    assert finance.post("/data/LegalEntities", json={"LegalEntityId": "USPM"}).status_code == 201
    return DataManagement(finance)


@pytest.mark.protocol("finance: page", "DL")
def test_a_page_has_ten_thousand_rows(management: DataManagement) -> None:
    """[D odata]; [L]: the link has `$skip`, and what is left of `$top`."""
    execution = management.load(package(customers(*((f"A{number:05}", "x") for number in range(10_003)))))
    assert management.status(execution) == "Succeeded"
    client = management.client
    found: list[str] = []
    url: str | None = "/data/CustomersV3?$select=CustomerAccount&$top=10002&cross-company=true"
    sizes = []
    while url is not None:
        page = client.get(url, headers={"Prefer": "odata.maxpagesize=50000"}).json()
        sizes.append(len(page["value"]))
        found += [row["CustomerAccount"] for row in page["value"]]
        url = page.get("@odata.nextLink")
        if url is not None:
            options = parse_qs(urlsplit(url).query)
            assert (options["$skip"], options["$top"]) == (["10000"], ["2"])
            assert options["cross-company"] == ["true"]
    assert sizes == [10_000, 2]
    assert found == [f"A{number:05}" for number in range(10_002)]
    assert client.get("/data/CustomersV3/$count").text == "10003"


@pytest.mark.protocol("finance: page", "L?")
def test_links_lead_to_where_the_request_came_and_keep_all_that_it_asked(
    sandbox: Sandbox, management: DataManagement
) -> None:
    """Scheme and host are the client's; what is in the address is encoded as it must be."""
    names = [f"a&b=c#d+e%20'f {number} åß" for number in range(3)]
    for number, name in enumerate(names):
        body = {"dataAreaId": "USPM", "CustomerAccount": f"A{number}", "OrganizationName": name}
        assert management.client.post("/data/CustomersV3", json=body).status_code == 201
    options = {
        "$filter": "OrganizationName eq 'a&b=c#d+e%20''f*åß' and CustomerAccount ne @p",
        "@p": "'A9'",
        "$orderby": "OrganizationName desc",
        "$select": "OrganizationName",
    }
    headers = {"Authorization": f"Bearer {TOKEN}", "Prefer": "odata.maxpagesize=1"}
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    for base in (sandbox.finance, sandbox.finance_tls):
        with httpx.Client(headers=headers, timeout=REQUEST_SECONDS, verify=context) as client:
            page = client.get(f"{base}/data/CustomersV3", params=options).json()
            found = [row["OrganizationName"] for row in page["value"]]
            while "@odata.nextLink" in page:
                assert page["@odata.nextLink"].startswith(f"{base}/data/CustomersV3?")
                page = client.get(page["@odata.nextLink"]).json()
                found += [row["OrganizationName"] for row in page["value"]]
        assert found == names[::-1]
