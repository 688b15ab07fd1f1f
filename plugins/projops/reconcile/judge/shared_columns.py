"""A shared column that differs is told by one of its two legs: by the one that would bring the change.

Both legs of a map see such a column differ. Whose change it is follows from the digests of when both
sides were last in step, as in the load (`projops.load.shared`):

| source | target | told by |
|---|---|---|
| changed | as it was | this leg |
| as it was | changed | the other leg |
| changed | changed | the leg whose source is the map's winner |
| as it was | as it was | likewise |
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from projops.identities import Identities
from projops.mapping import catalog
from projops.mapping.model import Leg, TableMap
from projops.mapping.paths import shared_of, target_column
from projops.reconcile.model import Kind, RowDifference
from projops.state.crosswalk import Entry, shared_in_step
from projops.transform.shared import Digests, read_digests, shared_digests


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The same pair of rows as the other leg sees it: its source is our target, and the reverse.

    Attributes:
        source_id: Identity of its source row.
        source_hash: Payload hash of its source row.
        found: Digests of shared columns that differ, as its target holds them now, by its target's names.
    """

    source_id: str | None
    source_hash: str | None
    found: Digests

    def text(self) -> str:
        """Give the form in which it is noted."""
        return json.dumps([self.source_id, self.source_hash, dict(self.found)])

    @classmethod
    def of(cls, text: str) -> "Counterpart":
        """Read it back."""
        return cls(*json.loads(text))


def note_counterparts(
    table_map: TableMap, leg: Leg, rows: Sequence[RowDifference], noted: Identities
) -> None:
    """Note rows of a leg of which shared columns differ, for the judgement of the other leg."""
    digests = found_digests(table_map, leg, rows)
    noted.note(
        (str(row.key), Counterpart(row.source_id, row.source_hash, digests[row.key]).text())
        for row in rows
        if row.key in digests
    )


def found_digests(table_map: TableMap, leg: Leg, rows: Sequence[RowDifference]) -> dict[str, Digests]:
    """Digest what the target holds in those shared columns that differ.

    Args:
        table_map: The map.
        leg: The leg.
        rows: Differences of the leg; their `found` is in the normal form of the target's frame.

    Returns:
        Digests by target column, by key; rows without a differing shared column are left out.
    """
    shared = shared_of(table_map, leg)
    changed = [row for row in rows if row.kind is Kind.CHANGED and row.key is not None]
    values = [{each.column: each.found for each in row.columns if each.column in shared} for row in changed]
    columns = {
        name: pa.array(
            [each.get(name) for each in values], catalog.arrow_type(target_column(table_map, leg, name))
        )
        for name in shared
    }
    if not columns:
        return {}
    digests = read_digests(shared_digests(table_map, leg.direction.target, pa.table(columns)))
    return {
        str(row.key): {name: (all_ or {})[name] for name in held}
        for row, held, all_ in zip(changed, values, digests, strict=True)
        if held
    }


@dataclass(frozen=True, slots=True)
class Told:
    """Shared columns of a row that one leg tells of, by the target's names.

    Attributes:
        columns: All of them.
        changed_at_target: Those of them that the target has changed too, or alone.
    """

    columns: frozenset[str]
    changed_at_target: frozenset[str]


def told_here(
    table_map: TableMap, leg: Leg, entry: Entry | None, found: Digests, counterpart: Counterpart | None
) -> Told:
    """Say of which shared columns of a row a leg is to tell.

    Args:
        table_map: The map.
        leg: The leg.
        entry: What was last in step.
        found: Digests of the shared columns that differ, as the target holds them now.
        counterpart: The pair as the other leg sees it; None where it sees no difference.
    """
    wins = table_map.conflict is leg.direction.source
    before_source, before_target = shared_in_step(entry, leg.direction.source)
    told, changed = set(), {name for name in found if found[name] != before_target.get(name)}
    for name, source in shared_of(table_map, leg).items():
        at_source = None if counterpart is None else counterpart.found.get(source)
        source_changed = at_source != before_source.get(source)
        ours = source_changed if source_changed is not (name in changed) else wins
        # A column in which the other leg sees no difference is told of here, whoever changed it.
        if name in found and (ours or at_source is None):
            told.add(name)
    return Told(frozenset(told), frozenset(told & changed))
