"""What validate and transform do to each chunk of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from projops.engine import Engine
from projops.identities import Identities
from projops.mapping.model import Leg, TableMap
from projops.poison import Quarantine, Sieve
from projops.rejects import record_rejects
from projops.staging import Manifest, StageWriter
from projops.state.batches import Batch
from projops.transform.rows import transform_table
from projops.validate.breaker import check_breaker
from projops.validate.expectations import implied_expectations, read_expectations
from projops.validate.rows import validate_table

# A chunk of rows -> those that may go on, and those that are set aside.
Pass = Callable[[pa.Table], tuple[pa.Table, pa.Table]]


def validation(engine: Engine, table_map: TableMap, leg: Leg) -> Pass:
    """Judge rows by what map and schema imply and by what is written in `include/expectations`."""
    expectations = (
        *implied_expectations(table_map, leg, engine.loaded.value_maps),
        *read_expectations(engine.settings.expectations, table_map, leg),
    )
    seen = Identities()

    def judge(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        verdict = validate_table(table_map, leg, table, expectations, seen)
        return verdict.good, verdict.rejects

    return judge


def transformation(engine: Engine, table_map: TableMap, leg: Leg) -> Pass:
    """Make target rows by the mapping; those that do not fit the target are set aside."""
    loaded = engine.loaded

    def judge(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        return transform_table(table_map, leg, table, loaded.value_maps, loaded.companies, loaded.maps)

    return judge


PASSES: Mapping[str, Callable[[Engine, TableMap, Leg], Pass]] = {
    "validate": validation,
    "transform": transformation,
}


@dataclass(slots=True)
class StagePass:
    """One pass of a batch's rows through validate or transform.

    Attributes:
        engine: State, settings and maps.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        stage: validate or transform.
        rejected: Rows set aside so far.
    """

    engine: Engine
    table_map: TableMap
    leg: Leg
    batch: Batch
    stage: str
    rejected: int = field(default=0, init=False)
    _quarantine: Quarantine = field(init=False)

    def __post_init__(self) -> None:
        self._quarantine = Quarantine.of(self.engine, self.table_map, self.batch, self.stage)

    def run(self, manifest: Manifest) -> StageWriter:
        """Pass the parts of the stage before on, one after another.

        Raises:
            BreakerOpenError: Too many rows are bad.
            StagingLostError: The files of the stage before are gone.
        """
        staging, batch = self.engine.staging, self.batch
        judge = PASSES[self.stage](self.engine, self.table_map, self.leg)
        with staging.writer(batch.map, batch.leg, batch.id, self.stage) as writer:
            writer.facts.update(manifest.facts)
            for table in staging.tables(manifest):
                self._chunk(judge, table, manifest.rows, writer)
            for counted in ("read", "deletes"):
                writer.count(counted, manifest.counts.get(counted, 0))
            writer.count("rejected", self.rejected + manifest.counts.get("rejected", 0))
            self._check(manifest.rows)
        return writer

    def _chunk(self, judge: Pass, table: pa.Table, rows: int, writer: StageWriter) -> None:
        sieve = Sieve(table)
        for part in sieve:
            try:
                good, rejects = judge(part)
            except Exception as error:
                if sieve.crashed(part, error):
                    self._quarantine.set_aside(part, error)
                    self.rejected += 1
                    self._check(rows)
                continue
            self.rejected += record_rejects(
                self.engine.state, self.table_map, self.leg, self.batch, rejects, part
            )
            writer.write(good)

    def _check(self, rows: int) -> None:
        settings = self.engine.settings
        share, least = settings.breaker_share, settings.breaker_rows
        check_breaker(self.rejected, rows, share, least, leg=self.batch.map)
