"""How many kinds of bad input there are tests for, counted from the cases themselves."""

from collections import Counter

from tests.bad_input.answers import answer_cases
from tests.bad_input.batches import batch_cases
from tests.bad_input.files import file_cases
from tests.bad_input.kinds import Case, Ending
from tests.bad_input.mappings import mapping_cases
from tests.bad_input.rows import row_cases
from tests.bad_input.test_tokens import token_cases

SOURCES = {
    "rows": row_cases,
    "answers": answer_cases,
    "batches": batch_cases,
    "tokens": token_cases,
    "files": file_cases,
    "mappings": mapping_cases,
}
# What somebody might call bad and is not: it must arrive as it is, and does not count.
FINE = (Ending.AS_IT_IS,)


def bad(cases: list[Case]) -> set[str]:
    return {case.kind for case in cases if case.ending not in FINE}


def test_there_are_more_than_two_hundred_kinds_of_bad_input() -> None:
    kinds = {name: bad(list(source())) for name, source in SOURCES.items()}
    assert sum(map(len, kinds.values())) == len(set().union(*kinds.values())) > 200
    assert all(len(found) >= 10 for found in kinds.values())


def test_no_case_is_there_twice() -> None:
    cases = [(case.kind, case.shape) for source in SOURCES.values() for case in source()]
    assert [case for case, number in Counter(cases).items() if number > 1] == []


def test_every_way_to_end_is_shown() -> None:
    assert {case.ending for source in SOURCES.values() for case in source()} == set(Ending)
