"""`$batch`: changesets, references, stopping and going on, tolerated forms (protocol 1.6)."""

import json
import re

import httpx
import pytest


def part(
    method: str, url: str, body: object = None, content_id: str = "", headers: str = "", line: str = "\r\n"
) -> str:
    head = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        head.append(f"Content-ID: {content_id}")
    request = [f"{method} {url} HTTP/1.1", *filter(None, [headers])]
    if body is not None:
        request.append("Content-Type: application/json; type=entry")
    return line.join([*head, "", *request, "", "" if body is None else json.dumps(body)]) + line


def changeset(*parts: str, line: str = "\r\n") -> str:
    inner = "".join(f"--changeset_y{line}{text}" for text in parts) + f"--changeset_y--{line}"
    return f"Content-Type: multipart/mixed; boundary=changeset_y{line}{line}{inner}"


def post(
    client: httpx.Client, *parts: str, prefer: str = "", line: str = "\r\n", lead: str = ""
) -> httpx.Response:
    body = lead + "".join(f"--batch_x{line}{text}" for text in parts) + f"--batch_x--{line}"
    headers = {"Content-Type": "multipart/mixed; boundary=batch_x"} | ({"Prefer": prefer} if prefer else {})
    return client.post("$batch", content=body.encode(), headers=headers)


def statuses(answer: httpx.Response) -> list[int]:
    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=batchresponse_")
    return [int(found) for found in re.findall(r"HTTP/1\.1 (\d{3}) ", answer.text)]


def names(client: httpx.Client) -> set[str]:
    return {row["name"] for row in client.get("accounts?$select=name").json()["value"]}


@pytest.mark.protocol("batch: form", "DR")
@pytest.mark.protocol("batch: addresses", "R")
@pytest.mark.protocol("batch: type=entry", "R")
def test_changeset_and_get(dataverse: httpx.Client) -> None:
    answer = post(
        dataverse,
        changeset(
            part("POST", "accounts", {"name": "a"}, "1"),
            part("POST", "/api/data/v9.2/accounts", {"name": "b"}, "2"),
        ),
        part("GET", f"{dataverse.base_url}accounts?$select=name"),
    )
    assert answer.status_code == 200
    assert statuses(answer) == [204, 204, 200]
    assert re.findall(r"Content-ID: (\d)", answer.text) == ["1", "2"]
    assert "--changesetresponse_" in answer.text
    assert names(dataverse) == {"a", "b"}


@pytest.mark.protocol("batch: content id", "D")
def test_content_id_as_url_and_as_bind(dataverse: httpx.Client) -> None:
    answer = post(
        dataverse,
        changeset(
            part("POST", "accounts", {"name": "a"}, "1"),
            part("PATCH", "$1", {"description": "by reference"}, "2"),
            part(
                "POST",
                "salesorders",
                {"name": "o", "ordernumber": "O", "customerid_account@odata.bind": "$1"},
                "3",
            ),
        ),
    )
    assert statuses(answer) == [204, 204, 204], answer.text
    [account] = dataverse.get("accounts").json()["value"]
    [order] = dataverse.get("salesorders").json()["value"]
    assert account["description"] == "by reference"
    assert order["_customerid_value"] == account["accountid"]


@pytest.mark.protocol("batch: forward reference", "D")
def test_forward_reference(dataverse: httpx.Client) -> None:
    answer = post(
        dataverse,
        changeset(
            part(
                "POST",
                "salesorders",
                {"name": "o", "ordernumber": "O", "customerid_account@odata.bind": "$1"},
                "2",
            ),
            part("POST", "accounts", {"name": "a"}, "1"),
        ),
    )
    assert answer.status_code == 400
    assert "Content-ID Reference: '$1' does not exist in the batch context." in answer.text
    assert names(dataverse) == set()


@pytest.mark.protocol("batch: form", "D")
def test_changeset_is_all_or_nothing(dataverse: httpx.Client) -> None:
    answer = post(
        dataverse,
        changeset(
            part("POST", "accounts", {"name": "a"}, "1"), part("POST", "accounts", {"nonsense": 1}, "2")
        ),
    )
    assert answer.status_code == 400
    assert statuses(answer) == [400]
    assert "Content-ID: 2" in answer.text
    assert names(dataverse) == set()


@pytest.mark.protocol("batch: first error stops", "D")
def test_first_error_stops(dataverse: httpx.Client) -> None:
    answer = post(
        dataverse,
        part("POST", "accounts", {"name": "a"}),
        part("POST", "accounts", {"nonsense": 1}),
        part("POST", "accounts", {"name": "c"}),
    )
    assert answer.status_code == 400
    assert statuses(answer) == [204, 400]
    assert names(dataverse) == {"a"}


@pytest.mark.protocol("batch: continue on error", "D")
def test_continue_on_error(dataverse: httpx.Client) -> None:
    answer = post(
        dataverse,
        changeset(
            part("POST", "accounts", {"name": "lost"}, "1"), part("POST", "accounts", {"nonsense": 1}, "2")
        ),
        part("PATCH", "accounts(00000000-0000-0000-0000-00000000beef)", {"name": "x"}, headers="If-Match: *"),
        part("POST", "accounts", {"name": "c"}),
        prefer="odata.continue-on-error",
    )
    assert answer.status_code == 200
    assert statuses(answer) == [400, 404, 204]
    assert names(dataverse) == {"c"}


