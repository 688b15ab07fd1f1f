"""What the tasks of every leg of every map tell OpenLineage, held against its schemas and the files."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from projops.engine import Engine
from projops.lineage.moved import Moved
from projops.orchestration.leg_lineage import detect_lineage, finish_lineage, leg_lineage
from projops.run import LegOutcome, LegRef, Staged
from projops.settings import Settings
from projops.state import quality
from projops.state.batches import Batch, NewBatch, open_batch
from projops.state.quality import Breach
from projops.systems.connection import Connection
from tests.openlineage.events import event_of, tags
from tests.unit.projops.lineage import truth

NAMESPACES = {"dataverse": "dataverse://org.crm4.dynamics.com", "finance": "finance://127.0.0.1:8802"}


def batch_of(engine: Engine, leg: LegRef) -> Batch:
    new = NewBatch("d", uuid4().hex, leg.map, leg.leg, "incremental", "1.2.3.4", "meaning", True)
    with engine.state.begin() as connection:
        return open_batch(connection, new)


def staged(engine: Engine, batch: Batch, stage: str, rows: int) -> Staged:
    with engine.staging.writer(batch.map, batch.leg, batch.id, stage) as writer:
        writer.write(pa.table({"_id": [str(number) for number in range(rows)]}))
    return Staged(batch.id, batch.map, batch.leg, stage, engine.staging.uri_of(writer), rows)


def origins(inputs: list[dict[str, Any]], namespace: str) -> set[truth.Origin]:
    """The origins that a facet names: of a leg towards Dataverse some stand there, the keys of lookups."""
    for each in inputs:
        in_dataverse = "primary_id" in truth.tables()[each["name"]]
        assert each["namespace"] == (NAMESPACES["dataverse"] if in_dataverse else namespace)
    return {
        (each["name"], each["field"], how["type"], how["subtype"])
        for each in inputs
        for how in each["transformations"]
    }


LEGS = pytest.mark.parametrize(
    ("name", "leg"), truth.legs(), ids=[f"{name}__{leg}" for name, leg in truth.legs()]
)


@LEGS
def test_a_load_names_the_true_inputs_of_every_column(connected: Engine, name: str, leg: str) -> None:
    batch = batch_of(connected, LegRef(name, leg))
    outcome = LegOutcome(batch.id, name, leg, read=3, loaded=2, unchanged=1)
    event = event_of(leg_lineage(connected, Moved(LegRef(name, leg), "load", outcome=outcome)))
    [target] = event["outputs"]
    source_side, _, target_side = leg.partition("_to_")
    assert (target["namespace"], target["name"]) == (NAMESPACES[target_side], truth.target_of(name, leg))
    assert target["outputFacets"]["outputStatistics"]["rowCount"] == 2
    lineage, there = target["facets"]["columnLineage"], NAMESPACES[source_side]
    columns, rows = truth.columns_of(name, leg)
    told = {column: origins(each["inputFields"], there) for column, each in lineage["fields"].items()}
    assert told == columns
    assert origins(lineage["dataset"], there) == rows
    schemas = {each["name"]: each["facets"]["schema"]["fields"] for each in event["inputs"]}
    read = {(name, field["name"]) for name, fields in schemas.items() for field in fields}
    assert {origin[:2] for found in (*columns.values(), rows) for origin in found} <= read


@LEGS
def test_each_stage_begins_with_what_the_one_before_has_staged(
    connected: Engine, name: str, leg: str
) -> None:
    ref = LegRef(name, leg)
    batch = batch_of(connected, ref)
    stages = ("extract", "validate", "transform")
    extract, validate, transform = (staged(connected, batch, each, 2) for each in stages)
    outcome = LegOutcome(batch.id, name, leg, read=2, loaded=2)
    moves = (
        Moved(ref, "extract", given=extract),
        Moved(ref, "validate", extract, validate),
        Moved(ref, "transform", validate, transform),
        Moved(ref, "load", transform, outcome=outcome),
    )
    events = [event_of(leg_lineage(connected, each)) for each in moves]
    assert truth.source_of(name, leg) in {each["name"] for each in events[0]["inputs"]}
    for earlier, later in zip(events, events[1:], strict=False):
        [given] = earlier["outputs"]
        [taken] = [each for each in later["inputs"] if each["name"] == given["name"]]
        assert taken["namespace"] == "file"
        assert taken["facets"]["schema"] == given["facets"]["schema"]
        assert given["facets"]["version"]["datasetVersion"] == str(batch.id)
        statistics = given["outputFacets"]["outputStatistics"]
        assert (statistics["rowCount"], statistics["size"] > 0) == (2, True)
        assert set(given["facets"]["columnLineage"]["fields"]) == {
            each["name"] for each in given["facets"]["schema"]["fields"]
        }


class TestNumbers:
    """What events say of a batch besides columns."""

    LEG = LegRef("projects", "dataverse_to_finance")

    def test_validation_tells_what_it_asserted_and_how_many_rows_broke_it(self, connected: Engine) -> None:
        batch = batch_of(connected, self.LEG)
        with connected.state.begin() as connection:
            quality.record(connection, batch, "validate", [Breach("key", "msdyn_projectnumber", "error", 3)])
        extract, validate = staged(connected, batch, "extract", 9), staged(connected, batch, "validate", 6)
        event = event_of(leg_lineage(connected, Moved(self.LEG, "validate", extract, validate)))
        [taken] = event["inputs"]
        assertions = taken["inputFacets"]["dataQualityAssertions"]["assertions"]
        [broken] = [each for each in assertions if not each["success"]]
        assert (
            broken["assertion"],
            broken["column"],
            broken["name"],
            broken["severity"],
            broken["actual"],
        ) == (
            "not_null",
            "msdyn_projectnumber",
            "key",
            "error",
            "3",
        )
        assert len(assertions) > 5
        metrics = taken["inputFacets"]["dataQualityMetrics"]
        assert (metrics["rowCount"], metrics["columnMetrics"]["msdyn_projectnumber"]["nullCount"]) == (9, 3)
        assert taken["inputFacets"]["inputStatistics"]["rowCount"] == 9

    def test_a_run_is_tagged_with_batch_version_and_counts(self, connected: Engine) -> None:
        batch = batch_of(connected, self.LEG)
        outcome = LegOutcome(
            batch.id, "projects", "dataverse_to_finance", read=5, loaded=3, parked=1, failed=1
        )
        found = tags(event_of(leg_lineage(connected, Moved(self.LEG, "load", outcome=outcome))))
        assert found == {
            "map": "projects",
            "leg": "dataverse_to_finance",
            "batch": str(batch.id),
            "mapping_version": "1.2.3.4",
            "mode": "incremental",
            "rows_read": "5",
            "rows_unchanged": "0",
            "rows_loaded": "3",
            "rows_parked": "1",
            "rows_rejected": "0",
            "rows_failed": "1",
        }

    @pytest.mark.parametrize("stage", ["extract", "validate", "transform", "load"])
    def test_a_task_that_failed_names_what_it_was_to_read_and_nothing_written(
        self, connected: Engine, stage: str
    ) -> None:
        event = event_of(leg_lineage(connected, Moved(self.LEG, stage)))
        assert event["inputs"]
        assert event["outputs"] == []
        assert tags(event) == {"map": "projects", "leg": "dataverse_to_finance"}

    def test_a_superseded_batch_has_written_nothing(self, connected: Engine) -> None:
        batch = batch_of(connected, self.LEG)
        outcome = LegOutcome(batch.id, "projects", "dataverse_to_finance", superseded_by=batch.id + 1)
        assert event_of(leg_lineage(connected, Moved(self.LEG, "load", outcome=outcome)))["outputs"] == []

    def test_detect_names_every_source_of_its_area_and_finish_what_was_written(
        self, connected: Engine
    ) -> None:
        asked = event_of(detect_lineage(connected, "project_invoices", [self.LEG]))
        sources = {
            truth.source_of(*leg)
            for leg in truth.legs()
            if leg[0] in ("customer_invoices", "invoice_proposals")
        }
        assert {each["name"] for each in asked["inputs"]} == sources
        assert tags(asked) == {"legs_due": "1"}
        moved = LegOutcome(1, "projects", "dataverse_to_finance", loaded=4)
        done = event_of(finish_lineage(connected, [moved]))
        assert [each["name"] for each in done["inputs"]] == ["ProjectsV2"]
        assert tags(done) == {"rows_projects__dataverse_to_finance": "4"}


def test_no_event_holds_a_secret(tmp_path: Path) -> None:
    settings = Settings(state_url=f"sqlite:///{tmp_path / 'state.db'}", staging=str(tmp_path / "staging"))
    url = "https://client:planted@org.crm4.dynamics.com"
    with Engine.open(
        settings, lambda system: Connection("c", system, url, client_secret="planted")
    ) as opened:
        new = NewBatch("d", "r", "projects", "dataverse_to_finance", "incremental", "1", "meaning", True)
        with opened.state.begin() as connection:
            batch = open_batch(connection, new)
        leg = LegRef("projects", "dataverse_to_finance")
        event = event_of(
            leg_lineage(opened, Moved(leg, "extract", given=staged(opened, batch, "extract", 1)))
        )
    assert "planted" not in json.dumps(event)
