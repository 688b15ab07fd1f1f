"""What validate and transform do to each chunk of a batch, and what they tell of it in the end."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import pyarrow as pa

from projops.engine import Engine
from projops.errors import BreakerOpenError
from projops.identities import Identities
from projops.mapping.model import Leg, TableMap
from projops.poison import RULE, Quarantine, Sieve
from projops.rejects import record_rejects
from projops.staging import Manifest, StageWriter
from projops.state import quality
from projops.state.batches import Batch
from projops.state.quality import ERROR, Breach
from projops.transform.rows import transform_table
from projops.validate.breaker import Limit, check_breaker
from projops.validate.counts import Tally, breaches
from projops.validate.docs.summary import summarized
from projops.validate.expectations import OF_KEYS
from projops.validate.implied import expectations_of
from projops.validate.rows import validate_table
from projops.validate.written import Written, read_written


class Pass(Protocol):
    """What a stage does to the chunks of a batch.

    Attributes:
        most_together: Rows up to which neighbouring chunks are judged as one.
    """

    most_together: int

    def judge(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Give the rows of a chunk that may go on, and those that are set aside."""

    def breaches(self) -> tuple[Breach, ...]:
        """Say what broke which rule so far."""

    def publish(self, batch: Batch, stopped: str | None) -> None:
        """Show people what came of the batch; `stopped` says why it goes no further."""


class Validation:
    """Judges rows by what map and schema imply and by what is written in `include/expectations`."""

    # A call of Great Expectations costs as much as some thousand rows; frames of more rows take memory.
    most_together = 20_000

    def __init__(self, engine: Engine, table_map: TableMap, leg: Leg, written: Written) -> None:
        self._engine, self._map, self._leg = engine, table_map, leg
        mine = written.expectations.get(leg.direction, ())
        self._expectations = expectations_of(table_map, leg, engine.loaded.value_maps, mine)
        self._tally = Tally((*self._expectations, *OF_KEYS))
        self._seen = Identities()

    def judge(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Judge a chunk."""
        verdict = validate_table(self._map, self._leg, table, self._expectations, self._seen)
        self._tally.add(table.num_rows, verdict.rejects.num_rows, verdict.counts)
        return verdict.good, verdict.rejects

    def breaches(self) -> tuple[Breach, ...]:
        """Say what broke which expectation; a row counts under each that it breaks."""
        return breaches(self._tally.expectations, self._tally.counts)

    def publish(self, batch: Batch, stopped: str | None) -> None:
        """Write the batch's Data Docs, unless it has no rows."""
        if self._tally.rows:
            from projops.validate.docs.site import publish  # as in validate/rows.py

            summary = summarized(self._map, batch, self._tally, datetime.now(UTC), stopped)
            publish(self._engine.staging, summary, self._tally, self._engine.settings.keep_docs)


class Transformation:
    """Makes target rows by the mapping; those that do not fit the target are set aside."""

    most_together = 0  # columns of one chunk are long enough

    def __init__(self, engine: Engine, table_map: TableMap, leg: Leg, _: Written) -> None:
        self._loaded, self._map, self._leg = engine.loaded, table_map, leg
        self._broken: Counter[tuple[str, str]] = Counter()

    def judge(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Transform a chunk."""
        loaded = self._loaded
        good, rejects = transform_table(
            self._map, self._leg, table, loaded.value_maps, loaded.companies, loaded.maps
        )
        grouped = rejects.group_by(["rule", "field"]).aggregate([([], "count_all")])
        for each in grouped.to_pylist():
            self._broken[each["rule"], each["field"]] += each["count_all"]
        return good, rejects

    def breaches(self) -> tuple[Breach, ...]:
        """Say what broke which rule; a row counts under the first that it breaks."""
        return tuple(Breach(rule, name or "", ERROR, rows) for (rule, name), rows in self._broken.items())

    def publish(self, batch: Batch, stopped: str | None) -> None:
        """Show nothing: what is transformed has no Data Docs."""


PASSES: Mapping[str, Callable[[Engine, TableMap, Leg, Written], Pass]] = {
    "validate": Validation,
    "transform": Transformation,
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
    _written: Written = field(init=False)
    _pass: Pass = field(init=False)

    def __post_init__(self) -> None:
        self._quarantine = Quarantine.of(self.engine, self.table_map, self.batch, self.stage)
        self._written = read_written(self.engine.settings.expectations, self.table_map)
        self._pass = PASSES[self.stage](self.engine, self.table_map, self.leg, self._written)

    def run(self, manifest: Manifest) -> StageWriter:
        """Pass the parts of the stage before on, one after another; note what broke which rule.

        Raises:
            BreakerOpenError: Too many rows are bad.
            MappingError: What is written about the map's rows is wrong.
            StagingLostError: The files of the stage before are gone.
        """
        try:
            writer = self._run(manifest)
        except BreakerOpenError as error:
            self._tell(str(error))  # what stopped the batch is what people look for
            raise
        self._tell(None)
        return writer

    def _run(self, manifest: Manifest) -> StageWriter:
        staging, batch = self.engine.staging, self.batch
        with staging.writer(batch.map, batch.leg, batch.id, self.stage) as writer:
            writer.facts.update(manifest.facts)
            for several in _together(staging.tables(manifest), self._pass.most_together):
                self._chunk(pa.concat_tables(several), manifest.rows, writer, max(map(len, several)))
            for counted in ("read", "deletes"):
                writer.count(counted, manifest.counts.get(counted, 0))
            writer.count("rejected", self.rejected + manifest.counts.get("rejected", 0))
            self._check(manifest.rows)
        return writer

    def _chunk(self, table: pa.Table, rows: int, writer: StageWriter, size: int) -> None:
        """Pass several chunks as one; what may go on is written in chunks of their size again."""
        sieve = Sieve(table)
        for part in sieve:
            try:
                good, rejects = self._pass.judge(part)
            except Exception as error:
                if sieve.crashed(part, error):
                    self._quarantine.set_aside(part, error)
                    self.rejected += 1
                    self._check(rows)
                continue
            self.rejected += record_rejects(
                self.engine.state, self.table_map, self.leg, self.batch, rejects, part
            )
            for start in range(0, good.num_rows, size):
                writer.write(good.slice(start, size))

    def _check(self, rows: int) -> None:
        settings = self.engine.settings
        broken: Counter[str] = Counter()
        for each in self._pass.breaches():
            broken[each.rule] += each.rows
        check_breaker(
            self.rejected,
            rows,
            Limit(settings.breaker_share, settings.breaker_rows),
            breaker=self._written.breaker,
            broken=broken,
            leg=self.batch.map,
        )

    def _tell(self, stopped: str | None) -> None:
        """Note what broke which rule, and show it to people."""
        poison = [Breach(RULE, "", ERROR, self._quarantine.rows)] if self._quarantine.rows else []
        with self.engine.state.begin() as connection:
            quality.record(connection, self.batch, self.stage, [*self._pass.breaches(), *poison])
        self._pass.publish(self.batch, stopped)


def _together(tables: Iterable[pa.Table], most: int) -> Iterator[list[pa.Table]]:
    """Give neighbours together, as many as have no more rows than that; a greater one comes alone."""
    several: list[pa.Table] = []
    for table in tables:
        if several and sum(map(len, several)) + len(table) > most:
            yield several
            several = []
        several.append(table)
    if several:
        yield several
