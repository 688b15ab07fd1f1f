from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from orjson import Fragment, dumps

from projops.errors import PoisonPageError, ProtocolError
from projops.mapping.model import System
from projops.systems.decoding import Page, decode_page, table_of
from projops.systems.properties import Form, Property
from projops.systems.wire_values import typed_texts

MONEY = pa.decimal128(38, 16)
GUID = "0B5E1B5C-0000-4000-8000-000000000001"
COLUMNS = (
    Property("name", pa.string()),
    Property("amount", MONEY),
    Property("day", pa.date32()),
    Property("moment", pa.timestamp("us", "UTC")),
    Property("parent", pa.string(), Form.LOOKUP),
    Property("ref", pa.string(), Form.GUID),
    Property("count", pa.int64()),
    Property("flag", pa.bool_()),
    Property("share", pa.float64()),
)


WHOLE: dict[str, object] = {"accountid": GUID} | {column.wire_name: None for column in COLUMNS}


def page_of(system: System, *rows: Mapping[str, object], **more: object) -> Page:
    """Decode a page of rows; columns that a row does not name are null."""
    body = dumps({"value": [row if "reason" in row else WHOLE | dict(row) for row in rows], **more})
    return decode_page(system, body, COLUMNS, "accounts", "accountid" if system is System.DATAVERSE else None)


def test_a_dataverse_row() -> None:
    page = page_of(
        System.DATAVERSE,
        {
            "@odata.etag": 'W/"12345"',
            "accountid": GUID,
            "name": "O'Brien 😀 åäö",
            "amount": Fragment(b"922337203685476.9999"),
            "day": "2028-02-29",
            "moment": "2026-10-31T23:00:00Z",
            "_parent_value": GUID,
            "ref": f"{{{GUID}}}",
            "count": 3,
            "flag": True,
            "share": 1,
        },
        **{"@odata.nextLink": "next"},
    )
    assert page.batch.to_pylist() == [
        {
            "_id": GUID.lower(),
            "_version": "12345",
            "name": "O'Brien 😀 åäö",
            "amount": Decimal("922337203685476.9999"),
            "day": date(2028, 2, 29),
            "moment": datetime(2026, 10, 31, 23, tzinfo=UTC),
            "parent": GUID.lower(),
            "ref": GUID.lower(),
            "count": 3,
            "flag": True,
            "share": 1.0,
        }
    ]
    assert (page.next_link, page.delta_link, page.deleted) == ("next", None, ())


def test_what_finance_means_by_nothing() -> None:
    page = page_of(
        System.FINANCE,
        {
            "@odata.etag": 'W/"JzEsNTYzNzE0NDU3Nic="',
            "name": "",
            "amount": 0,
            "day": "1900-01-01T12:00:00Z",
            "moment": "1900-01-01T00:00:00Z",
            "ref": "00000000-0000-0000-0000-000000000000",
            "count": 0,
        },
    )
    [row] = page.batch.to_pylist()
    assert row["_version"] == 'W/"JzEsNTYzNzE0NDU3Nic="'
    assert [row[name] for name in ("name", "amount", "day", "moment", "ref", "count")] == [
        None,
        0,
        None,
        None,
        None,
        0,
    ]


def test_a_finance_day_never_passes_a_zone() -> None:
    page = page_of(System.FINANCE, {"day": "2026-10-31T12:00:00Z"}, {"day": "2026-10-31T00:00:00+13:00"})
    assert page.batch.column("day").to_pylist() == [date(2026, 10, 31)] * 2


def test_dataverse_keeps_1900_and_drops_empty_text() -> None:
    page = page_of(System.DATAVERSE, {"name": "", "day": "1900-01-01"})
    assert page.batch.column("name").to_pylist() == [None]
    assert page.batch.column("day").to_pylist() == [date(1900, 1, 1)]


def test_moments_to_the_microsecond() -> None:
    page = page_of(
        System.DATAVERSE, {"moment": "2026-01-01T00:00:00.1234567Z"}, {"moment": "0001-01-01T00:00:00Z"}
    )
    first, second = page.batch.column("moment").to_pylist()
    assert first.microsecond == 123456
    assert second.year == 1


