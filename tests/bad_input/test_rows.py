"""A bad row is set aside with key and rule, or stops its page with one sentence; others go on."""

import re

import pytest

from projops.errors import StopError
from tests.bad_input.journey import travel
from tests.bad_input.kinds import Case, Ending, ids
from tests.bad_input.rows import SHAPES, Shape, good_row, page_of, row_cases, shape_of

CASES = list(row_cases())


def of(ending: Ending) -> list[Case]:
    return [case for case in CASES if case.ending is ending]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.map_id)
def test_the_good_rows_are_good(shape: Shape) -> None:
    arrived = travel(shape, page_of(shape.row, good_row(shape, 2)))
    assert (len(arrived.good), arrived.rejects) == (2, [])


@pytest.mark.parametrize("case", ids(of(Ending.DEAD_LETTER)))
def test_a_bad_row_is_set_aside_by_rule_and_the_other_goes_on(case: Case) -> None:
    arrived = travel(shape_of(case.shape), case.content)
    assert len(arrived.good) == 1
    [reject] = arrived.rejects
    assert re.fullmatch(case.named, reject["rule"])
    assert reject["field"] in reject["message"]
    assert reject["_key"] is not None or case.named == "key"


@pytest.mark.parametrize("case", ids(of(Ending.STOP)))
def test_what_cannot_be_in_its_column_is_named(case: Case) -> None:
    with pytest.raises(StopError, match=case.named) as caught:
        travel(shape_of(case.shape), case.content)
    assert caught.value.remedy
    assert len(str(caught.value)) < 500
    shape = shape_of(case.shape)
    primary_id = shape.roles.get("id")
    if case.named not in ("no JSON", primary_id):  # the row is known: by its GUID, or by its place
        assert f" of row {shape.row[primary_id] if primary_id else 1} " in str(caught.value)


@pytest.mark.parametrize("case", ids(of(Ending.AS_IT_IS)))
def test_what_only_looks_odd_arrives_as_it_is(case: Case) -> None:
    arrived = travel(shape_of(case.shape), case.content)
    assert (len(arrived.good), arrived.rejects) == (2, [])
    if case.named:
        assert case.named in arrived.good[0].values()


@pytest.mark.parametrize("other", ["RCN-1", "rcn-1", "RCN-1  ", "rCn-1 "])
def test_two_rows_of_one_key_by_case_or_blanks_do_not_overwrite_each_other(other: str) -> None:
    shape = shape_of("resource_roles")
    arrived = travel(shape, page_of(shape.row, good_row(shape, 2) | {shape.roles["key"]: other}))
    assert [row["_id"] for row in arrived.good] == [shape.row[shape.roles["id"]]]
    [reject] = arrived.rejects
    assert (reject["rule"], reject["_key"]) == ("unique_key", '["rcn-1"]')
