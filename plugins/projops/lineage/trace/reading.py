"""Reading the rows that a trace walks to: many of a kind at once, by whatever columns lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from projops.engine import Systems
from projops.errors import StopError
from projops.extract.lookups import Lookups
from projops.lineage.trace.addresses import dataverse_link, finance_link
from projops.lineage.trace.entities import remark_of
from projops.lineage.trace.links import columns_of
from projops.lineage.trace.records import Entity, Link, Record, compared
from projops.mapping.catalog import Table, arrow_type, resolve
from projops.mapping.model import System
from projops.systems.columns import entity_set, properties
from projops.systems.properties import Property

_WILDCARD = "*"  # Finance takes it for any text in a filter, and only whole keys can be asked for otherwise


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows of both systems for a trace.

    Attributes:
        systems: Open sessions.
        links: The links that the trace follows: what they look at is read of each row.
        lookups: Resolves lookup paths, remembering what it has read.
        unread: What could not be read, one sentence each; filled while reading.
    """

    systems: Systems
    links: tuple[Link, ...]
    lookups: Lookups
    unread: dict[str, None] = field(default_factory=dict)
    _known: dict[tuple[Entity, tuple[str, ...]], dict[tuple[str, ...], list[Record]]] = field(
        default_factory=dict
    )

    async def read(
        self, entity: Entity, columns: Sequence[str], wanted: Iterable[Sequence[Any]]
    ) -> list[Record]:
        """Read the rows that hold any of these values in some columns; what was read before is remembered.

        An entity set that an environment lacks, or that nobody lets us read, is told of in `unread`.

        Args:
            entity: What to read.
            columns: Columns, or lookup paths, that are compared.
            wanted: Values of these columns.
        """
        known = self._known.setdefault((entity, tuple(columns)), {})
        rows = {tuple(map(compared, values)): values for values in wanted}
        rows = {
            key: values for key, values in rows.items() if not self._beyond_filters(entity, columns, values)
        }
        missing = {key: values for key, values in rows.items() if key not in known}
        if missing:
            found = await self._read_afresh(entity, columns, list(missing.values()))
            known |= {key: [each for each in found if each.key(columns) == key] for key in missing}
        return [record for key in rows for record in known[key]]

    async def _read_afresh(
        self, entity: Entity, columns: Sequence[str], wanted: Sequence[Sequence[Any]]
    ) -> list[Record]:
        try:
            read = await self._rows(entity, columns, wanted)
        except StopError as error:
            self.unread[f"{entity.name} could not be read: {error}"] = None
            return []
        return [self._record(entity, row) for row in read.to_pylist()]

    async def _rows(
        self, entity: Entity, columns: Sequence[str], wanted: Sequence[Sequence[Any]]
    ) -> pa.Table:
        table, paths = entity.table, self._paths(entity)
        keys = tuple(_compared_with(table, column) for column in columns)
        own = properties(table, dict.fromkeys(path.partition(".")[0] for path in paths))
        if entity.system is System.FINANCE:
            return await self.systems.finance.by_keys(table.entity_set, own, keys, wanted)
        found = await self.systems.dataverse.by_keys(entity_set(table), own, keys, wanted)
        return await self.lookups.add(table.name, found, paths)

    def _paths(self, entity: Entity) -> tuple[str, ...]:
        """Give what is read of an entity: its key, what links look at, and what a trace tells of it."""
        looked_at = columns_of(entity, self.links)
        return tuple(dict.fromkeys((*entity.key, *looked_at, *entity.facts, *entity.values)))

    def _beyond_filters(self, entity: Entity, columns: Sequence[str], values: Sequence[Any]) -> bool:
        """Say whether Finance cannot be asked for values: a filter takes `*` for any text [D]."""
        beyond = entity.system is System.FINANCE and any(_WILDCARD in str(value) for value in values)
        if beyond and tuple(columns) != entity.key:
            self.unread[f"{entity.name} cannot be searched for a value with {_WILDCARD} in it."] = None
            return True
        return False

    def _record(self, entity: Entity, row: Mapping[str, Any]) -> Record:
        key = [row[name] for name in entity.key]
        if entity.system is System.DATAVERSE:
            link = dataverse_link(self._base(entity), entity.name, str(row["_id"]))
            return Record(entity, str(row["_id"]), row, link)
        identity = "/".join(str(value) for value in key)
        link = finance_link(self._base(entity), entity.table, key)
        return Record(entity, identity.lower(), row, link, remark_of(entity, row))

    def _base(self, entity: Entity) -> str:
        side = self.systems.dataverse if entity.system is System.DATAVERSE else self.systems.finance
        return side.session.connection.base_url


def _compared_with(table: Table, path: str) -> Property:
    """Give a column as filters compare it; through lookups by a navigation path."""
    if "." not in path:
        return properties(table, (path,))[0]
    return Property(path, arrow_type(resolve(table, path).column))
