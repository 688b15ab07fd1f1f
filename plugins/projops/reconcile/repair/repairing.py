"""Repairs drift: the rows go through the ordinary four stages of the leg that owns what differs.

    recorded drift -> plan (which rows go by which leg, which stay and why) -> extract .. load

A repair trusts neither the crosswalk nor the differences that were recorded: its batches read the rows
afresh on both sides and write what differs by then. They move no watermark. Shared columns, of which
nobody can tell any more who changed them, go by the leg whose source the map lets win conflicts.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from projops import pipeline
from projops.counting import rows
from projops.engine import Engine
from projops.errors import MapPausedError, StopError
from projops.mapping.model import Direction, System, TableMap
from projops.mapping.order import leg_order
from projops.pausing import refuse_paused
from projops.reconcile.model import Verdict
from projops.reconcile.repair.plan import Left, Plan, Plans, plans_of
from projops.run import LegOutcome, LegRef, RunRequest
from projops.state import crosswalk, differences, overview, reconciliations
from projops.state.audit import record_action
from projops.state.batches import Batch

MODE = "repair"
_ROWS = 500  # read, and doubted, at once
_MOST_TOLD = 5  # rows that a sentence names of them
_TRIES = 3  # a batch that a run has overtaken is begun anew at most so often


@dataclass(frozen=True, slots=True)
class LegRepair:
    """What a repair did with the drift of one leg's target.

    Attributes:
        leg: The leg that moved the rows.
        batch: Its batch; None where no row was to go.
        sent: Rows that were to be read afresh and sent through the stages.
        outcome: What became of them; None where the leg stopped, or none was to go.
        left: Rows that stay as they are.
        stopped: Why the leg stopped, or "".
    """

    leg: LegRef
    batch: int | None = None
    sent: int = 0
    outcome: LegOutcome | None = None
    left: tuple[Left, ...] = ()
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair came to.

    Attributes:
        legs: What was done, leg by leg.
    """

    legs: tuple[LegRepair, ...]

    @property
    def maps(self) -> tuple[str, ...]:
        """Maps of which rows were sent."""
        return tuple(dict.fromkeys(each.leg.map for each in self.legs if each.sent))

    @property
    def sentences(self) -> list[str]:
        """What was done, and what stays and why; keys are named, values are not."""
        return [sentence for each in self.legs for sentence in _sentences(each)]


def repair(engine: Engine, reconciliation: int, actor: str) -> Repaired:
    """Repair all drift that a reconciliation has found, in the order in which legs run.

    Args:
        engine: The engine.
        reconciliation: Its number.
        actor: Who asks for it, for the audit trail.

    Raises:
        StagingLostError: The differences are gone.
        SystemUnavailableError: A system cannot be reached; what was repaired is.
    """
    with engine.state.begin() as connection:
        found = reconciliations.legs(connection, reconciliation)
    drifted = {result.leg.map for result in found if result.verdicts[Verdict.DRIFT]}
    done: list[LegRepair] = []
    for name in dict.fromkeys(name for name, _ in leg_order({each: engine.map(each) for each in drifted})):
        done += _repair_map(engine, reconciliation, name, actor)
    return Repaired(tuple(done))


def _repair_map(engine: Engine, reconciliation: int, map_id: str, actor: str) -> list[LegRepair]:
    table_map = engine.map(map_id)
    plans = plans_of(engine, table_map, reconciliation)
    order = [direction for _, direction in leg_order({map_id: table_map})]
    try:
        refuse_paused(engine, [map_id])
    except MapPausedError as error:
        return [_planned(LegRef(map_id, each.value), plans[each], str(error)) for each in order]
    _contest(engine, map_id, plans)
    return [_repair_leg(engine, table_map, each, plans[each], reconciliation, actor) for each in order]


def _contest(engine: Engine, map_id: str, plans: Plans) -> None:
    """Give contested columns to the map's winner, before either leg moves any of these rows."""
    for plan in plans.values():
        for keys in plan.contested.pages(_ROWS):
            with engine.state.begin() as connection:
                crosswalk.contest(connection, map_id, keys)


