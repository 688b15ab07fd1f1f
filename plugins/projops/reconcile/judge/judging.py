"""What each difference is: drift, unless something explains it. Pure: values in, values out.

A difference is explained by what the state knows (a dead letter, a write on its way), by what the
mapping or a person said (deletes ignored, a dismissal), or by a change that the next run would bring.
A change explains nothing where the source is as it was when both were last in step: no run would write it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from projops.mapping.model import Deletes, Leaves, Leg, System, WriteMode
from projops.reconcile.compare.pairing import DUPLICATE_KEY
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.judge.causes import SENTENCES, cause_of, swapped
from projops.reconcile.judge.ground import Ground
from projops.reconcile.judge.pending import MAPPING_CHANGED, NOT_STARTED, WATERMARK_EXPIRED, Ahead
from projops.reconcile.model import Finding, Kind, RowDifference, Verdict
from projops.state.crosswalk import UNKNOWN
from projops.state.dead_letters import AWAITING
from projops.state.differences import identity
from projops.state.explanations import SetAside

DISMISSED = "dismissed"
UNSETTLED = "unsettled"
_LONGEST_CAUSE = 50
_OF_LETTER = {
    "open": Verdict.DEAD_LETTER,
    "parked": Verdict.PARKED,
    AWAITING: Verdict.AWAITING_APPROVAL,
}
_PENDING: Mapping[str, str] = {
    NOT_STARTED: "The leg has not run yet: its first run reads everything.",
    MAPPING_CHANGED: "The mapping has changed since the leg ran: its next run reads everything.",
    WATERMARK_EXPIRED: "Dataverse has forgotten where the leg stood: its next run reads everything.",
    "in_flight": "On its way to a system at this moment, or when its writer fell silent; the next run looks.",
    "changed_at_source": "Changed at the source since the leg's last run; the next one brings it.",
    "may_have_changed": "Not as it was when last in step. Finance does not say which rows have changed: the "
    "next run of the leg tells.",
    "deleted_at_source": "Gone at the source, or out of the map's filter; the leg's next run passes it on.",
    "changed_at_target": "Changed at the target; the next run of the other leg brings it back.",
    UNSETTLED: "Changed each time that it was looked at: somebody is at work on it, on either side.",
}


def judge_all(rows: Iterable[RowDifference], ground: Ground) -> list[Finding]:
    """Judge differences of one leg; what the other leg tells of is left out."""
    found = [finding for row in rows if (finding := judge(row, ground)) is not None]
    drifting = [place for place, each in enumerate(found) if each.verdict is Verdict.DRIFT]
    for index in swapped([found[place].difference for place in drifting]):
        place = drifting[index]
        found[place] = replace(found[place], cause="swapped", explanation=SENTENCES["swapped"])
    return found


def judge(row: RowDifference, ground: Ground) -> Finding | None:
    """Judge one difference.

    Returns:
        The finding; None where the other leg tells of all columns that differ.
    """
    own = _own(row, ground)
    if row.columns and not own.columns:
        return None
    for explains in (_set_aside, _on_its_way, _kept, _pending):
        finding = explains(own, ground)
        if finding is not None:
            return finding
    entry = ground.entry(own)
    known = entry is not None and entry.payload_hash(ground.leg.direction) is not None
    cause = cause_of(
        own,
        known=known,
        unchanged=ground.unchanged(own),
        by_lookup=known and _is_by_lookup(own, ground.leg),
        creates=ground.leg.write is not WriteMode.UPDATE_ONLY,
    )
    return Finding(own, Verdict.DRIFT, cause, SENTENCES[cause])


def unsettled(row: RowDifference, pause: str = "") -> Finding:
    """Give the finding of a row that changed each time it was looked at."""
    return _is_pending(row, UNSETTLED, pause)


def _own(row: RowDifference, ground: Ground) -> RowDifference:
    """Leave out the shared columns of which the other leg tells."""
    found = ground.found.get(row.key or "")
    if not found:
        return row
    told = ground.told(row).columns
    columns = tuple(each for each in row.columns if each.column not in found or each.column in told)
    return replace(row, columns=columns)


def _set_aside(row: RowDifference, ground: Ground) -> Finding | None:
    """A live dead letter of the row; of an extra row also one that the other leg has of it."""
    back = ground.back_letters.about(row) if row.kind is Kind.EXTRA else []
    live = [each for each in [*ground.letters.about(row), *back] if each.status != DISMISSED]
    if not live:
        return None
    letter = live[-1]
    sentence = (
        f"Dead letter {letter.id} ({letter.rule}) holds the row back: "
        f"`projops dead-letters show {letter.id}` says why and what to do."
    )
    return Finding(row, _OF_LETTER[letter.status], letter.rule[:_LONGEST_CAUSE], sentence)


def _on_its_way(row: RowDifference, ground: Ground) -> Finding | None:
    return _is_pending(row, "in_flight", ground.pause) if row.key in ground.on_the_way else None


def _kept(row: RowDifference, ground: Ground) -> Finding | None:
    """What the mapping leaves at the target, and what a person has dismissed."""
    entry = ground.entry(row)
    if row.kind is Kind.EXTRA and entry is not None and row.reason != DUPLICATE_KEY:
        left = row.reason == LEFT_FILTER
        what = (ground.leg.extract.leaves if left else ground.leg.deletes).value
        # Of a row that was deactivated nothing stands in step any more.
        done = entry.payload_hash(ground.leg.direction) == UNKNOWN
        if what in _STAYS or (what == Deletes.DEACTIVATE and done):
            cause = "left_filter" if left else "deleted_at_source"
            return Finding(row, Verdict.KEPT, cause, _KEEPS.format("leaves" if left else "deletes", what))
    return _kept_by_a_person(row, ground)


_STAYS = (Deletes.IGNORE.value, Leaves.KEEP.value)
_KEEPS = "The source has no such row for the map any more, which says that its target stays (`{}: {}`)."


def _kept_by_a_person(row: RowDifference, ground: Ground) -> Finding | None:
    """A dismissed dead letter whose source has not changed since."""
    mine = ground.letters.about(row)
    if not mine or ground.unchanged(row) or _changed_since(row, mine[-1], ground):
        return None
    number = mine[-1].id
    return Finding(
        row, Verdict.KEPT, DISMISSED, f"Dead letter {number} was dismissed: the row is left as it is."
    )


def _changed_since(row: RowDifference, letter: SetAside, ground: Ground) -> bool:
    """Say whether the source of a row has changed since a person dismissed its letter, as far as is known."""
    if ground.ahead.named is not None:
        return row.source_id in ground.ahead.named
    if ground.last_read_at is None or letter.closed_at is None or ground.last_read_at <= letter.closed_at:
        return False
    seen = ground.sightings.get(identity(row))
    return seen is None or seen.verdict is not Verdict.KEPT or seen.source_hash != row.source_hash


def _pending(row: RowDifference, ground: Ground) -> Finding | None:
    """A change, or a delete, that a run would bring; none makes one row of two with the same key."""
    if row.reason == DUPLICATE_KEY:
        return None
    cause = _delete_ahead(row, ground) if row.kind is Kind.EXTRA else _change_ahead(row, ground)
    return None if cause is None else _is_pending(row, cause, ground.pause)


def _change_ahead(row: RowDifference, ground: Ground) -> str | None:
    ahead = ground.ahead
    if not ground.unchanged(row) and ahead.brings(row.source_id, ground.first_seen(row)):
        waits = "changed_at_source" if ahead.named is not None else "may_have_changed"
        return ahead.all_because or waits
    return "changed_at_target" if _back_brings(row, ground) else None


def _back_brings(row: RowDifference, ground: Ground) -> bool:
    """Say whether the other leg would bring what the target has: its shared columns, or its delete."""
    if ground.back is None or ground.back_leg is None:
        return False
    if row.kind is Kind.MISSING:
        return _back_deletes(row, ground, ground.back, ground.back_leg)
    counterpart = ground.counterparts.get(row.key or "")
    if counterpart is None or not ground.told(row).changed_at_target:
        return False
    entry = ground.entry(row)
    in_step = entry is not None and entry.payload_hash(ground.back_leg.direction) == counterpart.source_hash
    return not in_step and ground.back.brings(counterpart.source_id, ground.first_seen(row))


def _back_deletes(row: RowDifference, ground: Ground, back: Ahead, back_leg: Leg) -> bool:
    """Say whether the row was deleted at the target, and the other leg would delete it at the source too."""
    entry = ground.entry(row)
    if entry is None or back_leg.deletes is Deletes.IGNORE:
        return False
    target_id = entry.dataverse_id if back_leg.direction.source is System.DATAVERSE else row.key
    return back.brings(target_id, ground.first_seen(row))


def _delete_ahead(row: RowDifference, ground: Ground) -> str | None:
    """Say why an extra row may go by itself, or be brought to the source."""
    entry, first_seen = ground.entry(row), ground.first_seen(row)
    if entry is None:
        brought = ground.back is not None and ground.back.brings(row.target_id, first_seen)
        return "changed_at_target" if brought else None
    source_id = entry.dataverse_id if ground.leg.direction.source is System.DATAVERSE else row.key
    if not ground.ahead.brings(source_id, first_seen):
        return None
    return ground.ahead.all_because or "deleted_at_source"


def _is_pending(row: RowDifference, cause: str, pause: str) -> Finding:
    sentence = _PENDING[cause]
    return Finding(
        row,
        Verdict.PENDING,
        cause,
        f"The map is {pause}, so nothing moves. {sentence}" if pause else sentence,
    )


def _is_by_lookup(row: RowDifference, leg: Leg) -> bool:
    """Say whether all that differs is read through lookups of the source."""
    sources = {rule.target: rule.source or "" for rule in leg.fields}
    return leg.direction.source is System.DATAVERSE and all(
        "." in sources[each.column] for each in row.columns
    )
