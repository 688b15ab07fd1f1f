"""Committing a chunk: crosswalk, dead letters and conflicts in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert

from projops.load.decide import Action, Conflict, Kind
from projops.load.target import Outcome, Result
from projops.mapping.model import Direction, System
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.batches import Counts
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin
from projops.state.tables import conflict as conflicts

_UNKNOWN = ""  # no row has this hash; a None would leave the hash that is there
_STATUS = {Result.REFUSED: "open", Result.WAITS: "parked", Result.AWAITS_APPROVAL: "awaiting_approval"}


@dataclass(frozen=True, slots=True)
class Done:
    """An action and what became of it."""

    action: Action
    outcome: Outcome


def commit_chunk(
    state: StateStore, map_id: str, origin: Origin, done: Sequence[Done], *, in_step: bool
) -> Counts:
    """Write down what became of a chunk's rows.

    Args:
        state: State database.
        map_id: Map id.
        origin: Map, leg, batch and version.
        done: Actions with their outcomes.
        in_step: False where rows were written without a reference and must come again.
    """
    written = [pair for pair in done if pair.outcome.result is Result.WRITTEN]
    gone = [pair.action.row.key for pair in written if pair.action.kind is Kind.DELETE]
    stays = [pair for pair in written if pair.action.kind is not Kind.DELETE]
    direction = Direction(origin.leg)
    with state.begin() as connection:
        entries = [_entry(pair, direction, in_step) for pair in stays]
        crosswalk.put(connection, map_id, origin.batch, entries)
        crosswalk.remove(connection, map_id, gone)
        letters = [_letter(pair) for pair in done if pair.outcome.result in _STATUS]
        dead_letters.record(connection, origin, letters)
        moved = [pair.action.row.source_id for pair in written]
        dead_letters.resolve(connection, map_id, origin.leg, moved, f"moved by batch {origin.batch}")
        _record_conflicts(connection, origin, [pair.action.conflict for pair in written])
    return _count(done)


def _count(done: Sequence[Done]) -> Counts:
    results = [pair.outcome.result for pair in done]
    skipped = sum(pair.action.kind is Kind.SKIP and pair.outcome.result is Result.WRITTEN for pair in done)
    return Counts(
        unchanged=skipped,
        loaded=results.count(Result.WRITTEN) - skipped,
        parked=results.count(Result.WAITS) + results.count(Result.AWAITS_APPROVAL),
        failed=results.count(Result.REFUSED),
    )


def _entry(pair: Done, direction: Direction, in_step: bool) -> Entry:
    row = pair.action.row
    forth = direction is Direction.DATAVERSE_TO_FINANCE
    # Where only the row's own columns were written, the shared ones are not in step yet.
    digest = row.hash if in_step and not pair.action.leaves_shared else None
    # What was written to shared columns is news for the way back, also if it was there once before.
    back = _UNKNOWN if row.source_shared is not None and pair.action.kind is not Kind.SKIP else None
    source_shared, target_shared = _shared(pair, in_step)
    return Entry(
        key=row.key,
        dataverse_id=row.source_id if direction.source is System.DATAVERSE else pair.outcome.target_id,
        hash_dataverse_to_finance=digest if forth else back,
        hash_finance_to_dataverse=back if forth else digest,
        shared_dataverse=source_shared if forth else target_shared,
        shared_finance=target_shared if forth else source_shared,
    )


def _shared(pair: Done, in_step: bool) -> tuple[str | None, str | None]:
    """Give the hashes of the shared columns, at source and target, that are in step from now on."""
    row = pair.action.row
    if pair.action.leaves_shared or row.source_shared is None:
        return None, None
    # Without its reference the row stands at the target as we left it, but the source has more to say.
    return row.source_shared if in_step else _UNKNOWN, row.target_shared


def _letter(pair: Done) -> Letter:
    outcome, row = pair.outcome, pair.action.row
    waiting = outcome.waiting
    return Letter(
        source_id=row.source_id,
        key=row.key,
        status=_STATUS[outcome.result],
        stage="load",
        rule=outcome.code or "refused",
        message=outcome.message,
        field=waiting.field if waiting else None,
        waits_for_map=waiting.map if waiting else None,
        waits_for_id=waiting.id if waiting else None,
        retriable=outcome.retriable,
    )


def _record_conflicts(connection: Connection, origin: Origin, found: Sequence[Conflict | None]) -> None:
    rows = [
        {
            "map": origin.map,
            "leg": origin.leg,
            "key": conflict.key,
            "batch": origin.batch,
            "seen_at": datetime.now(UTC),
            "winner": conflict.winner.value,
            "source_values": _json(conflict.source_values),
            "target_values": _json(conflict.target_values),
        }
        for conflict in found
        if conflict is not None
    ]
    if rows:
        connection.execute(insert(conflicts), rows)


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, default=str, ensure_ascii=False)
