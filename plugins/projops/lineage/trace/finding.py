"""From what a person has in hand, a number or a part of a key, to the rows that bear it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from projops.engine import Engine
from projops.lineage.trace.entities import entity_of
from projops.lineage.trace.kinds import KINDS, KNOWN_BY, Kind
from projops.lineage.trace.reading import Reader
from projops.lineage.trace.records import Entity, Record, compared
from projops.mapping.catalog import Column, ColumnType
from projops.mapping.keys import fold, has_parts, key_text
from projops.mapping.model import System, TableMap
from projops.mapping.paths import company_path, key_paths, table_of
from projops.reconcile.compare.rows_by_key import rows_by_key
from projops.state import crosswalk

MOST = 50  # rows that are offered to choose from
_SEPARATORS = re.compile(r"[/,]")
_COMPANY = "dataAreaId"


@dataclass(frozen=True, slots=True)
class Match:
    """What bears a number.

    Attributes:
        kind: Kind, or map, under which it was found.
        documents: Documents that bear it, all of one entity and company.
        rows: Rows of maps that bear it: map and key text.
        alone: What to ask for, to have this match and no other: a company before the number, or a key.
    """

    kind: str
    documents: tuple[Record, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    alone: str = ""


@dataclass(slots=True)
class Finder:
    """Looks for what bears a number.

    Attributes:
        engine: State and maps.
        reader: Reads both systems.
        looked: Where it was looked, for whoever finds nothing.
    """

    engine: Engine
    reader: Reader
    looked: dict[str, None] = field(default_factory=dict)

    async def of_map(self, table_map: TableMap, text: str) -> list[str]:
        """Give the key texts of a map's rows that a text names, sorted; at most `MOST` and one more.

        It may be a whole key (parts separated by `/` or `,`, or as the state writes it), a GUID, one part
        of a key, or a number of `KNOWN_BY`; such a number may stand behind its company: `USPM/000123`.
        """
        whole = _whole_key(table_map, text)
        if whole is not None and await self._is_there(table_map, whole):
            return [whole]
        found = await self._bearing(table_map, text)
        for company, number in () if found else _qualified(text):
            borne = await self._bearing(table_map, number)
            found |= {key for key in borne if fold(company) in json.loads(key)}
        return sorted(found)[: MOST + 1]

    async def of_kind(self, name: str, text: str) -> list[Match]:
        """Give what bears a number of a kind: one match for each company, none where nothing does."""
        kind = KINDS[name]
        documents, rows = await self._documents(kind, text), await self._rows(kind, text)
        if documents or rows:
            return _by_company(name, text, documents, rows)
        for company, number in _qualified(text):
            documents = [each for each in await self._documents(kind, number) if _is_of(each, company)]
            borne = await self._rows(kind, number)
            rows = [(map_id, key) for map_id, key in borne if fold(company) in json.loads(key)]
            if documents or rows:
                return _by_company(name, number, documents, rows)
        return []

    async def _documents(self, kind: Kind, text: str) -> list[Record]:
        """Read what bears a number, the most telling documents first."""
        read = await asyncio.gather(*(self._read(entity, column, text) for entity, column in kind.documents))
        return [record for records in read for record in records]

    async def _rows(self, kind: Kind, text: str) -> list[tuple[str, str]]:
        for map_id in kind.maps:
            if map_id in self.engine.maps:
                keys = await self._bearing(self.engine.maps[map_id], text)
                if keys:
                    return [(map_id, key) for key in sorted(keys)]
        return []

    async def _bearing(self, table_map: TableMap, text: str) -> set[str]:
        """Give the keys of rows that bear a text somewhere, on either side, or in the state's memory."""
        places = [(system, column) for system in System for column in _columns(table_map, system, text)]
        read = await asyncio.gather(
            *(self._read(_end(table_map, system), column, text) for system, column in places)
        )
        found = {
            key
            for (system, _), records in zip(places, read, strict=True)
            for record in records
            if (key := _key(table_map, system, record)) is not None
        }
        return found | self._remembered(table_map, text)

    def _remembered(self, table_map: TableMap, text: str) -> set[str]:
        """Give the keys that the state knows with a text as one of their parts, the company aside."""
        self.looked[f"what the state knows of map {table_map.map}"] = None
        part, place = fold(text), _company_place(table_map)
        with self.engine.state.begin() as connection:
            quoted = json.dumps(part, ensure_ascii=False)
            known = crosswalk.keys_with_part(connection, table_map.map, quoted, MOST + 1)
        mine = [key for key in known if has_parts(key, len(table_map.key))]
        return {
            key for key in mine if part in (each for at, each in enumerate(json.loads(key)) if at != place)
        }

    async def _read(self, entity: Entity, column: str, text: str) -> list[Record]:
        self.looked[f"{entity.name}.{column}"] = None
        value = int(text) if entity.table.columns[column].type in _WHOLE else text
        return await self.reader.read(entity, (column,), [(value,)])

    async def _is_there(self, table_map: TableMap, key: str) -> bool:
        with self.engine.state.begin() as connection:
            if crosswalk.by_keys(connection, table_map.map, [key]):
                return True
        self.looked[f"rows of map {table_map.map} with the key {key}"] = None
        for system in System:
            own = tuple(dict.fromkeys(path.partition(".")[0] for path in key_paths(table_map, system)))
            if (await rows_by_key(self.reader.systems, table_map, system, [key], own)).num_rows:
                return True
        return False


