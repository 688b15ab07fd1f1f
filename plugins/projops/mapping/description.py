"""A map in words and as plain values: for people, `--json`, comparison and `docs/mappings.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from projops.mapping.model import DeleteLimit, Direction, FieldRule, Leg, Step, TableMap

_ARROWS = {
    Direction.DATAVERSE_TO_FINANCE: "Dataverse to Finance",
    Direction.FINANCE_TO_DATAVERSE: "Finance to Dataverse",
}
_PREFACE = """\
# Table maps

Generated from `include/mappings` by `projops maps docs`; change the maps, not this file.

*Evidence* says where a row is known from. DOC, SHOT: Microsoft's documentation, its text or its
pictures. META: the public metadata of an environment. LEGACY: the Data Integrator templates that came
before. INF: inferred. PROPOSED: no public source, so check it on your tenant.

A field that is *required* sets a row without a value aside; one that is *create only* is written when the
row is created and belongs to the target from then on.
"""


def as_plain(table_map: TableMap) -> dict[str, Any]:
    """A map as values that JSON knows; places in the file and evidence are left out."""
    return {
        "map": table_map.map,
        "title": table_map.title,
        "version": table_map.version,
        "area": table_map.area,
        "dataverse": table_map.dataverse,
        "finance": table_map.finance,
        "key": {part.finance: part.dataverse for part in table_map.key},
        "needs": list(table_map.needs),
        "companies": "all" if table_map.companies is None else list(table_map.companies),
        "enabled": table_map.enabled,
        "period": list(table_map.period),
        "conflict": table_map.conflict,
        "gate": {"billed_actuals": table_map.gate.billed_actuals} if table_map.gate else None,
        "legs": {str(direction): _plain_leg(leg) for direction, leg in table_map.legs.items()},
    }


def differences(old: TableMap | None, new: TableMap | None) -> tuple[tuple[str, str, str], ...]:
    """What differs between two versions of a map: (entry, old, new), "" where there is none."""
    before = dict(_flat("", as_plain(old))) if old is not None else {}
    after = dict(_flat("", as_plain(new))) if new is not None else {}
    return tuple(
        (entry, before.get(entry, ""), after.get(entry, ""))
        for entry in dict.fromkeys((*before, *after))
        if before.get(entry) != after.get(entry)
    )


def steps_text(steps: Sequence[Step]) -> str:
    """Operators with their arguments, as in YAML."""
    return ", ".join(f"{step.operator}: {value_shown(step.argument)}" for step in steps)


def field_shown(rule: FieldRule) -> str:
    """The target field, and whether it must have a value or is written at creation only."""
    marks = (("required", rule.required), ("create only", rule.create_only))
    return rule.target + "".join(f" ({mark})" for mark, holds in marks if holds)


def value_shown(value: Any) -> str:
    """A value as YAML would have it, "" for none."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {value_shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(value_shown(item) for item in value) + "]"
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def document(maps: Mapping[str, TableMap], left_out: Mapping[str, Sequence[str]]) -> str:
    """`docs/mappings.md`.

    Args:
        maps: Maps by id.
        left_out: Rows that a file names as left out, by map id.
    """
    parts = [_PREFACE, _overview(maps.values())]
    for area in dict.fromkeys(each.area for each in maps.values()):
        parts.append(f"## {area}\n")
        parts += [_map_text(each, left_out.get(each.map, ())) for each in maps.values() if each.area == area]
    return "\n".join(parts)


def _plain_leg(leg: Leg) -> dict[str, Any]:
    return {
        "strategy": leg.extract.strategy,
        "where": leg.extract.where,
        "leaves": leg.extract.leaves,
        "also": list(leg.extract.also),
        "write": leg.write,
        "deletes": leg.deletes,
        "approve_deletes_above": _plain_limit(leg.approve_deletes_above),
        "fields": {rule.target: _plain_rule(rule) for rule in leg.fields},
    }


