"""What validate and transform do to each chunk of a batch."""

from collections.abc import Callable, Mapping

import pyarrow as pa  # noqa: TID253  no DAG file leads here

from projops.engine import Engine
from projops.identities import Identities
from projops.mapping.model import Leg, TableMap
from projops.transform.rows import transform_table
from projops.validate.expectations import implied_expectations, read_expectations
from projops.validate.rows import validate_table

# A chunk of rows -> those that may go on, and those that are set aside.
Pass = Callable[[pa.Table], tuple[pa.Table, pa.Table]]


def validation(engine: Engine, table_map: TableMap, leg: Leg) -> Pass:
    """Judge rows by what map and schema imply and by what is written in `include/expectations`."""
    expectations = (
        *implied_expectations(table_map, leg, engine.loaded.value_maps),
        *read_expectations(engine.settings.expectations, table_map, leg),
    )
    seen = Identities()

    def judge(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        verdict = validate_table(table_map, leg, table, expectations, seen)
        return verdict.good, verdict.rejects

    return judge


def transformation(engine: Engine, table_map: TableMap, leg: Leg) -> Pass:
    """Make target rows by the mapping; those that do not fit the target are set aside."""
    loaded = engine.loaded

    def judge(table: pa.Table) -> tuple[pa.Table, pa.Table]:
        return transform_table(table_map, leg, table, loaded.value_maps, loaded.companies, loaded.maps)

    return judge


PASSES: Mapping[str, Callable[[Engine, TableMap, Leg], Pass]] = {
    "validate": validation,
    "transform": transformation,
}
