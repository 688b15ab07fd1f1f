"""A page read straight into columns holds what it holds read row by row, or is left to be read so."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.errors import ProjOpsError
from projops.mapping.model import System
from projops.systems.answers import Page, decode_json
from projops.systems.column_decoding import read_columns
from projops.systems.properties import Form, Property
from projops.systems.row_decoding import read_rows

COLUMNS = (
    Property("name", pa.string()),
    Property("amount", pa.decimal128(38, 10)),
    Property("small", pa.decimal128(10, 2)),
    Property("day", pa.date32()),
    Property("moment", pa.timestamp("us", "UTC")),
    Property("parent", pa.string(), Form.LOOKUP),
    Property("ref", pa.string(), Form.GUID),
    Property("kind", pa.string(), Form.ENUM),
    Property("count", pa.int64()),
    Property("option", pa.int32()),
    Property("flag", pa.bool_()),
    Property("share", pa.float64()),
)
NAMES = [column.wire_name for column in COLUMNS]
GUID = "0b5e1b5c-0000-4000-8000-000000000001"

TEXTS = (
    '""',
    '"a"',
    '" "',
    '"Yes"',
    '"åäö 😀"',
    r'"a\"b\\c\/\n\u00e5\ud83d\ude00"',
    r'"\u0000"',
    f'"{GUID}"',
    f'"{GUID.upper()}"',
    f'"{{{GUID.upper()}}}"',
    '"00000000-0000-0000-0000-000000000000"',
)
WHOLE = ("0", "-0", "1", "-1", "12")
NUMBERS = (*WHOLE, "1.0", "1.50", "-0.0", "1e2", "1E-2", "99999999.99")
DAYS = (
    '"2028-02-29"',
    '"1900-01-01"',
    '"1900-01-01T00:00:00Z"',
    '"1900-01-01T12:00:00Z"',
    '"0001-01-01T00:00:00Z"',
    '""',
    '"2026-10-31T12:00:00Z"',
    '"9999-12-31T23:59:59.9999999Z"',
    '"2026-10-31T00:00:00+13:00"',
    '"2026-01-01T00:00:00.1234567Z"',
)
GOOD = {
    "name": TEXTS,
    "_parent_value": TEXTS,
    "ref": TEXTS,
    "kind": TEXTS,
    "day": DAYS,
    "moment": DAYS[2:],
    "amount": (*NUMBERS, "0.0123456789", "9999999999999999999999999999.1234567890"),
    "small": NUMBERS,
    "count": (*WHOLE, "9223372036854775807", "-9223372036854775808"),
    "option": (*WHOLE, "2147483647", "-2147483648"),
    "flag": ("true", "false"),
    "share": (*NUMBERS, "0.1", "0.30000000000000004", "1e-400", "12345678901234567890"),
}
DOUBTFUL = (
    r'"\ud800"',
    r'"\udc00"',
    '"a\tb"',
    "0.12345678901",
    "1.00000000000000000000",
    "100000000.00",
    "12345678901234567890123456789.1234567890",
    "17000000000000000000000000000",
    "1.5e28",
    "1e400",
    "2147483648",
    "9223372036854775808",
    "18446744073709551616",
    "01",
    "+1",
    "1.",
    ".5",
    "NaN",
    "Infinity",
    "1.5",
    '"2027-02-29"',
    '"0000-01-01"',
    '"0000-01-01T00:00:00Z"',
    '"2026-10-31T00:00:00"',
    '"31.10.2026"',
    '"1.50000000000"',
    '"1"',
    '"1.5"',
    '"1e2"',
    '" 1"',
    '"true"',
    '"-"',
    "true",
    "false",
    "{}",
    "[]",
    '{"name":1}',
    '[{"value":[{"name":"x"}]}]',
    "",
    "tru",
)
EVERY = tuple(dict.fromkeys((*DOUBTFUL, *(value for values in GOOD.values() for value in values))))
ANY = st.sampled_from(EVERY)
BESIDE = (f'"{GUID}"', "null", "5", '{"value":[{"name":"x"}]}', '"}"', "[1,{}]")
SIDES = ((System.DATAVERSE, "accountid"), (System.FINANCE, None))


def members(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"


def deleted(guid: str) -> str:
    return members([("@odata.context", '"https://x/$metadata#accounts/$deletedEntity"'), ("id", guid)])


def rarely(draw: st.DrawFn, once_in: int) -> bool:
    return draw(st.integers(1, once_in)) == once_in


@st.composite
def entries(draw: st.DrawFn) -> str:
    """A row, good but for accidents, with whatever may stand beside its columns; or a delete."""
    if rarely(draw, 12):
        return deleted(draw(st.sampled_from((f'"{GUID}"',) * 5 + ('"x"', "5", "null"))))
    pairs = [(name, draw(st.sampled_from(("null", *GOOD[name])))) for name in NAMES]
    if rarely(draw, 10):
        pairs[draw(st.integers(0, len(pairs) - 1))] = (draw(st.sampled_from(NAMES)), draw(ANY))
    if rarely(draw, 6):
        pairs = draw(st.permutations(pairs))[: draw(st.integers(0, len(pairs)))]
    beside = st.tuples(st.sampled_from(("beside", "id", "name@x.y", r"x\"y")), st.sampled_from(BESIDE))
    pairs += draw(st.lists(beside, max_size=1))
    guid = draw(st.sampled_from((f'"{GUID}"', f'"{{{GUID.upper()}}}"')))
    tag = draw(st.sampled_from(('W/"12"', "W/12", "", 'W/"a"\n', 'W/"1"\n', 'W/"JzEsMic="')))
    return members([("@odata.etag", json.dumps(tag)), ("accountid", guid), *pairs])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    rows = draw(st.lists(entries(), max_size=3))
    value = "[" + ",".join(rows) + "]"
    if rarely(draw, 20):
        value = draw(st.sampled_from(("null", "{}", "[1]", "[null]", '"x"')))
    name = st.sampled_from(("@odata.nextLink",) * 3 + ("@odata.deltaLink",) * 3 + ("@odata.count", "value"))
    link = st.sampled_from(('"next"', r'"a\/b"', "null", '"n"', "5"))
    pairs = [
        ("@odata.context", '"https://x/$metadata#accounts"'),
        ("value", value),
        *draw(st.lists(st.tuples(name, link), max_size=2)),
    ]
    body = members(draw(st.permutations(pairs)) if rarely(draw, 4) else pairs).encode(errors="surrogatepass")
    return broken(draw, body) if rarely(draw, 8) else body


def broken(draw: st.DrawFn, body: bytes) -> bytes:
    odd = draw(st.sampled_from((b" ", b"\n", b"\xef\xbb\xbf", b"{}", b"x", b"\xff", b"]", b"\r\n{}")))
    place = draw(st.sampled_from((0, len(body), body.index(b":") + 1, body.rindex(b"}"), len(body) // 2)))
    return body[:place] + odd + body[place:]


def by_rows(system: System, body: bytes, primary_id: str | None) -> Page | None:
    try:
        return read_rows(system, decode_json(body, "accounts"), COLUMNS, "accounts", primary_id)
    except ProjOpsError:
        return None


def facts(page: Page) -> tuple[Any, ...]:
    page.batch.validate(full=True)
    return page.batch.schema, repr(page.batch.to_pydict()), page.deleted, page.next_link, page.delta_link


def agree(system: System, body: bytes, primary_id: str | None) -> bool:
    """Say whether the page is taken, once it is sure that it was taken for what it is."""
    taken = read_columns(system, body, COLUMNS, primary_id)
    if taken is None:
        return False
    judged = by_rows(system, body, primary_id)
    assert judged is not None, "row by row it is refused"
    assert facts(taken) == facts(judged)
    return True


def page_of(**values: str) -> bytes:
    row = {"accountid": f'"{GUID}"', **dict.fromkeys(NAMES, "null"), **values}
    return f'{{"value":[{members(row.items())}]}}'.encode(errors="surrogatepass")


@given(bodies(), st.sampled_from(SIDES))
def test_any_page_is_taken_for_what_it_is_or_left(body: bytes, side: tuple[System, str | None]) -> None:
    system, primary_id = side
    agree(system, body, primary_id)


@pytest.mark.parametrize("name", NAMES)
def test_any_value_is_taken_for_what_it_is_or_left(name: str) -> None:
    for value in EVERY:
        agree(System.DATAVERSE, page_of(**{name: value}), "accountid")
        agree(System.FINANCE, page_of(**{name: value}), None)


@pytest.mark.parametrize("name", NAMES)
def test_good_values_are_never_left(name: str) -> None:
    """A page that is left costs twice: no form that the systems write may come to that."""
    for value in GOOD[name]:
        assert agree(System.DATAVERSE, page_of(**{name: value}), "accountid"), value
        assert agree(System.FINANCE, page_of(**{name: value}), None), value


def test_deletes_are_taken() -> None:
    gone = deleted(f'"{GUID}"')
    row = members([("accountid", f'"{GUID}"'), *((name, "null") for name in NAMES)])
    body = f'{{"value":[{row},{gone}],"@odata.deltaLink":"d"}}'.encode()
    assert agree(System.DATAVERSE, body, "accountid")


@pytest.mark.parametrize(
    "row",
    [
        {"note": '"}{"', "nested": '{"name":{"b":1}}'},  # braces before the end of the first row
        {"note": r'"\"value\":[{\"name\":null}"'},
    ],
)
def test_the_first_row_tells_which_columns_came(row: Mapping[str, str]) -> None:
    whole = [("accountid", f'"{GUID}"'), *row.items(), *((name, "null") for name in NAMES)]
    assert agree(System.FINANCE, f'{{"value":[{members(whole)}]}}'.encode(), None)
    assert not agree(System.FINANCE, f'{{"value":[{members(whole[:-1])}]}}'.encode(), None)
