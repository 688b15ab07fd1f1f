"""Read the packaged JSON into frozen tables, once a process.

`dataverse.json` and `finance.json` are the source of what table maps may name; `dataverse_contacts.json`
holds what other clients work with beside them; `dataverse_books.json` and `finance_books.json` hold what
only the systems' own rules work with (price lists, journals, ledger entries); `dataverse_environment.json`
what every environment has by itself (users, the organization, SDK messages); `dataverse_platform.json` what
tells the platform what to do behind requests (service endpoints, steps, system jobs). Where they come from,
their licence and what was corrected stands in the `about` of each.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from json import loads
from types import MappingProxyType
from typing import Any

from sandbox.schema.model import Column, ColumnType, DateTimeBehavior, Option, Table

_DATAVERSE = (
    "dataverse.json",
    "dataverse_contacts.json",
    "dataverse_books.json",
    "dataverse_environment.json",
    "dataverse_platform.json",
)
_FINANCE = ("finance.json", "finance_books.json")


@lru_cache(maxsize=1)
def load_dataverse() -> Mapping[str, Table]:
    """Return every Dataverse table by logical name."""
    return MappingProxyType(
        {name: _dataverse_table(name, spec) for name, spec in _merged(_DATAVERSE, "tables").items()}
    )


@lru_cache(maxsize=1)
def load_finance() -> Mapping[str, Table]:
    """Return every Finance entity set by set name."""
    enums = load_enums()
    sets = _merged(_FINANCE, "entity_sets")
    return MappingProxyType({name: _entity_set(name, spec, enums) for name, spec in sets.items()})


@lru_cache(maxsize=1)
def load_enums() -> Mapping[str, tuple[Option, ...]]:
    """Return the members of every Finance enum by enum name; the first stands for null."""
    enums = _merged(_FINANCE, "enums")
    return MappingProxyType({name: _options(spec["members"]) for name, spec in enums.items()})


def _merged(names: tuple[str, ...], part: str) -> dict[str, Any]:
    return {name: spec for file in names for name, spec in _read(file)[part].items()}


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return document


def _dataverse_table(name: str, spec: Mapping[str, Any]) -> Table:
    return Table(
        system="dataverse",
        name=name,
        entity_set=spec["entity_set"],
        entity_type=name,
        label=spec["label"],
        primary_id=spec["primary_id"],
        primary_name=spec.get("primary_name"),
        columns=_columns(spec["columns"]),
        keys=tuple(tuple(key) for key in spec.get("keys", ())),
        change_tracking=spec.get("change_tracking", True),
        schema_name=spec.get("schema_name", name),
        object_type_code=spec.get("object_type_code"),
        lookups_indexed=spec.get("lookups_indexed", True),
    )


def _entity_set(name: str, spec: Mapping[str, Any], enums: Mapping[str, tuple[Option, ...]]) -> Table:
    return Table(
        system="finance",
        name=name,
        entity_set=name,
        entity_type=spec["entity_type"],
        label=spec["label"],
        primary_id=None,
        primary_name=None,
        columns=_columns(spec["columns"], enums),
        keys=(tuple(spec["key"]),),
        company_column=spec.get("company_column"),
    )


def _columns(
    specs: Mapping[str, Mapping[str, Any]], enums: Mapping[str, tuple[Option, ...]] | None = None
) -> Mapping[str, Column]:
    return MappingProxyType({name: _column(name, spec, enums) for name, spec in specs.items()})


def _column(name: str, spec: Mapping[str, Any], enums: Mapping[str, tuple[Option, ...]] | None) -> Column:
    values = dict(spec)
    column_type = ColumnType(values.pop("type"))
    behavior = values.pop("behavior", None)
    options = _options(values.pop("options", {}))
    if enums is not None and "enum" in values:
        options = enums[values["enum"]]
    target = values.pop("target", None)
    targets = tuple(values.pop("targets", () if target is None else (target,)))
    return Column(
        name=name,
        type=column_type,
        behavior=DateTimeBehavior(behavior) if behavior else None,
        options=options,
        target=target,
        targets=targets,
        relationships=tuple(values.pop("relationships", ())),
        **values,
    )


def _options(members: Mapping[str, str]) -> tuple[Option, ...]:
    return tuple(Option(int(value), label) for value, label in members.items())
