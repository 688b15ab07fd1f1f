"""Two minutes of chaos, and a judge who is able to condemn."""

import uuid
from collections.abc import Iterator

import pytest

from tests.chaos.__main__ import until_enough
from tests.chaos.changes import KINDS, Books
from tests.chaos.chaos import Chaos, begun
from tests.chaos.checker import judge, twice
from tests.chaos.plan import MAPS, Way, round_of
from tests.e2e.engine.world import Databases

SEED, KILLS, SECONDS = 20260, 45, 75.0


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    folder = tmp_path_factory.mktemp("chaos")
    databases = Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")
    with begun(databases, folder, SEED) as chaos:
        yield chaos


@pytest.fixture(scope="module")
def books(chaos: Chaos) -> Books:
    """Books of a world that is known to be in step."""
    assert chaos.judged().clean
    return chaos.books


def test_a_round_follows_from_its_seed_and_number() -> None:
    assert round_of(7, 3) == round_of(7, 3)
    assert round_of(7, 3) != round_of(8, 3)
    rounds = [step for number in range(50) for step in round_of(7, number)]
    assert {run.death.way for step in rounds for run in step.runs} == set(Way)
    assert {name for step in rounds for run in step.runs for name in run.maps} == set(MAPS)


def test_nothing_is_lost_and_nothing_doubled_whoever_dies(chaos: Chaos) -> None:
    verdict = until_enough(chaos, KILLS, SECONDS)
    assert (verdict.lost, verdict.doubled, verdict.unexplained) == ([], [], [])
    assert chaos.tally.bare == {}
    assert chaos.tally.kills > 0
    assert len(chaos.tally.faults) > 3


def test_a_row_that_was_lost_is_found(books: Books) -> None:
    [number, *_] = books.live["source"].keys() - books.bad
    source = KINDS["source"]
    contract = books.world.finance_row("ProjectFundingSources", f"FundingSourceId eq '{number}'")
    key = {name: contract[name] for name in ("dataAreaId", "ProjectContractID", "FundingSourceId")}
    books.world.remove("ProjectFundingSources", key)
    found = judge(books, [source.map])
    assert [number.lower() in text.lower() for text in found.lost] == [True]


def test_a_value_that_was_overwritten_is_found_on_either_side(books: Books) -> None:
    number, made = next(iter(books.live["role"].items()))
    books.world.change(KINDS["role"].entity_set, made.id, name="Not what anybody wrote")
    found = judge(books, [KINDS["role"].map])
    assert len([text for text in found.lost if number.lower() in text.lower()]) == 2
    books.rename("role", made, "Known again")


def test_a_row_that_nobody_made_is_found(books: Books) -> None:
    number = f"GHOST-{uuid.uuid4().hex[:8]}"
    books.world.create("cdm_workers", cdm_workernumber=number, cdm_lastname="Ghost")
    found = judge(books, [KINDS["worker"].map])
    assert [number.lower() in text.lower() for text in found.doubled] == [True]


def test_a_key_that_stands_twice_is_found() -> None:
    """Dataverse itself refuses a second row with the same alternate key, so that none can be planted."""
    keys = [("c-1", "uspm"), ("c-2", "uspm"), ("c-1", "uspm"), ("c-1", "gbpm")]
    assert twice("customers", keys) == ["customers: ('c-1', 'uspm') stands 2 times"]


def test_a_row_set_aside_without_need_and_a_conflict_unsaid_are_found(books: Books) -> None:
    books.world.sql(
        "insert into dead_letter (map, leg, source_id, key, status, stage, rule, message, retriable,"
        " attempts, first_seen, last_seen, batch, mapping_version) values ('units', 'finance_to_dataverse',"
        " 'x', 'x', 'open', 'load', 'refused', 'No.', false, 1, current_timestamp, current_timestamp, 1, '1')"
    )
    books.conflicts["nobody"] = ("here", "there")
    found = [text.partition(":")[0] for text in judge(books, ["units"]).unexplained]
    assert found == ["units finance_to_dataverse", "customers"]
