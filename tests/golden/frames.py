"""Source frames from JSON rows, and JSON rows from target frames."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from projops.mapping.catalog import arrow_type
from projops.mapping.keys import key_column
from projops.mapping.model import Leg, TableMap
from projops.mapping.paths import key_paths, source_column, source_columns
from projops.mapping.reader import LoadedMaps
from projops.transform.rows import transform_table
from projops.validate.implied import expectations_of
from projops.validate.rows import validate_table
from projops.validate.written import read_expectations

Row = Mapping[str, Any]


def source_frame(table_map: TableMap, leg: Leg, rows: Sequence[Row]) -> pa.Table:
    """Build a source frame; columns that a row does not name are null.

    Decimals stand as texts, days as ISO days, moments as ISO with Z. `_key` follows from the key
    columns unless the row names it; `_id` is the key where the row has none.
    """
    types = {path: arrow_type(source_column(table_map, leg, path)) for path in source_columns(table_map, leg)}
    unknown = {name for row in rows for name in row} - set(types) - {"_id", "_key", "_version", "_deleted"}
    assert not unknown, f"{table_map.map} does not read {unknown}"
    columns = {
        path: pa.array([_value(row.get(path), kind) for row in rows], kind) for path, kind in types.items()
    }
    keys = key_column([columns[path] for path in key_paths(table_map, leg.direction.source)]).to_pylist()
    keys = [row.get("_key", key) for row, key in zip(rows, keys, strict=True)]
    facts = {
        "_id": pa.array([row.get("_id", key) for row, key in zip(rows, keys, strict=True)], pa.string()),
        "_key": pa.array(keys, pa.string()),
        "_version": pa.array([row.get("_version") for row in rows], pa.string()),
        "_deleted": pa.array([row.get("_deleted", False) for row in rows], pa.bool_()),
    }
    return pa.table({**facts, **columns})


def moved(
    loaded: LoadedMaps, table_map: TableMap, leg: Leg, rows: Sequence[Row], expectations: Path
) -> dict[str, Any]:
    """Validate and transform rows as the pipeline does; what comes out, as JSON."""
    written = read_expectations(expectations, table_map, leg)
    rules = expectations_of(table_map, leg, loaded.value_maps, written)
    validated = validate_table(table_map, leg, source_frame(table_map, leg, rows), rules)
    good, refused = transform_table(
        table_map, leg, validated.good, loaded.value_maps, loaded.companies, loaded.maps
    )
    rejects = [*validated.rejects.to_pylist(), *refused.to_pylist()]
    return {"rows": [_shown(row) for row in good.to_pylist()], "rejects": [_shown(row) for row in rejects]}


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _value(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value)
    if pa.types.is_date32(kind):
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if pa.types.is_timestamp(kind) else value


def _shown(row: Row) -> dict[str, Any]:
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return [_json_value(item) for item in value]
    return value
