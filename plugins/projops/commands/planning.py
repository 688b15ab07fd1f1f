"""`projops plan`: what a run would write, and nothing written."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from projops.commands import completion
from projops.commands.output import AsJson, ShowValues, actor, open_engine, print_json, print_rows
from projops.commands.progress import progress_shown
from projops.engine import Engine
from projops.load.rehearsal import PlannedRow
from projops.mapping.model import Direction
from projops.mapping.order import leg_order
from projops.pausing import described
from projops.plan import LegPlan
from projops.plan import plan as plan_leg
from projops.plan_wording import remarks, summary
from projops.run import LegRef
from projops.state.audit import record_action

Maps = Annotated[
    list[str], typer.Argument(help="Map ids; `maps list` shows them.", autocompletion=completion.maps)
]
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
        plans = []
        with progress_shown(as_json) as say:
            for ref in refs:
                say(str(ref))
                plans.append(plan_leg(engine, ref, full=full, shown=rows))
        show_plans(plans, values, as_json)


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
    print_rows([summary(each) for each in plans], False, "These maps have no such leg.")
    for each in plans:
        for line in remarks(each):
            typer.echo(f"{each.leg.map} {each.leg.leg}: {line}")
        if each.rows:
            print_rows([_row(row, values) for row in each.rows], False, "")
        if each.aside:
            names = ("key", "status", "rule", "message")
            print_rows([{name: getattr(row, name) for name in names} for row in each.aside], False, "")


def _row(row: PlannedRow, values: bool) -> dict[str, Any]:
    changes = [
        f"{name}: {change.old!s} -> {change.new!s}" if values else name
        for name, change in row.columns.items()
    ]
    return {"key": row.key, "action": row.action.value, "columns": "\n".join(changes) or "as they stand"}


def _as_json(plan: LegPlan, values: bool) -> dict[str, Any]:
    return {
        **summary(plan),
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
