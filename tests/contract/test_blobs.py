"""The blob endpoint, as clients of a storage account use it (protocol 2.2)."""

import base64
import hashlib
import json
import re

import httpx
import pytest

from tests.contract.data_packages import DataManagement, customers, package

WHOLE = {"x-ms-blob-type": "BlockBlob"}
SEVEN_DAYS = 7 * 86_400


@pytest.fixture
def management(finance: httpx.Client) -> DataManagement:
    assert finance.post("/data/LegalEntities", json={"LegalEntityId": "USPM"}).status_code == 201
    return DataManagement(finance)


@pytest.fixture
def url(management: DataManagement) -> str:
    return management.write_url("påck age/1.zip")


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Azure's error: XML, and the code in a header too."""
    assert answer.status_code == status, answer.text
    assert answer.headers["x-ms-error-code"] == code
    assert f"<Code>{code}</Code>" in answer.text


@pytest.mark.protocol("packages: GetAzureWriteUrl", "D")
def test_a_write_url_is_json_in_a_string_and_takes_one_put(management: DataManagement) -> None:
    answer = management.post("GetAzureWriteUrl", uniqueFileName="p.zip").json()
    assert answer["@odata.context"].endswith("$metadata#Edm.String")
    told = json.loads(answer["value"])
    assert set(told) == {"BlobId", "BlobUrl"}
    assert re.fullmatch(r"\{[0-9A-F-]{36}\}", told["BlobId"])
    sent = httpx.put(told["BlobUrl"], content=b"content", headers=WHOLE)
    assert (sent.status_code, sent.content) == (201, b"")
    assert sent.headers["ETag"] == httpx.head(told["BlobUrl"]).headers["ETag"]
    again = httpx.put(told["BlobUrl"], content=b"other", headers=WHOLE)
    assert again.headers["ETag"] != sent.headers["ETag"]
    assert httpx.get(told["BlobUrl"]).content == b"other"
    assert "must not be empty" in management.refusal("GetAzureWriteUrl", uniqueFileName="")


@pytest.mark.protocol("packages: GetAzureWriteUrl", "?")
def test_reads_take_ranges(url: str) -> None:
    content = bytes(range(256)) * 40_000  # of more than one piece
    headers = WHOLE | {"Content-MD5": base64.b64encode(hashlib.md5(content).digest()).decode()}
    assert httpx.put(url, content=content, headers=headers, timeout=60).status_code == 201
    head = httpx.head(url)
    assert (head.headers["Content-Length"], head.headers["x-ms-blob-type"]) == ("10240000", "BlockBlob")
    assert httpx.get(url).content == content
    for asked, start, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=4194300-4194310", 4_194_300, 4_194_311),
        ("bytes=10239990-", 10_239_990, 10_240_000),
        ("bytes=-5", 10_239_995, 10_240_000),
        ("bytes=10239999-99999999", 10_239_999, 10_240_000),
    ):
        part = httpx.get(url, headers={"x-ms-range": asked})
        assert (part.status_code, part.content) == (206, content[start:end])
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/10240000"
    refused(httpx.get(url, headers={"Range": "bytes=10240000-"}), 416, "InvalidRange")
    endless = httpx.get(url, headers={"Range": f"bytes=0-{'9' * 5_000}"})
    assert (endless.status_code, len(endless.content)) == (200, len(content))


