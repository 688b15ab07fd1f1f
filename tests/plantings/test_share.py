"""A share of the plantings and a short live sync, each judged by a judge who is able to condemn."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from projops.systems.session import ODataSession
from tests.chaos.worker import make_impatient
from tests.e2e.engine.world import Databases, World, opened
from tests.plantings.answers import Answer
from tests.plantings.filling import fill
from tests.plantings.live import MAPS as LIVE
from tests.plantings.live import Pace, watch
from tests.plantings.score import score
from tests.plantings.trial import Trial, begun

SEED, PLANTINGS, ROWS = 20261123, 240, 90
PLANTED = ("products", "transaction_categories", "units", "vendors")  # none that the live sync moves


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plantings")


@pytest.fixture(scope="module")
def databases(folder: Path) -> Databases:
    return Databases(f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")


@pytest.fixture(scope="module")
def world(folder: Path, databases: Databases) -> Iterator[World]:
    """Maps in step, with rows enough to plant into."""
    with pytest.MonkeyPatch.context() as patch, opened(databases, folder) as world:
        patch.setattr("projops.engine.ODataSession", ODataSession)  # what comes next is undone with it
        make_impatient()
        fill(world, databases.sandbox, (*PLANTED, *LIVE), ROWS)
        yield world


@pytest.fixture(scope="module")
def trial(world: World, databases: Databases) -> Iterator[Trial]:
    with begun(world, databases.sandbox, PLANTED) as trial:
        assert trial.entries() == {}
        trial.plant(PLANTINGS, SEED)
        assert trial.served() == []
        yield trial


def test_every_planting_is_found_and_nothing_else_and_a_repair_heals_them(trial: Trial) -> None:
    assert any(not each.cells for each in trial.plantings)
    at_once = trial.at_once()
    assert at_once.perfect, at_once
    later = trial.later()
    assert later.perfect, later
    assert later.due > PLANTINGS / 2
    repaired = trial.repaired()
    assert not repaired.wrong, repaired
    assert len(repaired.left) < repaired.drift / 4


def test_the_judge_condemns_what_was_missed_invented_and_said_wrongly(trial: Trial) -> None:
    entries = trial.entries()
    book = {cell: (entry, entry.at_once) for cell, entry in entries.items()}
    nothing = score(trial.grounds, book, Answer({}, ()))
    assert (nothing.recall, nothing.precision, nothing.perfect) == (0.0, 1.0, False)
    said = trial.answers[0] if trial.answers else trial.reconcile()
    cell, reported = next((cell, each) for cell, each in said.cells.items() if each[0].column is not None)
    invented = score(trial.grounds, {}, Answer({cell: reported}, ()))
    assert (invented.recall, invented.precision, invented.perfect) == (1.0, 0.0, False)
    right = {cell: (replace(entries[cell], values={reported[0].direction: (1, 2)}), reported[0].verdict)}
    assert len(score(trial.grounds, right, Answer({cell: reported}, ())).wrong) == 2
    twice = score(trial.grounds, right, Answer({cell: [*reported, *reported]}, ()))
    assert any("2 times" in sentence for sentence in twice.wrong)


def test_a_live_sync_is_no_drift(world: World, databases: Databases, folder: Path) -> None:
    found = watch(world, databases.sandbox, folder, Pace(seconds=0, a_minute=1000, looks=1), SEED)
    assert found.right, str(found)
