"""The transform stage: a source frame into a target frame and rejects. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping import catalog
from projops.mapping.catalog import Column
from projops.mapping.companies import Company
from projops.mapping.keys import guid_column, partial_key_column
from projops.mapping.model import FieldRule, Leg, System, TableMap
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
from projops.transform.outcome import Fault, any_bad, one_array, rejects
from projops.transform.shared import shared_digests
from projops.transform.target import conform, faults_of, missing

STAGE = "transform"
FACTS = ("_id", "_key", "_version", "_deleted")
_PARENT = pa.struct([(name, pa.string()) for name in ("map", "id", "lookup", "key")])


@dataclass(frozen=True, slots=True)
class Made:
    """One column of the target frame, and the rows that it cannot be made for."""

    values: pa.Array
    faults: Sequence[Fault]


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
    source = source_column(table_map, leg, rule.source) if rule.source is not None else None
    values = empty_is_null(rows.column(rule.source)) if rule.source is not None else pa.nulls(rows.count)
    faults: list[Fault] = []
    for step in rule.steps:
        outcome = OPERATORS[step.operator](values, step, rows, Ends(source, target))
        if outcome.bad is not None and pc.any(outcome.bad).as_py():
            shown = values if outcome.offending is None else outcome.offending
            message = f"{rule.target} {outcome.reason}."
            faults.append(Fault(rule_id(step), rule.target, message, outcome.bad, shown))
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
        (
            by_table[table],
            lookup,
            _guids(table_map, leg, alive, lookup),
            _known_keys(maps.get(by_table[table], table_map), lookup, alive),
        )
        for lookup, table in parent_lookups(table_map, leg)
        if table in by_table
    ]
    ids = alive["_id"].to_pylist()
    parents = [
        [
            {"map": name, "id": guids[place], "lookup": lookup, "key": keys[place]}
            for name, lookup, guids, keys in found
            if guids[place] is not None and guids[place] != own
        ]
        for place, own in enumerate(ids)
    ]
    return pa.array(parents, pa.list_(_PARENT))


def _known_keys(parent: TableMap, lookup: str, alive: pa.Table) -> Sequence[str | None]:
    """Give what rows know of their parents' keys, by the lookup paths that they read; null for nothing."""
    paths = [f"{lookup}.{path}" for path in key_paths(parent, System.DATAVERSE)]
    parts = [alive[path] if path in alive.column_names else None for path in paths]
    if all(part is None for part in parts):
        return [None] * alive.num_rows
    keys: list[str] = partial_key_column(parts).to_pylist()
    return keys


def _guids(table_map: TableMap, leg: Leg, alive: pa.Table, lookup: str) -> list[str | None]:
    guids = alive[lookup]
    as_text = source_column(table_map, leg, lookup).is_text
    return list((guid_column(guids) if as_text else guids).to_pylist())


def _deleted(gone: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        gone[name] if name in FACTS else pa.nulls(gone.num_rows, schema.field(name).type)
        for name in schema.names
    ]
    return pa.table(columns, schema=schema)
