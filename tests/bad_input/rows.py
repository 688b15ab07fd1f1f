"""Bad rows: every mutation that a column's role allows, in rows of four maps of both systems."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from projops.mapping.model import Direction
from tests.bad_input.kinds import Case, Ending

FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
GUID = "8f6c0b52-0000-4000-8000-0000000000{:02}"


@dataclass(frozen=True)
class Shape:
    """A good row of a map, and which of its columns plays which role.

    Attributes:
        map_id: The map.
        direction: The leg.
        row: The row as JSON has it.
        roles: Column by role: key, text, amount, day, option, whole, id.
    """

    map_id: str
    direction: Direction
    row: Mapping[str, Any]
    roles: Mapping[str, str]


SHAPES = (
    Shape(
        "expenses",
        BACK,
        {
            "ExpTransNumber": "EXP-1",
            "ReferenceDataAreaId": "uspm",
            "ProjId": "PRJ-1",
            "ProjActivityNumber": "A-1",
            "CostType": "Travel",
            "TransDate": "2026-10-01T12:00:00Z",
            "Quantity": 1,
            "Amount": 10.5,
            "NetAmount": 10.5,
            "TaxAmount": 0,
            "ExchangeCode": "USD",
            "BillingType": "Chargeable",
            "AdditionalInformation": "Taxi",
            "InterCompanyLE": "",
        },
        {
            "key": "ExpTransNumber",
            "text": "AdditionalInformation",
            "amount": "Quantity",
            "day": "TransDate",
            "option": "BillingType",
        },
    ),
    Shape(
        "exchange_rates",
        BACK,
        {
            "ExchangeRateTypeName": "Default",
            "FromCurrencyCode": "USD",
            "ToCurrencyCode": "EUR",
            "ValidFrom": "2026-10-01T12:00:00Z",
            "Rate": 0.93,
            "ValidTo": "2026-10-31T12:00:00Z",
        },
        {"key": "ExchangeRateTypeName", "amount": "Rate", "day": "ValidTo"},
    ),
    Shape(
        "units",
        BACK,
        {
            "UnitSymbol": "ea",
            "UnitClass": "Quantity",
            "DecimalPrecision": 2,
            "IsBaseUnit": "Yes",
            "IsSystemUnit": "No",
            "SystemOfUnits": "None",
            "UnitDescription": "Each",
        },
        {"key": "UnitSymbol", "text": "UnitDescription", "option": "IsBaseUnit", "whole": "DecimalPrecision"},
    ),
    Shape(
        "resource_roles",
        FORTH,
        {
            "bookableresourcecategoryid": GUID.format(1),
            "msdyn_resourcecategorynumber": "RCN-1",
            "name": "Tester",
            "statecode": 0,
            "@odata.etag": 'W/"1"',
        },
        {
            "id": "bookableresourcecategoryid",
            "key": "msdyn_resourcecategorynumber",
            "text": "name",
            "whole": "statecode",
        },
    ),
)
# Text that only looks odd: it is somebody's data, and must arrive to the last code point.
ODD_TEXTS = {
    "control character": "a\x07b",
    "right-to-left override": "in\u202evoice",
    "zero-width joiner": "\U0001f469\u200d\U0001f4bb",
    "combining form": "Cafe\u0301",
    "four-byte character": "\U00020bb7野家",
    "non-breaking and trailing blanks": "a\u00a0b  ",
    "quotes and wildcards": "O'Brien%_[x]*\"&?#+",
    "markup": "<script>alert(1)</script>",
    "formula": "=cmd|' /C calc'!A0",
    "byte order mark inside": "a\ufeffb",
}
# (kind, role, value as JSON text, ending, what is named: a rule or text, or the column itself)
COLUMN = "\0column"
_MUTATIONS = (
    ("null key", "key", "null", Ending.DEAD_LETTER, "key"),
    ("empty key", "key", '""', Ending.DEAD_LETTER, "key"),
    ("key of blanks", "key", '"   "', Ending.DEAD_LETTER, "key_blank"),
    ("number for text", "text", "5", Ending.STOP, COLUMN),
    ("truth value for text", "text", "true", Ending.STOP, COLUMN),
    ("object for text", "text", "{}", Ending.STOP, COLUMN),
    ("list for text", "text", '["a"]', Ending.STOP, COLUMN),
    ("text for a number", "amount", '"much"', Ending.STOP, COLUMN),
    ("number in quotes", "amount", '"12.5"', Ending.STOP, COLUMN),
    ("NaN in quotes", "amount", '"NaN"', Ending.STOP, COLUMN),
    ("Infinity in quotes", "amount", '"-Infinity"', Ending.STOP, COLUMN),
    ("truth value for a number", "amount", "true", Ending.STOP, COLUMN),
    ("list for a number", "amount", "[1]", Ending.STOP, COLUMN),
    ("number beyond any", "amount", "1e400", Ending.STOP, COLUMN),
    ("number of forty digits", "amount", "1" * 40, Ending.STOP, COLUMN),
    ("number with thirty decimals", "amount", "0." + "1" * 30, Ending.STOP, COLUMN),
    ("bare NaN", "amount", "NaN", Ending.STOP, "no JSON"),
    ("bare Infinity", "amount", "Infinity", Ending.STOP, "no JSON"),
    ("number with a leading zero", "amount", "007", Ending.STOP, "no JSON"),
    ("hexadecimal number", "amount", "0x1F", Ending.STOP, "no JSON"),
    ("day that the calendar lacks", "day", '"2026-02-30T12:00:00Z"', Ending.STOP, COLUMN),
    ("day in words", "day", '"yesterday"', Ending.STOP, COLUMN),
    ("day as a number", "day", "20261001", Ending.STOP, COLUMN),
    ("day of another order", "day", '"01/10/2026"', Ending.STOP, COLUMN),
    ("year of five digits", "day", '"10000-01-01T12:00:00Z"', Ending.STOP, COLUMN),
    ("year nought", "day", '"0000-01-01T12:00:00Z"', Ending.STOP, COLUMN),
    ("unknown option", "option", '"Maybe"', Ending.DEAD_LETTER, "value_map"),
    ("option in other case", "option", '"YES"', Ending.DEAD_LETTER, "value_map"),
    ("number for an option", "option", "1", Ending.STOP, COLUMN),
    ("fraction for a whole number", "whole", "1.5", Ending.STOP, COLUMN),
    ("whole number of 65 bits", "whole", str(2**64), Ending.STOP, COLUMN),
    ("whole number in quotes", "whole", '"1"', Ending.STOP, COLUMN),
    ("whole number out of range", "whole", str(2**31), Ending.DEAD_LETTER, "range|value_map"),
    ("number for an id", "id", "5", Ending.STOP, COLUMN),
    ("id that is no GUID", "id", '"../../etc/passwd"', Ending.STOP, COLUMN),
    ("null id", "id", "null", Ending.STOP, COLUMN),
    ("id in braces and capitals", "id", '"{8F6C0B52-0000-4000-8000-000000000001}"', Ending.AS_IT_IS, ""),
    ("escaped lone surrogate", "text", '"\\ud800"', Ending.STOP, "no JSON"),
    (
        "key of a hundred thousand characters",
        "key",
        '"' + "x" * 100_000 + '"',
        Ending.DEAD_LETTER,
        "(key_)?length",
    ),
)


def row_cases() -> Iterator[Case]:
    """Every mutation in every shape that has a column for it, as a page of that row and a good one."""
    for shape in SHAPES:
        for kind, role, text, ending, named in _MUTATIONS:
            if role in shape.roles:
                column = shape.roles[role]
                yield Case(
                    kind, shape.map_id, ending, named.replace(COLUMN, column), _page(shape, column, text)
                )
        for kind, odd in ODD_TEXTS.items():
            if "text" in shape.roles:
                text = json.dumps(odd)
                content = _page(shape, shape.roles["text"], text)
                yield Case(kind, shape.map_id, Ending.AS_IT_IS, odd, content)


def shape_of(map_id: str) -> Shape:
    """Give the shape of a map."""
    return next(shape for shape in SHAPES if shape.map_id == map_id)


def good_row(shape: Shape, number: int) -> dict[str, Any]:
    """A good row of a shape, told from others by its number."""
    row = dict(shape.row) | {shape.roles["key"]: f"{shape.row[shape.roles['key']]}{number}"}
    return row | ({shape.roles["id"]: GUID.format(number)} if "id" in shape.roles else {})


def page_of(*rows: Mapping[str, Any]) -> bytes:
    """A page of rows."""
    return json.dumps({"value": rows}).encode()


def _page(shape: Shape, column: str, text: str) -> bytes:
    """A page of a good row and of one in which a column holds some JSON text."""
    good, bad = good_row(shape, 2), dict(shape.row) | {column: "\0here"}
    return page_of(bad, good).replace(json.dumps("\0here").encode(), text.encode())