def test_preferences_of_a_part(dataverse: httpx.Client) -> None:
    answer = post(dataverse, part("POST", "accounts", {"name": "a"}, headers="Prefer: return=representation"))
    assert statuses(answer) == [201]
    assert '"name":"a"' in answer.text


@pytest.mark.protocol("batch: line feeds", "R")
@pytest.mark.protocol("batch: leading line break", "R")
@pytest.mark.protocol("batch: boundary without quotes", "R")
@pytest.mark.protocol("batch: empty body with content type", "R")
@pytest.mark.parametrize("line", ["\r\n", "\n"])
@pytest.mark.parametrize("lead", ["", "\r\n"])
def test_tolerated_forms(dataverse: httpx.Client, line: str, lead: str) -> None:
    row_id = dataverse.post("accounts", json={"name": "old"}).headers["OData-EntityId"][-37:-1]
    delete = part(
        "DELETE", f"accounts({row_id})", line=line, headers="Content-Type: application/json", content_id="2"
    )
    create = part("POST", "accounts", {"name": "new"}, "1", line=line)
    answer = post(dataverse, changeset(create, delete, line=line), line=line, lead=lead)
    assert statuses(answer) == [204, 204], answer.text
    assert names(dataverse) == {"new"}
    assert "\r\n\r\nHTTP/1.1 204 " in answer.text


@pytest.mark.protocol("batch: limits", "D")
def test_refused_batches(dataverse: httpx.Client) -> None:
    many = post(dataverse, *[part("GET", "accounts?$top=1")] * 1001)
    assert many.status_code == 400
    assert "1000" in many.json()["error"]["message"]
    assert dataverse.post("$batch", json={}).status_code == 400
    assert dataverse.get("$batch").status_code == 405
    inside = post(dataverse, changeset(part("GET", "accounts")))
    assert inside.status_code == 400


def test_rolled_back_writes_are_not_in_the_log(dataverse: httpx.Client, control: httpx.Client) -> None:
    post(
        dataverse,
        changeset(
            part("POST", "accounts", {"name": "a"}, "1"), part("POST", "accounts", {"nonsense": 1}, "2")
        ),
    )
    writes = control.get("/sandbox/stats").json()["writes"]
    assert [(write["entity"], write["status"]) for write in writes] == [("accounts", 400), ("$batch", 400)]


@pytest.mark.protocol("batch: limits", "D")
@pytest.mark.protocol("batch: long address", "D")
def test_what_a_batch_may_not_hold(dataverse: httpx.Client) -> None:
    """No other batch, no address of more than 64 KB; a shorter one of 60 KB is read."""
    long = "accounts?$select=name&tag=" + "x" * 60_000
    assert statuses(post(dataverse, part("GET", long))) == [200]
    for refused in (part("GET", long + "x" * 6_000), part("POST", "$batch", {})):
        assert statuses(post(dataverse, refused)) == [400]
    both = post(dataverse, changeset(changeset(part("POST", "accounts", {"name": "a"}, "1"))))
    assert both.status_code == 400
    assert names(dataverse) == set()


@pytest.mark.protocol("batch: form", "R")
def test_letters_and_what_stands_around_the_parts(dataverse: httpx.Client) -> None:
    """Header names in any case, charset parameters, a preamble and an epilogue, quotes on the boundary."""
    lines = [
        "what stands before the first boundary is nothing",
        "--batch_x",
        "CONTENT-TYPE: Application/Http; msgtype=request",
        "content-transfer-encoding: binary",
        "",
        "post accounts HTTP/1.1",
        "CONTENT-TYPE: Application/JSON; charset=utf-8; IEEE754Compatible=true",
        "PREFER: return=representation",
        "",
        '{"name": "a"}',
        "--batch_x--",
        "what stands after the last one is nothing",
    ]
    kind = 'Multipart/Mixed; charset=utf-8; Boundary="batch_x"'
    answer = dataverse.post("$batch", content="\r\n".join(lines).encode(), headers={"Content-Type": kind})
    assert statuses(answer) == [201], answer.text
    assert b"\n" not in answer.content.replace(b"\r\n", b"")


@pytest.mark.protocol("batch: content id", "D")
def test_references_reach_further(dataverse: httpx.Client) -> None:
    """Into a property, a `$ref`, an absolute address; and nothing outlives a changeset that failed."""
    answer = post(
        dataverse,
        changeset(
            part("POST", "accounts", {"name": "parent"}, "p"),
            part("POST", "accounts", {"name": "child"}, "c"),
            part("PUT", "$c/parentaccountid/$ref", {"@odata.id": "$p"}, "3"),
            part("PUT", f"{dataverse.base_url}$c/description", {"value": "x"}, "4"),
        ),
    )
    assert statuses(answer) == [204] * 4, answer.text
    [child] = dataverse.get("accounts?$filter=name eq 'child'&$expand=parentaccountid").json()["value"]
    assert (child["description"], child["parentaccountid"]["name"]) == ("x", "parent")
    failed = post(
        dataverse,
        changeset(part("POST", "accounts", {"name": "a"}, "1"), part("PATCH", "$1", {"nonsense": 1}, "2")),
        changeset(part("PATCH", "$1", {"description": "x"}, "3")),
        prefer="odata.continue-on-error",
    )
    assert statuses(failed) == [400, 400]
    assert "Content-ID Reference: '$1' does not exist in the batch context." in failed.text
