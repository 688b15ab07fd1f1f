"""Input that no client should send to Finance: refused in its form, never a crash (protocol 2.1)."""

import httpx
import pytest

COMPANY = {"LegalEntityId": "USPM"}
CUSTOMERS = "/data/CustomersV3"
KEY = "dataAreaId='USPM',CustomerAccount='A1'"


@pytest.fixture
def row(finance: httpx.Client) -> None:
    assert finance.post("/data/LegalEntities", json=COMPANY).status_code == 201
    body = {"dataAreaId": "USPM", "CustomerAccount": "A1", "OrganizationName": "100% [a-c]_\\"}
    assert finance.post(CUSTOMERS, json=body).status_code == 201


def refused(answer: httpx.Response, status: int = 400) -> bool:
    """Whether an answer has this status and says why in one of Finance's two forms."""
    assert answer.status_code == status, f"{answer.request.url}: {answer.status_code} {answer.text[:300]}"
    body = answer.json()
    return bool(body["Message"] if "Message" in body else body["error"]["innererror"]["message"])


BODIES = [
    b"",
    b"   ",
    b"{",
    b"null",
    b"[]",
    b'"x"',
    b"1",
    b"\xff\xfe{\x00}\x00",
    b'{"CustomerAccount": "\xff"}',
    b'{"CustomerAccount": "\\ud800"}',
    b'{"CustomerAccount": "\\udfff\\ud800"}',
    b'{"CustomerAccount": "a\\u0000b"}',
    b'{"CustomerAccount": "A2", "CreditLimit": NaN}',
    b'{"CustomerAccount": "A2", "CreditLimit": Infinity}',
    b'{"CustomerAccount": "A2", "CreditLimit": "NaN"}',
    b'{"CustomerAccount": "A2", "CreditLimit": 1e400}',
    b'{"CustomerAccount": "A2", "CreditLimit": 1e999999999}',
    b'{"CustomerAccount": "A2", "CreditLimit": -1e-999999999}',
    b'{"CustomerAccount": "A2", "CreditLimit": ' + b"9" * 400 + b"}",
    b'{"CustomerAccount": "A2", "CreditLimit": ' + b"9" * 5_000 + b"}",
    b'{"CustomerAccount": "A2", "CreditLimit": true}',
    b'{"CustomerAccount": "A2", "CreditLimit": {}}',
    b'{"CustomerAccount": "A2", "CreditLimit": [1]}',
    b'{"CustomerAccount": ["A2"]}',
    b'{"CustomerAccount": {"a": 1}}',
    b'{"CustomerAccount": "A2", "OnHoldStatus": ["No"]}',
    b'{"CustomerAccount": "A2", "OnHoldStatus": 0}',
    b'{"CustomerAccount": "A2", "OnHoldStatus": "no"}',
    b'{"CustomerAccount": "A2", "Nope": {"a": {"b": []}}}',
    b'{"CustomerAccount": "A2", "": 1}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"CustomerAccount": "' + b"x" * 300_000 + b'"}',
]


