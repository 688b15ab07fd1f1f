"""From target frames to the rows that are decided on one by one."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from projops.load.decide import Row
from projops.load.job import LoadJob
from projops.mapping import catalog
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.paths import key_paths, table_of
from projops.transform.shared import read_digests, shared_digests, without_digests


def rows_of(table_map: TableMap, leg: Leg, table: pa.Table) -> list[Row]:
    """Cut a target frame into rows: only what is about to be written, or is explained, passes here."""
    keys = key_paths(table_map, leg.direction.target)
    payload = [rule.target for rule in leg.fields]
    ours = read_digests(table["_source_shared"])
    theirs = read_digests(shared_digests(table_map, leg.direction.target, table))
    facts = (table[name].to_pylist() for name in ("_id", "_key", "_hash"))
    return [
        Row(*fact)
        for fact in zip(*facts, ours, theirs, _objects(table, keys), _objects(table, payload), strict=True)
    ]


def _objects(table: pa.Table, names: Sequence[str]) -> Iterable[dict[str, object]]:
    """Give the values of some columns, an object a row."""
    if not names:
        return ({} for _ in range(table.num_rows))
    columns = (table[name].to_pylist() for name in names)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def without_own_references(job: LoadJob, table: pa.Table) -> pa.Table:
    """Empty the columns by which rows refer to rows of their own map.

    Those columns have no digest at the source then: they are not in step until the reference is written.
    """
    names = _own_references(job)
    for name in names:
        table = _with_column(table, name, pa.nulls(table.num_rows, table.schema.field(name).type))
    unsettled = {job.policy.shared[name] for name in names if name in job.policy.shared}
    return _with_column(table, "_source_shared", without_digests(table["_source_shared"], unsettled))


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _own_references(job: LoadJob) -> list[str]:
    """Find the target columns of lookups, or of what stands for them, that lead to the map's own table."""
    dataverse = table_of(job.table_map, System.DATAVERSE)
    paths = {rule.target: rule.source if job.from_dataverse else rule.target for rule in job.leg.fields}
    return [
        name
        for name, path in paths.items()
        if path and "." in path and catalog.resolve(dataverse, path).tables[1].name == dataverse.name
    ]
