"""Refusing a map that dual-write still runs: each would take the other's writes for changes, for ever."""

from collections.abc import Mapping

import pyarrow as pa  # noqa: TID253  no DAG file leads here

from projops.errors import StopError
from projops.mapping import catalog
from projops.mapping.model import System, TableMap
from projops.systems import quoting
from projops.systems.dataverse import SERVICE, Dataverse
from projops.systems.decoding import decode_page
from projops.systems.properties import Property

_WHAT = "asking which maps dual-write runs"
_ENTITY_SET = "msdyn_dualwriteruntimeconfigs"
_TABLE, _ENTITY = "msdyn_internalentityname", "msdyn_externalentityname"


async def refuse_dual_write(dataverse: Dataverse, table_map: TableMap, maps: Mapping[str, TableMap]) -> None:
    """Make sure that dual-write does not run a map of the same table.

    It tells so in a Dataverse table of its own, a row a running map (PROPOSED: public code reads these
    columns, no public page lists them; where the table is missing, dual-write is not installed). A
    row counts whatever Finance entity it names, unless that is the entity of another map of ours:
    two writers of one table are to be told of once too often rather than never.

    Args:
        dataverse: Open session.
        table_map: Map that is to run.
        maps: All maps, by id.

    Raises:
        StopError: Dual-write runs it; names map and what to do.
        PoisonPageError: The answer is no page.
    """
    where = f"{quoting.any_of(_TABLE, [table_map.dataverse])} and statecode eq 0"
    url = f"{SERVICE}{_ENTITY_SET}{quoting.query(select=_ENTITY, filter=where)}"
    answer = await dataverse.session.request("GET", url, what=_WHAT)
    if answer.status == 404:
        return
    body = dataverse.session.checked(answer, _WHAT).body
    page = decode_page(System.DATAVERSE, body, [Property(_ENTITY, pa.string())], _WHAT)
    others = {name for each in maps.values() if each.map != table_map.map for name in _names(each)}
    running = [name or "" for name in page.batch[_ENTITY].to_pylist()]
    found = next((name for name in running if name.casefold() not in others), None)
    if found is not None:
        raise StopError(
            f"Map {table_map.map} is refused: dual-write runs a map of {table_map.dataverse} "
            f"and {found or 'a Finance entity without a name'}.",
            remedy=f"Stop that map in dual-write, or pause it here: `projops pause {table_map.map}`.",
            map=table_map.map,
        )


def _names(table_map: TableMap) -> set[str]:
    """The names that dual-write may give to the Finance side of a map, folded."""
    label = catalog.table(System.FINANCE, table_map.finance).label
    return {table_map.title.casefold(), label.casefold()}
