"""A trace as a tree in a terminal: first where it comes from, then how, then all that became of it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rich.text import Text
from rich.tree import Tree

from projops.commands.tables import console, visible
from projops.lineage.trace.document import record_facts
from projops.lineage.trace.model import FieldTrace, LegTrace, RowTrace, Side, Trace
from projops.lineage.trace.records import Node, Record
from projops.lineage.trace.walking import Walk

_BACK = "the way back"
_BESIDES = frozenset({"system", "entity", "label", "key", "link", "remark"})


def print_tree(trace: Trace, values: bool) -> None:
    """Print a trace.

    Args:
        trace: The trace.
        values: Whether what rows hold is shown.
    """
    tree = Tree(_text(trace.asked))
    top = tree.add(_text("comes from"))
    for record in trace.comes_from:
        top.add(_record(record, values))
    if trace.row is not None:
        _add_row(tree, trace.row, values)
    for map_id, key in trace.others:
        tree.add(_text(f"of it: projops trace {map_id} '{key}'"))
    _add_walk(tree, _BACK, trace.starts, trace.origins, values)
    _add_walk(tree, "what became of it", (*trace.starts, *trace.ends), trace.outcomes, values)
    _add_around(tree, trace.around, values)
    for sentence in trace.unread:
        tree.add(_text(sentence))
    if not values:
        tree.add(_text("what the rows hold is hidden; --values shows it"))
    console().print(tree)


def _add_row(tree: Tree, row: RowTrace, values: bool) -> None:
    branch = tree.add(_text(f"row {row.key} of map {row.map} ({row.title})"))
    if row.in_step_at is not None:
        branch.add(_text(f"last in step {row.in_step_at:%Y-%m-%d %H:%M:%S} UTC"))
    for side in row.sides.values():
        branch.add(_side(side))
    for leg in row.legs:
        _add_leg(branch, leg, values)
    for each in row.letters:
        facts = ", ".join(str(each[name]) for name in ("id", "status", "leg", "rule"))
        branch.add(_text(f"dead letter {facts}: {each['message']}"))
    for each in row.conflicts:
        columns = ", ".join(each["source_values"])
        branch.add(_text(f"conflict {each['id']} in {columns}: {each['winner']} won, batch {each['batch']}"))


def _side(side: Side) -> Text:
    changed = f", changed {side.modified:%Y-%m-%d %H:%M:%S} UTC" if side.modified else ""
    version = f", version {side.version}" if side.version else ""
    return _text(
        f"{side.system.value.capitalize()} {side.table} {side.id or ''}{version}{changed} {side.link}"
    )


def _add_leg(branch: Tree, leg: LegTrace, values: bool) -> None:
    node = branch.add(_text(f"{leg.direction.value}: {leg.standing}"))
    if leg.moved is not None:
        moved = leg.moved
        node.add(
            _text(
                f"batch {moved.batch} ({moved.status}) of {moved.dag_id} {moved.run_id}, "
                f"{moved.started_at:%Y-%m-%d %H:%M:%S} UTC, mapping {moved.mapping_version} "
                f"{moved.fingerprint[:12]} {moved.link}"
            )
        )
    if leg.remapped:
        node.add(_text(f"the mapping has changed since: it is {leg.version} {leg.fingerprint[:12]} now"))
    for sentence in leg.rejects:
        node.add(_text(f"would be set aside: {sentence}"))
    if leg.checks:
        _add_checks(node, leg)
    if leg.fields:
        fields = node.add(_text(f"fields: {_count(leg.fields)}"))
        for each in leg.fields:
            fields.add(_field(each, values))


def _add_checks(node: Tree, leg: LegTrace) -> None:
    kept = sum(each.passed is True for each in leg.checks)
    broken = [each for each in leg.checks if each.passed is False]
    beside = len(leg.checks) - kept - len(broken)
    rules = node.add(_text(f"rules: {kept} kept, {len(broken)} broken, {beside} do not apply"))
    for each in broken:
        rules.add(_text(f"broken: {each.rule} on {each.field} ({each.severity}): {each.message}"))
    for each in leg.checks:
        if each.passed is not False:
            state = "kept" if each.passed else "does not apply"
            rules.add(_text(f"{state}: {each.rule} on {each.field}{' (written)' if each.written else ''}"))


def _count(fields: Iterable[FieldTrace]) -> str:
    states = [each.equal for each in fields]
    return f"{states.count(True)} equal, {states.count(False)} different, {states.count(None)} not compared"


def _field(field: FieldTrace, values: bool) -> Text:
    equal = {True: "equal", False: "DIFFERENT", None: "not compared"}[field.equal]
    parts = [field.source or "(nothing)"]
    if values:
        parts[0] += f" {_told(field.value)}"
    for each in field.changes:
        made = f" {_told(each.after)}" if values else ""
        fault = f" ({each.fault})" if each.fault else ""
        parts.append(f"{each.operator} {each.argument}{made}{fault}")
    end = f"; made {_told(field.made)}, held {_told(field.held)}" if values else ""
    return _text(f"{field.target} <- {' -> '.join(parts)}{end}: {equal}")


def _add_walk(tree: Tree, title: str, starts: Iterable[Record], walk: Walk, values: bool) -> None:
    if not walk.found:
        return
    top = tree.add(_text(title))
    places: dict[Node, Tree] = {each.node: top.add(_record(each, values)) for each in starts}
    for each in walk.found:
        place = places.get(each.of, top)
        how = f"{each.how} " if title == _BACK else ""
        places[each.record.node] = place.add(Text.assemble(how, _record(each.record, values)))
    if walk.more:
        top.add(_text("and more, which is not followed"))


def _add_around(tree: Tree, walks: Iterable[Walk], values: bool) -> None:
    found = [each for walk in walks for each in walk.found]
    if found:
        top = tree.add(_text("around it"))
        for each in found:
            top.add(Text.assemble(f"{each.how} ", _record(each.record, values)))


def _record(record: Record, values: bool) -> Text:
    hidden = () if values else record.entity.values
    told = ", ".join(
        f"{name.removeprefix('msdyn_')} {_told(value)}"
        for name, value in record_facts(record, _same).items()
        if name not in _BESIDES and name not in hidden and value is not None
    )
    remark = f"; {record.remark}" if record.remark else ""
    return _text(f"{record.entity.label} {record.identity} ({told}{remark}) {record.link}")


def _same(value: Any) -> Any:
    return value  # what is hidden is left out altogether


def _text(text: str) -> Text:
    return Text(visible(text))


def _told(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "nothing" if value is None else str(value)
