"""What the tasks tell OpenLineage that prove both sides equal, or work on what the state keeps."""

from __future__ import annotations

from collections.abc import Sequence

from projops.engine import Engine
from projops.lineage.datasets import Dataset, report_dataset, state_dataset
from projops.lineage.quality import Assertion
from projops.mapping.model import Direction, System
from projops.mapping.paths import table_of
from projops.orchestration.leg_lineage import datasets
from projops.orchestration.openlineage import Lineage, input_dataset, output_dataset, task_lineage
from projops.reconcile.model import Verdict
from projops.reconcile.reconciliation import MapResult
from projops.state.tables import metadata

_DRIFT = "The two sides differ and nothing explains it; the reconciliation's report names each row."


def state_lineage(engine: Engine, reads: Sequence[str], writes: Sequence[str]) -> Lineage:
    """Say which tables of the state a task read and wrote.

    Args:
        engine: The engine.
        reads: Names of tables.
        writes: Likewise.
    """
    written = [output_dataset(_state_table(engine, each), None, {}) for each in writes]
    return task_lineage([input_dataset(_state_table(engine, each)) for each in reads], written, {})


def compare_lineage(engine: Engine, map_id: str, result: MapResult | None) -> Lineage:
    """Say which tables were compared, whether they are in step, and where the differences are.

    Args:
        engine: The engine.
        map_id: The map.
        result: What came of it, or None where the comparison failed.
    """
    sides = {system: table_of(engine.map(map_id), system) for system in System}
    tables = datasets(engine, sides.values())
    if result is None:
        return task_lineage(map(input_dataset, tables.values()), (), {"map": map_id})
    drift = {Direction(leg["leg"]).target: leg for leg in result.legs}
    inputs = []
    for system, table in sides.items():
        dataset, leg = tables[table.system, table.name], drift.get(system)
        rows = leg["found_rows"] if leg is not None else None
        asserted = [_in_step(leg[Verdict.DRIFT.value])] if leg is not None else []
        inputs.append(input_dataset(dataset, rows, asserted=asserted))
    differences = report_dataset(result.uri, f"{map_id}: differing rows", str(result.reconciliation))
    tags = {"map": map_id, "reconciliation": result.reconciliation, "drift": result.drift}
    return task_lineage(inputs, [output_dataset(differences, None, {})], tags)


def report_lineage(engine: Engine, reads: Sequence[str], uri: str, reconciliation: int) -> Lineage:
    """Say from which tables of the state a report was made, and where it is.

    Args:
        engine: The engine.
        reads: Names of tables.
        uri: Of the report.
        reconciliation: Its number.
    """
    report = report_dataset(uri, "Report of a reconciliation", str(reconciliation))
    inputs = [input_dataset(_state_table(engine, each)) for each in reads]
    return task_lineage(inputs, [output_dataset(report, None, {})], {"reconciliation": reconciliation})


def _state_table(engine: Engine, name: str) -> Dataset:
    return state_dataset(engine.settings.state_url, name, metadata.tables[name].comment or name)


def _in_step(drift: int) -> Assertion:
    return Assertion("in_step", "in_step", None, _DRIFT, "error", drift)
