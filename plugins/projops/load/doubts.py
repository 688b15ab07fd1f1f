"""Rows that a writer which fell silent may have written, or may yet: what the load makes of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from projops.load.decide import Policy, Row, TargetRow
from projops.mapping.model import Direction, System
from projops.state.crosswalk import Entry
from projops.state.in_flight import Mark
from projops.transform.shared import Digests

Sent = Mapping[str, Sequence[Digests]]


@dataclass(frozen=True, slots=True)
class Doubts:
    """What the marks of silent writers say of a leg's rows.

    Attributes:
        to_read: Keys whose row at the target is read before it is decided on, whatever the crosswalk says.
        sent: Digests of the shared columns that were sent to the target, by key.
        sent_back: Digests that were sent to the source, by the other leg.
    """

    to_read: frozenset[str] = frozenset()
    sent: Sent = field(default_factory=dict)
    sent_back: Sent = field(default_factory=dict)

    @classmethod
    def of(cls, marks: Iterable[Mark], leg: Direction) -> "Doubts":
        """Sort the marks of a map by what they mean to one of its legs."""
        to_read: set[str] = set()
        sent: dict[str, list[Digests]] = {}
        sent_back: dict[str, list[Digests]] = {}
        for mark in marks:
            own = mark.leg == leg
            for row in mark.rows:
                if own and mark.is_open:
                    to_read.add(row.key)
                if row.shared:
                    (sent if own else sent_back).setdefault(row.key, []).append(row.shared)
        return cls(frozenset(to_read), sent, sent_back)


def last_in_step(
    row: Row, entry: Entry | None, target: TargetRow | None, policy: Policy, doubts: Doubts
) -> Entry | None:
    """Give what was last in step, so that our own late write is not mistaken for a change by people.

    A shared column of the target that holds what was sent is as it was: the source's value may be
    written over it. One of the source that holds what the other leg sent there is no change either,
    while the target's value, which that leg will bring there again, is one.

    Args:
        row: The transformed row.
        entry: What the crosswalk says.
        target: What the target holds.
        policy: What the leg's mapping says.
        doubts: What silent writers sent.
    """
    ours = _arrived(target.shared if target else None, doubts.sent.get(row.key, ()))
    theirs = _arrived(row.source_shared, doubts.sent_back.get(row.key, ()))
    if not ours and not theirs:
        return entry
    known = entry or Entry(row.key)
    forth = policy.source is System.DATAVERSE
    sides = (known.shared_dataverse or {}, known.shared_finance or {})
    before_source, before_target = sides if forth else reversed(sides)
    at_source = {**before_source, **theirs}
    at_target = {
        name: digest
        for name, digest in {**before_target, **ours}.items()
        if policy.shared.get(name) not in theirs
    }
    if forth:
        return replace(known, shared_dataverse=at_source, shared_finance=at_target)
    return replace(known, shared_dataverse=at_target, shared_finance=at_source)


def _arrived(now: Digests | None, sent: Sequence[Digests]) -> dict[str, str]:
    """Of digests that were sent, give those of the columns that hold them now."""
    held = now or {}
    return {name: digest for each in sent for name, digest in each.items() if held.get(name) == digest}
