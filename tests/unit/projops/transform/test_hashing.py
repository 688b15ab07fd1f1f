from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.transform.hashing import row_hash, value_digests

TEXTS = st.text(st.characters(codec="utf-8")) | st.none()


PINNED = ["9b571c1097a817a2656574486a1a0c25", "75c4af18191789aa7a48d31b89fd4689"]


def test_the_hash_of_a_row_is_the_same_for_ever() -> None:
    columns = [
        pa.array(["Åsa", None]),
        pa.array([Decimal("1.50"), None], pa.decimal128(38, 16)),
        pa.array([1, None], pa.int64()),
        pa.array([True, None]),
        pa.array([date(2028, 2, 29), None]),
        pa.array([datetime(2026, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
        pa.array([0.1, None]),
    ]
    assert row_hash(columns).to_pylist() == PINNED


def test_decimals_compare_by_value() -> None:
    first = row_hash([pa.array([Decimal("1.5")], pa.decimal128(38, 16))])
    assert first == row_hash([pa.array([Decimal("1.50")], pa.decimal128(10, 2))])
    assert row_hash([pa.array([3], pa.int64())]) == row_hash([pa.array([Decimal(3)], pa.decimal128(5, 1))])


def test_null_differs_from_an_empty_text() -> None:
    empty, null = row_hash([pa.array(["", None])]).to_pylist()
    assert empty != null


def test_a_slice_hashes_as_its_rows() -> None:
    column = pa.array([Decimal(place) for place in range(5)], pa.decimal128(20, 4))
    assert row_hash([column.slice(3)]).to_pylist() == row_hash([column]).to_pylist()[3:]


def test_a_type_that_no_frame_has_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be hashed"):
        row_hash([pa.array([b"x"])])


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=2, max_size=20))
def test_different_rows_have_different_hashes(rows: list[tuple[str | None, str | None]]) -> None:
    columns = [pa.array([row[side] for row in rows], pa.string()) for side in (0, 1)]
    hashes = row_hash(columns).to_pylist()
    assert len(set(hashes)) == len(set(rows))


def test_values_have_the_digest_of_their_value_whatever_stands_around_them() -> None:
    first = value_digests(pa.array([Decimal("1.5"), None, Decimal("1.5")], pa.decimal128(38, 16)))
    second = value_digests(pa.chunked_array([pa.array([None, Decimal("1.50")], pa.decimal128(10, 2))]))
    assert first.to_pylist() == [second[1].as_py(), second[0].as_py(), second[1].as_py()]
    assert {len(digest) for digest in first.to_pylist()} == {16}
    assert len(set(value_digests(pa.array(["", None, "-", "a"])).to_pylist())) == 4
