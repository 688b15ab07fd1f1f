"""A plan: what a run of a leg would write, and nothing written, neither in the systems nor in the state.

The leg runs through its four stages on a copy of the state and in a staging area of its own, against a
target that is read and not written. A leg that reads exports is read in full instead: an export would
move Finance's own mark. What the target itself would refuse shows only in a run.
"""

import asyncio
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from projops import pipeline
from projops.due import Why, poll_interval, whys_due
from projops.engine import Engine
from projops.errors import StopError
from projops.load.decide import Kind
from projops.load.rehearsal import PlannedRow, RehearsedTarget
from projops.load.targets import load_job
from projops.mapping.fingerprint import column_digests, fingerprint
from projops.mapping.model import Strategy
from projops.run import LegRef, RunRequest, Staged
from projops.staging import Staging
from projops.state import meanings, overview, pauses
from projops.state.batches import Counts, get_batch, leg_state
from projops.state.leases import Lease, held
from projops.state.meanings import Difference
from projops.state.overview import SetAside
from projops.state.pauses import Pause
from projops.state.rehearsal import copied


@dataclass(frozen=True, slots=True)
class LegPlan:
    """What a run of one leg would do.

    Attributes:
        leg: The leg.
        why: Why it would run; None where it has nothing to move.
        version: Version of the mapping.
        version_before: Version by which the leg was moved last, or None.
        difference: What the mapping says of its columns now and did not say then; None where the mapping
            is the same, or nothing is known of that one.
        pause: Set where the map is paused: then this is what comes once it is resumed.
        in_full: Whether all rows were read though a run would read an export of the changes.
        counts: Rows by what would become of them.
        actions: Rows that would be written, by action.
        columns: Rows that would change in a column, by column.
        rows: The first of them, in full.
        aside: Rows that would be set aside.
        conflicts: Rows in which both sides have changed a shared column.
        stops: The error that would stop the leg before anything is written, or None.
    """

    leg: LegRef
    why: Why | None
    version: str
    version_before: str | None = None
    difference: Difference | None = None
    pause: Pause | None = None
    in_full: bool = False
    counts: Counts = Counts()
    actions: Mapping[Kind, int] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[PlannedRow, ...] = ()
    aside: tuple[SetAside, ...] = ()
    conflicts: int = 0
    stops: str | None = None


def plan(engine: Engine, ref: LegRef, *, full: bool = False, shown: int = 20) -> LegPlan:
    """Find out what a run of a leg would write, as both systems stand now.

    Rows of other maps that would be written in the same run are not there yet: what waits for them is
    shown as parked.

    Args:
        engine: The engine, whose state is only read.
        ref: The leg.
        full: Whether to plan a run that reads everything.
        shown: Rows to give in full.

    Raises:
        ConfigurationError: There is no such map or leg, or a connection is missing.
        SystemUnavailableError: A system cannot be reached.
    """
    mode = "full" if full else "incremental"
    request = RunRequest("plan", uuid.uuid4().hex, (ref.map,), mode=mode, manual=True)
    with rehearsal(engine) as copy:
        facts = _facts(copy, ref)
        why = asyncio.run(_why(copy, ref, request))
        if why is None:
            return facts
        return _through_the_stages(copy, replace(facts, why=why), request, shown)


@contextmanager
def rehearsal(engine: Engine) -> Iterator[Engine]:
    """Give an engine that may write down what it likes: its state is a copy, its staging its own.

    Only what it asks of both systems counts: limits and the daily budget are everybody's.
    """
    with (
        tempfile.TemporaryDirectory(prefix="projops-plan-") as folder,
        copied(engine.state, Path(folder)) as state,
    ):
        staging = Staging(f"{folder}/staging")
        yield replace(engine, state=state, staging=staging, limits_in=engine.state)


def _facts(engine: Engine, ref: LegRef) -> LegPlan:
    """Say what the state tells of a leg, and let a paused map go, on the copy."""
    table_map, leg = engine.leg(ref)
    value_maps = engine.loaded.value_maps
    with engine.state.begin() as connection:
        state = leg_state(connection, ref.map, ref.leg)
        before = get_batch(connection, state.batch).mapping_version if state.batch else None
        changed = state.fingerprint not in (None, fingerprint(table_map, leg, value_maps))
        columns = column_digests(leg, value_maps)
        difference = meanings.difference(connection, state.fingerprint, columns) if changed else None
        pause = pauses.paused(connection).get(ref.map)
        pauses.end(connection, [ref.map])
    return LegPlan(
        ref,
        None,
        table_map.version,
        version_before=before,
        difference=difference,
        pause=pause,
        in_full=leg.extract.strategy is Strategy.INCREMENTAL_EXPORT,
    )


async def _why(engine: Engine, ref: LegRef, request: RunRequest) -> Why | None:
    async with engine.systems() as systems:
        [why] = await whys_due(engine, systems, [ref], request, poll_interval(engine))
    return why


def _through_the_stages(engine: Engine, facts: LegPlan, request: RunRequest, shown: int) -> LegPlan:
    # The stages find this batch again; one that leaves the watermark alone asks for no export.
    batch = pipeline.begin_batch(engine, facts.leg, request, advances=not facts.in_full)
    with engine.state.begin() as connection:
        old = overview.settled_letters(connection, batch.map, batch.leg) if facts.in_full else frozenset()
    try:
        staged = pipeline.extract(engine, facts.leg, request)
        staged = pipeline.transform(engine, pipeline.validate(engine, staged))
        with held(engine.state, facts.leg.map, "plan", engine.settings.lease_seconds) as lease:
            counts, target = asyncio.run(_load(engine, staged, lease, shown))
    except StopError as error:
        return replace(facts, stops=str(error))
    with engine.state.begin() as connection:
        letters = overview.letters_of(connection, batch.id)
        contested = overview.conflicts_of(connection, batch.id)
    aside = [each for each in letters if each not in old]
    return replace(
        facts,
        counts=counts + _repeated([each for each in letters if each in old]),
        actions=Counter(target.actions.values()),
        columns=target.columns,
        rows=tuple(target.rows.values()),
        aside=tuple(aside),
        conflicts=contested,
    )


async def _load(engine: Engine, staged: Staged, lease: Lease, shown: int) -> tuple[Counts, RehearsedTarget]:
    """Decide on each row as the load stage does, and note what it would write."""
    table_map, leg = engine.leg(LegRef(staged.map, staged.leg))
    manifest = engine.staging.open(staged.uri, staged.batch)
    with engine.state.begin() as connection:
        batch = get_batch(connection, staged.batch)
    async with engine.systems() as systems:
        job = load_job(engine, systems, table_map, leg, batch, manifest.counts.get("deletes", 0), lease)
        target = RehearsedTarget(job.target, table_map.map, job.policy, shown)
        return await pipeline.load_staged(engine, replace(job, target=target, packing=None), manifest), target


def _repeated(letters: Sequence[SetAside]) -> Counts:
    """Give what to take off for rows that were set aside before, which a run would not read again.

    Reading everything, where a run reads an export of the changes, meets them once more.
    """
    failed = sum(each.stage == "load" for each in letters)
    return Counts(read=-len(letters), failed=-failed, rejected=failed - len(letters))
