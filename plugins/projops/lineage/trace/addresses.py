"""Where a person opens what a trace names: rows in both systems, runs in Airflow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import quote

from projops.errors import RowRejectedError
from projops.mapping.catalog import Table
from projops.mapping.keys import has_parts
from projops.mapping.model import System, TableMap
from projops.mapping.paths import key_paths, table_of
from projops.systems.columns import key_values, properties
from projops.systems.finance import DATA
from projops.systems.quoting import key_predicate

# Commands name their batches so; Airflow knows no such runs.
_COMMAND_LINE = frozenset({"cli", "restore", "plan", "status"})


def dataverse_link(base_url: str, table: str, row_id: str) -> str:
    """Give the address of a row's form in a model-driven app [D]."""
    return f"{base_url}/main.aspx?etn={table}&id={row_id}&pagetype=entityrecord"


def finance_link(base_url: str, table: Table, key: Sequence[object]) -> str:
    """Give the OData address of a row, or "" for one whose key has a hole.

    Forms of Finance open lists by menu item (`?mi=…`), and no single row by its key.
    """
    try:
        predicate = key_predicate(System.FINANCE, properties(table, table.keys[0]), key)
    except RowRejectedError:
        return ""
    return f"{base_url}{DATA}{table.entity_set}{predicate}?cross-company=true"


def finance_link_of_key(base_url: str, table_map: TableMap, key: str) -> str:
    """Give the OData address of a map's row by its integration key, or "" where that is no key of Finance.

    Args:
        base_url: Of Finance.
        table_map: The map.
        key: Integration key text.
    """
    table, names = table_of(table_map, System.FINANCE), key_paths(table_map, System.FINANCE)
    if not has_parts(key, len(names)) or not set(table.keys[0]) <= set(names):
        return ""
    held = dict(zip(names, key_values(key, properties(table, names)), strict=True))
    return finance_link(base_url, table, [held[name] for name in table.keys[0]])


def run_link(dag_id: str, run_id: str) -> str:
    """Give the address of a DAG run in Airflow's UI; "" where its base is not set, or no DAG ran.

    The base is Airflow's own setting `AIRFLOW__API__BASE_URL`.
    """
    base, path = os.environ.get("AIRFLOW__API__BASE_URL", "").rstrip("/"), run_path(dag_id, run_id)
    return f"{base}{path}" if base and path else ""


def run_path(dag_id: str, run_id: str) -> str:
    """Give the path of a DAG run below Airflow's root; "" where no DAG ran."""
    if dag_id in _COMMAND_LINE:
        return ""
    return f"/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"
