"""FetchXML as a frozen query, its operators, parts of dates, cookies: without a server."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.fetchxml import groups, operators
from sandbox.dataverse.fetchxml.cookie import Cookie, Mark, read_cookie, render_cookie
from sandbox.dataverse.fetchxml.document import Attribute, Condition, Order, read_fetch
from sandbox.dataverse.queryfunctions import FUNCTIONS
from sandbox.odata.literals import Kind
from sandbox.odata.scope import Term

GUID = "0d3a1a5e-0000-4000-8000-0000000000f1"
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
)


def test_a_document_becomes_a_query() -> None:
    fetch = read_fetch(
        "<fetch mapping='logical' count='9000' page='3' distinct='true' returntotalrecordcount='1'>"
        "<entity name='account'><attribute name='name' alias='n'/><order attribute='name' descending='true'/>"
        "<filter type='or'><condition attribute='x' operator='in'><value>1</value>"
        "<value> 2 </value></condition>"
        "<filter><condition attribute='y' operator='eq' valueof='a.z' entityname='b'/></filter></filter>"
        "<link-entity name='contact' from='contactid' to='primarycontactid' alias='c' visible='false'/>"
        "</entity></fetch>"
    )
    assert (fetch.count, fetch.page, fetch.top, fetch.distinct, fetch.counted) == (5000, 3, None, True, True)
    assert fetch.entity.attributes == (Attribute("name", "n"),)
    assert fetch.entity.orders == (Order("name", "", "", True),)
    (outer,) = fetch.entity.filters
    assert outer.any_of and not outer.filters[0].any_of
    assert outer.conditions == (Condition("x", "in", ("1", "2")),)
    assert outer.filters[0].conditions == (Condition("y", "eq", (), "a.z", "b"),)
    (link,) = fetch.entity.links
    assert (link.node.name, link.column, link.to, link.alias, link.kind) == (
        "contact",
        "contactid",
        "primarycontactid",
        "c",
        "inner",
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<fetch>" * 41,
        "<fetch><entity name='a'/></fetch>" + " " * 65536,
        "<!DOCTYPE a [<!ENTITY b 'c'>]><fetch><entity name='&b;'/></fetch>",
        "<fetch top='x'><entity name='a'/></fetch>",
        "<fetch distinct='maybe'><entity name='a'/></fetch>",
        "<fetch><entity/></fetch>",
        "<fetch><entity name='a'/><entity name='b'/></fetch>",
        "<fetch><entity name='a'><order descending='true'/></entity></fetch>",
        "<fetch><entity name='a'><filter><attribute name='x'/></filter></entity></fetch>",
        "<fetch><entity name='a'><filter><condition attribute='x'/></filter></entity></fetch>",
        "<fetch><entity name='a'>\ud800</entity></fetch>",
    ],
)
def test_what_is_no_fetchxml_is_refused(text: str) -> None:
    with pytest.raises(ApiError):
        read_fetch(text)


def test_each_operator_is_a_query_function_that_there_is() -> None:
    tables = (operators._WITHOUT_VALUE, operators._WITH_VALUE, operators._WITH_LIST, operators._WITH_TWO)
    named = {function for table in tables for function in table.values()}
    assert named <= FUNCTIONS.keys()
    # the others are eq, ne, like, in and null under other names, or full-text search
    assert FUNCTIONS.keys() - named == {"In", "NotIn", "Contains"}


@pytest.mark.parametrize(
    ("part", "march", "august"),
    [
        ("day", 25, 27),
        ("week", 12, 35),
        ("month", 3, 8),
        ("quarter", 1, 3),
        ("year", 2023, 2023),
        ("fiscal-period", "Quarter 1 FY2023", "Quarter 3 FY2023"),
        ("fiscal-year", "FY2023", "FY2023"),
    ],
)
def test_parts_of_dates_are_those_of_the_documentation(part: str, march: Any, august: Any) -> None:
    assert groups._part(part, "2023-03-25T17:42:00Z") == march
    assert groups._part(part, "2023-08-27") == august
    assert groups._part(part, None) is None


def test_weeks_begin_on_sunday() -> None:
    day = datetime(2024, 1, 1, tzinfo=UTC)
    while day.year == 2024:
        before = groups._part("week", day.date().isoformat())
        day += timedelta(days=1)
        if day.year == 2024:
            expected = before + (day.isoweekday() == 7)
            assert groups._part("week", day.date().isoformat()) == expected


def marks(*names: str) -> list[Mark]:
    return [Mark(name, Term(sa.column(name), Kind.TEXT), False) for name in names]


@given(first=TEXTS, last=TEXTS)
def test_a_cookie_comes_back_as_it_went(first: str, last: str) -> None:
    annotation = render_cookie(4, marks("name", "none", "accountid"), (first, None, GUID), (last, None, GUID))
    outer = ElementTree.fromstring(annotation)
    assert (outer.tag, outer.get("pagenumber"), outer.get("istracking")) == ("cookie", "5", "False")
    cookie = read_cookie(unquote(unquote(outer.attrib["pagingcookie"])))
    assert cookie == Cookie(4, {"name": last, "none": None, "accountid": f"{{{GUID.upper()}}}"})
    assert read_cookie(outer.attrib["pagingcookie"]).page == 4


def test_ampersands_that_a_client_lost_are_read() -> None:
    assert read_cookie('<cookie page="1"><name last="Tom & Co &lt;" /></cookie>').last == {
        "name": "Tom & Co <"
    }
    for text in ("<cookie", "<cookie/>", "<other page='1'/>", '<cookie page="1"><a><b/></a></cookie>'):
        with pytest.raises(ApiError):
            read_cookie(text)
