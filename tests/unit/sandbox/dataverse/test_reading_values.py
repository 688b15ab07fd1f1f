"""What reads compute beside the database: aggregates, annotations, names in contexts, query functions."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.dataverse.aggregates import aggregated, grouped
from sandbox.dataverse.annotating import formatted_value, money, wants
from sandbox.dataverse.expanding import context_names, count_items
from sandbox.dataverse.queryfunctions import FUNCTIONS
from sandbox.odata.apply import Aggregate, Apply, parse_apply
from sandbox.schema.model import Column, ColumnType, Option

# Every function of the documentation's table "Dataverse query functions" [D filter-rows].
DOCUMENTED = """InFiscalPeriod InFiscalPeriodAndYear InFiscalYear InOrAfterFiscalPeriodAndYear
InOrBeforeFiscalPeriodAndYear Last7Days LastFiscalPeriod LastFiscalYear LastMonth LastWeek LastXDays
LastXFiscalPeriods LastXFiscalYears LastXHours LastXMonths LastXWeeks LastXYears LastYear Next7Days
NextFiscalPeriod NextFiscalYear NextMonth NextWeek NextXDays NextXFiscalPeriods NextXFiscalYears NextXHours
NextXMonths NextXWeeks NextXYears NextYear OlderThanXDays OlderThanXHours OlderThanXMinutes OlderThanXMonths
OlderThanXWeeks OlderThanXYears On OnOrAfter OnOrBefore ThisFiscalPeriod ThisFiscalYear ThisMonth ThisWeek
ThisYear Today Tomorrow Yesterday EqualBusinessId EqualUserId NotEqualBusinessId NotEqualUserId Above
AboveOrEqual EqualUserOrUserHierarchy EqualUserOrUserHierarchyAndTeams EqualUserOrUserTeams EqualUserTeams
NotUnder Under UnderOrEqual ContainValues DoesNotContainValues Between NotBetween In NotIn EqualUserLanguage
Contains"""


def test_every_documented_function_is_there() -> None:
    assert set(DOCUMENTED.split()) <= set(FUNCTIONS)


@given(st.lists(st.none() | st.decimals(-(10**15), 10**15, places=4)))
def test_aggregates_are_exact(values: list[Decimal | None]) -> None:
    present = [value for value in values if value is not None]
    scaled = [int(value.scaleb(4)) for value in present]
    assert aggregated("count", values) == len(present)
    if present:
        assert int(aggregated("sum", values).scaleb(4)) == sum(scaled)
        assert (aggregated("min", values), aggregated("max", values)) == (min(present), max(present))
        assert abs(aggregated("average", values) * len(present) * 10**4 - sum(scaled)) <= len(present)
    else:
        assert all(aggregated(method, values) is None for method in ("sum", "average", "min", "max"))


def test_groups_are_ordered_and_without_case() -> None:
    rows: list[tuple[Any, ...]] = [("b", 1), (None, 2), ("A", 3), ("a", 4)]
    assert grouped(rows, 1) == [((None,), [(2,)]), (("A",), [(3,), (4,)]), (("b",), [(1,)])]
    assert grouped([], 0) == [((), [])]
    assert grouped([], 1) == []


@pytest.mark.parametrize(
    ("pattern", "annotation", "wanted"),
    [
        ("*", "a.b", True),
        ("a.*", "a.b", True),
        ("a.*", "ab.c", False),
        ("*,-a.*", "a.b", False),
        ("-*,a.b", "a.b", True),
        ("a.b,-a.b", "a.b", False),
        ("-a.*, a.b", "a.b", True),
        ("", "a.b", False),
    ],
)
def test_annotations_that_are_wanted(pattern: str, annotation: str, wanted: bool) -> None:
    assert wants(pattern, annotation) is wanted


def test_formatted_values() -> None:
    choices = Column("c", ColumnType.MULTI_OPTION, options=(Option(1, "One"), Option(2, "Two")))
    assert formatted_value(choices, "1,2", {}) == "One; Two"
    assert formatted_value(Column("d", ColumnType.DECIMAL, scale=3), Decimal("-1234.5"), {}) == "-1,234.500"
    assert money(Decimal("-0.005"), "€") == "(€0.01)"
    assert formatted_value(Column("s", ColumnType.STRING), "x", {}) is None


def test_contexts_name_columns_and_what_is_expanded() -> None:
    assert (
        context_names("a,b", "c($select=d;$expand=e($select=f)),g,h/$ref") == "a,b,c(d,e(f)),g(),h,h/$ref()"
    )
    assert count_items("a($expand=b,c($expand=d)),e") == 5


def test_apply_is_parsed() -> None:
    text = "filter(name eq 'a)/(b' and x/y eq 1)/groupby((a,b/c),aggregate($count as n,d with sum as s))"
    assert parse_apply(text) == Apply(
        ("name eq 'a)/(b' and x/y eq 1",),
        (("a",), ("b", "c")),
        (Aggregate("count", "n"), Aggregate("sum", "s", ("d",))),
    )
