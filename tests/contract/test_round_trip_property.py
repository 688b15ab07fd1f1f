"""Every type, whatever its value: what was written is what is read, on both databases."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from json import dumps, loads
from typing import Any, TypeAlias

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

_EXAMPLES = 60
_JSON = {"Content-Type": "application/json"}
_Values: TypeAlias = dict[str, Any]
_ROW = "6a3b7f9a-1c2d-4e5f-8a9b-0c1d2e3f4a5b"

# No control characters but those of text areas, no lone surrogates: neither is text.
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\r\n'%_[]*\"\\"))


def _texts(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Texts of so many UTF-16 units, which is how both systems count."""
    return _TEXT.filter(lambda text: shortest <= len(text.encode("utf-16-le")) // 2 <= longest)


def _decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places)


def _seconds(value: datetime) -> str:
    return value.replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


_INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)).map(_seconds)
_DATES = st.dates(date(1900, 1, 1), date(9999, 12, 31)).map(date.isoformat)

# By table: required columns, and the values of others. None means: no value.
_DATAVERSE: Mapping[str, tuple[dict[str, Any], dict[str, st.SearchStrategy[Any]]]] = {
    "accounts": (
        {},
        {
            "name": _texts(1, 160),
            "description": _texts(1, 2000),
            "numberofemployees": st.integers(0, 10**9),
            "creditlimit": _decimals("0", "99999999999999.9999", 4),
            "customertypecode": st.integers(1, 12),
            "donotemail": st.booleans(),
            "lastusedincampaign": _INSTANTS,
        },
    ),
    "msdyn_currencyexchangerates": (
        {},
        {
            "msdyn_exchangerate": _decimals("0.0000000001", "99999999999.9999999999", 10),
            "msdyn_validfrom": _DATES,
        },
    ),
    "msdyn_organizationalunits": (
        {"msdyn_name": "x"},
        {"msdyn_latitude": _decimals("-90", "90", 5)},
    ),
}
_FINANCE: Mapping[str, st.SearchStrategy[Any]] = {
    "OrganizationName": _texts(0, 100),
    "CreditLimit": _decimals("-99999999999999.999999", "99999999999999.999999", 6),
    "OnHoldStatus": st.sampled_from(["No", "Invoice", "All", "Payment", "Requisition", "Never"]),
}
_WORKER: Mapping[str, st.SearchStrategy[Any]] = {
    "OriginalHireDateTime": _INSTANTS,
    "ObjectId": st.uuids().map(str),
    "Name": _texts(0, 100),
}


def _body(values: Mapping[str, Any]) -> bytes:
    """Write decimals as JSON numbers, to the last digit."""
    numbers = {
        f"<{place}>": value for place, value in enumerate(values.values()) if isinstance(value, Decimal)
    }
    named = {
        name: f"<{place}>" if isinstance(value, Decimal) else value
        for place, (name, value) in enumerate(values.items())
    }
    text = dumps(named)
    for mark, number in numbers.items():
        text = text.replace(f'"{mark}"', format(number, "f"))
    return text.encode()


def _read(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = loads(answer.content, parse_float=Decimal)
    return row


def _held(row: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in written}


def _optional(values: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: st.none() | strategy for name, strategy in values.items()})


def _check(
    strategy: st.SearchStrategy[dict[str, Any]], write: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    @settings(max_examples=_EXAMPLES)
    @given(strategy)
    def same(values: _Values) -> None:
        assert write(values) == values

    same()


def test_dataverse_keeps_every_value(dataverse: httpx.Client) -> None:
    for table, (required, columns) in _DATAVERSE.items():
        address = f"{table}({_ROW})"

        def write(values: dict[str, Any], address: str = address, required: dict[str, Any] = required) -> Any:
            answer = dataverse.patch(address, content=_body({**required, **values}), headers=_JSON)
            assert answer.status_code == 204, answer.text
            return _held(_read(dataverse.get(address)), values)

        _check(_optional(columns), write)


def test_dataverse_keeps_choices(dataverse: httpx.Client) -> None:
    address = f"bookableresources({_ROW})"
    kinds = [str(192350000 + number) for number in range(5)]

    def write(values: dict[str, Any]) -> dict[str, Any]:
        body = {"name": "x", "resourcetype": 1, "msdyn_pooltype": ",".join(values["msdyn_pooltype"]) or None}
        answer = dataverse.patch(address, json=body)
        assert answer.status_code == 204, answer.text
        held = _read(dataverse.get(address))["msdyn_pooltype"]
        return {"msdyn_pooltype": sorted((held or "").split(",")) if held else []}

    some = st.lists(st.sampled_from(kinds), unique=True).map(sorted)
    _check(st.fixed_dictionaries({"msdyn_pooltype": some}), write)


def test_finance_keeps_every_value(finance: httpx.Client) -> None:
    finance.post("/data/LegalEntities", json={"LegalEntityId": "USPM", "Name": "x"}).raise_for_status()
    finance.post("/data/CustomersV3", json={"dataAreaId": "USPM", "CustomerAccount": "C"}).raise_for_status()
    finance.post("/data/Workers", json={"PersonnelNumber": "P"}).raise_for_status()

    def writes(address: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def write(values: dict[str, Any]) -> dict[str, Any]:
            answer = finance.patch(address, content=_body(values), headers=_JSON)
            assert answer.status_code == 204, answer.text
            return _held(_read(finance.get(address)), values)

        return write

    customer = "/data/CustomersV3(dataAreaId='USPM',CustomerAccount='C')"
    _check(st.fixed_dictionaries(dict(_FINANCE)), writes(customer))
    _check(st.fixed_dictionaries(dict(_WORKER)), writes("/data/Workers('P')"))
