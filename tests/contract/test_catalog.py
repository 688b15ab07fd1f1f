"""The engine's catalog and the sandbox's schemas are two files that say the same.

Neither side imports the other; only here they are laid side by side.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.schema import load_dataverse, load_enums, load_finance
from sandbox.schema.model import Column, Table

SCHEMA = Path(__file__).parents[2] / "sandbox" / "schema"
CATALOG = Path(__file__).parents[2] / "plugins" / "projops" / "mapping" / "catalog"


def catalog(system: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CATALOG / f"{system}.json").read_text(encoding="utf-8"))
    return document


def mapped(system: str, part: str) -> list[str]:
    """What maps may name; the catalog does not hold what only the systems themselves work with."""
    return sorted(json.loads((SCHEMA / f"{system}.json").read_text(encoding="utf-8"))[part])


MAPPED_TABLES = mapped("dataverse", "tables")
MAPPED_SETS = mapped("finance", "entity_sets")


def said_of_column(table: Table, column: Column) -> dict[str, Any]:
    finance = table.system == "finance"
    mandatory = column.required or column.name == table.primary_id
    facts: dict[str, Any] = {
        "type": str(column.type),
        "length": column.max_length,
        "scale": column.scale,
        "target": column.target,
        "targets": list(column.targets) if len(column.targets) > 1 else None,
        "behavior": None if column.behavior is None else str(column.behavior),
        "options": None
        if finance
        else {str(option.value): option.label for option in column.options} or None,
        "enum": column.enum,
        "nullable": None if (column.nullable if finance else not mandatory) else False,
        "required": column.required or None,
        "read_only": column.read_only or None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def said_of_table(table: Table) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "entity_set": table.entity_set,
        "entity_type": table.entity_type if table.system == "finance" else None,
        "label": table.label if table.system == "finance" else None,
        "primary_id": table.primary_id,
        # A key that is unique among some rows only identifies nothing for a map.
        "keys": [list(key) for key in table.keys if not table.qualifiers(key)] or None,
        "company_column": table.company_column,
        "columns": {column.name: said_of_column(table, column) for column in table.columns.values()},
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


@pytest.mark.parametrize("name", MAPPED_TABLES)
def test_catalog_of_dataverse(name: str) -> None:
    assert catalog("dataverse")["tables"][name] == said_of_table(load_dataverse()[name])


@pytest.mark.parametrize("name", MAPPED_SETS)
def test_catalog_of_finance(name: str) -> None:
    assert catalog("finance")["tables"][name] == said_of_table(load_finance()[name])


def test_what_is_read_of_finance_s_own_books() -> None:
    books = catalog("finance_books")["tables"]
    assert books
    assert books == {name: said_of_table(load_finance()[name]) for name in books}
    assert not set(books) & set(MAPPED_SETS)


def test_no_table_stands_on_one_side_only() -> None:
    assert set(catalog("dataverse")["tables"]) == set(MAPPED_TABLES)
    assert set(catalog("finance")["tables"]) == set(MAPPED_SETS)


def test_enums() -> None:
    expected = {
        name: {str(member.value): member.label for member in members}
        for name, members in load_enums().items()
        if name in mapped("finance", "enums")
    }
    assert catalog("finance")["enums"] == expected
