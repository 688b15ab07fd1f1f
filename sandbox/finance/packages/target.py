"""From staging to the target: rows become rows of the entity, by its key [D: an import upserts].

Entities that no rule concerns are written in sets. The others go row by row, each in a savepoint of its
own, with the guards and effects that a write over OData has.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sandbox.finance.books import Books
from sandbox.finance.catalog import Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.packages.matching import Key, existing_rows, infolog, key_of, missing_parents
from sandbox.finance.packages.staging import Refusal, StagedRow
from sandbox.finance.references import REFERENCES, check_references
from sandbox.finance.rows import key_conditions
from sandbox.finance.values import blanks
from sandbox.finance.writing import already_exists, refuse_emptied, require_mandatory
from sandbox.rules.hooks import Caller, Verb
from sandbox.schema.model import Table
from sandbox.store import WriteUnit
from sandbox.store.loading import insert_columns, update_columns
from sandbox.store.tables import REC_ID, REC_VERSION, VERSION

_RANDOM_VERSIONS = 2**31 - 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row.

    Attributes:
        row: The row of the data file.
        verb: What was done, or would have been done.
        values: The row of the entity as it is now; empty where it was refused.
        refusal: Why not, None where it was written.
    """

    row: StagedRow
    verb: Verb
    values: Mapping[str, Any]
    refusal: Refusal | None = None


def write_rows(unit: WriteUnit, catalog: Catalog, table: Table, rows: Sequence[StagedRow]) -> list[Outcome]:
    """Write rows in the transaction of the caller; one that is refused leaves the others.

    Args:
        unit: The transaction.
        catalog: The entity sets.
        table: The entity.
        rows: In the order of the file, none of them refused by staging.

    Returns:
        An outcome for each row, in the order of `rows`.
    """
    if not _in_sets(catalog, table):
        return [_write_one(unit, catalog, table, row) for row in rows]
    outcomes: list[Outcome] = []
    for run in _without_repetition(table, rows):
        outcomes += _write_set(unit, catalog, table, run)
    return outcomes


def _in_sets(catalog: Catalog, table: Table) -> bool:
    """Whether rows may be written without looking at each other: no rule, no reference to their own set."""
    ruled = any(
        catalog.rules.concerns(table.name, verb, Caller.IMPORT, table.columns)
        for verb in (Verb.CREATE, Verb.UPDATE)
    )
    return not ruled and not any(it.child == it.parent == table.name for it in REFERENCES)


def _without_repetition(table: Table, rows: Iterable[StagedRow]) -> Iterable[list[StagedRow]]:
    """Cut rows where a key comes again: the later row changes what the earlier one made [?]."""
    run: list[StagedRow] = []
    seen: set[Key] = set()
    for row in rows:
        key = key_of(table, {**blanks(table), **row.values})
        if key in seen:
            yield run
            run, seen = [], set()
        seen.add(key)
        run.append(row)
    if run:
        yield run


def _write_set(unit: WriteUnit, catalog: Catalog, table: Table, rows: Sequence[StagedRow]) -> list[Outcome]:
    """Write rows of different keys in a few statements; where the database refuses, one by one."""
    blank = blanks(table)
    whole = [{**blank, **row.values} for row in rows]
    before = existing_rows(unit.connection, catalog, table, whole)
    after = [
        {**(old or {}), **row.values} if old else new
        for old, row, new in zip(before, rows, whole, strict=True)
    ]
    named = [frozenset(row.values) if old else None for old, row in zip(before, rows, strict=True)]
    missing = missing_parents(unit.connection, catalog, table, after, named)
    outcomes = []
    for row, old, new, lacking in zip(rows, before, after, missing, strict=True):
        verb = Verb.UPDATE if old else Verb.CREATE
        refusal = _refusal(table, row, old is None, new) or lacking
        outcomes.append(Outcome(row, verb, {} if refusal else new, refusal))
    try:
        with unit.connection.begin_nested():
            _insert(
                unit, catalog, table, [it.values for it in outcomes if it.verb is Verb.CREATE and it.values]
            )
            _update(unit, catalog, table, [it for it in outcomes if it.verb is Verb.UPDATE and it.values])
    except IntegrityError:
        return [_write_one(unit, catalog, table, row) for row in rows]
    return outcomes


