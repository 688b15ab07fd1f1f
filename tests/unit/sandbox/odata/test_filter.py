"""Filters against rows in a database, compared with the same rules written in plain Python."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.clock import Clock
from sandbox.dataverse.queryfunctions import Caller, query_functions
from sandbox.odata.errors import ODataError, TypeMismatchError, UnknownPropertyError, UnsupportedError
from sandbox.odata.filter import compile_filter
from sandbox.odata.options import compile_orderby
from sandbox.odata.scope import Navigation, Profile, Scope, Wildcards, dataverse_column, finance_column
from sandbox.odata.sql import register_functions
from sandbox.store import Store
from tests.contract.plain_filters import fits, pieces, quoted

CALLER = Caller(datetime(2026, 10, 31, 12, tzinfo=UTC), "user", "unit")
DATAVERSE = Profile(
    "Microsoft.Dynamics.CRM",
    Wildcards.LIKE,
    dataverse_column,
    quoted_guids=True,
    query_function=query_functions(CALLER),
)
FINANCE = Profile(
    "Microsoft.Dynamics.DataEntities", Wildcards.STAR, finance_column, membership=False, arithmetic=True
)
NAMES = ("O'Brien & Söhne", "ÅÄÖ", "100% sure", "a_b", "axb", "[x]", "a*b", "日本", "", None)
CODES = (None, 1, 2, 3, 4)
AMOUNTS = (None, Decimal("922337203685476.9999"), Decimal("-1.5"), Decimal("10"), Decimal("9"))
PARENT = "6a3b7f9a-1c2d-4e5f-8a9b-0c1d2e3f4a5b"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("filter")
    opened = Store(f"sqlite:///{folder / 'rows.db'}", Clock())
    register_functions(opened.engine)
    rows = [
        {"name": name, "customertypecode": CODES[place % 5], "creditlimit": AMOUNTS[place % 5]}
        for place, name in enumerate(NAMES)
    ]
    rows[0]["accountid"] = PARENT
    for row in rows[1:4]:
        row["parentaccountid"] = PARENT
    opened.bulk_insert(opened.dataverse["account"], rows)
    yield opened
    opened.close()


def accounts(store: Store) -> Scope:
    """The accounts, with their parent and their children as navigation properties."""
    table = store.dataverse["account"]

    def navigate(scope: Scope, name: str) -> Navigation | None:
        target = Scope(table, store.sql(table).alias(), navigate)
        if name == "parentaccountid":
            return Navigation(target, target.sql.c.accountid == scope.sql.c.parentaccountid)
        if name == "children":
            return Navigation(target, target.sql.c.parentaccountid == scope.sql.c.accountid, collection=True)
        return None

    return Scope(table, store.sql(table), navigate)


def names(store: Store, text: str, profile: Profile = DATAVERSE, **aliases: str) -> list[str | None]:
    scope = accounts(store)
    condition = compile_filter(text, scope, profile, {f"@{key}": value for key, value in aliases.items()})
    query = sa.select(scope.sql.c.name).where(condition).order_by(scope.sql.c.versionnumber)
    with store.read() as connection:
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name eq 'o''BRIEN & söhne'", ["O'Brien & Söhne"]),
        ("name eq 'åäö'", ["ÅÄÖ"]),
        ("name eq 'a_b'", ["a_b", "axb", "a*b"]),
        ("name eq 'a[_]b'", ["a_b"]),
        ("name eq 'a[^_]b'", ["axb", "a*b"]),
        ("name eq 'a[w-y]b'", ["axb"]),
        ("name eq '100[%] sure'", ["100% sure"]),
        ("startswith(name,'1%s')", ["100% sure"]),
        ("endswith(name,'B')", ["a_b", "axb", "a*b"]),
        ("contains(name,'本')", ["日本"]),
        ("contains(name,'本') eq true", ["日本"]),
        ("name eq null", [None]),
        ("name eq ''", [""]),
        ("name in ('axb','ÅÄÖ')", ["ÅÄÖ", "axb"]),
        ("name in ('axb',null)", ["axb", None]),
        ("name eq @x", ["axb"]),
        ("name gt 'z'", ["ÅÄÖ", "日本"]),
        ("parentaccountid/name eq 'O''Brien & Söhne'", ["ÅÄÖ", "100% sure", "a_b"]),
        (f"_parentaccountid_value eq {PARENT}", ["ÅÄÖ", "100% sure", "a_b"]),
        (f"_parentaccountid_value eq '{PARENT.upper()}'", ["ÅÄÖ", "100% sure", "a_b"]),
        ("parentaccountid/name eq null and name eq 'axb'", ["axb"]),
        ("children/any(c:c/name eq 'a[_]b')", ["O'Brien & Söhne"]),
        ("children/any() and children/all(c:c/name ne 'a[_]b')", []),
        ("children/any(c:c/parentaccountid/name eq 'O''Brien & Söhne')", ["O'Brien & Söhne"]),
        ("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['axb','日本'])", ["axb", "日本"]),
        ("Microsoft.Dynamics.CRM.EndsWith(PropertyName='name',PropertyValue='sure')", ["100% sure"]),
    ],
)
def test_text_and_paths(store: Store, text: str, found: list[str | None]) -> None:
    assert names(store, text, x="'axb'") == found


def test_a_null_is_in_no_comparison_nor_its_opposite(store: Store) -> None:
    """[D]: rows where the expression is null are not returned."""
    assert None not in names(store, "name ne 'axb'")
    assert None not in names(store, "not (name eq 'axb')")
    assert None not in names(store, "not contains(name,'axb')")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("customertypecode eq 3", 2),
        ("customertypecode gt 2.5", 4),
        ("customertypecode le 2.5", 4),
        ("customertypecode eq 2.5", 0),
        ("customertypecode ne 2.5", 8),
        ("customertypecode lt 99999999999999999999", 8),
        ("creditlimit eq 922337203685476.9999", 2),
        ("creditlimit gt 9.5", 4),
        ("creditlimit lt -1", 2),
        ("creditlimit gt customertypecode", 6),
        ('Microsoft.Dynamics.CRM.Between(PropertyName=\'customertypecode\',PropertyValues=["2","3"])', 4),
        ("Microsoft.Dynamics.CRM.NotIn(PropertyName='customertypecode',PropertyValues=[\"2\"])", 6),
        ("createdon gt 2020-01-01 and createdon gt 2020-01-01T00:00:00+02:00", 10),
    ],
)
def test_numbers_and_instants(store: Store, text: str, count: int) -> None:
    assert len(names(store, text)) == count


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nope eq 1", UnknownPropertyError),
        ("parentaccountid eq 1", UnknownPropertyError),
        ("nope/name eq 'x'", UnknownPropertyError),
        ("name eq 1", TypeMismatchError),
        ("name eq customertypecode", TypeMismatchError),
        ("customertypecode eq '3'", TypeMismatchError),
        ("accountid eq 'x'", TypeMismatchError),
        ("createdon gt 2026-02-30", TypeMismatchError),
        ("createdon gt 0001-01-01T00:00:00+14:00", ODataError),
        ("creditlimit eq 1e999999", TypeMismatchError),
        ("name", TypeMismatchError),
        ("1 eq 1", UnsupportedError),
        ("customertypecode add 1 eq 2", UnsupportedError),
        ("name has 1", UnsupportedError),
        ("children/name eq 'x'", ODataError),
        ("parentaccountid/any()", ODataError),
        ("Microsoft.Dynamics.CRM.Nope(PropertyName='name')", UnsupportedError),
        ("Microsoft.Dynamics.CRM.Between(PropertyName='name',PropertyValues=['a'])", ODataError),
        ("Microsoft.Dynamics.CRM.In(PropertyValues=['a'])", ODataError),
        (" or ".join(["name eq 'x'"] * 501), ODataError),
        ("not " * 150 + "(name eq 'x')", ODataError),
        ("name eq 'a\x00'", TypeMismatchError),
        ("contains(name,5)", TypeMismatchError),
    ],
)
def test_refusals_are_typed(store: Store, text: str, error: type[ODataError]) -> None:
    with pytest.raises(error):
        names(store, text)


def test_five_hundred_conditions_are_fine(store: Store) -> None:
    assert names(store, " or ".join(["name eq 'axb'"] * 500)) == ["axb"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("creditlimit add 0.5 eq -1", 2),
        ("creditlimit mul 2 eq 18.0", 2),
        ("creditlimit divby 4 eq 2.5", 2),
        ("creditlimit mod 4 eq 1", 2),
        ("creditlimit div 0 eq 1", 0),
        ("-creditlimit eq 1.5", 2),
    ],
)
def test_arithmetic_is_exact(store: Store, text: str, count: int) -> None:
    assert len(names(store, text, FINANCE)) == count


def test_stars_are_wildcards_in_finance_only(store: Store) -> None:
    assert names(store, "name eq 'a*b'", FINANCE) == ["a_b", "axb", "a*b"]
    assert names(store, "name eq 'a*b'") == ["a*b"]
    assert names(store, "name eq 'a_b'", FINANCE) == ["a_b"]


def test_nulls_sort_first_and_text_without_case(store: Store) -> None:
    scope = accounts(store)
    with store.read() as connection:
        query = sa.select(scope.sql.c.name).order_by(*compile_orderby("name", scope, DATAVERSE))
        rising = list(connection.execute(query).scalars())
        query = sa.select(scope.sql.c.name).order_by(*compile_orderby("name desc", scope, DATAVERSE))
        falling = list(connection.execute(query).scalars())
    assert rising[:2] == [None, ""]
    assert rising == falling[::-1]


_TEXT = st.text(alphabet="aAbB_%[]^-*\\.'öÖ1", max_size=5)


@settings(max_examples=300)
@given(pattern=_TEXT)
def test_wildcards_mean_what_they_mean_in_plain_python(store: Store, pattern: str) -> None:
    parts = pieces(pattern.lower(), star=False)
    expected = [name for name in NAMES if name is not None and fits(name.lower(), parts)]
    assert names(store, f"name eq {quoted(pattern)}") == expected


@settings(max_examples=300)
@given(text=st.text(alphabet="name eq'()or 1,/:@[]\"-.%", max_size=30))
def test_any_text_gives_rows_or_a_typed_error(store: Store, text: str) -> None:
    try:
        found = names(store, text)
    except ODataError:
        return
    assert set(found) <= set(NAMES)
