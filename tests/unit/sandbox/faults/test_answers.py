"""What faults make of requests and answers, as bytes."""

import pytest

from sandbox.faults.answers import (
    REPEAT,
    Answer,
    broken_off,
    first_parts,
    repeated_page,
    second_time,
    truncated,
    without_end,
)
from sandbox.odata.batch import parse_batch
from sandbox.odata.wire import loads

TYPE = b"multipart/mixed; boundary=b"
PART = b"Content-Type: application/http\r\n\r\nGET x HTTP/1.1\r\n\r\n\r\n"
JSON = ((b"content-type", b"application/json"),)


@pytest.mark.parametrize("number", [1, 2, 3, 9])
def test_the_first_parts_of_a_batch_are_a_batch(number: int) -> None:
    # The boundary inside begins like the one outside.
    nested = b"--b1\r\n" + PART + b"--b1--\r\n"
    changeset = b"Content-Type: multipart/mixed; boundary=b1\r\n\r\n" + nested
    body = b"--b\r\n" + changeset + b"--b\r\n" + PART + b"--b\r\n" + PART + b"--b--\r\n"
    whole = parse_batch(TYPE.decode(), body)
    assert parse_batch(TYPE.decode(), first_parts(TYPE, body, number)) == whole[:number]


def test_a_batch_without_a_boundary_is_left_to_the_api() -> None:
    assert first_parts(b"application/json", b"{}", 1) == b"{}"
    assert without_end(Answer(400, JSON, b"{}")) == Answer(400, JSON, b"{}")


def test_the_closing_boundary_goes_and_nothing_else() -> None:
    answer = Answer(200, ((b"content-type", TYPE),), b"--b\r\n" + PART + b"--b--\r\n")
    assert without_end(answer).body == b"--b\r\n" + PART


def test_an_answer_is_broken_off_in_its_body_or_in_its_head() -> None:
    with_body = broken_off(Answer(200, JSON, b"0123456789"))
    assert with_body.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: 10\r\n" in with_body
    assert with_body.endswith(b"\r\n\r\n01234")
    without = broken_off(Answer(204, ((b"odata-version", b"4.0"),)))
    assert without == b"HTTP/1.1 204 No Content\r\nodata-version: 4.0\r\n"


def test_a_share_of_a_body_stays() -> None:
    assert truncated(Answer(200, JSON, b"0123456789"), 0.9).body == b"012345678"


@pytest.mark.parametrize("prefer", ["", 'odata.track-changes, odata.include-annotations="*"'])
def test_the_link_of_a_repeated_page_is_the_request_again(prefer: str) -> None:
    headers = [(b"host", b"h:1"), *([(b"prefer", prefer.encode())] if prefer else [])]
    scope = {
        "scheme": "http",
        "path": "/data/A b",
        "raw_path": b"/data/A%20b",
        "query_string": b"$select=a&$skip=3",
        "headers": headers,
    }
    page = repeated_page(Answer(200, JSON, b'{"value":[1.50],"@odata.deltaLink":"d"}'), scope)
    assert b'"value":[1.50]' in page.body
    link = loads(page.body)["@odata.nextLink"]
    assert link.startswith(f"http://h:1/data/A%20b?$select=a&$skip=3&{REPEAT}=")
    followed = second_time({**scope, "query_string": link.partition("?")[2].encode(), "headers": headers[:1]})
    assert (followed["query_string"], followed["headers"]) == (scope["query_string"], headers)


@pytest.mark.parametrize("answer", [Answer(200, JSON, b'{"name":"x"}'), Answer(404, JSON, b"{}")])
def test_what_is_no_page_is_not_repeated(answer: Answer) -> None:
    assert repeated_page(answer, {"headers": [], "query_string": b""}) == answer
