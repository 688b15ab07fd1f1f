"""The transform stage: a source frame into a target frame and rejects. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping import catalog
from projops.mapping.catalog import Column
from projops.mapping.companies import Company
from projops.mapping.keys import guid_column, partial_key_column
from projops.mapping.model import FieldRule, Leg, Step, System, TableMap
from projops.mapping.paths import (
    key_paths,
    parent_lookups,
    source_column,
    target_column,
)
from projops.mapping.value_maps import ValueMap
from projops.transform.canonical import empty_is_null, finance_column
from projops.transform.context import Ends, Rows, rows_of
from projops.transform.hashing import row_hash
from projops.transform.operators import OPERATORS, rule_id
from projops.transform.outcome import Fault, Outcome, any_bad, one_array, rejects
from projops.transform.shared import shared_digests
from projops.transform.target import conform, faults_of, missing

STAGE = "transform"
FACTS = ("_id", "_key", "_version", "_deleted")
_PARENT = pa.struct([(name, pa.string()) for name in ("map", "id", "lookup", "key")])


@dataclass(frozen=True, slots=True)
class Stepped:
    """One operator of a field at work.

    Attributes:
        step: The operator and its argument.
        given: Values before it, one a row.
        outcome: What it made of them.
    """

    step: Step
    given: pa.Array
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Made:
    """One column of the target frame, and the rows that it cannot be made for."""

    values: pa.Array
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class _Parent:
    """What rows refer to by one lookup: the others' map, their ids, and what is known of their keys."""

    map: str
    lookup: str
    ids: pa.Array
    keys: pa.Array


def transform_table(
    table_map: TableMap,
    leg: Leg,
    table: pa.Table,
    value_maps: Mapping[str, ValueMap],
    companies: Mapping[str, Company],
    maps: Mapping[str, TableMap],
) -> tuple[pa.Table, pa.Table]:
    """Transform a source frame.

    Args:
        table_map: The map.
        leg: The leg.
        table: Source frame: `_id`, `_key`, `_version`, `_deleted`, then `source_columns`.
        value_maps: Value maps by name.
        companies: Companies by code.
        maps: All maps by id, to name the parents of a row.

    Returns:
        The target frame: the four facts, the target's key columns, one column a field rule, then
        `_hash` (of the fields kept in step), `_source_shared` (`shared_digests` of the source's side, null
        without shared columns) and `_parents` (the Dataverse rows that the row refers to, of maps in
        `needs` and of its own: `map`, `id`, `lookup`, and as `key` what the row knows of their key).
        Deleted rows pass unchecked, with null columns. And the rejects (REJECT_SCHEMA): rows that an
        operator or a target check set aside, which are not in the frame.
    """
    gone = pc.fill_null(one_array(table["_deleted"]), False)
    alive = table.filter(pc.invert(gone))
    rows = rows_of(table_map, leg, alive, value_maps, companies)
    made = _keys(table_map, leg, rows) | {
        rule.target: _field(table_map, leg, rule, rows) for rule in leg.fields
    }
    faults = [fault for column in made.values() for fault in column.faults]
    columns = {name: column.values for name, column in made.items()}
    frame = pa.table(
        {name: alive[name] for name in FACTS} | columns | _derived(table_map, leg, alive, columns, maps)
    )
    good = frame.filter(pc.invert(any_bad(alive, faults)))
    return pa.concat_tables([good, _deleted(table.filter(gone), frame.schema)]), rejects(STAGE, alive, faults)


def read_values(rule: FieldRule, rows: Rows) -> pa.Array:
    """What a field begins with: the column that `from` names, with the empty text as null, or nulls."""
    return empty_is_null(rows.column(rule.source)) if rule.source is not None else pa.nulls(rows.count)


def steps_of(table_map: TableMap, leg: Leg, rule: FieldRule, rows: Rows) -> Iterator[Stepped]:
    """Apply the operators of a field one after another; whoever explains a value sees what each one did.

    Args:
        table_map: The map.
        leg: The leg.
        rule: The field.
        rows: Rows of the source (`rows_of`).
    """
    source = source_column(table_map, leg, rule.source) if rule.source is not None else None
    ends = Ends(source, target_column(table_map, leg, rule.target))
    values = read_values(rule, rows)
    for step in rule.steps:
        outcome = OPERATORS[step.operator](values, step, rows, ends)
        yield Stepped(step, values, outcome)
        values = one_array(outcome.values)


def target_schema(table_map: TableMap, leg: Leg) -> pa.Schema:
    """The Arrow schema of a leg's target frame."""
    names = (*key_paths(table_map, leg.direction.target), *(rule.target for rule in leg.fields))
    return pa.schema(
        [("_id", pa.string()), ("_key", pa.string()), ("_version", pa.string()), ("_deleted", pa.bool_())]
        + [(name, catalog.arrow_type(target_column(table_map, leg, name))) for name in names]
        + [("_hash", pa.string()), ("_source_shared", pa.string()), ("_parents", pa.list_(_PARENT))]
    )


