"""`$batch` of Finance over HTTP (protocol 2.1)."""

import json
import re

import httpx
import pytest

COMPANY = {"LegalEntityId": "USPM"}


@pytest.fixture
def company(finance: httpx.Client) -> None:
    assert finance.post("/data/LegalEntities", json=COMPANY).status_code == 201


def operation(method: str, url: str, body: object = None, content_id: str | None = None) -> str:
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    if content_id is not None:
        head += f"Content-ID: {content_id}\r\n"
    text = "" if body is None else json.dumps(body)
    return f"{head}\r\n{method} {url} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{text}\r\n"


def changeset(*operations: str, name: str = "changeset_1") -> str:
    parts = "".join(f"--{name}\r\n{it}" for it in operations)
    return f'Content-Type: multipart/mixed; boundary="{name}"\r\n\r\n{parts}--{name}--\r\n'


def send(client: httpx.Client, *items: str, newline: str = "\r\n") -> httpx.Response:
    text = "".join(f"--batch_1\r\n{it}" for it in items) + "--batch_1--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=batch_1"}
    return client.post("/data/$batch", content=text.replace("\r\n", newline).encode(), headers=headers)


def statuses(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [int(code) for code in re.findall(r"^HTTP/1\.1 (\d+) ", answer.text, re.MULTILINE)]


def contract(number: str, **values: object) -> str:
    body = {"dataAreaId": "USPM", "ProjectContractId": number, **values}
    return operation("POST", "/data/ProjectContractHeaders?cross-company=true", body, number)


def numbers(client: httpx.Client) -> list[str]:
    rows = client.get("/data/ProjectContractHeaders?$orderby=ProjectContractId").json()["value"]
    return [row["ProjectContractId"] for row in rows]


@pytest.mark.protocol("finance: batch", "D")
@pytest.mark.usefixtures("company")
def test_a_changeset_writes_all(finance: httpx.Client) -> None:
    answer = send(finance, changeset(contract("C1"), contract("C2")))
    assert statuses(answer) == [201, 201]
    assert "Content-ID: C1\r\n" in answer.text
    assert numbers(finance) == ["C1", "C2"]


@pytest.mark.protocol("finance: batch", "L")
@pytest.mark.usefixtures("company")
def test_a_failed_changeset_writes_nothing_and_is_one_500(finance: httpx.Client) -> None:
    """[L]: one error part, 500 for X++ write errors, outer 200."""
    answer = send(finance, changeset(contract("C1"), contract("C1")), changeset(contract("C2"), name="cs2"))
    assert statuses(answer) == [500, 201]
    assert "HTTP/1.1 500 Internal Server Error\r\n" in answer.text
    assert "The record already exists" in answer.text
    assert numbers(finance) == ["C2"]


@pytest.mark.usefixtures("company")
def test_a_changeset_sees_its_own_writes(finance: httpx.Client) -> None:
    project = {"dataAreaId": "USPM", "ProjectId": "P1", "ProjectContractId": "C1"}
    answer = send(finance, changeset(contract("C1"), operation("POST", "ProjectsV2", project)))
    assert statuses(answer) == [201, 201]


@pytest.mark.usefixtures("company")
def test_update_and_delete(finance: httpx.Client) -> None:
    send(finance, changeset(contract("C1"), contract("C2")))
    first = "/data/ProjectContractHeaders(dataAreaId='uspm',ProjectContractId='C1')"
    origin = str(finance.base_url).rstrip("/")
    second = f"{origin}/data/ProjectContractHeaders(ProjectContractId='C2',dataAreaId='uspm')"
    answer = send(
        finance,
        changeset(operation("PATCH", first, {"CustomersOrderReference": "x"}), operation("DELETE", second)),
    )
    assert statuses(answer) == [204, 204]
    assert finance.get(first).json()["CustomersOrderReference"] == "x"
    assert numbers(finance) == ["C1"]


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_reads_beside_changesets_with_either_line_break(finance: httpx.Client, newline: str) -> None:
    reads = operation(
        "GET", "ProjectContractHeaders?$filter=ProjectContractId eq 'C1'&$select=ProjectContractId"
    )
    answer = send(finance, changeset(contract("C1")), reads, operation("GET", "/data/Nope"), newline=newline)
    assert statuses(answer) == [201, 200, 404]
    assert '"ProjectContractId":"C1"}]' in answer.text


@pytest.mark.protocol("finance: batch", "L")
@pytest.mark.usefixtures("company")
def test_a_single_write_error_in_a_batch_is_500_too(finance: httpx.Client) -> None:
    assert statuses(send(finance, contract("C1"), contract("C1"), contract("C2", Nope=1))) == [201, 500, 400]


@pytest.mark.usefixtures("company")
def test_a_changeset_takes_writes_of_entities_only(finance: httpx.Client) -> None:
    answer = send(finance, changeset(contract("C1"), operation("GET", "/data/ProjectContractHeaders")))
    assert statuses(answer) == [400]
    assert numbers(finance) == []


def test_batches_that_cannot_be_read(finance: httpx.Client) -> None:
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    for content in (b"", b"--b--", b"nothing", b"--b\r\nContent-Type: application/http\r\n\r\nGET\r\n--b--"):
        assert finance.post("/data/$batch", content=content, headers=headers).status_code == 400
    assert finance.post("/data/$batch", content=b"{}").status_code == 400
    assert finance.get("/data/$batch").status_code == 405


@pytest.mark.protocol("finance: batch", "D")
def test_more_than_5000_operations_are_refused(finance: httpx.Client) -> None:
    """[D]."""
    answer = send(finance, *[operation("GET", "LegalEntities")] * 5_001)
    assert answer.status_code == 400
    assert "5000" in answer.text
    assert statuses(send(finance, operation("POST", "/data/$batch"))) == [400]


@pytest.mark.protocol("finance: batch", "L")
@pytest.mark.usefixtures("company")
def test_the_one_part_of_a_failed_changeset_stands_where_its_answers_would(finance: httpx.Client) -> None:
    """[L]: a multipart of its own with one error part, which has the Content-ID of the first operation."""
    answer = send(finance, changeset(contract("C1"), contract("C2"), contract("C2")))
    assert statuses(answer) == [500]
    assert "multipart/mixed; boundary=changesetresponse_" in answer.text
    assert re.findall(r"Content-ID: (\S+)\r\n", answer.text) == ["C1"]


@pytest.mark.protocol("finance: batch", "?")
@pytest.mark.usefixtures("company")
def test_later_operations_of_a_changeset_may_name_what_earlier_ones_made(finance: httpx.Client) -> None:
    """Content-ID references are those of OData."""
    named = operation("PATCH", "$C1", {"CustomersOrderReference": "x"})
    answer = send(
        finance, changeset(contract("C1"), named, operation("PATCH", "/$C1?cross-company=true", {}))
    )
    assert statuses(answer) == [201, 204, 204]
    first = "/data/ProjectContractHeaders(dataAreaId='uspm',ProjectContractId='C1')"
    assert finance.get(first).json()["CustomersOrderReference"] == "x"
    for reference in ("$C3", "$C2"):
        unknown = operation("PATCH", reference, {}, "C3")
        answer = send(finance, changeset(unknown, contract("C2")))
        assert statuses(answer) == [400]
        assert "does not exist in the batch context" in answer.text
    assert numbers(finance) == ["C1"]


@pytest.mark.protocol("finance: batch", "?")
@pytest.mark.usefixtures("company")
def test_a_batch_goes_on_after_a_failure_unless_it_is_told_to_stop(finance: httpx.Client) -> None:
    parts = (contract("C1"), contract("C1"), changeset(contract("C2")))
    assert statuses(send(finance, *parts)) == [201, 500, 201]
    text = "".join(f"--batch_1\r\n{it}" for it in (contract("C3"), contract("C3"), contract("C4")))
    for prefer, expected in (
        ("odata.continue-on-error=false", [201, 500]),
        ("odata.continue-on-error", [500] * 2),
    ):
        headers = {"Content-Type": 'multipart/mixed; boundary="batch_1"', "Prefer": prefer}
        answer = finance.post("/data/$batch", content=f"{text}--batch_1--".encode(), headers=headers)
        assert statuses(answer)[: len(expected)] == expected
    assert numbers(finance) == ["C1", "C2", "C3", "C4"]


@pytest.mark.protocol("finance: batch", "R")
@pytest.mark.usefixtures("company")
def test_what_real_clients_send_is_tolerated(finance: httpx.Client) -> None:
    """[R]: a line break before the first boundary, a body of nothing with its Content-Type, `type=entry`."""
    body = b"\r\n".join(
        (
            b"",
            b"--b",
            b'Content-Type: multipart/mixed;boundary="c"',
            b"",
            b"--c",
            b"content-type:application/http",
            b"Content-Transfer-Encoding:binary",
            b"Content-ID: 1",
            b"",
            b"POST ProjectContractHeaders HTTP/1.1",
            b"Content-Type: application/json; type=entry",
            b"",
            b"",
            b'{"dataAreaId":"USPM","ProjectContractId":"C1"}',
            b"--c",
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            b"",
            b"DELETE $1 HTTP/1.1",
            b"Content-Type: application/json",
            b"",
            b"",
            b"--c--",
            b"--b",
            b"Content-Type: application/http",
            b"",
            b"GET LegalEntities/$count HTTP/1.1",
            b"",
            b"",
            b"--b--",
        )
    )
    for content in (body, body.replace(b"\r\n", b"\n")):
        headers = {"Content-Type": "Multipart/Mixed; Boundary=b"}
        assert statuses(finance.post("/data/$batch", content=content, headers=headers)) == [201, 204, 200]