_WHOLE = (ColumnType.INTEGER, ColumnType.BIGINT)


def _company_place(table_map: TableMap) -> int | None:
    """Say which part of a key is the company; None of a global map, and of the map of companies itself."""
    paths, company = key_paths(table_map, System.FINANCE), company_path(table_map, System.FINANCE)
    return paths.index(company) if company is not None and len(paths) > 1 else None


def _end(table_map: TableMap, system: System) -> Entity:
    return entity_of(system, table_of(table_map, system).name)


def _columns(table_map: TableMap, system: System, text: str) -> Iterator[str]:
    """Yield the columns of a side in which a text may stand: those that can hold it at all."""
    table, company = table_of(table_map, system), company_path(table_map, system)
    key = [path for path in key_paths(table_map, system) if "." not in path]
    told = [path for path in key if path != company or len(table_map.key) == 1]
    guid = (table.primary_id,) if table.primary_id else ()
    for name in dict.fromkeys((*told, *guid, *KNOWN_BY.get((system, table.name), ()))):
        if _may_hold(table.columns[name], text):
            yield name


def _may_hold(column: Column, text: str) -> bool:
    if column.type in (ColumnType.GUID, ColumnType.LOOKUP):
        return _is_guid(text)
    if column.type in _WHOLE:
        return text.isascii() and text.isdigit()
    return column.is_text


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _key(table_map: TableMap, system: System, record: Record) -> str | None:
    try:
        return key_text([record.columns[path] for path in key_paths(table_map, system)])
    except ValueError:
        return None


def _whole_key(table_map: TableMap, text: str) -> str | None:
    """Read a text as a whole key: as the state writes it, or its parts with separators between."""
    columns = [table_of(table_map, System.FINANCE).columns[part.finance] for part in table_map.key]
    try:
        parts: Sequence[object] = json.loads(text) if text.startswith("[") else _SEPARATORS.split(text)
        if len(parts) != len(columns):
            return None
        typed = zip(columns, parts, strict=True)
        return key_text([int(str(part)) if column.type in _WHOLE else part for column, part in typed])
    except (ValueError, TypeError):
        return None


def _qualified(text: str) -> Iterable[tuple[str, str]]:
    """Read a text as a company and a number, in either order."""
    parts = [part.strip() for part in _SEPARATORS.split(text)]
    return ((parts[0], parts[1]), (parts[1], parts[0])) if len(parts) == 2 and all(parts) else ()


def _by_company(
    name: str, number: str, documents: Iterable[Record], rows: Sequence[tuple[str, str]]
) -> list[Match]:
    """Give one match for each company whose documents bear a number; without documents, for each row."""
    by_company: dict[str, list[Record]] = {}
    for each in documents:
        company = compared(each.columns.get(_COMPANY) or "")
        # Rows of Dataverse stand behind documents of Finance, and so does what is not the most telling.
        mine = by_company.setdefault(company, []) if company or set(by_company) <= {""} else []
        if not mine or mine[0].entity is each.entity:
            mine.append(each)
    if not by_company:
        return [Match(name, rows=(row,), alone=row[1]) for row in rows]
    return [
        Match(
            name,
            tuple(each),
            tuple(row for row in rows if not company or company in json.loads(row[1])),
            f"{company}/{number}" if company else number,
        )
        for company, each in sorted(by_company.items())
    ]


def _is_of(record: Record, company: str) -> bool:
    return compared(record.columns.get(_COMPANY) or "") == fold(company)