@pytest.mark.protocol("finance: error", "?")
@pytest.mark.usefixtures("row")
def test_bodies(finance: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    for body in BODIES:
        assert refused(finance.post(CUSTOMERS, content=body, headers=headers)), body[:60]
    address = f"{CUSTOMERS}({KEY})"
    for body in BODIES:
        assert refused(finance.patch(address, content=body, headers=headers)), body[:60]
    assert finance.get(f"{CUSTOMERS}/$count").text == "1"


VALUES: list[tuple[str, dict[str, object]]] = [
    ("ExchangeRates", {"StartDate": "2026-13-01T12:00:00Z"}),
    ("ExchangeRates", {"StartDate": "2026-02-29"}),
    ("ExchangeRates", {"StartDate": "0000-01-01T00:00:00Z"}),
    ("ExchangeRates", {"StartDate": "0001-01-01T00:00:00+14:00"}),
    ("ExchangeRates", {"StartDate": "9999-12-31T23:59:59-14:00"}),
    ("ExchangeRates", {"StartDate": "10000-01-01T00:00:00Z"}),
    ("ExchangeRates", {"StartDate": 20260101}),
    ("ExchangeRates", {"StartDate": "2026-W01-1"}),
    ("ExchangeRates", {"StartDate": "20260101T120000Z"}),
    ("ExchangeRates", {"StartDate": "now"}),
    ("ProjectContractLines", {"LineSequenceNumber": 2**70}),
    ("ProjectContractLines", {"LineSequenceNumber": "1"}),
    ("ProjActualsImports", {"ActualsImportId": "no guid"}),
    ("ProjActualsImports", {"ActualsImportId": 5}),
]


@pytest.mark.protocol("finance: error", "?")
@pytest.mark.usefixtures("row")
def test_values_out_of_range(finance: httpx.Client) -> None:
    for entity_set, values in VALUES:
        assert refused(finance.post(f"/data/{entity_set}", json=values)), values


OPTIONS = [
    {"$top": "-1"},
    {"$top": "1e3"},
    {"$top": "９"},
    {"$top": "9" * 5_000},
    {"$skip": "9" * 30},
    {"$skip": "x"},
    {"$count": "yes"},
    {"$nope": "1"},
    {"$apply": "aggregate($count as c)"},
    {"$search": "x"},
    {"$select": "Nope"},
    {"$select": "CustomerAccount/x"},
    {"$select": "a'b"},
    {"$orderby": "Nope"},
    {"$orderby": "CustomerAccount sideways"},
    {"$orderby": "CustomerAccount desc desc"},
    {"$orderby": "CustomerAccount; drop table finance_customersv3"},
    {"$expand": "Nope"},
    {"$expand": "ProjectsV2("},
    {"$expand": "ProjectsV2($select=Nope)"},
    {"$expand": "ProjectsV2($filter=ProjectId eq 'a')"},
    {"$expand": "ProjectsV2($expand=ProjectTasks)"},
    {"$expand": "ProjectsV2/ProjectTasks"},
    {"$filter": ""},
    {"$filter": "   "},
    {"$filter": "'"},
    {"$filter": "CustomerAccount eq 'a\x00'"},
    {"$filter": "CustomerAccount eq 'a' --"},
    {"$filter": "CustomerAccount eq 'a' or 1 eq 1"},
    {"$filter": "CreditLimit eq " + "9" * 5_000},
    {"$filter": "CreditLimit eq 1e999999999"},
    {"$filter": "CreditLimit eq NaN"},
    {"$filter": "CreditLimit eq INF"},
    {"$filter": "(" * 500 + "CreditLimit eq 1" + ")" * 499},
    {"$filter": "not " * 300 + "(CreditLimit eq 1)"},
    {"$filter": "CreditLimit" + " add 1" * 300 + " eq 1"},
    {"$filter": "/".join(["a"] * 2_000) + " eq 1"},
    {"$filter": " or ".join(["CreditLimit eq 1"] * 600)},
    {"$filter": "CustomerAccount eq '" + "x" * 20_000 + "'"},
    {"$filter": "OrganizationName eq " + "-" * 200 + "1"},
    {"$filter": "any(x:x eq 1)"},
    {"$filter": "ProjectsV2/any(p:p/ProjectId eq 'a')"},
    {"$filter": "Microsoft.Dynamics.CRM.In(PropertyName='CustomerAccount',PropertyValues=['a'])"},
    {"$filter": "CustomerAccount eq @p", "@p": "'"},
    {"$filter": "length(CustomerAccount) eq 1"},
    {"$filter": "cast(CustomerAccount,'Edm.Int32') eq 1"},
    {"$filter": "OrganizationName eq duration'P1D'"},
    {"$filter": "dataAreaId has 'x'"},
]


@pytest.mark.protocol("finance: options", "?")
@pytest.mark.usefixtures("row")
def test_query_options(finance: httpx.Client) -> None:
    for options in OPTIONS:
        assert refused(finance.get(CUSTOMERS, params=options)), options
        if "$filter" in options:
            assert refused(finance.get(f"{CUSTOMERS}/$count", params=options)), options


@pytest.mark.protocol("finance: options", "?")
@pytest.mark.usefixtures("row")
def test_odd_options_that_are_right(finance: httpx.Client) -> None:
    """Wildcards of other systems, injections and long lists are only text; a page may hold nothing."""
    for options, found in [
        ({"$filter": "OrganizationName eq '100% [a-c]_\\'"}, 1),
        ({"$filter": "OrganizationName eq '100_ [a-c]_\\'"}, 0),
        ({"$filter": "contains(OrganizationName,'%')"}, 1),
        ({"$filter": "contains(OrganizationName,'_x')"}, 0),
        ({"$filter": "endswith(OrganizationName,'\\')"}, 1),
        ({"$filter": "OrganizationName eq ''' or 1=1 --'"}, 0),
        ({"$filter": "CreditLimit lt 99999999999999999999999999999999999999"}, 1),
        ({"$filter": "CreditLimit div 0 eq 1"}, 0),
        ({"$filter": "CreditLimit mod 0 eq 1"}, 0),
        ({"$filter": "CreditLimit mul 1e30 mul 1e30 eq 0"}, 1),
        ({"$filter": "CustomerAccount eq @p", "@p": "'a1'"}, 1),
        ({"$top": "0"}, 0),
        ({"$skip": "999999999"}, 0),
        ({"$select": ""}, 1),
        ({"$expand": ""}, 1),
        ({"$orderby": ""}, 1),
        ({"nope": "1", "": "2"}, 1),
    ]:
        answer = finance.get(CUSTOMERS, params=options)
        assert answer.status_code == 200, (options, answer.text)
        assert len(answer.json()["value"]) == found, options


KEYS = [
    "",
    "'A1'",
    "CustomerAccount='A1'",
    "dataAreaId='USPM',CustomerAccount=5",
    "dataAreaId='USPM',CustomerAccount='A1',CustomerAccount='A1'",
    "dataAreaId='USPM',CustomerAccount='A1',Nope=1",
    "dataAreaId='USPM',CustomerAccount='A1%00'",
    "dataAreaId='USPM',CustomerAccount='A1",
    "dataAreaId='USPM',CustomerAccount=",
    "dataAreaId='USPM',,CustomerAccount='A1'",
    "dataAreaId='USPM',CustomerAccount=null",
    "dataAreaId='USPM' and CustomerAccount='A1'",
    "dataAreaId='USPM',CustomerAccount='" + "x" * 9_000 + "'",
    "%ff",
    "(",
]


@pytest.mark.protocol("finance: key", "?")
@pytest.mark.usefixtures("row")
def test_keys(finance: httpx.Client) -> None:
    for key in KEYS:
        for verb in ("GET", "PATCH", "DELETE"):
            answer = finance.request(verb, f"{CUSTOMERS}({key})", json={})
            assert refused(answer), (verb, key)
    assert finance.get(f"{CUSTOMERS}/$count").text == "1"


@pytest.mark.protocol("finance: unknown address", "?")
@pytest.mark.usefixtures("row")
def test_addresses(finance: httpx.Client) -> None:
    for address in (
        "/nope",
        "/data/customersv3",
        "/data/CustomersV3/Nope",
        "/data/CustomersV3/$value",
        f"{CUSTOMERS}({KEY})/Nope",
        f"{CUSTOMERS}({KEY})/CustomerAccount/Nope",
        f"{CUSTOMERS}({KEY})/CustomerAccount/$value/x",
        f"{CUSTOMERS}({KEY})/ProjectsV2/x",
        f"{CUSTOMERS}({KEY})/$count",
        "/data/%00",
        "/data/..%2f..%2fetc",
    ):
        assert refused(finance.get(address), 404), address
    assert finance.get("/data//").status_code == 200
    assert refused(finance.request("PROPFIND", CUSTOMERS), 405)
    assert refused(finance.request("OPTIONS", CUSTOMERS), 405)
    assert refused(finance.get("/data/CustomersV3(("), 400)


@pytest.mark.protocol("finance: error", "?")
@pytest.mark.usefixtures("row")
def test_media_types(finance: httpx.Client) -> None:
    """415 in the form of the web server."""
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "x"):
        sent = finance.post(CUSTOMERS, content=b"{}", headers={"Content-Type": content_type})
        assert refused(sent, 415)
    utf16 = {"Content-Type": "application/json; charset=utf-16"}
    assert refused(finance.post(CUSTOMERS, content="{}".encode("utf-16"), headers=utf16), 415)
    assert refused(finance.get(CUSTOMERS, params={"$format": "xml"}), 415)
    marked = {"Content-Type": "application/json;odata.metadata=minimal;IEEE754Compatible=false;charset=UTF-8"}
    body = b'\xef\xbb\xbf{"dataAreaId":"USPM","CustomerAccount":"A2","CustomerAccount":"A3"}'
    created = finance.post(CUSTOMERS, content=body, headers=marked)
    assert (created.status_code, created.json()["CustomerAccount"]) == (201, "A3")


