"""From target frames to the rows that are decided on one by one."""

import pyarrow as pa

from projops.load.decide import Row
from projops.load.job import LoadJob
from projops.mapping import catalog
from projops.mapping.model import System
from projops.mapping.paths import key_paths, table_of
from projops.transform.shared import read_digests, shared_digests, without_digests


def rows_of(job: LoadJob, table: pa.Table) -> list[Row]:
    """Cut a target frame into rows: only what is about to be written passes here."""
    keys = key_paths(job.table_map, job.leg.direction.target)
    payload = [rule.target for rule in job.leg.fields]
    ours = read_digests(table["_source_shared"])
    theirs = read_digests(shared_digests(job.table_map, job.leg.direction.target, table))
    identities = table.select(keys).to_pylist()
    payloads = table.select(payload).to_pylist()
    facts = table.select(["_id", "_key", "_hash"]).to_pylist()
    return [
        Row(fact["_id"], fact["_key"], fact["_hash"], source, target, identity, values)
        for fact, source, target, identity, values in zip(
            facts, ours, theirs, identities, payloads, strict=True
        )
    ]


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
