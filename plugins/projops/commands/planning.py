"""`projops plan`: what a run would write, and nothing written."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from projops.commands.output import AsJson, ShowValues, actor, open_engine, print_json, print_rows
from projops.engine import Engine
from projops.load.decide import Kind
from projops.load.rehearsal import PlannedRow
from projops.mapping.model import Direction
from projops.mapping.order import leg_order
from projops.pausing import described
from projops.plan import LegPlan
from projops.plan import plan as plan_leg
from projops.run import LegRef
from projops.state.audit import record_action
from projops.state.dead_letters import AWAITING

Maps = Annotated[list[str], typer.Argument(help="Map ids; `maps list` shows them.")]
OneLeg = Annotated[Direction | None, typer.Option(help="Only this leg.")]
Rows = Annotated[int, typer.Option(min=0, help="Rows to show of each leg.")]
Full = Annotated[bool, typer.Option("--full", help="Plan a run that reads everything.")]


def plan(
    map_ids: Maps,
    leg: OneLeg = None,
    rows: Rows = 20,
    values: ShowValues = False,
    full: Full = False,
    as_json: AsJson = False,
) -> None:
    """Say what a run of these maps would write, each map by itself; write nothing."""
    with open_engine() as engine:
        refs = legs_of(engine, map_ids, leg)
        if values:
            with engine.state.begin() as connection:
                for name in map_ids:
                    record_action(connection, actor(), "reveal", f"plan of {name}")
        show_plans([plan_leg(engine, ref, full=full, shown=rows) for ref in refs], values, as_json)


def legs_of(engine: Engine, map_ids: Sequence[str], leg: Direction | None) -> list[LegRef]:
    """Give the legs of some maps, in the order in which they run.

    Raises:
        ConfigurationError: There is no such map.
    """
    maps = {name: engine.map(name) for name in map_ids}
    return [LegRef(name, each.value) for name, each in leg_order(maps) if leg is None or each is leg]


def show_plans(plans: Sequence[LegPlan], values: bool, as_json: bool) -> None:
    """Print plans: a table of the legs, then of each leg what there is to know of its rows."""
    if as_json:
        print_json([_as_json(each, values) for each in plans])
        return
    print_rows([_summary(each) for each in plans], False, "These maps have no such leg.")
    for each in plans:
        for line in _remarks(each):
            typer.echo(f"{each.leg.map} {each.leg.leg}: {line}")
        if each.rows:
            print_rows([_row(row, values) for row in each.rows], False, "")
        if each.aside:
            names = ("key", "status", "rule", "message")
            print_rows([{name: getattr(row, name) for name in names} for row in each.aside], False, "")


def _summary(plan: LegPlan) -> dict[str, Any]:
    counts = plan.counts
    deletes = plan.actions.get(Kind.DELETE, 0) + plan.actions.get(Kind.DEACTIVATE, 0)
    awaiting = sum(each.status == AWAITING for each in plan.aside)
    return {
        "map": plan.leg.map,
        "leg": plan.leg.leg,
        "why": plan.why or "nothing to move",
        "read": counts.read,
        "unchanged": counts.unchanged,
        "create": plan.actions.get(Kind.CREATE, 0),
        "update": plan.actions.get(Kind.UPDATE, 0),
        "delete": deletes,
        "parked": counts.parked - awaiting,
        "rejected": counts.rejected,
        "refused": counts.failed,
        "conflicts": plan.conflicts,
        "await_approval": awaiting,
    }


def _remarks(plan: LegPlan) -> list[str]:
    lines = []
    if plan.pause is not None:
        lines.append(f"{described(plan.pause)}; this is what comes once it is resumed.")
    if plan.stops is not None:
        lines.append(f"the leg would stop before anything is written. {plan.stops}")
    if plan.version_before is not None and plan.why is not None and _mapping_changed(plan):
        lines.append(_of_the_mapping(plan))
    if plan.columns:
        named = ", ".join(f"{name} in {count}" for name, count in sorted(plan.columns.items()))
        lines.append(f"columns that would change, by rows: {named}.")
    if plan.in_full and plan.why is not None:
        lines.append("all rows were read: an export of the changes would have moved Finance's mark.")
    return lines


def _mapping_changed(plan: LegPlan) -> bool:
    return plan.difference is not None or plan.version != plan.version_before


def _of_the_mapping(plan: LegPlan) -> str:
    """Say what has changed in the mapping, and what has to be sent again for it."""
    named = {} if plan.difference is None else plan.difference.by_name()
    what = "; ".join(f"{how} {', '.join(names)}" for how, names in named.items() if names)
    sent = plan.actions.get(Kind.CREATE, 0) + plan.actions.get(Kind.UPDATE, 0)
    versions = f"the mapping has changed from version {plan.version_before} to {plan.version}"
    return f"{versions}{f' ({what})' if what else ''}; {sent} rows must be sent again."


def _row(row: PlannedRow, values: bool) -> dict[str, Any]:
    changes = [
        f"{name}: {change.old!s} -> {change.new!s}" if values else name
        for name, change in row.columns.items()
    ]
    return {"key": row.key, "action": row.action.value, "columns": "\n".join(changes) or "as they stand"}


def _as_json(plan: LegPlan, values: bool) -> dict[str, Any]:
    return {
        **_summary(plan),
        "why": plan.why,
        "version": plan.version,
        "version_before": plan.version_before,
        "mapping": None if plan.difference is None else plan.difference.by_name(),
        "paused": None if plan.pause is None else described(plan.pause),
        "stops": plan.stops,
        "read_in_full": plan.in_full,
        "columns": dict(plan.columns),
        "rows": [_row_json(row, values) for row in plan.rows],
        "set_aside": [
            {"key": each.key, "status": each.status, "rule": each.rule, "message": each.message}
            for each in plan.aside
        ],
    }


def _row_json(row: PlannedRow, values: bool) -> dict[str, Any]:
    shown: Mapping[str, Any] = {
        name: {"old": change.old, "new": change.new} for name, change in row.columns.items()
    }
    return {
        "key": row.key,
        "action": row.action.value,
        "columns": list(row.columns),
        "values": shown if values else None,
    }
