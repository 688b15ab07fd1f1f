"""Where Dataverse's rules read and write rows, in the transaction of the write that they belong to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sandbox.dataverse.errors import PLUGIN_REFUSED, ApiError
from sandbox.rules.hooks import Caller
from sandbox.rules.rowset import MissingRowError, find_rows
from sandbox.store import WriteUnit
from sandbox.store.tables import VERSION

if TYPE_CHECKING:
    from sandbox.dataverse.writing import Writer

_CHUNK = 500  # values asked for in one statement


class Desk:
    """Rows of any table by logical names and stored values, written as the system itself.

    Stored values are GUIDs, time stamps (`2026-10-31T22:00:00Z`) and dates as text, Decimal for
    numbers with a point, int for options. What is written here runs COMPLETE and EFFECT rules, but
    asks no guard.
    """

    def __init__(self, unit: WriteUnit, writer: "Writer") -> None:
        """Work inside a transaction."""
        self.unit = unit
        self.writer = writer

    @property
    def now(self) -> datetime:
        """The sandbox's present, UTC."""
        return self.unit.now

    def find(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Return rows by equal values (None: empty, a list: any of it), oldest version first."""
        entity = self.writer.entities.by_name[table]
        return find_rows(self.unit.connection, entity.table, entity.sql, VERSION, where)

    def first(self, table: str, **where: Any) -> dict[str, Any] | None:
        """Return the first of `find`, None where there is none."""
        return next(iter(self.find(table, **where)), None)

    def get(self, table: str, row_id: str | None) -> dict[str, Any]:
        """Return a row by its GUID.

        Raises:
            MissingRowError: When there is none.
        """
        entity = self.writer.entities.by_name[table]
        row = self.first(table, **{entity.primary_id: row_id}) if row_id else None
        if row is None:
            raise MissingRowError(f"There is no {table} with the id {row_id}.")
        return row

    def by_id(self, table: str, row_ids: Iterable[str | None]) -> dict[str, dict[str, Any]]:
        """Return rows by their GUIDs, in the order given; what has no row is left out."""
        primary_id = self.writer.entities.by_name[table].primary_id
        wanted = list(dict.fromkeys(row_id for row_id in row_ids if row_id))
        found = {
            row[primary_id]: row
            for start in range(0, len(wanted), _CHUNK)
            for row in self.find(table, **{primary_id: wanted[start : start + _CHUNK]})
        }
        return {row_id: found[row_id] for row_id in wanted if row_id in found}

    def create(self, table: str, values: Mapping[str, Any]) -> str:
        """Create a row; return its GUID."""
        return self.create_many(table, [values])[0]

    def create_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Create rows; return their GUIDs in the order given."""
        entity = self.writer.entities.by_name[table]
        return self.writer.insert(self.unit, entity, rows, Caller.SYSTEM)

    def update(self, table: str, row_id: str, values: Mapping[str, Any]) -> None:
        """Change columns of a row."""
        self.update_many(table, [(row_id, values)])

    def update_many(self, table: str, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Change columns of rows, each by its GUID; in bulk where no rule follows from it."""
        self.writer.update(self.unit, self.writer.entities.by_name[table], rows, Caller.SYSTEM)

    def delete(self, table: str, row_id: str) -> None:
        """Delete a row."""
        self.writer.delete(self.unit, self.writer.entities.by_name[table], row_id, Caller.SYSTEM)

    def savepoint(self) -> sa.NestedTransaction:
        """Open a part of the transaction that can be undone alone: one bad row leaves the others."""
        return self.unit.connection.begin_nested()


def refused(message: str) -> ApiError:
    """Return the error with which a business rule refuses a write (E1: 400 with 0x80040265)."""
    return ApiError(400, PLUGIN_REFUSED, message)
