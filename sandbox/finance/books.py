"""Where Finance's rules read and write rows, in the transaction of the write that they belong to."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog, inner_name
from sandbox.finance.errors import VALIDATION_ERROR, FinanceError, write_error
from sandbox.finance.references import delete_owned
from sandbox.finance.values import blanks
from sandbox.rules.hooks import Caller, Change, Verb
from sandbox.rules.rowset import find_rows
from sandbox.store import WriteUnit
from sandbox.store.loading import by_column, insert_columns, update_columns
from sandbox.store.tables import REC_ID, REC_VERSION, VERSION

_RANDOM_VERSIONS = 2**31 - 2


class Books:
    """Rows of any entity set by property names and stored values, as Finance itself writes them.

    Stored values are GUIDs and time stamps as text (days at noon: `2026-10-31T12:00:00Z`), Decimal
    for reals, symbols for enums; nothing is ever None. What is written by the
    system runs COMPLETE and EFFECT rules, but asks no guard and checks no foreign reference.
    """

    def __init__(self, unit: WriteUnit, catalog: Catalog) -> None:
        """Work inside a transaction."""
        self.unit = unit
        self.catalog = catalog

    @property
    def now(self) -> datetime:
        """The sandbox's present, UTC."""
        return self.unit.now

    def find(self, entity_set: str, **where: Any) -> list[dict[str, Any]]:
        """Return rows by equal values (a list: any of it), in the order of their record ids."""
        table = self.catalog.sets[entity_set]
        return find_rows(self.unit.connection, table, self.catalog.sql(table), REC_ID, where)

    def first(self, entity_set: str, **where: Any) -> dict[str, Any] | None:
        """Return the first of `find`, None where there is none."""
        return next(iter(self.find(entity_set, **where)), None)

    def get(self, entity_set: str, **where: Any) -> dict[str, Any]:
        """Return the first of `find`.

        Raises:
            FinanceError: When there is none.
        """
        row = self.first(entity_set, **where)
        if row is None:
            named = ", ".join(f"{name} {value}" for name, value in where.items())
            raise FinanceError(400, f"There is no row of {entity_set} with {named}.", VALIDATION_ERROR)
        return row

    def insert(
        self, entity_set: str, values: Mapping[str, Any], caller: Caller = Caller.SYSTEM
    ) -> dict[str, Any]:
        """Create a row; columns that are not named are blank. Return it as stored.

        Raises:
            FinanceError: A rule refuses it.
            sqlalchemy.exc.IntegrityError: The key occurs already.
        """
        table = self.catalog.sets[entity_set]
        change = Change(entity_set, Verb.CREATE, {}, blanks(table) | dict(values), caller)
        change = self.catalog.rules.prepare(self, change)
        sql = self.catalog.sql(table)
        system = self._system_values()
        columns = {name: [value] for name, value in {**change.values, **system}.items()}
        insert_columns(self.unit.connection, sql, columns)
        inserted = sa.select(sql).where(sql.c[REC_ID] == system[REC_ID])
        stored = dict(self.unit.connection.execute(inserted).mappings().one())
        self.catalog.rules.follow(self, replace(change, values=stored))
        return stored

    def insert_many(self, entity_set: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Create rows as the system in one statement; like `insert`, but nothing is read back.

        Raises:
            sqlalchemy.exc.IntegrityError: A key occurs already.
        """
        table = self.catalog.sets[entity_set]
        blank = blanks(table)
        changes = [
            self.catalog.rules.prepare(
                self, Change(entity_set, Verb.CREATE, {}, blank | dict(row), Caller.SYSTEM)
            )
            for row in rows
        ]
        values = [dict(change.values) | self._system_values() for change in changes]
        if values:
            insert_columns(self.unit.connection, self.catalog.sql(table), by_column(values, {}))
        for change, stored in zip(changes, values, strict=True):
            self.catalog.rules.follow(self, replace(change, values=stored))

    def _system_values(self) -> dict[str, int]:
        return {VERSION: self.unit.next_version(), REC_ID: self.unit.next_recid(), REC_VERSION: 1}

    def update(
        self,
        entity_set: str,
        row: Mapping[str, Any],
        values: Mapping[str, Any],
        caller: Caller = Caller.SYSTEM,
    ) -> dict[str, Any]:
        """Change columns of a row that was read; return it as it is then.

        Raises:
            FinanceError: A rule refuses it.
        """
        change = Change(entity_set, Verb.UPDATE, row, dict(values), caller)
        change = self.catalog.rules.prepare(self, change)
        # RecVersion is random after an update, as seen live [L]
        version = {VERSION: self.unit.next_version(), REC_VERSION: 2 + secrets.randbelow(_RANDOM_VERSIONS)}
        sql = self.catalog.sql(self.catalog.sets[entity_set])
        changed = {**change.values, **version}
        columns = {name: [value] for name, value in changed.items()}
        update_columns(self.unit.connection, sql, [row[REC_ID]], columns)
        self.catalog.rules.follow(self, change)
        return {**row, **changed}

    def delete(self, entity_set: str, row: Mapping[str, Any], caller: Caller = Caller.SYSTEM) -> None:
        """Delete a row that was read, and what it owns.

        Raises:
            FinanceError: A rule refuses it.
        """
        table = self.catalog.sets[entity_set]
        change = self.catalog.rules.prepare(self, Change(entity_set, Verb.DELETE, row, {}, caller))
        sql = self.catalog.sql(table)
        self.unit.connection.execute(sa.delete(sql).where(sql.c[REC_ID] == row[REC_ID]))
        delete_owned(self.unit.connection, self.catalog, table, row)
        self.catalog.rules.follow(self, change)

    def next_number(self, company: str, code: str) -> str:
        """Take the next number of a sequence: `USPM-000041`. A sequence begins with its first use."""
        sequence = self.first("NumberSequences", dataAreaId=company, Code=code)
        if sequence is None:
            sequence = self.insert(
                "NumberSequences", {"dataAreaId": company, "Code": code, "Prefix": f"{company.upper()}-"}
            )
        last = sequence["LastNumber"] + 1
        self.update("NumberSequences", sequence, {"LastNumber": last})
        return f"{sequence['Prefix']}{last:06d}"

    def dataverse(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Return rows of Dataverse, which Finance asks to compare counts with (R803, R612)."""
        store = self.catalog.store
        sql = store.sql(store.dataverse[table])
        return find_rows(self.unit.connection, store.dataverse[table], sql, VERSION, where)

    def savepoint(self) -> sa.NestedTransaction:
        """Open a part of the transaction that can be undone alone: one bad row leaves the others."""
        return self.unit.connection.begin_nested()

    def refused(self, entity_set: str, message: str) -> FinanceError:
        """Return the error with which a rule refuses a write: an X++ write error with its Infolog."""
        return write_error(inner_name(self.catalog.sets[entity_set]), message)
