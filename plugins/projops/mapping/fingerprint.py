"""What a leg means, as a hash: a watermark taken under another meaning is not to be trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from projops.mapping.model import FieldRule, Leg, TableMap
from projops.mapping.value_maps import ValueMap


def fingerprint(table_map: TableMap, leg: Leg, value_maps: Mapping[str, ValueMap]) -> str:
    """Hash a leg's meaning: tables, key, companies, filter, fields, and the content of its value maps.

    Titles, versions, comments, places in the file and the order of companies do not count.
    """
    used: dict[str, Any] = {}
    for rule in leg.fields:
        used |= _value_maps(rule, leg, value_maps)
    meaning = {
        "tables": [table_map.dataverse, table_map.finance],
        "key": [[part.finance, part.dataverse] for part in table_map.key],
        "companies": sorted(table_map.companies) if table_map.companies is not None else None,
        "direction": leg.direction,
        "where": leg.extract.where,
        "fields": {rule.target: _meaning_of(rule) for rule in leg.fields},
        "value_maps": used,
    }
    return _hash(meaning)


def column_digests(leg: Leg, value_maps: Mapping[str, ValueMap]) -> dict[str, str]:
    """Hash what a leg says of each target column, its value maps included, by column name."""
    return {
        rule.target: _hash([_meaning_of(rule), _value_maps(rule, leg, value_maps)])[:8] for rule in leg.fields
    }


def _meaning_of(rule: FieldRule) -> list[Any]:
    steps = [[step.operator, step.argument] for step in rule.steps]
    return [rule.source, rule.required, rule.create_only, steps]


def _value_maps(rule: FieldRule, leg: Leg, value_maps: Mapping[str, ValueMap]) -> dict[str, Any]:
    """Give the pairs of each value map that a field uses, by name."""
    return {
        step.argument: sorted(_pairs(value_maps[step.argument].towards(leg.direction)))
        for step in rule.steps
        if step.operator == "value_map" and step.argument in value_maps
    }


def _pairs(values: Mapping[str | None, str | None]) -> list[list[str]]:
    return [[repr(source), repr(target)] for source, target in values.items()]


def _hash(meaning: Any) -> str:
    return sha256(json.dumps(meaning, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
