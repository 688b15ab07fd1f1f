"""What each column of a target comes from, read from the mapping files by other means than the engine's.

Files as plain YAML of texts, conditions by a pattern, both systems' tables as the raw JSON of the catalog.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[4]
_CATALOG = ROOT / "plugins" / "projops" / "mapping" / "catalog"
_COMPARED = re.compile(
    r"([A-Za-z_][\w.]*) (?:eq|ne|gt|ge|lt|le|in) |(?:contains|startswith|endswith)\(([\w.]+),"
)
_GUIDS_IN_TEXTS = {"msdyn_transaction1": "msdyn_actual", "msdyn_transaction2": "msdyn_actual"}

# (table, column, type, subtype)
Origin = tuple[str, str, str, str]
Columns = dict[str, set[Origin]]


@cache
def tables() -> Mapping[str, Any]:
    """Both systems' tables: their names do not meet."""
    files = (
        json.loads((_CATALOG / f"{name}.json").read_text())["tables"] for name in ("dataverse", "finance")
    )
    return {name: facts for each in files for name, facts in each.items()}


def legs() -> list[tuple[str, str]]:
    """Every leg of every map, by (map, direction)."""
    return [(name, leg) for name, each in sorted(maps().items()) for leg in each["legs"]]


@cache
def maps() -> Mapping[str, Any]:
    """The mapping files, by map."""
    files = (ROOT / "include" / "mappings").glob("[!_]*/*.yaml")
    return {file.stem: yaml.load(file.read_text(), yaml.BaseLoader) for file in files}


def source_of(name: str, leg: str) -> str:
    return str(maps()[name][leg.partition("_to_")[0]])


def target_of(name: str, leg: str) -> str:
    return str(maps()[name][leg.partition("_to_")[2]])


def columns_of(name: str, leg: str) -> tuple[Columns, set[Origin]]:
    """Give the origins of each column that a leg writes, and those that decide which rows it writes."""
    table_map = maps()[name]
    facts = table_map["legs"][leg]
    source, target = source_of(name, leg), target_of(name, leg)
    found: Columns = {}
    for path, rule in facts["fields"].items():
        found.setdefault(path.split(".")[0], set()).update(_of_rule(source, path, rule))
    rows = {
        each for path in _compared(facts["extract"].get("where", "")) for each in _end(source, path, "FILTER")
    }
    for finance, dataverse in table_map["key"].items():
        path, key = (dataverse, finance) if leg.startswith("dataverse") else (finance, dataverse)
        if facts["write"] == "update_only":
            rows |= set(_end(source, path, "JOIN"))
        else:
            found.setdefault(key.split(".")[0], set()).update(_of_rule(source, key, {"from": path}))
    written = [*facts["fields"], *(table_map["key"].values() if facts["write"] != "update_only" else ())]
    if leg.startswith("finance"):
        for lookup in {path.split(".")[0] for path in written if "." in path}:
            found[lookup] |= _searched(table_map, source, target, lookup, written)
    return found, rows


def _of_rule(source: str, target: str, rule: Mapping[str, Any]) -> Iterator[Origin]:
    operators = set(rule) - {"from", "required", "create_only", "when"}
    subtype = "TRANSFORMATION" if operators or "." in target else "IDENTITY"
    if "constant" not in rule:
        for path in _values(rule):
            yield from _end(source, path, subtype)
    for path in _compared(rule.get("when", "")):
        yield from _end(source, path, "CONDITIONAL")


def _values(rule: Mapping[str, Any]) -> Iterator[str]:
    yield from [rule["from"]] if "from" in rule and "concat" not in rule else []
    yield from (part for part in rule.get("concat", ()) if not part.startswith("'"))
    for operator, within in (("default", "from"), ("python", "columns")):
        if isinstance(rule.get(operator), Mapping):
            found = rule[operator].get(within, ())
            yield from [found] if isinstance(found, str) else found


def _compared(condition: str) -> list[str]:
    return [one or other for one, other in _COMPARED.findall(condition)]


def _end(table: str, path: str, subtype: str) -> Iterator[Origin]:
    """The column that a path leads to, and by joins the lookups before it."""
    *hops, column = path.split(".")
    for hop in hops:
        yield table, hop, "INDIRECT", "JOIN"
        table = _led_to(table, hop)
    direct = "DIRECT" if subtype in ("IDENTITY", "TRANSFORMATION") else "INDIRECT"
    yield table, column, direct, subtype


def _led_to(table: str, lookup: str) -> str:
    column = tables()[table]["columns"][lookup]
    return str(column.get("target") or _GUIDS_IN_TEXTS[lookup])


def _searched(
    table_map: Mapping[str, Any], source: str, table: str, lookup: str, written: list[str]
) -> set[Origin]:
    """The key columns by which a lookup's row is searched; the row's own company where no path gives one."""
    found: set[Origin] = set()
    rests = [path.split(".", 1)[1] for path in written if path.startswith(f"{lookup}.")]
    parent = _led_to(table, lookup)
    given = {rest.split(".")[0] for rest in rests}
    [key] = [key for key in tables()[parent]["keys"] if given <= set(key) <= given | _company_lookups(parent)]
    for column in key:
        found.add((parent, column, "INDIRECT", "JOIN"))
        if tables()[parent]["columns"][column]["type"] != "lookup":
            continue
        if column not in given:
            own = [f for f, d in table_map["key"].items() if d.endswith("cdm_companycode")]
            found |= {(source, field, "INDIRECT", "JOIN") for field in own}
            rests = [*rests, f"{column}.cdm_companycode"]
        nested = [f"{column}.{rest.split('.', 1)[1]}" for rest in rests if rest.startswith(f"{column}.")]
        found |= _searched(table_map, source, parent, column, nested)
    return found


def _company_lookups(table: str) -> set[str]:
    columns = tables()[table]["columns"]
    return {name for name, facts in columns.items() if facts.get("target") == "cdm_company"}