def _keys(table_map: TableMap, leg: Leg, rows: Rows) -> dict[str, Made]:
    pairs = zip(
        key_paths(table_map, leg.direction.source), key_paths(table_map, leg.direction.target), strict=True
    )
    return {
        target: _finish(leg, rows.column(source), target_column(table_map, leg, target), target, "key")
        for source, target in pairs
    }


def _field(table_map: TableMap, leg: Leg, rule: FieldRule, rows: Rows) -> Made:
    target = target_column(table_map, leg, rule.target)
    values = read_values(rule, rows)
    faults: list[Fault] = []
    for stepped in steps_of(table_map, leg, rule, rows):
        outcome = stepped.outcome
        if outcome.bad is not None and pc.any(outcome.bad).as_py():
            shown = stepped.given if outcome.offending is None else outcome.offending
            message = f"{rule.target} {outcome.reason}."
            faults.append(Fault(rule_id(stepped.step), rule.target, message, outcome.bad, shown))
        values = one_array(outcome.values)
    required = "required" if rule.required or _mandatory(leg, target) else None
    made = _finish(leg, values, target, rule.target, required)
    return Made(made.values, [*faults, *made.faults])


def _mandatory(leg: Leg, target: Column) -> bool:
    """Whether Dataverse refuses the row without it; Finance fills what is left empty."""
    return leg.direction.target is System.DATAVERSE and target.required


def _finish(leg: Leg, values: pa.Array, target: Column, field: str, required: str | None) -> Made:
    outcome = conform(empty_is_null(values), target)
    faults = []
    if outcome.bad is not None and pc.any(outcome.bad).as_py():
        faults.append(Fault("type", field, f"{field} {outcome.reason}.", outcome.bad, outcome.offending))
    made = one_array(outcome.values)
    faults += missing(values, required, field) if required is not None else []
    faults += faults_of(made, target, field)
    return Made(finance_column(target, made) if leg.direction.target is System.FINANCE else made, faults)


def _derived(
    table_map: TableMap,
    leg: Leg,
    alive: pa.Table,
    columns: Mapping[str, pa.Array],
    maps: Mapping[str, TableMap],
) -> dict[str, pa.Array]:
    # In order of names, so that moving a line in the file does not change every row's hash.
    payload = [columns[name] for name in sorted(leg.kept_in_step)]
    keys = [columns[name] for name in key_paths(table_map, leg.direction.target)]
    return {
        "_hash": row_hash(payload or keys),
        "_source_shared": shared_digests(table_map, leg.direction.source, alive),
        "_parents": _parents(table_map, leg, alive, maps),
    }


def _parents(table_map: TableMap, leg: Leg, alive: pa.Table, maps: Mapping[str, TableMap]) -> pa.Array:
    # Nobody waits for the rows of a map that is off.
    by_table = {maps[need].dataverse: need for need in table_map.needs if need in maps and maps[need].enabled}
    by_table[table_map.dataverse] = table_map.map
    found = [
        _Parent(
            by_table[table],
            lookup,
            _guids(table_map, leg, alive, lookup),
            _known_keys(maps.get(by_table[table], table_map), lookup, alive),
        )
        for lookup, table in parent_lookups(table_map, leg)
        if table in by_table
    ]
    return _row_by_row(found, one_array(alive["_id"]))


def _row_by_row(found: Sequence[_Parent], own: pa.Array) -> pa.Array:
    """Give each row its parents as a list, in the order of the lookups; nobody is a parent of its own."""
    there = [
        pc.and_(pc.is_valid(each.ids), pc.fill_null(pc.not_equal(each.ids, own), True)) for each in found
    ]
    masks = (
        np.array([mask.to_numpy(zero_copy_only=False) for mask in there], bool)
        .reshape(len(found), len(own))
        .T
    )
    rows, lookups = np.nonzero(masks)
    places, which = pa.array(lookups * len(own) + rows), pa.array(lookups)
    columns = [
        pa.array([each.map for each in found], pa.string()).take(which),
        _end_to_end([each.ids for each in found]).take(places),
        pa.array([each.lookup for each in found], pa.string()).take(which),
        _end_to_end([each.keys for each in found]).take(places),
    ]
    offsets = np.concatenate([[0], np.cumsum(masks.sum(axis=1))])
    parents = pa.StructArray.from_arrays(columns, fields=list(_PARENT))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), parents)


def _end_to_end(columns: Sequence[pa.Array]) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.string()), *columns])


def _known_keys(parent: TableMap, lookup: str, alive: pa.Table) -> pa.Array:
    """Give what rows know of their parents' keys, by the lookup paths that they read; null for nothing."""
    paths = [f"{lookup}.{path}" for path in key_paths(parent, System.DATAVERSE)]
    parts = [alive[path] if path in alive.column_names else None for path in paths]
    if all(part is None for part in parts):
        return pa.nulls(alive.num_rows, pa.string())
    return one_array(partial_key_column(parts))


def _guids(table_map: TableMap, leg: Leg, alive: pa.Table, lookup: str) -> pa.Array:
    guids = one_array(alive[lookup])
    return guid_column(guids) if source_column(table_map, leg, lookup).is_text else guids


def _deleted(gone: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        gone[name] if name in FACTS else pa.nulls(gone.num_rows, schema.field(name).type)
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)
