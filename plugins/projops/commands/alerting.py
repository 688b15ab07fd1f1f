"""`projops alerts`: what people were told, by which rules, and whether a channel works."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from projops.alerts.channels import send
from projops.alerts.facts import areas_of
from projops.alerts.rules import read_rules
from projops.alerts.texts import trial
from projops.commands.output import AsJson, fail, open_engine, print_json, print_rows
from projops.state.alerts import Kept, closed_ones, open_ones
from projops.state.deliveries import deliveries_of
from projops.systems.connection import parts_from_environment

_MOST_LISTED = 100
app = typer.Typer(help="What people are told, and where.", no_args_is_help=True)


@app.command("list")
def list_alerts(
    over: Annotated[bool, typer.Option("--over", help="Those that are over, the newest first.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the open alerts, the most severe first."""
    with open_engine() as engine, engine.state.reading() as connection:
        kept = closed_ones(connection, _MOST_LISTED) if over else open_ones(connection)
        sent = deliveries_of(connection, {each.id for each in kept})
    rows = [_row(each, {to.channel: to.status for to in sent.get(each.id, ())}) for each in kept]
    if as_json:
        print_json(rows)
        return
    brief = ("id", "severity", "title", "opened_at", "happened", "remedy")
    print_rows([{name: row[name] for name in brief} for row in rows], False, "No alert is open.")


@app.command("rules")
def rules(as_json: AsJson = False) -> None:
    """Show what the file of alerts says; exit code 1 where something in it is wrong."""
    with open_engine() as engine:
        found, findings = read_rules(engine.settings.alerts, areas_of(engine))
    rows = [
        {
            "rule": rule.name,
            "when": rule.when.value,
            "maps": ", ".join([*rule.maps, *rule.areas]) or "all",
            "errors": ", ".join(rule.errors),
            "from": rule.count,
            "minutes": round(rule.within.total_seconds() / 60),
            "then": rule.action.value,
            "notify": ", ".join(rule.notify),
        }
        for rule in found.rules
    ]
    print_rows(rows, as_json, "The file names no rule: nobody is told of anything.")
    if findings:
        fail("\n".join(map(str, findings)))


@app.command("test")
def test_channel(
    name: Annotated[str, typer.Argument(help="Channel of the file of alerts; `rules` shows them.")],
) -> None:
    """Send a message to a channel, to see whether it arrives; exit code 1 where it does not."""
    with open_engine() as engine:
        found, _ = read_rules(engine.settings.alerts, areas_of(engine))
    channel = found.channels.get(name)
    if channel is None:
        known = ", ".join(found.channels) or "none: describe one in the file of alerts"
        fail(f"There is no channel {name}. There are: {known}.")
    parts = parts_from_environment(channel.connection) if channel.connection else None
    send(channel, trial(name, console=""), parts)
    typer.echo(f"Channel {name} took the message.")


def _row(kept: Kept, sent: dict[str, str]) -> dict[str, Any]:
    facts = {name: getattr(kept, name) for name in Kept.__slots__ if name != "alert"}
    return {**facts, **asdict(kept.alert), "sent": sent}