def _plain_limit(limit: DeleteLimit) -> dict[str, Any] | None:
    plain = {"share": limit.share, "rows": limit.rows}
    return {name: value for name, value in plain.items() if value is not None} or None


def _plain_rule(rule: FieldRule) -> dict[str, Any]:
    plain: dict[str, Any] = {} if rule.source is None else {"from": rule.source}
    if rule.required:
        plain["required"] = True
    if rule.create_only:
        plain["create_only"] = True
    return plain | {step.operator: _plain_argument(step.argument) for step in rule.steps}


def _plain_argument(argument: Any) -> Any:
    if isinstance(argument, Mapping):
        return {key: _plain_argument(value) for key, value in argument.items()}
    if isinstance(argument, tuple):
        return [_plain_argument(item) for item in argument]
    return str(argument) if isinstance(argument, Decimal) else argument


def _flat(prefix: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), each)
    else:
        yield prefix, value_shown(value)


def _overview(maps: Iterable[TableMap]) -> str:
    rows = [
        (
            f"[{each.map}](#{each.map})",
            each.dataverse,
            each.finance,
            ", ".join(_ARROWS[leg] for leg in each.legs),
            each.version if each.enabled else f"{each.version} (off)",
        )
        for each in maps
    ]
    return _table(("map", "Dataverse", "Finance", "legs", "version"), rows)


def _map_text(table_map: TableMap, left_out: Sequence[str]) -> str:
    facts = [
        f"### {table_map.map}\n",
        f"{table_map.title}, version {table_map.version}: "
        f"`{table_map.dataverse}` and `{table_map.finance}`.\n",
        _table(
            ("Finance key field", "Dataverse path"),
            [(part.finance, part.dataverse) for part in table_map.key],
        ),
        f"Needs: {', '.join(table_map.needs) or 'nothing'}. "
        f"Companies: {'all' if table_map.companies is None else ', '.join(table_map.companies)}."
        + (
            f" Where both sides changed a shared column, {table_map.conflict} wins."
            if table_map.conflict
            else ""
        )
        + _gate_text(table_map)
        + _period_text(table_map)
        + ("" if table_map.enabled else " Off unless asked for by name.")
        + "\n",
    ]
    facts += [_leg_text(leg) for leg in table_map.legs.values()]
    if left_out:
        facts.append("Left out:\n\n" + "".join(f"- {row}\n" for row in left_out))
    return "\n".join(facts)


def _gate_text(table_map: TableMap) -> str:
    if table_map.gate is None:
        return ""
    return (
        f" A row goes to Finance once every actual whose {table_map.gate.billed_actuals} it is, the actuals "
        "connected with them and those connections are there."
    )


def _period_text(table_map: TableMap) -> str:
    if not table_map.period:
        return ""
    return f" The accounting period of a row is the month of {', else of '.join(table_map.period)}."


def _leg_text(leg: Leg) -> str:
    where = f", where `{leg.extract.where}`" if leg.extract.where else ""
    head = (
        f"#### {_ARROWS[leg.direction]}\n\n{leg.extract.strategy}{where}; write {leg.write}, "
        f"deletes {leg.deletes}{limit_text(leg.approve_deletes_above)}, "
        f"rows that match no longer: {leg.extract.leaves}.\n"
    )
    rows = [
        (
            field_shown(rule),
            rule.source or "",
            steps_text(rule.steps),
            rule.evidence,
        )
        for rule in leg.fields
    ]
    return head + "\n" + _table(("field", "from", "operators", "evidence"), rows)


def limit_text(limit: DeleteLimit) -> str:
    """Say above which deletes of its own a leg asks people; empty where the settings decide."""
    parts = [f"{limit.share:.0%}"] if limit.share is not None else []
    parts += [f"{limit.rows} rows"] if limit.rows is not None else []
    return f" (asked about above {' or '.join(parts)})" if parts else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
