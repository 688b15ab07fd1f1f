"""Lineage as it leaves Airflow: one run of an area through the real listener, to a file and over HTTP.

What each leg of each map tells is tested in unit/projops/orchestration/test_leg_lineage.py.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.environment import base_environment
from runner.layout import ROOT, Layout
from runner.processes import Process, stop
from runner.sandbox import Addresses, start_sandbox
from tests.contract.receiver import Received, Receiver, receiving
from tests.openlineage.events import problems, read_events

AREA = "reference_data"
MAPS = ("companies", "currencies", "units")
Event = Mapping[str, Any]


@contextmanager
def sandbox_of(layout: Layout) -> Iterator[Addresses]:
    started: list[Process] = []
    try:
        yield start_sandbox(layout, "demo", started.append)
    finally:
        stop(started)


def small_area(folder: Path) -> Path:
    """Three maps of one area, of which one is broken."""
    mappings = ROOT / "include" / "mappings"
    (folder / AREA).mkdir(parents=True)
    shutil.copytree(mappings / "_shared", folder / "_shared")
    for name in MAPS:
        shutil.copy(mappings / AREA / f"{name}.yaml", folder / AREA)
    units = folder / AREA / "units.yaml"
    units.write_text(units.read_text().replace("UnitSymbol", "UnitSimbol"))
    return folder


def environment(layout: Layout, sandbox: Addresses, receiver: Receiver) -> dict[str, str]:
    def connection(system: str, host: str) -> str:
        return json.dumps({"conn_type": system, "host": host, "extra": {"token": "sandbox-token"}})

    to_file = {"type": "file", "log_file_path": str(layout.folder / "events.json"), "append": True}
    over_http = {
        "type": "http",
        "url": receiver.url.removesuffix("/hook"),
        "endpoint": "hook",
        "auth": {"type": "api_key", "apiKey": "let-me-in"},
    }
    return {
        **base_environment(),
        "AIRFLOW_HOME": str(layout.airflow_home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(layout.dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{layout.folder / 'airflow.db'}",
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "contoso",
        "AIRFLOW__OPENLINEAGE__EXECUTE_IN_THREAD": "True",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "composite", "continue_on_failure": False, "transports": [to_file, over_http]}
        ),
        "AIRFLOW_CONN_DATAVERSE_DEFAULT": connection("dataverse", sandbox.dataverse),
        "AIRFLOW_CONN_FINANCE_DEFAULT": connection("finance", sandbox.finance),
        "PROJOPS_STATE_URL": layout.state_url,
        "PROJOPS_STAGING": str(layout.folder / "staging"),
        "PROJOPS_MAPPINGS": str(layout.mappings),
    }


class Told:
    """What one run has told to a file and over HTTP, and where the sandbox stood."""

    def __init__(self, written: list[dict[str, Any]], received: list[Received], sandbox: Addresses) -> None:
        self.written = written
        self.received = received
        self.finance = f"finance://{sandbox.finance.removeprefix('http://')}"
        self.dataverse = f"dataverse://{sandbox.dataverse.removeprefix('http://')}"

    def last(self, task: str) -> Event:
        return [each for each in self.written if each["job"]["name"] == f"{AREA}.{task}"][-1]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("lineage")
    laid = Layout.in_folder(folder)
    layout = Layout(folder, laid.sandbox_database, laid.state_url, mappings=small_area(folder / "mappings"))
    airflow = [sys.executable, "-m", "airflow"]
    with sandbox_of(layout) as sandbox, receiving() as receiver:
        env = environment(layout, sandbox, receiver)
        subprocess.run([*airflow, "db", "migrate"], env=env, cwd=ROOT, check=True, capture_output=True)
        done = subprocess.run(
            [*airflow, "dags", "test", AREA], env=env, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (folder / "events.json").exists(), done.stdout + done.stderr
        return Told(read_events(folder / "events.json"), list(receiver.received.queue), sandbox)


def test_every_event_is_as_openlineage_says(told: Told) -> None:
    assert [(each["job"]["name"], problems(each)) for each in told.written if problems(each)] == []
    assert {each["job"]["namespace"] for each in told.written} == {"contoso"}


def test_every_task_tells_its_start_and_its_end_below_the_run_of_its_dag(told: Told) -> None:
    legs = [f"{name}__finance_to_dataverse" for name in ("companies", "currencies")]
    stages = [f"{leg}.{stage}" for leg in legs for stage in ("extract", "validate", "transform", "load")]
    tasks = [each for each in told.written if "parent" in each["run"]["facets"]]
    ends = {each["job"]["name"].removeprefix(f"{AREA}."): each["eventType"] for each in tasks}
    assert ends == dict.fromkeys(["detect", *stages], "COMPLETE") | {
        "units__broken": "FAIL",
        "finish": "FAIL",
    }
    assert len(tasks) == 2 * len(ends)
    parents = {each["run"]["facets"]["parent"]["job"]["name"] for each in tasks}
    assert parents == {AREA}


def test_rows_and_columns_are_followed_from_system_to_system(told: Told) -> None:
    leg = "currencies__finance_to_dataverse"
    extract, load = told.last(f"{leg}.extract"), told.last(f"{leg}.load")
    [source] = extract["inputs"]
    assert (source["namespace"], source["name"]) == (told.finance, "Currencies")
    rows = source["inputFacets"]["inputStatistics"]["rowCount"]
    [target] = load["outputs"]
    assert (target["namespace"], target["name"]) == (told.dataverse, "transactioncurrency")
    [code] = target["facets"]["columnLineage"]["fields"]["isocurrencycode"]["inputFields"]
    assert (code["namespace"], code["name"], code["field"]) == (told.finance, "Currencies", "CurrencyCode")
    tags = {each["key"]: each["value"] for each in load["run"]["facets"]["tags"]["tags"]}
    assert (tags["map"], tags["rows_read"], len(tags["watermark_to"])) == ("currencies", str(rows), 12)
    written = target["outputFacets"]["outputStatistics"]["rowCount"]
    assert written == rows - int(tags["rows_unchanged"]) > 0


def test_validation_tells_what_held(told: Told) -> None:
    [taken] = told.last("companies__finance_to_dataverse.validate")["inputs"]
    assertions = taken["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {(each["assertion"], each.get("column")) for each in assertions if each["success"]} >= {
        ("not_null", "LegalEntityId"),
        ("not_null", "Name"),
    }


def test_a_failure_tells_its_sentence(told: Told) -> None:
    facet = told.last("units__broken")["run"]["facets"]["errorMessage"]
    assert "UnitSimbol" in facet["message"]
    assert "units.yaml:" in facet["message"]


def test_the_same_goes_over_http_with_its_key(told: Told) -> None:
    assert [each.body for each in told.received] == told.written
    assert {each.headers["authorization"] for each in told.received} == {"Bearer let-me-in"}


def test_no_event_holds_a_secret_or_a_value_of_a_row(told: Told) -> None:
    everything = json.dumps(told.written)
    assert "sandbox-token" not in everything
    assert "let-me-in" not in everything
    assert "Contoso" not in everything
