from pathlib import Path

import pytest
from airflow.sdk import DAG, AssetOrTimeSchedule

from projops.orchestration.area_dag import area_dag


def upstream(dag: DAG, task_id: str) -> set[str]:
    return set(dag.get_task(task_id).upstream_task_ids)


def test_a_leg_is_four_tasks_in_a_row(mappings: Path) -> None:
    dag = area_dag("reference_data", doc="Units.")
    leg = "units__finance_to_dataverse"
    assert upstream(dag, f"{leg}.extract") == {"detect"}
    assert upstream(dag, f"{leg}.validate") == {f"{leg}.extract"}
    assert upstream(dag, f"{leg}.transform") == {f"{leg}.validate"}
    assert upstream(dag, f"{leg}.load") == {f"{leg}.transform"}
    assert f"{leg}.load" in upstream(dag, "finish")


def test_a_leg_begins_after_its_parents_and_a_way_back_after_the_way_there(mappings: Path) -> None:
    dag = area_dag("reference_data", doc=None)
    assert upstream(dag, "vendors__finance_to_dataverse.needs") == {
        "detect",
        "companies__finance_to_dataverse.load",
    }
    assert upstream(dag, "vendors__dataverse_to_finance.needs") == {
        "detect",
        "companies__finance_to_dataverse.load",
        "vendors__finance_to_dataverse.load",
    }
    for leg in ("vendors__finance_to_dataverse", "vendors__dataverse_to_finance"):
        assert upstream(dag, f"{leg}.extract") == {"detect", f"{leg}.needs"}


def test_a_leg_runs_whatever_became_of_its_parents_but_not_when_detect_failed(mappings: Path) -> None:
    dag = area_dag("reference_data", doc=None)
    rules = {task.task_id.rpartition(".")[2]: task.trigger_rule for task in dag.tasks}
    assert rules == {
        "detect": "all_success",
        "needs": "all_done",
        "extract": "all_success",
        "validate": "all_success",
        "transform": "all_success",
        "load": "all_success",
        "finish": "all_done",
    }


def test_tasks_wait_in_the_pool_of_the_system_that_they_talk_to(mappings: Path) -> None:
    dag = area_dag("reference_data", doc=None)
    pools = {
        task.task_id: task.pool
        for task in dag.tasks
        if task.task_id.startswith("vendors__dataverse_to_finance")
    }
    assert pools == {
        "vendors__dataverse_to_finance.needs": "default_pool",
        "vendors__dataverse_to_finance.extract": "dataverse",
        "vendors__dataverse_to_finance.validate": "default_pool",
        "vendors__dataverse_to_finance.transform": "default_pool",
        "vendors__dataverse_to_finance.load": "finance",
    }


def test_assets_are_the_tables_of_both_sides(mappings: Path) -> None:
    dag = area_dag("reference_data", doc=None)
    extract = dag.get_task("vendors__dataverse_to_finance.extract")
    load = dag.get_task("vendors__dataverse_to_finance.load")
    assert [asset.uri for asset in extract.inlets] == ["dataverse://dataverse_default/msdyn_vendor"]
    assert [asset.uri for asset in load.outlets] == ["finance://finance_default/VendorsV2"]


def test_an_area_wakes_by_signal_by_the_clock_and_when_another_has_fed_it(mappings: Path) -> None:
    units = mappings / "reference_data" / "units.yaml"
    other = mappings / "made_up" / "other_units.yaml"
    other.parent.mkdir()
    text = units.read_text().replace("map: units", "map: other_units").replace("reference_data", "made_up")
    other.write_text(text + "needs: [companies]\n")
    schedule = area_dag("made_up", doc=None).schedule
    assert isinstance(schedule, AssetOrTimeSchedule)
    woken_by = [asset.uri for asset in schedule.asset_condition.objects]
    assert woken_by == ["projops://signals/made_up", "dataverse://dataverse_default/cdm_company"]
    assert schedule.timetable.expression == "*/5 * * * *"
    alone = area_dag("reference_data", doc=None).schedule
    assert isinstance(alone, AssetOrTimeSchedule)
    assert [asset.uri for asset in alone.asset_condition.objects] == ["projops://signals/reference_data"]
    assert alone.timetable.expression == "*/5 * * * *"


def test_the_dag_waits_to_be_unpaused_and_never_overlaps_itself(mappings: Path) -> None:
    dag = area_dag("reference_data", doc=None)
    assert dag.is_paused_upon_creation
    assert dag.max_active_runs == 1
    assert not dag.catchup
    assert all(task.execution_timeout is not None for task in dag.tasks)


def test_every_dag_and_task_is_documented(mappings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/base")
    dag = area_dag("reference_data", doc="What both systems share.")
    assert dag.doc_md is not None
    assert dag.doc_md.startswith("What both systems share.")
    link = "[`vendors`](https://airflow.example/base/projops/maps/vendors)"
    assert f"| {link} Vendors V2 | `msdyn_vendor` | &larr;&rarr; | `VendorsV2` | 1.0.0.0 |" in dag.doc_md
    assert [task.task_id for task in dag.tasks if not task.doc_md] == []


def test_the_form_offers_the_maps_of_the_area(mappings: Path) -> None:
    dag = area_dag("reference_data", doc=None)
    assert dag.params.get_param("maps").schema["items"]["enum"] == ["companies", "units", "vendors"]
    assert dag.params["mode"] == "incremental"
    assert dag.params["companies"] is None


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("{from: UnitSymbol, required: true}", "{from: UnitSimbol, required: true}", "UnitSimbol"),
        ("dataverse: uom", "dataverse: [uom", "units.yaml"),
    ],
    ids=["unknown field", "bad YAML"],
)
def test_a_broken_map_is_one_task_and_the_others_stay(
    mappings: Path, before: str, after: str, said: str
) -> None:
    file = mappings / "reference_data" / "units.yaml"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    dag = area_dag("reference_data", doc=None)
    broken = dag.get_task("units__broken")
    assert said in broken.message
    assert "units.yaml:" in broken.message
    assert upstream(dag, "units__broken") == set()
    assert "units__broken" in upstream(dag, "finish")
    assert dag.get_task("detect").has_broken
    assert not [task.task_id for task in dag.tasks if task.task_id.startswith("units__finance")]
    assert dag.has_task("vendors__finance_to_dataverse.load")


@pytest.mark.parametrize("name", ["with blank", "semi;colon", "ümlaut", "q'uote"])
def test_a_map_of_a_name_that_no_task_may_have_stops_no_other(mappings: Path, name: str) -> None:
    units = mappings / "reference_data" / "units.yaml"
    units.with_stem(name).write_text(units.read_text().replace("map: units", f'map: "{name}"'))
    dag = area_dag("reference_data", doc=None)
    [broken] = [task for task in dag.tasks if task.task_id.endswith("__broken")]
    assert "cannot be the id of a task" in broken.message
    assert dag.has_task("units__finance_to_dataverse.load")


def test_a_map_that_is_off_has_no_tasks(mappings: Path) -> None:
    file = mappings / "reference_data" / "units.yaml"
    file.write_text("enabled: false\n" + file.read_text())
    dag = area_dag("reference_data", doc=None)
    assert not [task.task_id for task in dag.tasks if task.task_id.startswith("units")]
