from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
import pyarrow as pa
import pytest

from projops.errors import RowRejectedError
from projops.mapping.model import System
from projops.systems.encoding import Bodies, splice
from projops.systems.properties import Form, Property

GUID = "0b5e1b5c-0000-4000-8000-000000000001"
COLUMNS = (
    Property("name", pa.string()),
    Property("amount", pa.decimal128(38, 16)),
    Property("day", pa.date32()),
    Property("moment", pa.timestamp("us", "UTC")),
    Property("ref", pa.string(), Form.GUID),
    Property("kind", pa.string(), Form.ENUM, enum="NoYes"),
    Property("count", pa.int64()),
)
FULL = {
    "name": 'a"b\\😀',
    "amount": Decimal("922337203685476.9999"),
    "day": date(2028, 2, 29),
    "moment": datetime(2026, 10, 31, 23, tzinfo=UTC),
    "ref": GUID,
    "kind": "Yes",
    "count": 3,
}
PARENT = Property("parent", pa.string(), Form.LOOKUP, navigation="msdyn_Parent", target_set="accounts")


def written(system: System, values: dict[str, object]) -> bytes:
    return Bodies.of(system, COLUMNS).body(values)


def test_a_finance_body_is_exact_and_its_days_stand_at_noon() -> None:
    body = written(System.FINANCE, FULL)
    assert b'"amount":922337203685476.9999,' in body
    assert orjson.loads(body) | {"amount": 0} == {
        **FULL,
        "amount": 0,
        "day": "2028-02-29T12:00:00Z",
        "moment": "2026-10-31T23:00:00Z",
    }


def test_nothing_for_finance() -> None:
    body = written(System.FINANCE, dict.fromkeys(FULL))
    assert orjson.loads(body) == {
        "name": "",
        "amount": 0,
        "day": "1900-01-01T12:00:00Z",
        "moment": "1900-01-01T12:00:00Z",
        "ref": "00000000-0000-0000-0000-000000000000",
        "count": 0,
    }  # and the enum is left out


def test_a_dataverse_body() -> None:
    assert b'"day":"2028-02-29"' in written(System.DATAVERSE, FULL)
    assert orjson.loads(written(System.DATAVERSE, dict.fromkeys(FULL))) == dict.fromkeys(FULL)


def test_lookups_are_bound_through_their_navigation_property() -> None:
    bodies = Bodies.of(System.DATAVERSE, [PARENT])
    bound = f'{{"msdyn_Parent@odata.bind":"/accounts({GUID})"}}'.encode()
    assert bodies.body({"parent": GUID.upper()}) == bound
    assert bodies.body({"parent": None}) == b'{"msdyn_Parent@odata.bind":null}'
    with pytest.raises(RowRejectedError, match="parent"):
        bodies.body({"parent": "x)/evil(1"})


def test_only_what_is_held_is_written() -> None:
    assert written(System.DATAVERSE, {"count": 1}) == b'{"count":1}'
    assert written(System.FINANCE, {}) == b"{}"


def test_splicing() -> None:
    assert splice(b'{"a":1}', {"@odata.type": "x"}) == b'{"@odata.type":"x","a":1}'
    assert splice(b"{}", {"@odata.type": "x"}) == b'{"@odata.type":"x"}'