@pytest.mark.protocol("packages: GetAzureWriteUrl", "C")
def test_large_blobs_come_in_blocks(management: DataManagement, url: str) -> None:
    """Azure's client sends them in any order, then their list."""
    content = package(customers(("A1", "one")))
    pieces = [content[start : start + 100] for start in range(0, len(content), 100)]
    names = [base64.b64encode(f"{number:032}".encode()).decode() for number in range(len(pieces))]

    def put(part: str, data: bytes, **query: str) -> httpx.Response:
        return httpx.put(httpx.URL(url).copy_merge_params({"comp": part, **query}), content=data)

    for name, piece in reversed(list(zip(names, pieces, strict=True))):
        assert put("block", piece, blockid=name).status_code == 201
    refused(httpx.get(url), 404, "BlobNotFound")
    listed = "".join(f"<Latest>{name}</Latest>" for name in names)
    document = '<?xml version="1.0" encoding="utf-8"?><BlockList>{}</BlockList>'
    refused(put("blocklist", document.format("<Latest>bm9wZQ==</Latest>").encode()), 400, "InvalidBlockList")
    refused(put("blocklist", b"<BlockList>"), 400, "InvalidXmlDocument")
    assert put("blocklist", document.format(listed).encode()).status_code == 201
    assert httpx.get(url).content == content
    other = f"<Committed>{names[0]}</Committed><Uncommitted>{names[1]}</Uncommitted>"
    assert put("block", b"new", blockid=names[1]).status_code == 201
    assert put("blocklist", document.format(other).encode()).status_code == 201
    assert httpx.get(url).content == pieces[0] + b"new"


@pytest.mark.protocol("packages: GetAzureWriteUrl", "?")
def test_what_is_no_such_upload_is_refused(url: str) -> None:
    refused(httpx.put(url, content=b"x"), 400, "MissingRequiredHeader")
    refused(httpx.put(url, content=b"x", headers={"x-ms-blob-type": "PageBlob"}), 400, "InvalidHeaderValue")
    wrong = WHOLE | {"Content-MD5": base64.b64encode(bytes(16)).decode()}
    refused(httpx.put(url, content=b"x", headers=wrong), 400, "Md5Mismatch")
    query = httpx.URL(url).copy_merge_params({"comp": "lease"})
    refused(httpx.put(query, content=b"x", headers=WHOLE), 400, "InvalidQueryParameterValue")
    refused(httpx.get(url), 404, "BlobNotFound")
    assert httpx.put(url, content=b"x", headers=WHOLE | {"If-None-Match": "*"}).status_code == 201
    refused(httpx.put(url, content=b"y", headers=WHOLE | {"If-None-Match": "*"}), 409, "BlobAlreadyExists")
    assert httpx.delete(url).status_code == 405


@pytest.mark.protocol("packages: GetAzureWriteUrl", "D")
def test_links_are_signed_and_expire(url: str, control: httpx.Client) -> None:
    for changed in (
        url.replace("sig=", "sig=0"),
        url.replace("sp=rcw", "sp=rcwd"),
        url.replace("se=20", "se=21"),
        url.partition("?")[0],
        re.sub(r"/blobs/[^/]+", "/blobs/00000000-0000-0000-0000-000000000000", url),
    ):
        refused(httpx.put(changed, content=b"x", headers=WHOLE), 403, "AuthenticationFailed")
    control.put("/sandbox/clock", json={"advance_seconds": 3_700})
    answer = httpx.put(url, content=b"x", headers=WHOLE)
    refused(answer, 403, "AuthenticationFailed")
    assert "not valid in the specified time frame" in answer.text


@pytest.mark.protocol("packages: blob life", "D")
def test_blobs_live_for_seven_days(management: DataManagement, control: httpx.Client) -> None:
    columns = ("CUSTOMERACCOUNT", "ORGANIZATIONNAME", "CREDITLIMIT")
    bad = package(customers(("A1", "one", "x"), columns=columns))
    execution = management.load(bad)
    about = {"executionId": execution, "entityName": "Customers V3"}
    control.put("/sandbox/clock", json={"advance_seconds": SEVEN_DAYS - 60})
    link = management.act("GetImportStagingErrorFileUrl", **about)
    assert httpx.get(link).status_code == 200
    control.put("/sandbox/clock", json={"advance_seconds": 120})
    refused(httpx.get(link), 404, "BlobNotFound")
    assert management.act("GetImportStagingErrorFileUrl", **about) == ""
