"""The addresses of rows: `CustomersV3(dataAreaId='uspm',CustomerAccount='A%2F1')`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sandbox.finance.catalog import NAMESPACE
from sandbox.schema.model import ColumnType, Table
from sandbox.store.types import TEXT_TYPES

_SAFE_IN_KEY = "$'()*,:@=!"


def key_predicate(table: Table, row: Mapping[Any, Any]) -> str:
    """The key of a row as its address has it, not encoded: `dataAreaId='uspm',CustomerAccount='A/1'`."""
    return ",".join(f"{name}={_key_literal(table, row, name)}" for name in table.keys[0])


def entity_path(table: Table, row: Mapping[Any, Any]) -> str:
    """The address of a row below the service root, its key encoded, slashes too."""
    return f"{table.name}({quote(key_predicate(table, row), _SAFE_IN_KEY)})"


def entity_url(root: str, table: Table, row: Mapping[Any, Any]) -> str:
    """The whole address of a row."""
    return f"{root}/data/{entity_path(table, row)}"


def _key_literal(table: Table, row: Mapping[Any, Any], name: str) -> str:
    column, value = table.columns[name], str(row[name])
    if column.type is ColumnType.ENUM:
        return f"{NAMESPACE}.{column.enum}'{value}'"
    if column.type not in TEXT_TYPES:
        return value
    text = value.lower() if name == table.company_column else value
    return "'" + text.replace("'", "''") + "'"
