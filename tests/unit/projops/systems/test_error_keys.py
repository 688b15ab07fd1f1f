"""Files of refused rows, as Finance writes them and as an attacker would."""

import io

import pytest

from projops.errors import ProtocolError
from projops.systems.error_keys import read_keys

KEY = ("ProjectId", "TaskId")


def file(text: str, encoding: str = "utf-16") -> io.BytesIO:
    return io.BytesIO(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
def test_keys_are_found_by_their_columns_in_any_order_and_case(encoding: str) -> None:
    text = 'taskid,Name,PROJECTID\r\nT1,"a ""b"", c",P1\r\n"T\r\n2",,P2\r\n\r\n'
    assert read_keys(file(text, encoding), KEY, 2) == [("P1", "T1"), ("P2", "T\r\n2")]


def test_a_file_that_says_nothing_more_than_its_columns_holds_no_key() -> None:
    assert read_keys(file("PROJECTID,TASKID\r\n"), KEY, 5) == []


@pytest.mark.parametrize(
    ("content", "how"),
    [
        (b"", "none that can be read"),
        ("PROJECTID\r\nP1\r\n".encode("utf-16"), "none that can be read"),
        ("PROJECTID,TASKID\r\nP1\r\n".encode("utf-16"), "none that can be read"),
        (b"\xff\xfe\x00", "none that can be read"),
        (b"PROJECTID,TASKID\r\n\xff\xfe,x\r\n", "none that can be read"),
        (b'PROJECTID,TASKID\r\n"P1,T1\r\n', "none that can be read"),
        (b"PROJECTID,TASKID\r\n" + b"x" * 200_000 + b",T1\r\n", "none that can be read"),
        (b"PROJECTID,TASKID\r\n" + b"P,T\r\n" * 4, "more rows than the 3 that were sent"),
    ],
    ids=["empty", "no column", "short row", "cut off", "bytes", "open quote", "endless field", "too many"],
)
def test_what_is_no_such_file_is_refused_in_a_sentence(content: bytes, how: str) -> None:
    with pytest.raises(ProtocolError, match=how):
        read_keys(io.BytesIO(content), KEY, 3)
