"""`projops status`: how each leg stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import typer

from projops.commands.output import AsJson, open_engine, print_json, print_rows
from projops.pausing import described
from projops.standing import LegStatus, standings
from projops.state.tables import LIVE
from projops.state.throttling import Budget, budget_today


def status(as_json: AsJson = False) -> None:
    """Say how each leg stands: when it was last in step, what is set aside, who paused or writes it."""
    with open_engine() as engine:
        legs = standings(engine)
        with engine.state.begin() as connection:
            budget = budget_today(connection, engine.settings)
    now = datetime.now(UTC)
    if as_json:
        print_json({"legs": [each.as_row(now) for each in legs], "requests_today": _requests(budget)})
        return
    print_rows([_line(each, now) for each in legs], False, "There are no maps.")
    for line in _remarks(legs):
        typer.echo(line)
    typer.echo(f"Requests today: {budget.sent} of {budget.budget}.")


def _requests(budget: Budget) -> dict[str, Any]:
    return {**budget.by_system, "sent": budget.sent, "budget": budget.budget}


def _line(each: LegStatus, now: datetime) -> dict[str, Any]:
    facts = each.facts
    return {
        "map": each.map,
        "leg": each.leg,
        "state": each.standing.value,
        "last in step": "" if facts.in_step_at is None else f"{_ago(now - facts.in_step_at)} ago",
        "batch": facts.batch,
        "loaded": facts.loaded,
        "version": facts.version,
        **{status.replace("_", " "): facts.aside.get(status, 0) for status in LIVE},
        "writer": each.writer,
    }


def _remarks(legs: list[LegStatus]) -> list[str]:
    """Say what a table has no room for: pauses, once a map, and why legs have stopped."""
    dag = "DAG pause is Airflow's own, and stops the schedule of a whole area"
    paused = {
        each.map: f"Map {each.map} is {described(each.pause)}; {dag}."
        for each in legs
        if each.pause is not None
    }
    stopped = [
        f"{each.map} {each.leg} has stopped. {each.facts.stopped_because}"
        for each in legs
        if each.facts.stopped_because is not None
    ]
    return [*paused.values(), *stopped]


def _ago(age: timedelta) -> str:
    """Write an age in its largest unit."""
    seconds = int(age.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"
