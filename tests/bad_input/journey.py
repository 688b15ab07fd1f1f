"""The way of a page through the engine, without its surroundings: wire, validate, transform."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from projops.mapping.keys import key_column
from projops.mapping.model import System
from projops.mapping.paths import key_paths, source_columns, table_of
from projops.mapping.reader import load_maps
from projops.systems.columns import properties
from projops.systems.decoding import decode_page
from projops.transform.rows import transform_table
from projops.validate.implied import expectations_of
from projops.validate.rows import validate_table
from projops.validate.written import read_expectations
from tests.bad_input.rows import Shape

ROOT = Path(__file__).parents[2]
LOADED = load_maps(ROOT / "include" / "mappings")


@dataclass(frozen=True)
class Arrived:
    """What became of a page: rows that would be written, and rejects."""

    good: list[dict[str, Any]]
    rejects: list[dict[str, Any]]


def travel(shape: Shape, page: bytes) -> Arrived:
    """Take a page from its bytes to the rows that load would get."""
    table_map = LOADED.maps[shape.map_id]
    leg = table_map.legs[shape.direction]
    frame = _source_frame(shape, page)
    written = read_expectations(ROOT / "include" / "expectations", table_map, leg)
    rules = expectations_of(table_map, leg, LOADED.value_maps, written)
    validated = validate_table(table_map, leg, frame, rules)
    good, refused = transform_table(
        table_map, leg, validated.good, LOADED.value_maps, LOADED.companies, LOADED.maps
    )
    return Arrived(good.to_pylist(), [*validated.rejects.to_pylist(), *refused.to_pylist()])


def _source_frame(shape: Shape, page: bytes) -> pa.Table:
    """The frame that extract would write; the maps here have no lookups to resolve."""
    table_map = LOADED.maps[shape.map_id]
    system = shape.direction.source
    table, columns = table_of(table_map, system), source_columns(table_map, table_map.legs[shape.direction])
    primary_id = table.primary_id if system is System.DATAVERSE else None
    what = f"reading {table.entity_set}"
    rows = decode_page(system, page, properties(table, columns), what, primary_id).batch
    key = key_column([rows[path] for path in key_paths(table_map, system)])
    facts = {
        "_id": rows["_id"] if primary_id else key,
        "_key": key,
        "_version": rows["_version"],
        "_deleted": pa.array([False] * rows.num_rows),
    }
    return pa.table({**facts, **{path: rows[path] for path in columns}})
