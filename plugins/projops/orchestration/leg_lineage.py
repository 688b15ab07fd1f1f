"""What each task of an area's DAG tells OpenLineage, from what it handed on and what the state noted.

    extract    tables of the source ─> staged paths
    validate   staged paths ─> staged paths, with what was asserted of them
    transform  staged paths ─> staged target paths
    load       staged target paths, and the tables they come from ─> the target's table, end to end

Neither system is asked, no row is opened. A task that failed tells only what it was to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from openlineage.client.event_v2 import InputDataset, OutputDataset

from projops.engine import Engine
from projops.lineage import columns
from projops.lineage.batches import batch_tags
from projops.lineage.columns import ColumnLineage
from projops.lineage.datasets import Dataset, staged_dataset, table_dataset
from projops.lineage.end_to_end import end_to_end
from projops.lineage.moved import Moved
from projops.lineage.quality import Assertion, assertions
from projops.mapping.catalog import Table
from projops.mapping.model import Leg, TableMap
from projops.mapping.paths import table_of
from projops.orchestration.openlineage import Lineage, Of, input_dataset, output_dataset, task_lineage
from projops.run import LegOutcome, LegRef, Staged
from projops.state import quality
from projops.state.batches import get_batch
from projops.validate.expectations import OF_KEYS
from projops.validate.implied import expectations_of
from projops.validate.written import read_expectations

_Ends = tuple[Sequence[InputDataset], Sequence[OutputDataset]]


def leg_lineage(engine: Engine, moved: Moved) -> Lineage:
    """Say what a task of a leg read and wrote.

    Args:
        engine: The engine, on whose state and staging the task ran.
        moved: What the task did.
    """
    told = _Told(engine, moved, *engine.leg(moved.leg))
    inputs, outputs = _STAGES[moved.stage](told)
    return task_lineage(inputs, outputs, told.tags())


def detect_lineage(engine: Engine, area: str, due: Sequence[LegRef]) -> Lineage:
    """Say which sources an area asks for changes, and how many legs are to move.

    Args:
        engine: The engine.
        area: The area.
        due: The legs that have something to move.
    """
    maps = [each for each in engine.maps.values() if each.area == area and each.enabled]
    sources = [table_of(each, direction.source) for each in maps for direction in each.legs]
    inputs = [input_dataset(each) for each in datasets(engine, sources).values()]
    return task_lineage(inputs, (), {"legs_due": len(due)})


def finish_lineage(engine: Engine, outcomes: Sequence[LegOutcome]) -> Lineage:
    """Say which targets a run has written, and how many rows of each leg.

    Args:
        engine: The engine.
        outcomes: What became of the legs that moved.
    """
    legs = [(LegRef(each.map, each.leg), each.loaded) for each in outcomes]
    targets = [table_of(engine.maps[ref.map], ref.direction.target) for ref, _ in legs]
    inputs = [input_dataset(each) for each in datasets(engine, targets).values()]
    return task_lineage(inputs, (), {f"rows_{ref}": rows for ref, rows in legs})


def datasets(engine: Engine, tables: Iterable[Table]) -> dict[tuple[str, str] | None, Dataset]:
    """Describe tables of both systems, by system and name, where the connections lead.

    Args:
        engine: The engine.
        tables: Tables; those that occur twice are described once.
    """
    named = {_place(table): table for table in tables}
    urls = {system: engine.connect(system).base_url for system in {each.system for each in named.values()}}
    return {place: table_dataset(table, urls[table.system]) for place, table in named.items()}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a task did, with what engine and state know of it."""

    engine: Engine
    moved: Moved
    table_map: TableMap
    leg: Leg

    def staged(self, stage: str) -> Dataset:
        return staged_dataset(self.engine.staging.url, self.table_map, self.leg, stage, self.moved.batch)

    def taken(self, dataset: Dataset, asserted: Sequence[Assertion] = ()) -> InputDataset:
        """What the stage before had staged, with rows and bytes."""
        taken = self.moved.taken
        rows = taken.rows if taken is not None else None
        return input_dataset(dataset, rows, self._size(taken), asserted)

    def given(self, stage: str, lineage: ColumnLineage, of: Of) -> Sequence[OutputDataset]:
        """What the stage itself staged; nothing where it failed or was superseded."""
        given = self.moved.given
        if given is None or not given.uri:
            return ()
        return (output_dataset(self.staged(stage), lineage, of, given.rows, self._size(given)),)

    def assertions(self) -> Sequence[Assertion]:
        """What was asserted of the rows, and how many broke it."""
        if self.moved.given is None:
            return ()
        written = read_expectations(self.engine.settings.expectations, self.table_map, self.leg)
        value_maps = self.engine.loaded.value_maps
        expectations = (*expectations_of(self.table_map, self.leg, value_maps, written), *OF_KEYS)
        with self.engine.state.begin() as connection:
            found = quality.of_batch(connection, self.moved.given.batch)
        broken = [each.breach for each in found if each.stage == "validate"]
        return assertions(expectations, {(each.rule, each.field): each.rows for each in broken})

    def tags(self) -> Mapping[str, object]:
        place = {"map": self.moved.leg.map, "leg": self.moved.leg.leg}
        if self.moved.batch is None:
            return place
        with self.engine.state.begin() as connection:
            batch = get_batch(connection, self.moved.batch)
        return place | batch_tags(batch, self.moved.outcome)

    def _size(self, staged: Staged | None) -> int | None:
        if staged is None or not staged.uri:
            return None
        return self.engine.staging.size(self.engine.staging.open(staged.uri, staged.batch))


def _extract(told: _Told) -> _Ends:
    lineage = columns.extracted(told.table_map, told.leg)
    source = table_of(told.table_map, told.leg.direction.source)
    tables = datasets(told.engine, (source, *lineage.tables()))
    rows = told.moved.given.rows if told.moved.given is not None else None
    own = _place(source)
    inputs = [input_dataset(each, rows if place == own else None) for place, each in tables.items()]
    return inputs, told.given("extract", lineage, tables)


def _validate(told: _Told) -> _Ends:
    before = told.staged("extract")
    lineage = columns.passed(field.name for field in before.fields)
    return [told.taken(before, told.assertions())], told.given("validate", lineage, {None: before})


def _transform(told: _Told) -> _Ends:
    before = told.staged("validate")
    lineage = columns.transformed(told.table_map, told.leg)
    return [told.taken(before)], told.given("transform", lineage, {None: before})


def _load(told: _Told) -> _Ends:
    """Read also the tables that the staged rows come from, so that the lineage of columns is end to end."""
    lineage = end_to_end(told.table_map, told.leg)
    target = table_of(told.table_map, told.leg.direction.target)
    source = table_of(told.table_map, told.leg.direction.source)
    tables = datasets(told.engine, (source, *lineage.tables()))
    inputs = [told.taken(told.staged("transform")), *(input_dataset(each) for each in tables.values())]
    outcome = told.moved.outcome
    if outcome is None or outcome.superseded_by is not None:
        return inputs, ()
    written = replace(datasets(told.engine, [target])[_place(target)], version=str(outcome.batch))
    return inputs, (output_dataset(written, lineage, tables, outcome.loaded),)


_STAGES: Mapping[str, Callable[[_Told], _Ends]] = {
    "extract": _extract,
    "validate": _validate,
    "transform": _transform,
    "load": _load,
}


def _place(table: Table) -> tuple[str, str]:
    return table.system, table.name
