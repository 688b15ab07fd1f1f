"""Bad answers to a $batch of two operations, as reads of Finance and as writes of it."""

from collections.abc import Iterator

from tests.bad_input.kinds import Case, Ending

WHOLE = "multipart/mixed; boundary=b"


def part(content_id: str, status: str = "200 OK", body: str = '{"value":[{"name":"Ada"}]}') -> str:
    """The answer to one operation."""
    head = f"Content-Type: application/http\r\nContent-ID: {content_id}\r\n\r\nHTTP/1.1 {status}\r\n"
    return f"--b\r\n{head}Content-Type: application/json\r\n\r\n{body}\r\n"


GOOD = part("1") + part("2") + "--b--\r\n"
# Kind, content type, body; how a read ends, how a write of two rows ends.
_CASES: tuple[tuple[str, str, str, Ending, str], ...] = (
    ("batch without boundary", "multipart/mixed", GOOD, Ending.STOP, "not multipart"),
    ("batch in HTML", "text/html", "<html></html>", Ending.AGAIN_LATER, "web page"),
    ("batch as one JSON object", "application/json", '{"value":[]}', Ending.STOP, "not multipart"),
    ("batch with another boundary", "multipart/mixed; boundary=c", GOOD, Ending.AGAIN_LATER, "not whole"),
    ("empty batch", WHOLE, "", Ending.AGAIN_LATER, "not whole"),
    ("batch of an end only", WHOLE, "--b--\r\n", Ending.AGAIN_LATER, "not whole"),
    ("batch with a part too many", WHOLE, part("1") + GOOD, Ending.STOP, "do not belong"),
    ("batch with one Content-ID twice", WHOLE, part("1") * 2 + "--b--\r\n", Ending.STOP, "do not belong"),
    ("batch in another order", WHOLE, part("2") + part("1") + "--b--\r\n", Ending.STOP, "do not belong"),
    ("batch with a foreign Content-ID", WHOLE, part("x") + part("2") + "--b--\r\n", Ending.STOP, "belong"),
    (
        "batch part without a status",
        WHOLE,
        "--b\r\nContent-Type: application/http\r\n\r\nhello\r\n--b--\r\n",
        Ending.STOP,
        "no status line",
    ),
    ("batch part of nothing", WHOLE, "--b\r\n\r\n--b--\r\n", Ending.STOP, "no status line"),
    (
        "batch part with bad JSON",
        WHOLE,
        part("1", body="{value}") + part("2", body="{value}") + "--b--\r\n",
        Ending.AGAIN_LATER,
        "no JSON",
    ),
    (
        "batch part that is cut",
        WHOLE,
        part("1", body='{"value":[') + part("2", body='{"value":[') + "--b--\r\n",
        Ending.AGAIN_LATER,
        "no JSON",
    ),
)


def batch_cases() -> Iterator[Case]:
    """Every bad batch, as (content type, body)."""
    for kind, content_type, body, ending, named in _CASES:
        yield Case(kind, "read", ending, named, (content_type, body.encode()))
