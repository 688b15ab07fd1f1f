"""From what a row says of another row to that row's GUID.

A target path such as `transactioncurrencyid.isocurrencycode` names a lookup and a column of the row
that it should lead to. That row is found by an alternate key of its table; where the key is striped
by company and no path gives one, the row's own company is meant.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import pyarrow as pa

from projops.extract.lookups import MOST_REMEMBERED
from projops.mapping.catalog import ColumnType, Table
from projops.mapping.keys import key_text
from projops.mapping.paths import COMPANY_CODE, lookup_tables, reference_key
from projops.systems.columns import entity_set, properties
from projops.systems.dataverse import Dataverse


@dataclass(frozen=True, slots=True)
class Reference:
    """The rows that one lookup column should lead to.

    Attributes:
        lookup: Lookup column.
        guids: GUID for each row of the chunk; None where there is no reference or no such row.
        missing: Description of the row that is not there, by row number.
    """

    lookup: str
    guids: Sequence[str | None]
    missing: Mapping[int, "Missing"]


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that Dataverse does not have.

    Attributes:
        table: Logical name of its table.
        values: Its key, by path from that table (`accountnumber`, `msdyn_company.cdm_companycode`).
    """

    table: str
    values: Mapping[str, object]


@dataclass(slots=True)
class References:
    """Finds referenced rows for one run, remembering some of those that it found.

    Attributes:
        dataverse: Where they are looked up.
    """

    dataverse: Dataverse
    _found: dict[tuple[str, tuple[str, ...]], dict[str, str]] = field(default_factory=dict)

    async def resolve(
        self, table: Table, rows: pa.Table, paths: Iterable[str], companies: Sequence[str | None]
    ) -> list[Reference]:
        """Find the rows that dotted paths speak of.

        Args:
            table: Table that the rows will be written to.
            rows: Target frame.
            paths: Target paths; those without a dot are left aside.
            companies: Company code of each row; None for rows of global tables.

        Returns:
            One reference for each lookup column.
        """
        groups: dict[str, dict[str, list[object]]] = {}
        for path in paths:
            lookup, dot, rest = path.partition(".")
            if dot:
                groups.setdefault(lookup, {})[rest] = rows[path].to_pylist()
        return [await self._lookup(table, lookup, values, companies) for lookup, values in groups.items()]

    async def _lookup(
        self,
        table: Table,
        lookup: str,
        values: Mapping[str, Sequence[object]],
        companies: Sequence[str | None],
    ) -> Reference:
        parent = lookup_tables(table, lookup, values)[0]
        key = reference_key(parent, values)
        by_path, parts = {}, []
        for column in key:
            path, texts = self._part_values(parent, column, values, companies)
            by_path[path] = texts
            parts.append(await self._part_guids(parent, column, path, texts, values, companies))
        given = [
            any(column[index] is not None for column in values.values()) for index in range(len(companies))
        ]
        wanted = [
            tuple(part[index] for part in parts) if given[index] else None for index in range(len(given))
        ]
        # Many rows refer to few others: whatever is done for a key is done once.
        found = await self._find(parent, key, {each for each in wanted if each and None not in each})
        guids = [None if each is None else found.get(each) for each in wanted]
        missing = {
            index: Missing(parent.name, {path: texts[index] for path, texts in by_path.items()})
            for index, guid in enumerate(guids)
            if given[index] and guid is None
        }
        return Reference(lookup, guids, missing)

    @staticmethod
    def _part_values(
        parent: Table, column: str, values: Mapping[str, Sequence[object]], companies: Sequence[str | None]
    ) -> tuple[str, Sequence[object]]:
        """Give the path that says a key column's value, and that value for each row."""
        nested = next((path for path in values if path.partition(".")[0] == column), None)
        if nested is not None:
            return nested, values[nested]
        return f"{column}.{COMPANY_CODE}", companies

    async def _part_guids(
        self,
        parent: Table,
        column: str,
        path: str,
        texts: Sequence[object],
        values: Mapping[str, Sequence[object]],
        companies: Sequence[str | None],
    ) -> Sequence[object]:
        """Give the value with which a key column is compared: itself, or the GUID that it stands for."""
        if parent.columns[column].type is not ColumnType.LOOKUP:
            return texts
        nested = {each.partition(".")[2]: values[each] for each in values if each.startswith(f"{column}.")}
        return (await self._lookup(parent, column, nested or {COMPANY_CODE: texts}, companies)).guids

    async def _find(
        self, parent: Table, key: Sequence[str], wanted: AbstractSet[tuple[object, ...]]
    ) -> Mapping[tuple[object, ...], str]:
        """Give GUIDs by key values, reading the keys not found before."""
        known = self._found.setdefault((parent.name, tuple(key)), {})
        if len(known) > MOST_REMEMBERED:
            known.clear()
        texts = {each: key_text(each) for each in wanted}
        unknown = {text: each for each, text in texts.items() if text not in known}
        if unknown:
            columns = properties(parent, key)
            read = await self.dataverse.by_keys(entity_set(parent), columns, columns, list(unknown.values()))
            for row in read.to_pylist():
                known[key_text([row[name] for name in key])] = row["_id"]
        return {each: known[text] for each, text in texts.items() if text in known}
