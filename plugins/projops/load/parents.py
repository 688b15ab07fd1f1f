"""Parents that Finance lacks: its rows name each other by key, as the crosswalk knows them."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from projops.load.job import LoadJob
from projops.load.target import PARENT_KEY_CHANGED, Waiting
from projops.mapping.keys import may_be
from projops.state import crosswalk

# A parent as `_parents` of a target frame names it: map, id, lookup, and what is known of its key.
Parent = Mapping[str, Any]
_BETWEEN = "\n"  # neither a GUID nor a key text, which is JSON, holds one


def missing_parents(job: LoadJob, table: pa.Table) -> list[Waiting]:
    """Find the rows whose parents the crosswalk does not know, or knows under another key.

    A row whose parent was given another key would be refused, or be linked to whichever row has that
    key in Finance by now.

    Args:
        job: The batch and its target.
        table: Target frame.

    Returns:
        What such rows wait for, in their order; nothing for a leg from Finance.
    """
    if not job.from_dataverse:
        return []
    named = table["_parents"].combine_chunks()
    parents = pa.Table.from_struct_array(pc.list_flatten(named))
    parents = parents.append_column("row", pc.list_parent_indices(named))
    parents = parents.append_column("place", pa.array(range(parents.num_rows), pa.int64()))
    found: dict[int, Waiting] = {}
    for map_id in pc.unique(parents["map"]).to_pylist():
        found |= _of_map(job, map_id, parents.filter(pc.equal(parents["map"], map_id)))
    return [found[place] for place in sorted(found)]


def _of_map(job: LoadJob, map_id: str, parents: pa.Table) -> dict[int, Waiting]:
    """Judge the parents that one map brings: whole columns settle those that stand as they are named."""
    with job.state.begin() as connection:
        pairs = crosswalk.keys_of(connection, map_id, pc.unique(parents["id"]).to_pylist())
    as_named = pa.array([f"{row_id}{_BETWEEN}{key}" for row_id, key in pairs], pa.string())
    names = pc.binary_join_element_wise(parents["id"], parents["key"], _BETWEEN)
    rest = parents.filter(pc.invert(pc.is_in(names, value_set=as_named)))
    if rest.num_rows == 0:
        return {}
    known: dict[str, set[str]] = {}
    for row_id, key in pairs:
        known.setdefault(row_id, set()).add(key)
    judged = {each["place"]: _judged(each, known.get(each["id"], frozenset())) for each in rest.to_pylist()}
    return {place: wait for place, wait in judged.items() if wait is not None}


def _judged(parent: Parent, known: AbstractSet[str]) -> Waiting | None:
    index, map_id, row_id, lookup, key = (parent[name] for name in ("row", "map", "id", "lookup", "key"))
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
