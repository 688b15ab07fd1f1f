"""Tasks lead to the pages about what they did."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG

from projops.lineage.moved import Moved
from projops.orchestration.area_dag import area_dag
from projops.run import LegOutcome, LegRef, Staged

LEG = LegRef("units", "finance_to_dataverse")
TI: Any = SimpleNamespace(dag_id="reference_data")
LINKS = {
    "detect": ["Table maps"],
    "finish": ["Table maps"],
    "extract": ["Table map"],
    "validate": ["Table map", "Dead letters", "Data Docs"],
    "transform": ["Table map", "Dead letters"],
    "load": ["Table map", "Dead letters"],
}


@pytest.fixture
def dag(mappings: Path, monkeypatch: pytest.MonkeyPatch) -> DAG:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")
    return area_dag("reference_data", doc=None)


def links_of(dag: DAG, name: str, moved: Moved | None = None) -> dict[str, str]:
    """The links that Airflow's UI shows of a task, by their names; empty ones are not shown."""
    task: Any = dag.get_task(name if dag.has_task(name) else f"{LEG}.{name}")
    task.moved = moved
    found = {link.name: link.get_link(task, ti_key=TI) for link in task.operator_extra_links}
    return {title: address for title, address in found.items() if address}


def staged(stage: str, rows: int, superseded_by: int | None = None) -> Staged:
    return Staged(7, LEG.map, LEG.leg, stage, "file:///m.json", rows, superseded_by)


def loaded(**counts: int) -> Moved:
    return Moved(LEG, "load", staged("transform", 3), outcome=LegOutcome(7, LEG.map, LEG.leg, **counts))


@pytest.mark.parametrize("name", LINKS)
def test_each_task_has_its_links(dag: DAG, name: str) -> None:
    task = dag.get_task(name if dag.has_task(name) else f"{LEG}.{name}")
    assert [link.name for link in task.operator_extra_links] == LINKS[name]


@pytest.mark.parametrize("name", ["detect", "finish"])
def test_the_ends_of_a_run_lead_to_the_maps_of_the_area(dag: DAG, name: str) -> None:
    assert links_of(dag, name) == {"Table maps": "https://airflow.example/projops/maps?area=reference_data"}


@pytest.mark.parametrize("name", ["extract", "validate", "transform", "load"])
def test_a_task_of_a_leg_leads_to_its_map_once_it_knows_it(dag: DAG, name: str) -> None:
    assert links_of(dag, name) == {}
    done = Moved(LEG, name, None, staged(name, 3))
    assert links_of(dag, name, done)["Table map"] == "https://airflow.example/projops/maps/units"


@pytest.mark.parametrize(
    ("name", "moved", "shown"),
    [
        ("validate", Moved(LEG, "validate", staged("extract", 3), staged("validate", 3)), False),
        ("validate", Moved(LEG, "validate", staged("extract", 3), staged("validate", 2)), True),
        ("validate", Moved(LEG, "validate", staged("extract", 3)), True),  # the breaker stopped it
        ("transform", Moved(LEG, "transform", staged("validate", 3), staged("transform", 0, 9)), False),
        (
            "load",
            loaded(read=3),
            False,
        ),
        (
            "load",
            loaded(parked=1),
            True,
        ),
        (
            "load",
            loaded(failed=1),
            True,
        ),
    ],
)
def test_dead_letters_are_linked_where_rows_were_set_aside(
    dag: DAG, name: str, moved: Moved, shown: bool
) -> None:
    address = links_of(dag, name, moved).get("Dead letters")
    assert address == ("https://airflow.example/projops/letters?map=units" if shown else None)


def test_names_are_quoted(dag: DAG) -> None:
    moved = Moved(LegRef("a/b?c&d", LEG.leg), "validate", staged("extract", 3))
    assert links_of(dag, "validate", moved) == {
        "Table map": "https://airflow.example/projops/maps/a%2Fb%3Fc%26d",
        "Dead letters": "https://airflow.example/projops/letters?map=a%2Fb%3Fc%26d",
    }
