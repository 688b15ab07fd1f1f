import pytest

from projops.errors import ProtocolError
from projops.systems.batch import Operation, build, parse

RESPONSE = b"""--batchresponse_1
Content-Type: application/http
Content-Transfer-Encoding: binary

HTTP/1.1 200 OK
Content-Type: application/json; odata.metadata=minimal

{"value":[]}
--batchresponse_1
Content-Type: multipart/mixed; boundary=changesetresponse_2

--changesetresponse_2
Content-Type: application/http
Content-Transfer-Encoding: binary
Content-ID: 2

HTTP/1.1 204 No Content
OData-EntityId: https://x/api/data/v9.2/accounts(0b5e1b5c-0000-4000-8000-000000000001)


--changesetresponse_2--
--batchresponse_1
Content-Type: application/http

HTTP/1.1 500 Internal Server Error
Content-Type: application/json

{"error":{"code":"","message":"two

lines"}}
--batchresponse_1--
"""
KIND = "multipart/mixed; boundary=batchresponse_1"


def test_a_batch_is_written_with_crlf_and_a_changeset_a_write() -> None:
    kind, body = build(
        [
            Operation("GET", "http://x/a?$filter=b%20eq%20'c'"),
            Operation("PATCH", "http://x/a(1)", b'{"n":1}', (("If-Match", "*"),)),
            Operation("DELETE", "http://x/a(2)"),
        ]
    )
    boundary = kind.partition('boundary="')[2].rstrip('"')
    assert body.count(f"--{boundary}\r\n".encode()) == 3
    assert body.endswith(f"--{boundary}--\r\n".encode())
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert body.count(b"Content-Type: multipart/mixed; boundary=") == 2
    assert b"\r\n\r\nGET http://x/a?$filter=b%20eq%20'c' HTTP/1.1\r\nAccept: application/json\r\n\r\n" in body
    assert (
        b"Content-ID: 2\r\n\r\nPATCH http://x/a(1) HTTP/1.1\r\nAccept: application/json\r\nIf-Match: *\r\n"
        b'Content-Type: application/json; charset=utf-8\r\n\r\n{"n":1}\r\n' in body
    )


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("kind", [KIND, 'Multipart/Mixed;BOUNDARY="batchresponse_1"; charset=utf-8'])
@pytest.mark.parametrize("before", [b"", b"\r\n", b"preamble\r\n"])
def test_answers_are_read_in_order(newline: bytes, kind: str, before: bytes) -> None:
    results = parse(kind, before + RESPONSE.replace(b"\n", newline))
    assert results.complete
    assert [(part.content_id, part.status) for part in results.parts] == [("", 200), ("2", 204), ("", 500)]
    assert results.parts[0].body == b'{"value":[]}'
    assert results.parts[1].headers["odata-entityid"].endswith("000000000001)")
    assert results.parts[1].body == b""
    assert results.parts[2].body.replace(b"\r", b"") == b'{"error":{"code":"","message":"two\n\nlines"}}'


def test_of_a_cut_answer_only_whole_parts_count() -> None:
    for end in range(len(RESPONSE) - len("--\n")):
        results = parse(KIND, RESPONSE[:end])
        assert not results.complete
        assert [part.status for part in results.parts] == [200, 204, 500][: len(results.parts)]
        assert len(results.parts) < 3


@pytest.mark.parametrize("kind", ["application/json", "multipart/mixed", ""])
def test_what_is_not_multipart_is_refused(kind: str) -> None:
    with pytest.raises(ProtocolError, match="multipart"):
        parse(kind, RESPONSE)


def test_a_part_without_status_line_is_refused() -> None:
    with pytest.raises(ProtocolError, match="status line"):
        parse(
            "multipart/mixed; boundary=b", b"--b\r\nContent-Type: application/http\r\n\r\nhello\r\n--b--\r\n"
        )
