"""Rows created, changed and deleted inside one write unit; single requests and bulk messages alike."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.entities import Entities, Entity
from sandbox.dataverse.errors import INVALID_ARGUMENT, bad_request, duplicate_record
from sandbox.dataverse.finding import find_rows, missing_row
from sandbox.dataverse.payload import Payload
from sandbox.dataverse.references import Reference
from sandbox.rules.hooks import Caller, Change, Row, Rulebook, Verb
from sandbox.store import Store, WriteUnit
from sandbox.store.loading import Columns, by_column, insert_columns, update_columns
from sandbox.store.tables import VERSION, table_name
from sandbox.store.types import instant_text

_CHUNK = 500
_INACTIVE = {0: 1, 1: 2}


@dataclass(frozen=True)
class Writer:
    """Writes rows of any table as the calling user.

    Attributes:
        store: The database.
        entities: All tables.
        user_id: GUID of the application user.
        business_unit_id: GUID of its business unit.
        rules: What runs with writes.
    """

    store: Store
    entities: Entities
    user_id: str
    business_unit_id: str
    rules: Rulebook[Desk] = field(default_factory=Rulebook)

    def bound(self, unit: WriteUnit, payloads: Sequence[Payload]) -> list[dict[str, Any]]:
        """Return the values of each payload with its lookups bound to existing rows.

        Raises:
            ApiError: 404 when a row that a lookup shall point to does not exist.
        """
        wanted = {ref.identity: ref for payload in payloads for ref in payload.binds.values()}
        found = self._existing(unit, wanted.values())
        return [
            {**payload.values, **{name: found[ref.identity] for name, ref in payload.binds.items()}}
            for payload in payloads
        ]

    def insert(
        self,
        unit: WriteUnit,
        entity: Entity,
        rows: Sequence[Mapping[str, Any]],
        caller: Caller = Caller.USER,
    ) -> list[str]:
        """Create rows from stored values; return their GUIDs.

        Raises:
            ApiError: When a required column is missing (400), a key occurs already (412), or a rule refuses.
        """
        if not rows:
            return []
        blank = self._new_row(unit, entity)
        ruled = self.rules.concerns(entity.table.name, Verb.CREATE, caller)
        if ruled:
            rows = [self._prepared(unit, entity, Verb.CREATE, {}, row, caller).values for row in rows]
        given = [row[entity.primary_id] for row in rows if row.get(entity.primary_id)]
        self._forget_tombstones(unit, entity, given)
        named = [_complete(entity, blank, row) for row in rows]
        columns = by_column(named, blank) | {VERSION: unit.next_versions(len(named))}
        _refuse_missing(entity, columns)
        with _duplicates_named():
            insert_columns(unit.connection, entity.sql, columns)
        for row, version in zip(named, columns[VERSION], strict=True) if ruled else ():
            full = {**blank, **row, VERSION: version}
            self.rules.follow(Desk(unit, self), Change(entity.table.name, Verb.CREATE, {}, full, caller))
        return [row[entity.primary_id] for row in named]

    def update(
        self,
        unit: WriteUnit,
        entity: Entity,
        rows: Sequence[tuple[str, Mapping[str, Any]]],
        caller: Caller = Caller.USER,
    ) -> None:
        """Change rows, each given as GUID and the stored values that change.

        Raises:
            ApiError: When a required column is emptied (400), a key meets another row (412), or a rule
                refuses.
        """
        columns = {name for _, values in rows for name in values}
        if not self.rules.concerns(entity.table.name, Verb.UPDATE, caller, columns):
            self._store_changes(unit, entity, rows)
            return
        # One after the other: what follows from a row may change the next one.
        for row_id, values in rows:
            before = Desk(unit, self).get(entity.table.name, row_id)
            change = self._prepared(unit, entity, Verb.UPDATE, before, values, caller)
            self._store_changes(unit, entity, [(row_id, change.values)])
            self.rules.follow(Desk(unit, self), change)

    def _store_changes(
        self, unit: WriteUnit, entity: Entity, rows: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> None:
        changes = [(row_id, self._changed(unit, entity, values)) for row_id, values in rows]
        # Neighbours only are grouped: a row that occurs twice must end as the later one says.
        for names, group in groupby(changes, key=lambda change: tuple(sorted(change[1]))):
            alike = list(group)
            columns = {name: [changed[name] for _, changed in alike] for name in names}
            with _duplicates_named():
                update_columns(unit.connection, entity.sql, [row_id for row_id, _ in alike], columns)

    def delete(self, unit: WriteUnit, entity: Entity, row_id: str, caller: Caller = Caller.USER) -> None:
        """Delete a row, leave a tombstone, and empty the lookups that pointed to it (RemoveLink [?]).

        Raises:
            ApiError: When a rule refuses.
        """
        if not self.rules.concerns(entity.table.name, Verb.DELETE, caller):
            self._remove(unit, entity, row_id)
            return
        before = Desk(unit, self).get(entity.table.name, row_id)
        change = self._prepared(unit, entity, Verb.DELETE, before, {}, caller)
        self._remove(unit, entity, row_id)
        self.rules.follow(Desk(unit, self), change)

    def _prepared(
        self, unit: WriteUnit, entity: Entity, verb: Verb, before: Row, values: Row, caller: Caller
    ) -> Change:
        return self.rules.prepare(Desk(unit, self), Change(entity.table.name, verb, before, values, caller))

    def _remove(self, unit: WriteUnit, entity: Entity, row_id: str) -> None:
        unit.connection.execute(sa.delete(entity.sql).where(entity.id_column == row_id))
        tombstone = {"table_name": table_name(entity.table), "row_id": row_id, "version": unit.next_version()}
        unit.connection.execute(sa.insert(self.store.tombstone).values(tombstone))
        for collection in entity.collections.values():
            other = self.entities.by_name[collection.table]
            pointing = sa.select(other.id_column).where(other.sql.c[collection.column] == row_id)
            orphans = unit.connection.execute(pointing).scalars().all()
            if orphans:
                self._store_changes(unit, other, [(orphan, {collection.column: None}) for orphan in orphans])

    def _existing(self, unit: WriteUnit, references: Iterable[Reference]) -> dict[tuple[object, ...], str]:
        """Find bound rows; those of tables that the sandbox does not hold are taken as they are."""
        found: dict[tuple[object, ...], str] = {}
        by_table: dict[str, list[Reference]] = {}
        for reference in references:
            by_table.setdefault(reference.table, []).append(reference)
        for table, group in by_table.items():
            entity = self.entities.by_name.get(table)
            if entity is None:
                found |= {reference.identity: reference.row_id or "" for reference in group}
                continue
            found |= find_rows(unit.connection, entity, group)
            for reference in group:
                if reference.identity not in found:
                    raise missing_row(entity, reference)
        return found

    def _new_row(self, unit: WriteUnit, entity: Entity) -> dict[str, Any]:
        """Return what a created row holds where the request says nothing."""
        table = entity.table
        row: dict[str, Any] = {name: self.store.default(table, name, unit.now) for name in table.columns}
        system = {
            "createdby": self.user_id,
            "modifiedby": self.user_id,
            "ownerid": self.user_id,
            "owninguser": self.user_id,
            "owningbusinessunit": self.business_unit_id,
        }
        return row | {name: value for name, value in system.items() if name in table.columns}

    def _changed(self, unit: WriteUnit, entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
        changed = {name: value for name, value in values.items() if name != entity.primary_id}
        for name, value in changed.items():
            if value is None and entity.table.columns[name].required:
                raise _missing(entity, name)
        changed = _with_status(entity, changed)
        system = {"modifiedon": instant_text(unit.now), "modifiedby": self.user_id}
        changed |= {name: value for name, value in system.items() if name in entity.table.columns}
        return changed | {VERSION: unit.next_version()}

    def _forget_tombstones(self, unit: WriteUnit, entity: Entity, row_ids: Sequence[str]) -> None:
        """A GUID that is used again is alive: its tombstone would delete it at readers once more."""
        tombstone = self.store.tombstone.c
        for start in range(0, len(row_ids), _CHUNK):
            unit.connection.execute(
                sa.delete(self.store.tombstone).where(
                    tombstone.table_name == table_name(entity.table),
                    tombstone.row_id.in_(row_ids[start : start + _CHUNK]),
                )
            )


@contextmanager
def _duplicates_named() -> Iterator[None]:
    """Turn the database's uniqueness error into Dataverse's."""
    try:
        yield
    except IntegrityError as error:
        raise duplicate_record() from error


def _complete(entity: Entity, blank: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new row with its GUID and the status that goes with its state; blank columns are left out."""
    full = _with_status(entity, row)
    if overridden := full.get("overriddencreatedon"):
        full["overriddencreatedon"] = full.get("createdon", blank["createdon"])
        full["createdon"] = overridden
    if full.get(entity.primary_id) is None:
        full[entity.primary_id] = str(uuid.uuid4())
    return full


def _refuse_missing(entity: Entity, columns: Columns) -> None:
    for column in entity.table.columns.values():
        if column.required and (column.name not in columns or None in columns[column.name]):
            raise _missing(entity, column.name)


def _with_status(entity: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
    """Add the status reason that goes with a state that is set alone: Active 1, Inactive 2."""
    full = dict(row)
    reason = _INACTIVE.get(row.get("statecode", -1))
    column = entity.table.columns.get("statuscode")
    if (
        column is not None
        and reason is not None
        and "statuscode" not in row
        and reason in {option.value for option in column.options}
    ):
        full["statuscode"] = reason
    return full


def _missing(entity: Entity, name: str) -> Exception:
    return bad_request(
        f"The '{name}' attribute of the '{entity.table.name}' entity is required.", INVALID_ARGUMENT
    )
