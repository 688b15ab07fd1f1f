"""From target frames to the rows that are decided on one by one."""

from collections.abc import Sequence

import pyarrow as pa

from projops.load.decide import Row
from projops.load.job import LoadJob
from projops.mapping import catalog
from projops.mapping.model import System
from projops.mapping.paths import key_paths, table_of
from projops.transform.hashing import row_hash


def rows_of(job: LoadJob, table: pa.Table) -> list[Row]:
    """Cut a target frame into rows: only what is about to be written passes here."""
    keys = key_paths(job.table_map, job.leg.direction.target)
    payload = [rule.target for rule in job.leg.fields]
    shared = _target_shared(job, table)
    identities = table.select(keys).to_pylist()
    payloads = table.select(payload).to_pylist()
    facts = table.select(["_id", "_key", "_hash", "_source_shared"]).to_pylist()
    return [
        Row(fact["_id"], fact["_key"], fact["_hash"], fact["_source_shared"], mine, identity, values)
        for fact, mine, identity, values in zip(facts, shared, identities, payloads, strict=True)
    ]


def without_own_references(job: LoadJob, table: pa.Table) -> pa.Table:
    """Empty the columns by which rows refer to rows of their own map."""
    for name in _own_references(job):
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.nulls(table.num_rows, table.schema.field(name).type))
    return table


def _own_references(job: LoadJob) -> list[str]:
    """Find the target columns of lookups, or of what stands for them, that lead to the map's own table."""
    dataverse = table_of(job.table_map, System.DATAVERSE)
    paths = {rule.target: rule.source if job.from_dataverse else rule.target for rule in job.leg.fields}
    return [
        name
        for name, path in paths.items()
        if path and "." in path and catalog.resolve(dataverse, path).tables[1].name == dataverse.name
    ]


def _target_shared(job: LoadJob, table: pa.Table) -> Sequence[str | None]:
    """Hash the shared columns as the target will have them."""
    side = 0 if job.leg.direction.target is System.FINANCE else 1
    names = [pair[side] for pair in job.table_map.shared_fields()]
    if not names:
        return [None] * table.num_rows
    hashes: list[str | None] = row_hash([table[name] for name in names]).to_pylist()
    return hashes
