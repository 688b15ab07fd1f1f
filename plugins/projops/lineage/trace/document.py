"""A trace as plain values under names that stay: what `trace --json` prints, and what its page shows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from projops.lineage.trace.model import FieldTrace, LegTrace, RowTrace, Side, Trace
from projops.lineage.trace.records import Record
from projops.lineage.trace.walking import Walk
from projops.mapping.catalog import Column

Show = Callable[[Any], Any]
"""Gives what is shown of a value that a row holds: itself, or that it is hidden."""


def as_document(trace: Trace, show: Show) -> dict[str, Any]:
    """Give a trace whole.

    Args:
        trace: The trace.
        show: For what rows hold; numbers, states and days are told in any case.
    """
    return {
        "asked": trace.asked,
        "comes_from": [record_facts(each, show) for each in trace.comes_from],
        "starts": [record_facts(each, show) for each in trace.starts],
        "row": None if trace.row is None else _row(trace.row, show),
        "ends": [record_facts(each, show) for each in trace.ends],
        "others": [{"map": map_id, "key": key} for map_id, key in trace.others],
        "origins": _walk(trace.origins, show),
        "outcomes": _walk(trace.outcomes, show),
        "around": [each for walk in trace.around for each in _walk(walk, show)["found"]],
        "unread": list(trace.unread),
    }


def nested(starts: Iterable[Mapping[str, Any]], walk: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hang the rows of a walk below those from which it came to them.

    Args:
        starts: Rows that it began with, as `record_facts` tells of them.
        walk: The walk, as the document has it.

    Returns:
        For each start a `record`, `how` ("" of a start), and `below` the same of the rows behind it.
    """
    tops = [{"record": each, "how": "", "below": []} for each in starts]
    places: dict[tuple[str, ...], dict[str, Any]] = {_node(each["record"]): each for each in tops}
    for each in walk["found"]:
        place = {"record": each, "how": each["how"], "below": []}
        places[_node(each["of"])]["below"].append(place)
        places[_node(each)] = place
    return [each for each in tops if each["below"]]


def _node(row: Any) -> tuple[str, ...]:
    return row["system"], row["entity"], row["key"]


def record_facts(record: Record, show: Show) -> dict[str, Any]:
    """Give what is told of one row; option values by their labels."""
    entity, columns = record.entity, record.entity.table.columns
    return {
        "system": entity.system.value,
        "entity": entity.name,
        "label": entity.label,
        "key": record.identity,
        **{name: _labelled(columns[name], record.columns[name]) for name in entity.facts},
        **{name: show(record.columns[name]) for name in entity.values},
        "remark": record.remark,
        "link": record.link,
    }


def _labelled(column: Column, value: Any) -> Any:
    return column.options.get(value, value) if isinstance(value, int) else value


def _walk(walk: Walk, show: Show) -> dict[str, Any]:
    found = [
        {
            **record_facts(each.record, show),
            "how": each.how,
            "of": {"system": each.of[0].value, "entity": each.of[1], "key": each.of[2]},
            "depth": each.depth,
            "last": each.last,
        }
        for each in walk.found
    ]
    return {"found": found, "more": walk.more}


def _row(row: RowTrace, show: Show) -> dict[str, Any]:
    return {
        "map": row.map,
        "title": row.title,
        "key": row.key,
        "in_step_at": row.in_step_at,
        "sides": {system.value: _side(side, show) for system, side in row.sides.items()},
        "legs": [_leg(each, show) for each in row.legs],
        "dead_letters": [_hidden(each, ("value", "payload"), show) for each in row.letters],
        "conflicts": [_hidden(each, ("source_values", "target_values"), show) for each in row.conflicts],
    }


def _side(side: Side, show: Show) -> dict[str, Any]:
    facts = {name: getattr(side, name) for name in ("table", "id", "version", "modified", "link")}
    return facts | {"values": {name: show(value) for name, value in side.values.items()}}


def _leg(leg: LegTrace, show: Show) -> dict[str, Any]:
    return {
        "leg": leg.direction.value,
        "standing": leg.standing,
        "version": leg.version,
        "fingerprint": leg.fingerprint,
        "takes": leg.takes,
        "moved": None if leg.moved is None else asdict(leg.moved),
        "mapping_changed_since": leg.remapped,
        "hash_then": leg.hash_then,
        "hash_now": leg.hash_now,
        "fields": [_field(each, show) for each in leg.fields],
        "checks": [asdict(each) for each in leg.checks],
        "rejects": list(leg.rejects),
    }


def _field(field: FieldTrace, show: Show) -> dict[str, Any]:
    held = {name: show(getattr(field, name)) for name in ("value", "made", "held")}
    changes = [
        {
            "operator": each.operator,
            "argument": each.argument,
            "before": show(each.before),
            "after": show(each.after),
            "fault": each.fault,
        }
        for each in field.changes
    ]
    return {"target": field.target, "source": field.source, "equal": field.equal, "changes": changes, **held}


def _hidden(row: Mapping[str, Any], names: Sequence[str], show: Show) -> dict[str, Any]:
    return {**row, **{name: show(row[name]) for name in names}}