@pytest.mark.protocol("finance: headers", "?")
@pytest.mark.usefixtures("row")
def test_headers_that_say_nothing(finance: httpx.Client) -> None:
    for headers in (
        {"Prefer": "odata.maxpagesize=-1, odata.maxpagesize=x"},
        {"Prefer": "odata.maxpagesize=" + "9" * 5_000},
        {"Prefer": "odata.maxpagesize=0"},
        {"Prefer": ",;=,return"},
        {"Accept": "text/html, */*;q=0.1"},
        {"Accept": "application/json;odata.metadata=huge"},
        {"If-None-Match": "null"},
        {"If-None-Match": 'W/"x", "y"'},
        {"OData-Version": "9.9", "OData-MaxVersion": "x"},
    ):
        answer = finance.get(f"{CUSTOMERS}({KEY})", headers=headers)
        assert answer.status_code == 200, (headers, answer.text)
        assert finance.get(CUSTOMERS, headers=headers).status_code == 200, headers


BATCHES = [
    b"--b\r\n\r\n--b--",
    b"--b\r\nContent-Type: application/http\r\n\r\nGET\r\n--b--",
    b"--b\r\nContent-Type: multipart/mixed\r\n\r\n--c\r\n--b--",
    b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
    b"Content-Type: multipart/mixed; boundary=d\r\n\r\n--d--\r\n--c--\r\n--b--",
    b"\x00\xff" * 1_000,
    b"{}",
]


