"""Keys, paths, query options, JSON and batches."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odata_query import ast

from sandbox.odata.batch import (
    BatchRequest,
    BatchResponse,
    Changeset,
    count_requests,
    parse_batch,
    render_batch,
)
from sandbox.odata.errors import BatchError, ODataError, ODataSyntaxError
from sandbox.odata.grammar import EnumLiteral
from sandbox.odata.keys import KeyPart, Segment, parse_key, split_path
from sandbox.odata.options import (
    ExpandItem,
    OrderItem,
    parse_count,
    parse_expand,
    parse_orderby,
    parse_select,
    split_outside,
)
from sandbox.odata.wire import dumps, loads

GUID = "6a3b7f9a-1c2d-4e5f-8a9b-0c1d2e3f4a5b"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (GUID, [KeyPart(None, ast.GUID(GUID))]),
        ("'A''B'", [KeyPart(None, ast.String("A'B"))]),
        ("a='A''B',b=2", [KeyPart("a", ast.String("A'B")), KeyPart("b", ast.Integer("2"))]),
        (f" _x_value = {GUID} ", [KeyPart("_x_value", ast.GUID(GUID))]),
        ("a='x,y=(z)'", [KeyPart("a", ast.String("x,y=(z)"))]),
        ("at=2026-10-31T12:00:00Z", [KeyPart("at", ast.DateTime("2026-10-31T12:00:00Z"))]),
        ("e=Ns.X'Y'", [KeyPart("e", EnumLiteral("Ns.X", "Y"))]),
        ("", []),
    ],
)
def test_keys(text: str, parts: list[KeyPart]) -> None:
    assert parse_key(text) == tuple(parts)


@pytest.mark.parametrize(
    "text", ["a=", "a=b", "a='x", "a='x' b='y'", "a='x',", "a=1,a=2", "'x','y'", "=1", ",", "~"]
)
def test_broken_keys(text: str) -> None:
    with pytest.raises(ODataSyntaxError):
        parse_key(text)


def test_paths_split_outside_of_quotes() -> None:
    assert split_path("/data/Set(a='x/y(')/Name") == (
        Segment("data"),
        Segment("Set", "a='x/y('"),
        Segment("Name"),
    )
    assert split_path("/data/") == (Segment("data"),)
    for broken in ("Set(a='x)", "Set(a", "Set)", "Set(a)b"):
        with pytest.raises(ODataSyntaxError):
            split_path(broken)


def test_order_select_and_expand() -> None:
    assert parse_orderby("a desc, b/c,d asc") == (
        OrderItem(("a",), True),
        OrderItem(("b", "c")),
        OrderItem(("d",)),
    )
    assert parse_select(" a, b ,") == ("a", "b")
    assert parse_expand("a($select=x,y;$filter=z eq ';,('),b") == (
        ExpandItem("a", {"$select": "x,y", "$filter": "z eq ';,('"}),
        ExpandItem("b"),
    )
    assert parse_expand("") == ()
    for broken in ("a down", "a b c", "desc"):
        with pytest.raises(ODataSyntaxError):
            parse_orderby(broken)
    for broken in ("a(", "(x)", "a(x)y"):
        with pytest.raises(ODataSyntaxError):
            parse_expand(broken)


def test_counts_are_whole_numbers() -> None:
    assert (parse_count(None, "$top"), parse_count("0", "$top"), parse_count("12", "$top")) == (None, 0, 12)
    for broken in ("", "-1", "1.5", "x", "٣", "9" * 20):
        with pytest.raises(ODataError):
            parse_count(broken, "$top")


@given(st.text(alphabet="a,;'()", max_size=12))
def test_splitting_loses_nothing(text: str) -> None:
    try:
        parts = split_outside(text, ",")
    except ODataSyntaxError:
        return
    assert ",".join(parts) == (text if text.strip() else "")


@pytest.mark.parametrize("number", ["922337203685476.9999", "0.1", "-1.50", "10", "0.0000000001"])
def test_json_keeps_every_digit(number: str) -> None:
    assert dumps({"a": loads(f'{{"a":{number}}}'.encode())["a"]}) == f'{{"a":{number}}}'.encode()


def test_json_that_is_none() -> None:
    assert loads(b"[1, 1.0]") == [1, Decimal("1.0")]
    for broken in (b"", b"{", b"\xff", b"NaN", b'"\\ud800"', b"[" * 100_000):
        with pytest.raises(ODataError):
            loads(broken)
    with pytest.raises(TypeError):
        dumps(Decimal("NaN"))


BATCH = """
--batch_x
Content-Type: application/http
Content-Transfer-Encoding: binary

GET /data/Set?$filter=a eq 'b c' HTTP/1.1
Accept: application/json

--batch_x
Content-Type: multipart/mixed; boundary="changeset_y"

--changeset_y
Content-Type: application/http
Content-ID: 1

POST https://host/data/Set HTTP/1.1
Content-Type: application/json; type=entry


{"a":"ö"}
--changeset_y
Content-Type: application/http

DELETE /data/Set(1) HTTP/1.1
Content-ID: 2
Content-Type: application/json

--changeset_y--
--batch_x--
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("boundary", ["batch_x", '"batch_x"'])
def test_a_batch_as_tolerated(newline: str, boundary: str) -> None:
    """protocol 1.6 [R]."""
    items = parse_batch(f"multipart/mixed; boundary={boundary}", BATCH.replace("\n", newline).encode())
    read, changeset = items
    assert read == BatchRequest("GET", "/data/Set?$filter=a eq 'b c'", {"accept": "application/json"})
    assert isinstance(changeset, Changeset)
    created, deleted = changeset.requests
    assert (created.method, created.url, created.content_id) == ("POST", "https://host/data/Set", "1")
    assert created.body.decode() == '{"a":"ö"}'
    assert (deleted.method, deleted.body, deleted.content_id) == ("DELETE", b"", "2")
    assert count_requests(items) == 3


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/mixed", b""),
        ("multipart/mixed; boundary=b", b""),
        ("multipart/mixed; boundary=b", b"--b--"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: application/http\r\n\r\n\r\n--b--"),
        (
            "multipart/mixed; boundary=b",
            b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
            b"Content-Type: multipart/mixed; boundary=d\r\n\r\n--d\r\n\r\n--d--\r\n--c--\r\n--b--",
        ),
    ],
)
def test_batches_that_cannot_be_read(content_type: str, body: bytes) -> None:
    with pytest.raises(BatchError):
        parse_batch(content_type, body)


def test_answers_are_written_with_crlf_and_a_reason() -> None:
    """[R]: clients split on CRLFCRLF and look for " 200 " in the status line."""
    answer = BatchResponse(200, {"OData-Version": "4.0"}, b'{"a":1}')
    media_type, body = render_batch([answer, [BatchResponse(204, content_id="1"), BatchResponse(299)]])
    assert media_type.startswith("multipart/mixed; boundary=batchresponse_")
    assert b'HTTP/1.1 200 OK\r\nOData-Version: 4.0\r\n\r\n{"a":1}\r\n' in body
    assert b"Content-ID: 1\r\n\r\nHTTP/1.1 204 No Content\r\n" in body
    assert b"HTTP/1.1 299 Status\r\n" in body
    assert b"--changesetresponse_" in body
    assert b"\n" not in body.replace(b"\r\n", b"")
