"""What a row waits for whose reference leads to no row of Dataverse."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from projops.load.references import Missing, Reference
from projops.load.target import PARENT_KEY_CHANGED, Waiting
from projops.mapping import catalog
from projops.mapping.keys import key_column, key_text
from projops.mapping.model import Direction, System, TableMap
from projops.mapping.paths import key_paths, table_of
from projops.state import StateStore, crosswalk
from projops.systems.columns import entity_set, key_values, properties
from projops.systems.dataverse import Dataverse
from projops.systems.finance import Finance

# A map that brings a row to Dataverse, and the row's key text there.
Bringing = tuple[TableMap, str]
# A row by map and key text.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class MissingRows:
    """Says where rows that Dataverse lacks are to come from.

    Attributes:
        state: Knows the rows that were in step.
        dataverse: Where a row may stand under another key by now.
        finance: Where missing rows come from.
        maps: All maps, to say which one brings a row.
    """

    state: StateStore
    dataverse: Dataverse
    finance: Finance
    maps: Sequence[TableMap]

    async def awaited(self, reference: Reference, own: str) -> list[Waiting]:
        """Say of each row without its referenced row what it waits for.

        A row is worth waiting for where a map brings it and Finance has it; rows of the same map are
        sorted out among themselves. One that was in step and has been given another key in Dataverse
        never comes: that is for a person to see.

        Args:
            reference: The rows of one lookup.
            own: Map of the rows.
        """
        bringing = {index: self._bringing(missing) for index, missing in reference.missing.items()}
        wanted = [each for each in bringing.values() if each is not None]
        changed = await self._under_other_keys(wanted)
        coming = await self._in_finance([each for each in wanted if each[0].map != own])
        found = []
        for index, missing in reference.missing.items():
            parent = bringing[index]
            place = (parent[0].map, parent[1]) if parent else ("", "")
            if place in changed:
                found.append(_key_changed(reference.lookup, index, missing, place, changed[place]))
            else:
                comes = place[0] == own or place in coming
                found.append(_waiting(reference.lookup, index, missing, place if comes else None))
        return found

    def _bringing(self, missing: Missing) -> Bringing | None:
        """Find the map that brings a missing row, and the row's key there."""
        for table_map in self.maps:
            if table_map.enabled and _brings(table_map, missing.table):
                text = _key_of(table_map, missing.values)
                return None if text is None else (table_map, text)
        return None

    async def _in_finance(self, wanted: Sequence[Bringing]) -> AbstractSet[Place]:
        """Of some rows, give those that Finance has."""
        there: set[Place] = set()
        for table_map, texts in _by_map(wanted):
            table = table_of(table_map, System.FINANCE)
            names = key_paths(table_map, System.FINANCE)
            key = properties(table, names)
            values = [key_values(text, key) for text in texts]
            found = await self.finance.by_keys(table.entity_set, key, key, values)
            there |= {
                (table_map.map, text) for text in key_column([found[name] for name in names]).to_pylist()
            }
        return there

    async def _under_other_keys(self, wanted: Sequence[Bringing]) -> Mapping[Place, str]:
        """Of some rows that Dataverse lacks, give those that were in step, with what their key is now."""
        changed: dict[Place, str] = {}
        for table_map, texts in _by_map(wanted):
            with self.state.begin() as connection:
                entries = crosswalk.by_keys(connection, table_map.map, texts).values()
            keys = {entry.dataverse_id: entry.key for entry in entries if entry.dataverse_id}
            table = table_of(table_map, System.DATAVERSE)
            names = [path for path in key_paths(table_map, System.DATAVERSE) if "." not in path]
            found, _ = await self.dataverse.by_ids(entity_set(table), properties(table, names), list(keys))
            for row in found.to_pylist():
                now = ", ".join(f"{name} {row[name]}" for name in names)
                changed[table_map.map, keys[row["_id"]]] = f"{now} (row {row['_id']})"
        return changed


def _by_map(wanted: Iterable[Bringing]) -> Iterable[tuple[TableMap, Sequence[str]]]:
    texts: dict[str, dict[str, None]] = {}
    maps = {}
    for table_map, text in wanted:
        maps[table_map.map] = table_map
        texts.setdefault(table_map.map, {})[text] = None
    return [(maps[map_id], list(keys)) for map_id, keys in texts.items()]


def _waiting(lookup: str, index: int, missing: Missing, place: Place | None) -> Waiting:
    values = ", ".join(f"{path} {value}" for path, value in missing.values.items())
    rows = catalog.table(System.DATAVERSE, missing.table).entity_set
    sentence = f"Unable to look up {rows} with values {{{values}}}"
    if place is None:
        message = (
            f"{sentence}, and no map brings it from Finance: make it where its master is, "
            "and this row goes with the next run."
        )
        return Waiting(index, lookup, missing.table, values, message, None)
    map_id, text = place
    message = f"{sentence}; map {map_id} brings it, and this row then goes by itself."
    return Waiting(index, lookup, missing.table, text, message, map_id)


def _key_changed(lookup: str, index: int, missing: Missing, place: Place, now: str) -> Waiting:
    map_id, text = place
    message = (
        f"{lookup} is to lead to the row that map {map_id} keeps in step under the key {text}; in Dataverse "
        f"its key is {now} now: give it its old key back, and this row goes by itself."
    )
    return Waiting(index, lookup, missing.table, text, message, map_id, PARENT_KEY_CHANGED)


def _brings(table_map: TableMap, table: str) -> bool:
    return table_map.dataverse == table and Direction.FINANCE_TO_DATAVERSE in table_map.legs


def _key_of(table_map: TableMap, values: Mapping[str, object]) -> str | None:
    parts = [values.get(part.dataverse) for part in table_map.key]
    return None if None in parts else key_text(parts)
