"""Several rows with one key: none is lost, and what is equal is paired."""

from pathlib import Path

import pytest

from projops.mapping.model import WriteMode
from projops.reconcile.compare.pairing import DUPLICATE_KEY
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.model import Kind
from tests.unit.projops.reconcile.compare.pairs import Row, compared, pair_of, terms_of

KEY = '["1","uspm"]'
A, B = {"msdyn_name": "a"}, {"msdyn_name": "b"}
Told = list[tuple[Kind, str | None, str | None, str]]


def told(tmp_path: Path, expected: list[Row], found: list[Row], write: WriteMode = WriteMode.UPSERT) -> Told:
    terms = terms_of(write)
    comparison, differences = compared(pair_of(tmp_path, terms, expected, found), terms)
    unequal = sum(each.kind in (Kind.CHANGED, Kind.MISSING) for each in differences)
    assert comparison.matched == comparison.expected_rows - unequal
    return sorted((each.kind, each.source_id, each.target_id, each.reason[:23]) for each in differences)


TWIN = "Another row of the sour"


@pytest.mark.parametrize(
    ("expected", "found", "differences"),
    [
        pytest.param(
            [Row("e1", KEY, A), Row("e2", KEY, B)],
            [Row("f1", KEY, B)],
            [(Kind.REJECTED, "e1", None, TWIN)],
            id="the equal one of two source rows is paired",
        ),
        pytest.param(
            [Row("e1", KEY, A), Row("e2", KEY, A)],
            [Row("f1", KEY, A)],
            [(Kind.REJECTED, "e2", None, TWIN)],
            id="of two alike one is",
        ),
        pytest.param(
            [Row("e1", KEY, A), Row("e2", KEY, A)],
            [Row("f1", KEY, B)],
            [(Kind.CHANGED, "e1", "f1", ""), (Kind.REJECTED, "e2", None, TWIN)],
            id="where none is equal the first is",
        ),
        pytest.param(
            [Row("e1", KEY, A)],
            [Row("f1", KEY, B), Row("f2", KEY, A)],
            [(Kind.EXTRA, None, "f1", DUPLICATE_KEY)],
            id="the other one of two target rows is too many",
        ),
        pytest.param(
            [Row("e1", KEY, reason=LEFT_FILTER), Row("e2", KEY, A)],
            [Row("f1", KEY, A)],
            [],
            id="a row outside the filter does not matter to one inside",
        ),
        pytest.param(
            [Row("e1", KEY, A), Row("e1", KEY, B)],
            [Row("f1", KEY, B)],
            [],
            id="a row that came twice, while pages moved, counts once",
        ),
        pytest.param(
            [Row("e1", None, reason="has no key"), Row("e2", None, reason="has no key")],
            [],
            [(Kind.REJECTED, "e1", None, "has no key"), (Kind.REJECTED, "e2", None, "has no key")],
            id="rows without a key are no twins",
        ),
    ],
)
def test_rows_with_one_key(tmp_path: Path, expected: list[Row], found: list[Row], differences: Told) -> None:
    assert told(tmp_path, expected, found) == differences


def test_what_another_leg_makes_is_never_too_many(tmp_path: Path) -> None:
    found = [Row("f1", KEY, A), Row("f2", KEY, B), Row("f3", '["3","uspm"]', B)]
    assert told(tmp_path, [Row("e1", KEY, A)], found, WriteMode.UPDATE_ONLY) == []
