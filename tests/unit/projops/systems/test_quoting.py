import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.errors import RowRejectedError
from projops.mapping.model import System
from projops.systems.properties import Form, Property
from projops.systems.quoting import (
    EnumSymbol,
    any_of,
    decimal_text,
    encode,
    guid_in,
    key_filter,
    key_predicate,
    literal,
    query,
)

NAME = Property("name", pa.string())
COMPANY = Property("msdyn_company", pa.string(), Form.LOOKUP)
AREA = Property("dataAreaId", pa.string())
VALID = Property("ValidFrom", pa.date32())
LINE = Property("LineNumber", pa.int64())
TYPE = Property("TransType", pa.string(), Form.ENUM, enum="ProjCDSTransType")
GUID = "0B5E1B5C-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("O'Brien & Söhne", "'O''Brien & Söhne'"),
        (7, "7"),
        (uuid.UUID(GUID), GUID.lower()),
        (Decimal("922337203685476.9999"), "922337203685476.9999"),
        (date(2028, 2, 29), "2028-02-29"),
        (datetime(2026, 11, 1, 0, 0, tzinfo=timezone(timedelta(hours=1))), "2026-10-31T23:00:00Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC), "2026-01-01T00:00:00.000005Z"),
        (EnumSymbol("NoYes", "Yes"), "Microsoft.Dynamics.DataEntities.NoYes'Yes'"),
    ],
)
def test_literals(value: object, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize("value", [1.5, datetime(2026, 1, 1), b"x"])
def test_what_is_not_exact_has_no_literal(value: object) -> None:
    with pytest.raises(TypeError):
        literal(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [("1E+3", "1000"), ("1E-7", "0.0000001"), ("1.500", "1.5"), ("-0.00", "0"), ("100", "100"), ("0", "0")],
)
def test_decimals_without_exponent_and_idle_zeros(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=16, min_value=-(10**22), max_value=10**22))
def test_decimals_keep_their_value(value: Decimal) -> None:
    assert Decimal(decimal_text(value)) == value


def test_key_predicate_of_finance() -> None:
    row = ("usmf", date(2026, 10, 31), 3, "Cost")
    text = key_predicate(System.FINANCE, (AREA, VALID, LINE, TYPE), row)
    assert text == (
        "(dataAreaId='usmf',ValidFrom=2026-10-31T12:00:00Z,LineNumber=3,"
        "TransType=Microsoft.Dynamics.DataEntities.ProjCDSTransType'Cost')"
    )


def test_key_predicate_of_dataverse_names_lookups_by_value() -> None:
    text = key_predicate(System.DATAVERSE, (NAME, COMPANY), ("a/b#c%d?e'f", GUID))
    assert text == f"(name='a%2Fb%23c%25d%3Fe''f',_msdyn_company_value={GUID.lower()})"


def test_an_empty_key_part_and_a_broken_guid_set_the_row_aside() -> None:
    with pytest.raises(RowRejectedError, match="name"):
        key_predicate(System.FINANCE, (NAME,), (None,))
    with pytest.raises(RowRejectedError, match="msdyn_company"):
        key_predicate(System.DATAVERSE, (COMPANY,), ("x' or 1 eq 1",))


def test_key_filter_takes_dataverse_wildcards_literally() -> None:
    path = Property("msdyn_company.cdm_companycode", pa.string())
    text = key_filter(System.DATAVERSE, (NAME, path), [("50%_[a]", "uspm"), ("b", None)])
    assert text == (
        "(name eq '50[%][_][[]a]' and msdyn_company/cdm_companycode eq 'uspm') "
        "or (name eq 'b' and msdyn_company/cdm_companycode eq null)"
    )


def test_key_filter_of_finance_leaves_percent_alone() -> None:
    assert key_filter(System.FINANCE, (NAME, TYPE), [("50%", "Cost")]) == (
        "(name eq '50%' and TransType eq Microsoft.Dynamics.DataEntities.ProjCDSTransType'Cost')"
    )


def test_lists_of_values() -> None:
    assert any_of("dataAreaId", ["uspm", "d'mf"]) == "dataAreaId eq 'uspm' or dataAreaId eq 'd''mf'"
    assert guid_in("accountid", [GUID]) == (
        f"Microsoft.Dynamics.CRM.In(PropertyName='accountid',PropertyValues=[\"{GUID.lower()}\"])"
    )
    with pytest.raises(ValueError, match="hexadecimal"):
        guid_in("accountid", ['"] or true'])


@given(st.text())
def test_no_text_leaves_its_quotes_or_its_parameter(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate cannot stand in a row
    url = "https://x.example/a" + query(filter=f"name eq {literal(text)}", select="name")
    assert parse_qs(urlsplit(url).query) == {"$filter": [f"name eq {literal(text)}"], "$select": ["name"]}
    inner = literal(text)[1:-1]
    assert "'" not in inner.replace("''", "")
    assert unquote(encode(text)) == text


def test_query_leaves_empty_options_out() -> None:
    assert query(select="a,b", filter=None, orderby="") == "?$select=a,b"
    assert query(filter=None) == ""