@pytest.mark.protocol("finance: batch", "?")
@pytest.mark.usefixtures("row")
def test_batches_that_cannot_be_read(finance: httpx.Client) -> None:
    for content_type in ("multipart/mixed; boundary=b", "multipart/mixed", "application/json", ""):
        for body in BATCHES:
            answer = finance.post("/data/$batch", content=body, headers={"Content-Type": content_type})
            assert refused(answer), (content_type, body[:80])


@pytest.mark.protocol("finance: batch", "?")
@pytest.mark.usefixtures("row")
def test_operations_of_a_batch_that_cannot_be_read(finance: httpx.Client) -> None:
    lines = (
        "BREW /data/CustomersV3",
        "GET http://elsewhere:99999/x",
        "GET /data/CustomersV3?$filter=" + "/".join(["a"] * 3_000) + " eq 1",
        "GET /data/CustomersV3?$filter=" + "(" * 3_000,
        "GET /data/CustomersV3(" + "(" * 3_000,
        "GET $1",
        "GET 🚀",
        "PATCH " + CUSTOMERS,
        "GET /data/%00",
        "GET http://[::1/x",
    )
    for line in lines:
        head = "--b\r\nContent-Type: application/http\r\n\r\n"
        text = f"{head}{line} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--b--\r\n"
        headers = {"Content-Type": "multipart/mixed; boundary=b"}
        answer = finance.post("/data/$batch", content=text.encode(), headers=headers)
        assert answer.status_code == 200, answer.text
        [status] = [each.split(" ")[1] for each in answer.text.split("\r\n") if each.startswith("HTTP/1.1 ")]
        assert status[0] == "4", (line[:80], answer.text[:600])
