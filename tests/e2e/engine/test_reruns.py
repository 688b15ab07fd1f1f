"""Stages run again, fail, or come too late: nothing is doubled, nothing lost, nothing stale is written."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from projops import pipeline
from projops.errors import StagingLostError, StopError, TryAgainError
from projops.run import Staged
from projops.settings import PROJECT_ROOT
from tests.e2e.engine import rows
from tests.e2e.engine.world import Stages, World, named

ROLES = ("resource_roles", "dataverse_to_finance")
WORKERS = ("workers", "finance_to_dataverse")
ONCE = {"count": 1}


def test_each_stage_of_a_delta_run_twice_gives_the_same(world: World) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    with world.batch(*ROLES) as stages:
        extracted = [stages.extract(), stages.extract()][-1]
        validated = [stages.validate(extracted), stages.validate(extracted)][-1]
        transformed = [stages.transform(validated), stages.transform(validated)][-1]
        first, second = stages.load(transformed), stages.load(transformed)
    assert (first.read, first.loaded, second.read, second.loaded, second.unchanged) == (1, 1, 1, 0, 1)
    assert first.batch == second.batch
    assert [write["status"] for write in world.writes() if write["system"] == "finance"] == [201]


def test_each_stage_of_an_export_run_twice_gives_the_same(world: World) -> None:
    number = rows.fresh("W")
    rows.worker(world, number)
    world.forget_requests()
    with world.batch(*WORKERS) as stages:
        extracted = [stages.extract(), stages.extract()][-1]
        transformed = stages.transform(stages.validate(extracted))
        first, second = stages.load(transformed), stages.load(transformed)
    assert len(world.dataverse_rows("cdm_workers", f"cdm_workernumber eq '{number}'")) == 1
    assert (first.loaded, second.loaded) == (1, 0)
    assert len([write for write in world.writes() if write["system"] == "dataverse"]) == 1
    assert world.sql("select * from export_execution where committed_at is null") == []


def test_a_whole_run_cleared_after_it_has_ended_changes_nothing_and_loses_nothing(world: World) -> None:
    number = rows.fresh("ROLE")
    role = rows.role(world, number)
    with world.batch(*ROLES) as stages:
        stages.load(stages.staged())
        world.change("bookableresourcecategories", role, name="Between")
        world.forget_requests()
        again = stages.load(stages.staged())
    assert again.superseded_by is None
    assert named(world.sync("resource_roles"), "failed") == {}
    found = rows.role_at_finance(world, number)
    assert found is not None
    assert found["Description"] == "Between"
    assert len(world.writes()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": "before"},
        {"drop": "after"},
        {"status": 500},
        {"status": 503, "retry_after": 0},
        {"status": 429, "retry_after": 0},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_a_write_that_went_wrong_once_is_done_once(world: World, fault: dict[str, Any]) -> None:
    """Creates in Finance: whether they took effect is found out by key, never guessed."""
    numbers = [rows.fresh("ROLE") for _ in range(3)]
    for number in numbers:
        rows.role(world, number)
    with world.batch(*ROLES) as stages:
        staged = stages.staged()
        world.forget_requests()
        # The first batch of the load reads by key, the second one writes.
        world.faults(
            {"system": "finance", "entity": "$batch", "count": 1, "delay_seconds": 0}, _on("finance", fault)
        )
        outcome = stages.load(staged)
    assert (outcome.loaded + outcome.unchanged, outcome.failed) == (3, 0)
    assert all(rows.role_at_finance(world, number) for number in numbers)
    made = [write for write in world.writes() if write["verb"] == "POST" and write["status"] == 201]
    assert len(made) == 3
    assert world.letters("resource_roles") == []


def _on(system: str, fault: dict[str, Any], entity: str = "$batch") -> dict[str, Any]:
    return {"system": system, "entity": entity, **ONCE, **fault}


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_bulk_message_to_dataverse_that_went_wrong_is_done_once(world: World, drop: str) -> None:
    numbers = [rows.fresh("W") for _ in range(3)]
    for number in numbers:
        rows.worker(world, number)
    with world.batch(*WORKERS) as stages:
        staged = stages.staged()
        world.faults(_on("dataverse", {"drop": drop, "verb": "UpsertMultiple"}, "cdm_workers"))
        outcome = stages.load(staged)
    assert (outcome.loaded + outcome.unchanged, outcome.failed) == (3, 0)
    for number in numbers:
        assert len(world.dataverse_rows("cdm_workers", f"cdm_workernumber eq '{number}'")) == 1


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"drop": "after"}, {"status": 500}], ids=str)
def test_a_load_that_failed_is_run_again_and_sets_nothing_aside(world: World, fault: dict[str, Any]) -> None:
    numbers = [rows.fresh("ROLE") for _ in range(3)]
    for number in numbers:
        rows.role(world, number)
    with world.batch(*ROLES) as stages:
        staged = stages.staged()
        world.faults({"system": "finance", "entity": "$batch", **fault})
        with pytest.raises(TryAgainError):
            stages.load(staged)
        assert world.letters("resource_roles") == []
        world.no_faults()
        outcome = stages.load(staged)
    assert (outcome.loaded + outcome.unchanged, outcome.failed) == (3, 0)
    for number in numbers:
        assert rows.role_at_finance(world, number) is not None


def test_an_older_batch_writes_nothing_over_a_later_one(world: World) -> None:
    number = rows.fresh("ROLE")
    role = rows.role(world, number, name="Old")
    with world.batch(*ROLES) as stages:
        extracted = stages.extract()
        validated = stages.validate(extracted)
        transformed = stages.transform(validated)
        world.change("bookableresourcecategories", role, name="New")
        later = world.sync("resource_roles")["resource_roles__dataverse_to_finance"].batch
        world.forget_requests()
        for again in (
            stages.extract(),
            stages.validate(extracted),
            stages.transform(validated),
            stages.load(transformed),
            stages.load(stages.staged()),
        ):
            assert again.superseded_by == later
    assert world.writes() == []
    found = rows.role_at_finance(world, number)
    assert found is not None
    assert found["Description"] == "New"


def test_an_older_batch_sets_nothing_aside_that_a_later_one_has_moved(world: World) -> None:
    project = world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[0]["msdyn_projectid"]
    row = world.dataverse_row("msdyn_projects", f"msdyn_projectid eq {project}")
    world.change("msdyn_projects", project, msdyn_scheduledend="2001-01-01T00:00:00Z")
    with world.batch("projects", "dataverse_to_finance") as stages:
        extracted = stages.extract()
        world.change("msdyn_projects", project, msdyn_scheduledend=row["msdyn_scheduledend"])
        world.sync("projects")
        stages.validate(extracted)
    assert world.letters("projects") == []


def test_a_batch_that_was_committed_stays_so_in_the_history(world: World) -> None:
    rows.role(world, rows.fresh("ROLE"))
    with world.batch(*ROLES) as stages:
        outcome = stages.load(stages.staged())
        rows.role(world, rows.fresh("ROLE"))
        world.sync("resource_roles")
        stages.extract()
    [batch] = world.sql("select status, loaded from batch where id = :id", id=outcome.batch)
    assert batch == {"status": "committed", "loaded": 1}


def test_staged_files_that_are_gone_are_told_with_the_remedy(world: World) -> None:
    number = rows.fresh("ROLE")
    rows.role(world, number)
    with world.batch(*ROLES) as stages:
        extracted = stages.extract()
        transformed = stages.transform(stages.validate(extracted))
        later: list[Callable[[], Any]] = [
            lambda: stages.validate(extracted),
            lambda: stages.transform(_validated(extracted)),
            lambda: stages.load(transformed),
        ]
        shutil.rmtree(Path(world.settings.staging) / ROLES[0])
        for stage in later:
            with pytest.raises(StagingLostError, match=r"is gone\. Clear the extract task"):
                stage()
        assert rows.role_at_finance(world, number) is None
        assert stages.load(stages.staged()).loaded == 1


def test_rows_staged_by_another_mapping_go_no_further(world: World, tmp_path: Path) -> None:
    """A deployment between two tasks of a run."""
    mappings = shutil.copytree(PROJECT_ROOT / "include" / "mappings", tmp_path / "mappings")
    file = mappings / "setup_and_configuration" / "resource_roles.yaml"
    text = file.read_text()
    number = rows.fresh("ROLE")
    rows.role(world, number)
    deployed = world.with_settings(mappings=mappings)
    with deployed.batch(*ROLES) as stages:
        extracted = stages.extract()
        transformed = stages.transform(stages.validate(extracted))
    file.write_text(text.replace("required: true}", "required: true, truncate: 90}"))
    with deployed.engine() as engine:
        for stage, staged in (
            (pipeline.validate, extracted),
            (pipeline.transform, extracted),
            (pipeline.load, transformed),
        ):
            with pytest.raises(StopError, match=r"has changed since batch \d+ was extracted\. Clear the ext"):
                stage(engine, staged)
        again = Stages(engine, stages.ref, stages.request)
        again.load(again.staged())
    assert rows.role_at_finance(world, number) is not None
    assert named(deployed.sync("resource_roles"), "read") == {}  # the watermark is of the new mapping
    world.sync("resource_roles")


def test_a_part_that_is_gone_is_told_as_well(world: World) -> None:
    rows.role(world, rows.fresh("ROLE"))
    with world.batch(*ROLES) as stages:
        transformed = stages.staged()
        for part in Path(world.settings.staging).glob(
            f"{ROLES[0]}/*/{transformed.batch}/transform/*/*.parquet"
        ):
            part.unlink()
        with pytest.raises(StagingLostError, match=r"is gone\. Clear the extract task"):
            stages.load(transformed)
        stages.load(stages.staged())


def _validated(staged: Staged) -> Staged:
    return Staged(
        staged.batch,
        staged.map,
        staged.leg,
        "validate",
        staged.uri.replace("/extract/", "/validate/"),
        staged.rows,
    )
