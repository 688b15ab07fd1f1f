"""`projops digest`: what the daily digest would say now."""

from dataclasses import asdict
from datetime import UTC, datetime

import typer

from projops.commands.output import AsJson, open_engine, print_json
from projops.commands.tables import visible


def digest(as_json: AsJson = False) -> None:
    """Print how everything stands and what needs a person: the daily digest, sent to nobody."""
    from projops.alerts.digest import gather
    from projops.alerts.digest_text import digest as written
    from projops.alerts.facts import areas_of
    from projops.alerts.rules import read_rules
    from projops.alerts.texts import plain

    with open_engine() as engine:
        rules, _ = read_rules(engine.settings.alerts, areas_of(engine))
        message = written(gather(engine, rules.digest.zone, datetime.now(UTC)), console="")
    if as_json:
        print_json(asdict(message))
        return
    typer.echo(visible(f"{message.subject}\n\n{plain(message)}"), nl=False)