def _refusal(table: Table, row: StagedRow, new: bool, values: Mapping[str, Any]) -> Refusal | None:
    try:
        if new:
            require_mandatory(table, values, row.values)
        else:
            refuse_emptied(table, row.values)
    except FinanceError as error:
        return Refusal("", infolog(error))
    return None


def _insert(unit: WriteUnit, catalog: Catalog, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    columns: dict[str, Sequence[Any]] = {name: [row[name] for row in rows] for name in table.columns}
    columns[VERSION], columns[REC_ID] = unit.next_versions(len(rows)), unit.next_recids(len(rows))
    columns[REC_VERSION] = [1] * len(rows)
    insert_columns(unit.connection, catalog.sql(table), columns)


def _update(unit: WriteUnit, catalog: Catalog, table: Table, outcomes: Sequence[Outcome]) -> None:
    """Change rows; those that name the same columns go together."""
    by_columns: dict[frozenset[str], list[Outcome]] = {}
    for it in outcomes:
        by_columns.setdefault(frozenset(it.row.values).difference(table.keys[0]), []).append(it)
    for names, changed in by_columns.items():
        columns: dict[str, Sequence[Any]] = {name: [it.row.values[name] for it in changed] for name in names}
        columns[VERSION] = unit.next_versions(len(changed))
        columns[REC_VERSION] = [2 + secrets.randbelow(_RANDOM_VERSIONS) for _ in changed]
        ids = [it.values[REC_ID] for it in changed]
        update_columns(unit.connection, catalog.sql(table), ids, columns)


def _write_one(unit: WriteUnit, catalog: Catalog, table: Table, row: StagedRow) -> Outcome:
    """Write one row as a request would, rules included."""
    old = _stored(unit.connection, catalog, table, row)
    verb = Verb.UPDATE if old else Verb.CREATE
    try:
        with unit.connection.begin_nested():
            if old:
                values = _change_one(unit, catalog, table, old, row)
            else:
                values = _create_one(unit, catalog, table, row)
    except FinanceError as error:
        return Outcome(row, verb, {}, Refusal("", infolog(error)))
    except IntegrityError:
        refused = already_exists(table, {**blanks(table), **row.values})
        return Outcome(row, verb, {}, Refusal("", infolog(refused)))
    return Outcome(row, verb, values)


def _stored(
    connection: sa.Connection, catalog: Catalog, table: Table, row: StagedRow
) -> dict[str, Any] | None:
    key = {name: ({**blanks(table), **row.values})[name] for name in table.keys[0]}
    query = sa.select(catalog.sql(table)).where(*key_conditions(catalog, table, key))
    found = connection.execute(query).mappings().first()
    return None if found is None else dict(found)


def _create_one(unit: WriteUnit, catalog: Catalog, table: Table, row: StagedRow) -> Mapping[str, Any]:
    values = {**blanks(table), **row.values}
    require_mandatory(table, values, row.values)
    check_references(unit.connection, catalog, table, values, frozenset(values))
    return Books(unit, catalog).insert(table.name, values, Caller.IMPORT)


def _change_one(
    unit: WriteUnit, catalog: Catalog, table: Table, old: Mapping[str, Any], row: StagedRow
) -> Mapping[str, Any]:
    refuse_emptied(table, row.values)
    changes = {name: value for name, value in row.values.items() if name not in table.keys[0]}
    check_references(unit.connection, catalog, table, {**old, **changes}, frozenset(changes))
    return Books(unit, catalog).update(table.name, old, changes, Caller.IMPORT)
