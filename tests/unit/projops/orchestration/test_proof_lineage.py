"""What reconciliation, replay and their like tell OpenLineage."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from projops.engine import Engine
from projops.orchestration import engine_task
from projops.orchestration.proof_lineage import compare_lineage, report_lineage, state_lineage
from projops.orchestration.reconciliation_operators import (
    BeginOperator,
    BooksOperator,
    CompareOperator,
    RepairOperator,
)
from projops.orchestration.replay_operators import ChooseOperator
from projops.orchestration.replay_operators import ReportOperator as ReplayReport
from projops.reconcile.reconciliation import MapResult
from tests.openlineage.events import event_of, tags


def counts(leg: str, found: int, drift: int) -> dict[str, object]:
    return {"leg": leg, "expected_rows": 9, "found_rows": found, "matched": found - drift, "drift": drift}


def test_a_comparison_tells_which_side_is_in_step(connected: Engine) -> None:
    legs = (counts("dataverse_to_finance", 9, 0), counts("finance_to_dataverse", 7, 2))
    result = MapResult(12, "customers", legs, "s3://bucket/reconciliations/12/customers.parquet")
    event = event_of(compare_lineage(connected, "customers", result))
    quality = {
        each["name"]: each["inputFacets"]["dataQualityAssertions"]["assertions"] for each in event["inputs"]
    }
    told = {name: [(each["success"], each["actual"]) for each in found] for name, found in quality.items()}
    assert told == {"account": [(False, "2")], "CustomersV3": [(True, "0")]}
    rows = {each["name"]: each["inputFacets"]["inputStatistics"]["rowCount"] for each in event["inputs"]}
    assert rows == {"account": 7, "CustomersV3": 9}
    [differences] = event["outputs"]
    assert (differences["namespace"], differences["name"]) == (
        "s3://bucket",
        "reconciliations/12/customers.parquet",
    )
    assert tags(event) == {"map": "customers", "reconciliation": "12", "drift": "2"}


def test_a_comparison_that_failed_names_what_it_was_to_compare(connected: Engine) -> None:
    event = event_of(compare_lineage(connected, "customers", None))
    assert {each["name"] for each in event["inputs"]} == {"account", "CustomersV3"}
    assert event["outputs"] == []


def test_a_report_is_made_of_what_the_state_keeps(connected: Engine) -> None:
    uri = "file:///staging/reconciliations/12/report.html"
    event = event_of(report_lineage(connected, ["difference"], uri, 12))
    [taken], [report] = event["inputs"], event["outputs"]
    assert (taken["namespace"], taken["name"].endswith("state.db.difference")) == ("sqlite", True)
    assert (report["namespace"], report["name"]) == ("file", "/staging/reconciliations/12/report.html")
    assert report["facets"]["version"]["datasetVersion"] == "12"


def test_dead_letters_that_a_person_decides_on_are_written(connected: Engine) -> None:
    event = event_of(state_lineage(connected, [], ["dead_letter"]))
    assert [each["name"].rpartition(".")[2] for each in event["outputs"]] == ["dead_letter"]


@pytest.fixture
def listened(connected: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks open an engine that knows where both systems are."""

    @contextmanager
    def opened() -> Iterator[Engine]:
        yield connected

    monkeypatch.setattr(engine_task, "open_engine", opened)


COMPARE = CompareOperator(task_id="compare", begin_task_id="begin", map_id="units")
TASKS = (
    (ChooseOperator(task_id="choose"), set(), {"dead_letter", "audit"}),
    (ReplayReport(task_id="told", choose_task_id="choose"), {"dead_letter"}, set()),
    (BeginOperator(task_id="begin"), set(), {"reconciliation"}),
    (RepairOperator(task_id="repair", begin_task_id="begin"), {"difference"}, set()),
    (BooksOperator(task_id="books", begin_task_id="begin"), set(), {"invariant"}),
    (
        CompareOperator(task_id="compare", begin_task_id="begin", map_id="units"),
        {"uom", "UnitsOfMeasure"},
        set(),
    ),
)


@pytest.mark.usefixtures("listened")
@pytest.mark.parametrize(("task", "reads", "writes"), TASKS, ids=[task.task_id for task, _, _ in TASKS])
def test_a_task_says_what_it_reads_and_writes_and_after_a_failure_only_what_it_reads(
    task: engine_task.EngineOperator, reads: set[str], writes: set[str]
) -> None:
    def names(datasets: list[dict[str, Any]]) -> set[str]:
        return {each["name"].rpartition(".")[2] for each in datasets}

    done, failed = task.get_openlineage_facets_on_complete(None), task.get_openlineage_facets_on_failure(None)
    assert done is not None
    assert failed is not None
    told, told_of_failure = event_of(done), event_of(failed)
    assert (names(told["inputs"]), names(told["outputs"])) == (reads, writes)
    assert (names(told_of_failure["inputs"]), told_of_failure["outputs"]) == (reads, [])
