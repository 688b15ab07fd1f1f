"""What a comparison finds is what looking at each row finds, whatever differs and however it is stored."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projops.mapping.model import WriteMode
from projops.reconcile.compare import buckets, comparing
from projops.reconcile.compare.buckets import BUCKETS, hashes, query_engine
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.model import Kind, Scope
from tests.unit.projops.reconcile.compare.pairs import (
    COLUMNS,
    PROJECT,
    Row,
    compared,
    frame_of,
    pair_of,
    plainly,
    terms_of,
    told,
)

_AT = datetime(2026, 10, 31, 23, tzinfo=UTC)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "msdyn_name": st.sampled_from([None, "a", "a ", "A", "e\u0301", "\u00e9", "b"]),
    PROJECT: st.sampled_from([None, "P-1", "p-1", "P-1 ", "P-2", "\u0130", "i\u0307"]),
    "msdyn_transactiondate": st.sampled_from([None, _AT, _AT + timedelta(microseconds=1)]),
    "msdyn_totalamount": st.sampled_from([None, Decimal(0), Decimal("9.99"), Decimal("10"), Decimal("-10")]),
    "msdyn_billingtype": st.sampled_from([None, 192350000, 192350001]),
}
_KEYS = [f'["{number}","uspm"]' for number in range(12)]


@st.composite
def _side(draw: st.DrawFn, expected: bool) -> list[Row]:
    rows = []
    for key in draw(st.lists(st.sampled_from(_KEYS), unique=True)):
        values = draw(st.fixed_dictionaries(_VALUES))
        reason = draw(st.sampled_from([None, None, None, LEFT_FILTER, "breaks a rule"])) if expected else None
        counts = expected or draw(st.sampled_from([True, True, False]))
        name = f"{'e' if expected else 'f'}{key}"
        rows.append(Row(name, key, {} if reason else values, reason, counts))
    return rows


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many runs, many groups, many chunks, of few rows each."""
    monkeypatch.setattr(buckets, "_BYTES_A_RUN", 500)
    monkeypatch.setattr(comparing, "_ROWS_AT_ONCE", 5)
    monkeypatch.setattr(comparing, "_PAIRS_AT_ONCE", 2)


@pytest.mark.parametrize("write", [WriteMode.UPSERT, WriteMode.UPDATE_ONLY])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(expected=_side(expected=True), found=_side(expected=False))
def test_what_differs_is_what_looking_at_each_row_finds(
    write: WriteMode, expected: list[Row], found: list[Row]
) -> None:
    terms = terms_of(write)
    with tempfile.TemporaryDirectory() as folder:
        comparison, differences = compared(pair_of(Path(folder), terms, expected, found), terms)
    assert told(differences) == plainly(terms, expected, found)
    assert len(differences) == len(told(differences))
    kinds = [each.kind for each in differences]
    wanted = {row.key for row in expected if row.reason is None}
    assert comparison.expected_rows == len(wanted)
    assert comparison.matched == len(wanted) - kinds.count(Kind.MISSING) - kinds.count(Kind.CHANGED)
    ours = [row for row in found if row.key in wanted or (row.counts and terms.claims_all)]
    assert comparison.found_rows == len(ours)
    sums = sum((row.values["msdyn_totalamount"] or Decimal(0) for row in ours), Decimal(0))
    assert sum((each.found_sums["msdyn_totalamount"] for each in comparison.totals), Decimal(0)) == sums


def _rows(count: int, side: str, **changed: Any) -> list[Row]:
    values = dict.fromkeys(COLUMNS[:2], "x") | {"msdyn_totalamount": Decimal("1.25")}
    return [
        Row(f"{side}{number}", f'["{number}","uspm"]', values | changed | {"msdyn_billingtype": number})
        for number in range(count)
    ]


@pytest.mark.parametrize(
    "swap",
    [
        pytest.param(("msdyn_billingtype",), id="between two rows"),
        pytest.param(("msdyn_name", "msdyn_billingtype"), id="several columns between two rows"),
    ],
)
def test_values_that_are_swapped_do_not_cancel_out(tmp_path: Path, swap: Sequence[str]) -> None:
    terms, rows = terms_of(), [*_rows(1, "e", msdyn_name="one"), *_rows(2, "e")[1:]]
    first, second = rows[0].values, rows[1].values
    found = [
        Row("f0", rows[0].key, {**first, **{name: second[name] for name in swap}}),
        Row("f1", rows[1].key, {**second, **{name: first[name] for name in swap}}),
    ]
    _, differences = compared(pair_of(tmp_path, terms, rows, found), terms)
    assert {tuple(column.column for column in each.columns) for each in differences} == {tuple(swap)}
    assert len(differences) == 2


def test_equal_sides_are_not_opened_nor_what_lies_outside_the_filter(tmp_path: Path) -> None:
    terms = terms_of()
    left = [Row(f"l{number}", f'["l{number}","uspm"]', reason=LEFT_FILTER) for number in range(9)]
    pair = pair_of(tmp_path, terms, [*_rows(60, "e"), *left], list(reversed(_rows(60, "f"))))
    assert pair.expected.digests == pair.found.digests
    assert not pair.expected.aside
    comparison, differences = compared(pair, terms)
    assert (differences, comparison.rows_read, comparison.matched) == ([], 0, 60)


def test_of_buckets_that_differ_only_the_rows_that_differ_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    terms, count = terms_of(), 8000
    ours, theirs = _rows(count, "e"), _rows(count, "f")
    with query_engine(tmp_path) as database:
        places = hashes(database, terms, frame_of(terms, ours))["_bucket"].to_pylist()
    few = {bucket for bucket in range(BUCKETS) if bucket % 100 == 0}  # one in a hundred
    changed = [
        Row(row.id, row.key, {**row.values, "msdyn_name": "y"}) if bucket in few else row
        for row, bucket in zip(theirs, places, strict=True)
    ]
    planted = sum(bucket in few for bucket in places)
    comparison, differences = compared(pair_of(tmp_path / "sides", terms, ours, changed, 2000), terms)
    assert len(differences) == planted > 50
    assert comparison.rows_read == 2 * planted <= 0.05 * 2 * count


def test_a_leg_that_only_creates_compares_nothing_but_that_rows_are_there(tmp_path: Path) -> None:
    terms = terms_of(WriteMode.CREATE_ONLY)
    found = _rows(3, "f", msdyn_name="another")[1:]
    _, differences = compared(pair_of(tmp_path, terms, _rows(3, "e"), found), terms)
    assert [(each.kind, each.source_id) for each in differences] == [(Kind.MISSING, "e0")]


def _with_day(row: Row, day: date | None) -> Row:
    return Row(row.id, row.key, row.values, day=day)


def test_a_pair_is_in_scope_where_either_side_is(tmp_path: Path) -> None:
    terms = terms_of()
    inside, outside = date(2026, 10, 31), date(2026, 11, 1)
    days = [(inside, inside), (inside, outside), (outside, inside), (outside, outside), (None, None)]
    ours = [_with_day(row, day) for row, (day, _) in zip(_rows(5, "e"), days, strict=True)]
    theirs = [_with_day(row, day) for row, (_, day) in zip(_rows(5, "f", msdyn_name="y"), days, strict=True)]
    scope = Scope(since=date(2026, 10, 1), until=inside)
    _, differences = compared(pair_of(tmp_path, terms, ours, theirs), terms, scope)
    assert sorted(each.source_id for each in differences) == ["e0", "e1", "e2"]
    assert {each.source_id: each.period for each in differences}["e2"] == "2026-11"
