"""`projops signals`: what both systems tell of changes by themselves, and how they come to do so."""

import asyncio
from dataclasses import asdict
from typing import Any

import typer

from projops.commands.exit_codes import FOUND
from projops.commands.output import AsJson, actor, open_engine, print_json, print_rows
from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.signals.endpoint import CONNECTION, HEADER, PATH, Endpoint, endpoint_from_environment
from projops.signals.registration import Changed, Registrar, Registration, wanted_steps
from projops.signals.sources import tables_read
from projops.state import signals
from projops.state.audit import record_action

app = typer.Typer(help="Changes start runs: what tells of them, and its registration.", no_args_is_help=True)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say which legs' sources signal, when each did last, and what was refused today.

    Exit code 3: an endpoint is set up, and Dataverse lacks steps of ours or has others than the maps need.
    """
    endpoint = endpoint_from_environment()
    with open_engine() as engine:
        lacking = _lacking(engine) if endpoint is not None else None
        with engine.state.reading() as connection:
            heard = signals.signals(connection)
            counted = signals.counted_today(connection)
    rows = [asdict(each) for each in heard]
    today = [
        {"system": system, "fate": fate.value, "today": number} for (system, fate), number in counted.items()
    ]
    if as_json:
        print_json({"endpoint": endpoint is not None, "lacking": lacking, "legs": rows, "today": today})
    else:
        _show(endpoint, lacking, rows, today)
    if lacking:
        raise SystemExit(FOUND)


@app.command()
def register(as_json: AsJson = False) -> None:
    """Register our endpoint and its steps in Dataverse; say what to set up in Finance by hand."""
    endpoint = endpoint_from_environment()
    if endpoint is None:
        raise ConfigurationError(
            f"Connection {CONNECTION} is not defined, so that there is no endpoint to register.",
            remedy="Define it: password the secret that senders prove themselves by, host Airflow's address.",
            connection=CONNECTION,
        )
    with open_engine() as engine:
        done = asyncio.run(_register(engine, endpoint))
        events = list(tables_read(engine.maps.values(), System.FINANCE))
    if as_json:
        print_json({**asdict(done), "finance": events})
        return
    _say(done)
    typer.echo(
        "Finance has no interface for this. In System administration, Business events, add an endpoint of "
        f"the type HTTPS at {endpoint.address}{PATH}/finance?code=<the secret>, and activate for it the data "
        f"events Created, Updated and Deleted of: {', '.join(events)}."
    )


@app.command()
def unregister(as_json: AsJson = False) -> None:
    """Remove our endpoint and its steps from Dataverse; the watch then looks at all delta links itself."""
    with open_engine() as engine:
        done = asyncio.run(_unregister(engine))
    if as_json:
        print_json(asdict(done))
        return
    _say(done)
    typer.echo("In Finance, deactivate the events of our endpoint by hand.")


async def _register(engine: Engine, endpoint: Endpoint) -> Changed:
    async with engine.systems() as systems:
        done = await Registrar(systems.dataverse).register(endpoint, wanted_steps(engine.maps.values()))
    _note(engine, "register", done)
    return done


async def _unregister(engine: Engine) -> Changed:
    async with engine.systems() as systems:
        done = await Registrar(systems.dataverse).unregister()
    _note(engine, "unregister", done)
    return done


async def _registered(engine: Engine) -> Registration:
    async with engine.systems() as systems:
        return await Registrar(systems.dataverse).registered()


def _lacking(engine: Engine) -> list[str]:
    """The steps that are not registered as the maps need them, by name."""
    found = asyncio.run(_registered(engine)).steps
    wanted = wanted_steps(engine.maps.values())
    known = {name: attributes for name, (_, attributes) in found.items()}
    return sorted(name for name, step in wanted.items() if known.get(name, "") != step.attributes)


def _note(engine: Engine, action: str, done: Changed) -> None:
    told = f"{len(done.added)} steps added, {len(done.changed)} changed, {len(done.removed)} removed"
    with engine.state.begin() as connection:
        record_action(connection, actor(), action, "signals", told)


def _say(done: Changed) -> None:
    for verb, names in asdict(done).items():
        typer.echo(f"{verb.capitalize()}: {len(names)} steps{'.' if not names else ''}")
        for name in names:
            typer.echo(f"- {name}")


def _show(
    endpoint: Endpoint | None,
    lacking: list[str] | None,
    rows: list[dict[str, Any]],
    today: list[dict[str, Any]],
) -> None:
    if endpoint is None:
        typer.echo(f"No endpoint: connection {CONNECTION} is not defined. All delta links are polled.")
    elif lacking:
        typer.echo(f"Dataverse lacks {len(lacking)} steps; `projops signals register` adds them:")
        for name in lacking:
            typer.echo(f"- {name}")
    else:
        typer.echo(f"Dataverse posts to {PATH}/dataverse with the header {HEADER}; all steps are registered.")
    print_rows(rows, False, "No source has told of a change yet.")
    print_rows(today, False, "Nothing came today.")
