"""A bad package is refused whole with one sentence, before it costs memory; an odd one is read."""

import io
import tracemalloc

import pytest

from projops.errors import ProtocolError
from projops.systems.package_files import read_package
from tests.bad_input.files import COLUMNS, ENTITY, file_cases
from tests.bad_input.kinds import Case, Ending, ids

CASES = list(file_cases())


def read(content: bytes) -> list[dict[str, object]]:
    return [row for batch in read_package(io.BytesIO(content), ENTITY, COLUMNS) for row in batch.to_pylist()]


@pytest.mark.parametrize("case", ids([case for case in CASES if case.ending is Ending.STOP]))
def test_a_bad_package_is_refused(case: Case) -> None:
    content = case.content()
    with pytest.raises(ProtocolError, match=case.named) as caught:
        read(content)
    assert "Nothing of it was taken" in caught.value.remedy
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("case", ids([case for case in CASES if case.ending is Ending.AS_IT_IS]))
def test_an_odd_package_is_read(case: Case) -> None:
    [row] = read(case.content())
    assert (row["CustomerAccount"], row["dataAreaId"]) == (case.named, "uspm")


@pytest.mark.parametrize("kind", ["zip bomb by ratio", "manifest with an entity bomb"])
def test_a_bomb_is_not_unpacked(kind: str) -> None:
    [content] = [case.content() for case in CASES if case.kind == kind]
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            read(content)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
