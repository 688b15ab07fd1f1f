"""Parents that Finance lacks: its rows name each other by key, as the crosswalk knows them."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import pyarrow as pa

from projops.load.job import LoadJob
from projops.load.target import PARENT_KEY_CHANGED, Waiting
from projops.mapping.keys import may_be
from projops.state import crosswalk

# A parent as `_parents` of a target frame names it: map, id, lookup, and what is known of its key.
Parent = Mapping[str, Any]


def missing_parents(job: LoadJob, table: pa.Table) -> list[Waiting]:
    """Find the rows whose parents the crosswalk does not know, or knows under another key.

    A row whose parent was given another key would be refused, or be linked to whichever row has that
    key in Finance by now.

    Args:
        job: The batch and its target.
        table: Target frame.

    Returns:
        What such rows wait for; nothing for a leg from Finance.
    """
    if not job.from_dataverse:
        return []
    rows: Sequence[Sequence[Parent]] = [row or () for row in table["_parents"].to_pylist()]
    known = _keys_in_step(job, (parent for row in rows for parent in row))
    found = (
        _judged(index, parent, known.get((parent["map"], parent["id"]), frozenset()))
        for index, row in enumerate(rows)
        for parent in row
    )
    return [wait for wait in found if wait is not None]


def _keys_in_step(job: LoadJob, parents: Iterable[Parent]) -> Mapping[tuple[str, str], AbstractSet[str]]:
    """Give the keys under which the crosswalk knows parents, by map and GUID."""
    wanted: dict[str, set[str]] = {}
    for parent in parents:
        wanted.setdefault(parent["map"], set()).add(parent["id"])
    known: dict[tuple[str, str], set[str]] = {}
    with job.state.begin() as connection:
        for map_id, ids in wanted.items():
            for entry in crosswalk.by_ids(connection, map_id, ids):
                known.setdefault((map_id, str(entry.dataverse_id)), set()).add(entry.key)
    return known


def _judged(index: int, parent: Parent, known: AbstractSet[str]) -> Waiting | None:
    map_id, row_id, lookup, key = (parent[name] for name in ("map", "id", "lookup", "key"))
    if not known:
        message = (
            f"Waits for row {row_id} of map {map_id}, which is not in Finance yet; goes by itself once it is."
        )
        return Waiting(index, lookup or "", map_id, row_id, message, map_id)
    if key is None or any(may_be(key, each) for each in known):
        return None
    message = (
        f"{lookup} leads to row {row_id} of map {map_id}, whose key was {min(known)} when it was last in "
        f"step and is {key} now; let {map_id} bring it under its new key, or give it its old one back, and "
        "this row goes by itself."
    )
    return Waiting(index, lookup, map_id, row_id, message, map_id, PARENT_KEY_CHANGED)
