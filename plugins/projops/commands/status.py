"""`projops status`: how each leg stands, and whether a period can be closed."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from projops.commands.exit_codes import FOUND
from projops.commands.output import AsJson, fail, open_engine, print_json, print_rows
from projops.commands.tables import visible
from projops.pausing import described
from projops.reconcile.month_end.model import Gate, Period
from projops.standing import LegStatus, ago, backlog, standings
from projops.state.tables import LIVE
from projops.state.throttling import Budget, budget_today

OfPeriod = Annotated[
    str | None,
    typer.Option("--period", help="Say whether this month (2026-10) can be closed. Exit code 3: it cannot."),
]
OfCompany = Annotated[str | None, typer.Option("--company", help="Of this company; else of all, one by one.")]


def status(period: OfPeriod = None, company: OfCompany = None, as_json: AsJson = False) -> None:
    """Say how each leg stands: when it was last in step, what is set aside, who paused or writes it.

    With a period, say instead whether it can be closed: nothing pending, set aside or adrift among its
    rows, books in order, clearing accounts at zero; or exactly what stands in the way.
    """
    if period is not None:
        _say_gates(Period.of(period), company, as_json)
        return
    if company is not None:
        fail("--company goes with --period: name the month that is to be closed, like 2026-10.")
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


def _say_gates(period: Period, company: str | None, as_json: bool) -> None:
    """Say of each company whether the period can be closed, as soon as it is known.

    Raises:
        SystemExit: Something stands in the way: exit code 3.
    """
    from projops.reconcile.month_end.gate import gates  # DuckDB comes with it

    found = []
    with open_engine() as engine:
        for gate in gates(engine, period, company, datetime.now(UTC)):
            found.append(gate)
            if not as_json:
                _show(gate)
    if as_json:
        print_json([_plain(gate) for gate in found])
    if not all(gate.can_be_closed for gate in found):
        raise SystemExit(FOUND)


def _show(gate: Gate) -> None:
    typer.echo(gate.sentence)
    for each in gate.obstacles:
        typer.echo(visible(f"- {each.kind}, {each.subject}: {each.message} {each.remedy}".rstrip()))


def _plain(gate: Gate) -> dict[str, Any]:
    return {**asdict(gate), "can_be_closed": gate.can_be_closed, "sentence": gate.sentence}


def _requests(budget: Budget) -> dict[str, Any]:
    return {**budget.by_system, "sent": budget.sent, "budget": budget.budget}


def _line(each: LegStatus, now: datetime) -> dict[str, Any]:
    facts = each.facts
    return {
        "map": each.map,
        "leg": each.leg,
        "state": each.standing.value,
        "last in step": "" if facts.fresh_at is None else f"{ago(now - facts.fresh_at)} ago",
        "late": "late" if each.is_late(now) else "",
        "backlog": backlog(facts),
        "batch": facts.batch,
        "loaded": facts.loaded,
        "version": facts.version,
        **{status.replace("_", " "): facts.aside.get(status, 0) for status in LIVE},
        "drift": each.proof.drift if each.proof else "",
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
        f"{each.map} {each.leg} has stopped. {each.stopped_because}"
        for each in legs
        if each.stopped_because is not None
    ]
    return [*paused.values(), *stopped]
