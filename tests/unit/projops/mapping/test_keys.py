import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.mapping.keys import fold, fold_column, key_column, key_text, may_be, partial_key_column

TEXTS = st.text(st.characters(codec="utf-8"))


def test_a_key_is_json_folded_without_trailing_blanks() -> None:
    assert key_text(["PRJ-1001  ", "USPM"]) == '["prj-1001","uspm"]'


def test_values_of_all_kinds() -> None:
    guid = uuid.UUID("AAAAAAAA-0000-0000-0000-000000000001")
    values = [1, True, Decimal("1.50"), date(2028, 2, 29), datetime(2026, 1, 1, tzinfo=UTC), guid]
    assert key_text(values) == (
        '[1,true,"1.5","2028-02-29","2026-01-01T00:00:00Z","aaaaaaaa-0000-0000-0000-000000000001"]'
    )


def test_a_key_without_a_part_is_none() -> None:
    with pytest.raises(ValueError, match="no value"):
        key_text(["a", None])
    assert key_column([pa.array(["a"]), pa.array([None], pa.string())]).to_pylist() == [None]


@given(st.lists(st.tuples(TEXTS | st.none(), st.integers(-(2**63), 2**63 - 1), st.dates()), min_size=1))
def test_columns_and_rows_give_the_same_text(rows: list[tuple[str | None, int, date]]) -> None:
    parts = [pa.array(part) for part in zip(*rows, strict=True)]
    parts[0] = pa.array([row[0] for row in rows], pa.string())
    column = key_column([pa.chunked_array([parts[0]]), *parts[1:]]).to_pylist()
    assert column == [None if row[0] is None else key_text(row) for row in rows]


@given(TEXTS)
def test_folding_a_column_is_folding_each_text(text: str) -> None:
    assert fold_column(pa.array([text])).to_pylist() == [fold(text)]


@given(TEXTS, TEXTS)
def test_different_keys_have_different_texts(first: str, second: str) -> None:
    same = (fold(first), fold(second)) == (fold(second), fold(first))
    assert (key_text([first, second]) == key_text([second, first])) is same
    assert json.loads(key_text([first, second])) == [fold(first), fold(second)]


def test_a_key_of_which_a_part_is_unknown_may_be_any_that_agrees_with_the_rest() -> None:
    numbers = pa.array(["PRJ-1 ", None, 'a"b'])
    partial = partial_key_column([numbers, None, pa.array([1, 2, 3])]).to_pylist()
    assert partial == ['["prj-1",null,1]', "[null,null,2]", '["a\\"b",null,3]']
    assert may_be(partial[0], key_text(["prj-1", "uspm", 1]))
    assert not may_be(partial[0], key_text(["prj-2", "uspm", 1]))
    assert may_be(partial[1], key_text(["prj-2", "uspm", 2]))
    assert not may_be(partial[1], key_text(["prj-2", 2]))  # a key of a former mapping
    assert may_be(partial[2], key_text(['A"B', "gbpm", 3]))