def _repair_leg(
    engine: Engine, table_map: TableMap, direction: Direction, plan: Plan, reconciliation: int, actor: str
) -> LegRepair:
    ref = LegRef(table_map.map, direction.value)
    planned = _planned(ref, plan)
    if not planned.sent:
        return planned
    with engine.state.begin() as connection:
        subject = f"{ref}: {rows(planned.sent)} of reconciliation {reconciliation}"
        record_action(connection, actor, MODE, subject)
    try:
        outcome = _move(engine, ref, plan)
    except StopError as error:
        return replace(planned, stopped=str(error))
    refused = _note(engine, ref, plan, reconciliation, outcome.batch)
    return replace(planned, batch=outcome.batch, outcome=outcome, left=(*planned.left, *refused))


def _planned(ref: LegRef, plan: Plan, stopped: str = "") -> LegRepair:
    """Say what is to be done by a leg; with a reason, that nothing of it was."""
    sent = sum(len(page) for page in plan.rows.pages(_ROWS))
    return LegRepair(ref, sent=sent, left=tuple(plan.left.values()), stopped=stopped if sent else "")


def _move(engine: Engine, ref: LegRef, plan: Plan) -> LegOutcome:
    """Take the rows through the four stages; anew where a run has moved the leg meanwhile."""
    for _ in range(_TRIES):
        request = RunRequest(MODE, uuid.uuid4().hex, (ref.map,), mode=MODE, manual=True)
        batch = pipeline.begin_batch(engine, ref, request, advances=False)
        _doubt(engine, ref, plan, batch)
        staged = pipeline.extract(engine, ref, request, lambda: plan.rows.pages(_ROWS))
        staged = pipeline.transform(engine, pipeline.validate(engine, staged))
        outcome = pipeline.load(engine, staged)
        if outcome.superseded_by is None:
            return outcome
    raise StopError(
        f"Runs have moved {ref} each time that its repair was about to be written.",
        remedy="Pause its schedule, or repair again later.",
        map=ref.map,
        leg=ref.leg,
    )


def _doubt(engine: Engine, ref: LegRef, plan: Plan, batch: Batch) -> None:
    """Let the load look at the target, whatever the crosswalk says of these rows."""
    ours = ref.direction.source is System.DATAVERSE
    for page in plan.rows.pages(_ROWS):
        keys = plan.rows.among(page)
        keyed = [(key, source_id if ours else None) for source_id, key in keys.items() if key]
        with engine.state.begin() as connection:
            _pair_strays(connection, ref, plan, batch, [key for key, _ in keyed])
            crosswalk.doubt(connection, ref.map, batch.id, ref.direction, keyed)


def _pair_strays(connection: Connection, ref: LegRef, plan: Plan, batch: Batch, keys: Sequence[str]) -> None:
    """Pair rows that only the target has, so that their delete is known."""
    pairs = [
        crosswalk.only_paired(key, guid or None, ref.direction)
        for key, guid in plan.strays.among(keys).items()
    ]
    crosswalk.put(connection, ref.map, batch.id, pairs)


def _note(engine: Engine, ref: LegRef, plan: Plan, reconciliation: int, batch: int) -> Iterable[Left]:
    """Note what was sent by which batch; give the rows that it had to set aside."""
    refused: dict[str, Left] = {}
    with engine.state.begin() as connection:
        for page in plan.rows.pages(_ROWS):
            keys = plan.rows.among(page).values()
            differences.note_repair(connection, reconciliation, ref.map, keys, batch)
        for letter in overview.letters_of(connection, batch):
            named = f"`projops dead-letters list {ref.map}` names them."
            why = Left(f"Set aside as dead letters ({letter.rule}): {named}")
            refused.setdefault(letter.rule, why).add(letter.key or "")
    return refused.values()


def _sentences(done: LegRepair) -> Iterator[str]:
    if done.outcome is not None:
        parts = ("loaded", "unchanged", "parked", "rejected", "failed")
        counts = ", ".join(f"{getattr(done.outcome, part)} {part}" for part in parts)
        yield f"{done.leg}: batch {done.batch} took {rows(done.sent)} through the stages: {counts}."
    if done.stopped:
        yield f"{done.leg}: {rows(done.sent)} not repaired. {done.stopped}"
    for left in done.left:
        named = ", ".join(left.keys[:_MOST_TOLD])
        yield f"{done.leg}: left as it is: {rows(left.rows)}, {named}. {left.reason}"
