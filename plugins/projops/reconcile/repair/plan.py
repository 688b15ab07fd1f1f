"""Which rows a repair sends by which leg, and which it leaves and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from projops.engine import Engine
from projops.identities import Identities
from projops.mapping.model import Deletes, Direction, Leaves, Leg, System, TableMap, WriteMode
from projops.mapping.paths import shared_of
from projops.reconcile.compare.pairing import DUPLICATE_KEY
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.model import Kind, RowDifference, Verdict
from projops.reconcile.record import recorded
from projops.restore import guid_of_stray
from projops.state import crosswalk
from projops.state.crosswalk import Entry

MOST_NAMED = 100  # rows that are kept of those that stay for one reason
_ROWS = 500  # planned at once

NO_KEY = "Finance names no row without a whole key: complete the key at the source."
DUPLICATE = "Another row of the target has the same key: delete the wrong one there."
IGNORED = "The map passes no deletes on (`deletes: ignore`): delete the row at the target if nobody needs it."
STAYS = "The map leaves rows at the target that it moves no longer (`leaves: keep`)."
NEVER_SENT = (
    "The map's filter leaves the source row out, and no run has sent it: find out who made the other one."
)
NEVER_CREATED = "This leg never creates a row (`write: update_only`): find out who deleted it at the target."


@dataclass(slots=True)
class Left:
    """Rows that a repair leaves as they are, for one reason.

    Attributes:
        reason: Why, and what to do, in one sentence.
        rows: How many.
        keys: The first of them.
    """

    reason: str
    rows: int = 0
    keys: list[str] = field(default_factory=list)

    def add(self, key: str) -> None:
        """Count one more."""
        self.rows += 1
        if len(self.keys) < MOST_NAMED:
            self.keys.append(key)


@dataclass(slots=True)
class Plan:
    """What is to go by one leg.

    Attributes:
        rows: Identities at the source of the rows to send, with their keys.
        contested: Keys of rows whose shared columns the winner is to have.
        strays: Keys of rows to delete that no run ever paired, with the GUID that pairs them now.
        left: Rows that stay, by reason.
    """

    rows: Identities = field(default_factory=Identities)
    contested: Identities = field(default_factory=Identities)
    strays: Identities = field(default_factory=Identities)
    left: dict[str, Left] = field(default_factory=dict)


Plans = Mapping[Direction, Plan]


def plans_of(engine: Engine, table_map: TableMap, reconciliation: int) -> Plans:
    """Plan the repair of a map's drift, as a reconciliation has recorded it.

    Args:
        engine: State and staging.
        table_map: The map.
        reconciliation: Its number.

    Raises:
        StagingLostError: The differences are gone.
    """
    plans: Plans = {direction: Plan() for direction in table_map.legs}
    seen = recorded(engine.staging, reconciliation, table_map.map)
    drift = (each.finding.difference for each in seen if each.finding.verdict is Verdict.DRIFT)
    while some := list(islice(drift, _ROWS)):
        with engine.state.begin() as connection:
            keys = [row.key for row in some if row.key is not None]
            entries = crosswalk.by_keys(connection, table_map.map, keys)
        for row in some:
            _plan(table_map, row, entries.get(row.key or ""), plans)
    return plans


def _plan(table_map: TableMap, row: RowDifference, entry: Entry | None, plans: Plans) -> None:
    """Decide what becomes of one row."""
    leg = table_map.legs[row.leg.direction]
    plan = plans[leg.direction]
    reason = why_left(leg, row, entry)
    if reason is not None:
        plan.left.setdefault(reason, Left(reason)).add(row.key or row.source_id or "")
    elif row.kind is Kind.EXTRA:
        _plan_delete(row, entry, plan)
    elif row.kind is Kind.CHANGED:
        _plan_columns(table_map, leg, row, plans)
    else:
        _send(plan, row.source_id, row.key)


def why_left(leg: Leg, row: RowDifference, entry: Entry | None) -> str | None:
    """Say why a row cannot be repaired; None for one that can.

    Args:
        leg: The leg.
        row: Its difference.
        entry: The pair of its key, or None.
    """
    if row.key is None and leg.direction.source is System.FINANCE:
        return NO_KEY
    if row.kind is Kind.MISSING and leg.write is WriteMode.UPDATE_ONLY:
        return NEVER_CREATED
    return _why_stays(leg, row, entry) if row.kind is Kind.EXTRA else None


def _why_stays(leg: Leg, row: RowDifference, entry: Entry | None) -> str | None:
    if row.reason == DUPLICATE_KEY:
        return DUPLICATE
    if row.reason != LEFT_FILTER:
        return IGNORED if leg.deletes is Deletes.IGNORE else None
    if entry is None:
        return NEVER_SENT
    return STAYS if leg.extract.leaves is Leaves.KEEP else None


def _plan_delete(row: RowDifference, entry: Entry | None, plan: Plan) -> None:
    """Send the delete of an extra row: by the pair that is known, or else by one that is made for it."""
    key = str(row.key)
    source_id = entry.dataverse_id if entry is not None else None
    if source_id is None:
        source_id = guid_of_stray(row.leg, key, row.target_id)
        plan.strays.note([(key, source_id or "")])
    _send(plan, source_id if row.leg.direction.source is System.DATAVERSE else key, key)


def _plan_columns(table_map: TableMap, leg: Leg, row: RowDifference, plans: Plans) -> None:
    """Send a row's own columns by their leg, and its shared ones by the leg of the winner."""
    shared = shared_of(table_map, leg)
    contested = any(each.column in shared for each in row.columns)
    if not all(each.column in shared for each in row.columns):
        _send(plans[leg.direction], row.source_id, row.key)
    if contested:
        wins = table_map.conflict is leg.direction.source
        winner = leg.direction if wins else leg.direction.opposite
        plans[winner].contested.note([(str(row.key), "")])
        _send(plans[winner], row.source_id if wins else row.target_id, row.key)


def _send(plan: Plan, source_id: str | None, key: str | None) -> None:
    if source_id is not None:
        plan.rows.note([(source_id, key or "")])