def test_a_delta_with_deletes() -> None:
    gone = {"@odata.context": "https://x/$metadata#accounts/$deletedEntity", "id": GUID, "reason": "deleted"}
    page = page_of(System.DATAVERSE, {"accountid": GUID, "name": "a"}, gone, **{"@odata.deltaLink": "delta"})
    assert page.batch.num_rows == 1
    assert page.deleted == (GUID.lower(),)
    assert page.delta_link == "delta"


def test_columns_named_like_a_delete_are_rows() -> None:
    page = page_of(System.DATAVERSE, WHOLE | {"id": "x", "reason": "deleted", "name": "a"})
    assert page.deleted == ()
    assert page.batch.num_rows == 1


def test_an_empty_page_has_all_columns() -> None:
    page = page_of(System.DATAVERSE)
    assert page.batch.schema == table_of([], System.DATAVERSE, COLUMNS).schema
    assert page.batch.schema.names == ["_id", "_version", *(column.name for column in COLUMNS)]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"value":{}}', b"{}", b'{"value":[1,]}', b'{"value":[', b'"text"']
)
def test_an_answer_that_is_no_page_is_kept_as_evidence(body: bytes) -> None:
    with pytest.raises(PoisonPageError, match="accounts") as caught:
        decode_page(System.DATAVERSE, body, COLUMNS, "accounts")
    assert caught.value.body == body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 5),
        ("amount", "five"),
        ("amount", "1.5"),
        ("amount", Fragment(b"0.12345678901234567")),  # more digits than 16 would be cut off
        ("day", "31.10.2026"),
        ("moment", "yesterday"),
        ("count", Fragment(b"1.5")),
        ("count", "1"),
        ("count", 2**63),
        ("flag", "yes"),
        ("share", "much"),
        ("name", {"nested": 1}),
    ],
)
def test_a_value_of_another_type_names_its_column(name: str, value: object) -> None:
    with pytest.raises(ProtocolError, match=f" {name} "):
        page_of(System.DATAVERSE, {name: value})


def test_the_row_of_such_a_value_is_named_and_the_page_kept() -> None:
    other = "0b5e1b5c-0000-4000-8000-000000000007"
    body = dumps({"value": [WHOLE | {"accountid": other}, WHOLE | {"count": "three"}]})
    with pytest.raises(PoisonPageError, match=f" count of row {GUID} ") as caught:
        decode_page(System.DATAVERSE, body, COLUMNS, "accounts", "accountid")
    assert caught.value.body == body
    assert (caught.value.context["field"], caught.value.context["row"]) == ("count", GUID)
    with pytest.raises(PoisonPageError, match=" count of row 2 "):
        decode_page(System.FINANCE, body, COLUMNS, "accounts")


@pytest.mark.parametrize("value", [None, 5, "nobody", "", "../x", GUID[:-1]])
def test_a_row_without_a_guid_is_refused(value: object) -> None:
    with pytest.raises(ProtocolError, match="accountid that is no GUID"):
        page_of(System.DATAVERSE, {"accountid": value})


@pytest.mark.parametrize("name", ["day", "moment"])
def test_a_year_that_no_calendar_has(name: str) -> None:
    with pytest.raises(ProtocolError, match=f" {name} "):
        page_of(System.DATAVERSE, {name: "0000-01-01T00:00:00Z"})


def test_a_column_that_was_asked_for_and_never_comes_is_not_taken_for_empty() -> None:
    rows = [{name: None for name in WHOLE if name != "amount"}] * 2
    with pytest.raises(ProtocolError, match="lacks the column amount"):
        decode_page(System.FINANCE, dumps({"value": rows}), COLUMNS, "accounts")


def test_an_entry_that_is_no_row() -> None:
    with pytest.raises(ProtocolError, match="rows"):
        decode_page(System.DATAVERSE, b'{"value":[1]}', COLUMNS, "accounts")


def test_texts_of_a_package() -> None:
    def typed(column: Property, *texts: str) -> list[object]:
        return list(typed_texts(System.FINANCE, column, pa.array(texts)).to_pylist())

    assert typed(Property("a", MONEY), "1.50", "", "-3") == [Decimal("1.5"), None, Decimal(-3)]
    assert typed(Property("a", pa.bool_()), "Yes", "no", "", "true") == [True, False, None, True]
    assert typed(Property("a", pa.int64()), "7") == [7]
    assert typed(Property("a", pa.string(), Form.ENUM), "Yes", "") == ["Yes", None]
