from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.mapping.conditions import matches
from projops.mapping.expressions import ExpressionError, columns_of, parse

ROWS = pa.table(
    {
        "name": pa.array(["Åsa", "O'Brien", None, ""]),
        "state": pa.array([0, 1, None, 2], pa.int64()),
        "skip": pa.array([False, True, None, False]),
        "amount": pa.array([Decimal("1.50"), Decimal(2), None, Decimal(-1)], pa.decimal128(38, 16)),
        "day": pa.array([date(2026, 1, 1), date(2028, 2, 29), None, date(1999, 1, 1)]),
        "at": pa.array([datetime(2026, 1, 1, 12, tzinfo=UTC)] * 3 + [None], pa.timestamp("us", "UTC")),
        "project.company.code": pa.array(["USPM", "uspm", "DEMF", None]),
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name eq 'åSA'", [0]),
        ("name eq 'O''Brien'", [1]),
        ("name eq ''", [2, 3]),
        ("name eq null", [2, 3]),
        ("name ne ''", [0, 1]),
        ("name ne 'Åsa'", [1, 2, 3]),
        ("state ne 1", [0, 2, 3]),
        ("state gt 0", [1, 3]),
        ("not (state gt 0)", [0, 2]),
        ("state in (0, 2)", [0, 3]),
        ("skip", [1]),
        ("skip eq false", [0, 3]),
        ("amount ge 1.5", [0, 1]),
        ("amount lt 0", [3]),
        ("-1 eq amount", [3]),
        ("0 lt state", [1, 3]),
        ("day lt 2026-01-01", [3]),
        ("day eq 2028-02-29", [1]),
        ("at ge 2026-01-01", [0, 1, 2]),
        ("at gt 2026-01-01T12:00:00Z", []),
        ("project.company.code eq 'uspm'", [0, 1]),
        ("project/company/code eq 'uspm'", [0, 1]),
        ("contains(name, 'BRI')", [1]),
        ("startswith(name, 'å') or endswith(name, 'EN')", [0, 1]),
        ("not startswith(name, 'å') and state ge 1", [1, 3]),
        ("state eq 1.0", [1]),
    ],
)
def test_rows_that_match(text: str, expected: list[int]) -> None:
    mask = matches(parse(text), ROWS)
    assert mask.null_count == 0
    assert [place for place, match in enumerate(mask.to_pylist()) if match] == expected


@pytest.mark.parametrize(
    "text", ["a eq", "a ~ b", "", "1 eq 1", "length(a) eq 1", "cast(a,'b')", "a eq b", "a add 1 eq 2", "'x'"]
)
def test_what_is_no_condition_is_said_in_a_sentence(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"^(The expression|')"):
        parse(text)


def test_columns_are_named_once_in_order() -> None:
    assert columns_of(parse("b eq 1 and (a/c eq 2 or not (b in (3, 4)))")) == ("b", "a.c")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1))
def test_any_text_is_found_again_by_a_literal(text: str) -> None:
    quoted = text.replace("'", "''")
    rows = pa.table({"name": pa.array([text, None])})
    assert matches(parse(f"name eq '{quoted}'"), rows).to_pylist() == [True, False]


@given(st.lists(st.none() | st.integers(-5, 5), min_size=1), st.integers(-5, 5))
def test_a_row_matches_a_condition_or_its_negation(values: list[int | None], bound: int) -> None:
    rows = pa.table({"a": pa.array(values, pa.int64())})
    for operator in ("eq", "ne", "gt", "ge", "lt", "le"):
        straight = matches(parse(f"a {operator} {bound}"), rows).to_pylist()
        negated = matches(parse(f"not (a {operator} {bound})"), rows).to_pylist()
        assert [not match for match in straight] == negated
