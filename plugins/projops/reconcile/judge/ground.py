"""What the differences of a leg, some at a time, are judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from projops.mapping.model import Leg, System, TableMap
from projops.reconcile.judge.pending import Ahead
from projops.reconcile.judge.shared_columns import Counterpart, Told, told_here
from projops.reconcile.model import Kind, RowDifference
from projops.state.crosswalk import Entry
from projops.state.differences import Sighting, identity
from projops.state.explanations import Letters
from projops.transform.shared import Digests


@dataclass(frozen=True, slots=True)
class Ground:
    """What the differences of a leg, some at a time, are judged by.

    Attributes:
        table_map: The map.
        leg: The leg.
        ahead: What its next run would read.
        back: What the next run of the other leg would read; None where there is none.
        entries: Pairs by key.
        letters: Dead letters of the leg, live or dismissed.
        back_letters: Those of the other leg.
        on_the_way: Keys of rows that somebody writes, or may yet write.
        sightings: What the last reconciliation said, by `differences.identity`.
        last_read_at: When that one read the leg, UTC.
        found: Digests of differing shared columns as the target holds them, by key.
        counterparts: The same pairs as the other leg sees them, by key.
        pause: Who paused the map, since when and why; "" if nobody did.
    """

    table_map: TableMap
    leg: Leg
    ahead: Ahead
    back: Ahead | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    letters: Letters = Letters()
    back_letters: Letters = Letters()
    on_the_way: frozenset[str] = frozenset()
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    last_read_at: datetime | None = None
    found: Mapping[str, Digests] = field(default_factory=dict)
    counterparts: Mapping[str, Counterpart] = field(default_factory=dict)
    pause: str = ""

    @property
    def back_leg(self) -> Leg | None:
        """The leg of the other direction."""
        return self.table_map.legs.get(self.leg.direction.opposite)

    def entry(self, row: RowDifference) -> Entry | None:
        """The pair of a row, if it is the row's own: a Dataverse key may have passed to another GUID."""
        entry = self.entries.get(row.key or "")
        if entry is None or row.kind is Kind.EXTRA or self.leg.direction.source is System.FINANCE:
            return entry
        return entry if entry.dataverse_id == row.source_id else None

    def unchanged(self, row: RowDifference) -> bool:
        """Say whether the source of a row is as it was when the leg had it in step."""
        entry = self.entry(row)
        return (
            entry is not None
            and row.source_hash is not None
            and entry.payload_hash(self.leg.direction) == row.source_hash
        )

    def told(self, row: RowDifference) -> Told:
        """Say of which shared columns of a row this leg tells."""
        key = row.key or ""
        found, counterpart = self.found.get(key, {}), self.counterparts.get(key)
        return told_here(self.table_map, self.leg, self.entry(row), found, counterpart)

    def first_seen(self, row: RowDifference) -> datetime | None:
        """Say since when the row has been seen to differ with the same source, and not been moved since."""
        seen = self.sightings.get(identity(row))
        if seen is None or seen.source_hash != row.source_hash:
            return None
        return seen.first_seen if seen.moved_at is None or seen.moved_at <= seen.first_seen else None
