"""`projops maps`: list, show, lint, diff, document and profile the table maps."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from projops.commands import completion
from projops.commands.profiling import profile
from projops.commands.tables import print_table
from projops.mapping.description import (
    as_plain,
    differences,
    document,
    field_shown,
    limit_text,
    steps_text,
    value_shown,
)
from projops.mapping.findings import Finding
from projops.mapping.lint import lint as lint_maps
from projops.mapping.model import TableMap
from projops.mapping.reader import LoadedMaps, load_maps, read_folder
from projops.settings import PROJECT_ROOT, Settings

app = typer.Typer(help="Table maps: what is mapped, and whether it can work.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_LEFT_OUT = re.compile(r"^# left out: (.+)$", re.MULTILINE)
_SHOWN_KEYS = (
    "title",
    "version",
    "area",
    "dataverse",
    "finance",
    "needs",
    "companies",
    "enabled",
    "conflict",
    "gate",
)


@app.command("list")
def list_maps(as_json: AsJson = False) -> None:
    """List all maps, the broken ones too."""
    loaded = _loaded()
    if as_json:
        _print_json([*map(as_plain, loaded.maps.values()), *map(_broken_plain, loaded.broken)])
        return
    rows = [
        (each.map, each.area, each.version, each.dataverse, each.finance, ", ".join(each.legs), _state(each))
        for each in loaded.maps.values()
    ]
    rows += [(each.map, each.area, "", "", "", "", "broken") for each in loaded.broken]
    print_table(("map", "area", "version", "Dataverse", "Finance", "legs", "state"), rows)


@app.command()
def show(
    map_id: Annotated[str, typer.Argument(help="Map id.", autocompletion=completion.maps)],
    as_json: AsJson = False,
) -> None:
    """Show one map: key, legs and field rows with their evidence."""
    table_map = _map(_loaded(), map_id)
    if as_json:
        _print_json(as_plain(table_map))
        return
    plain = as_plain(table_map)
    print_table(("entry", "value"), [(key, value_shown(plain[key])) for key in _SHOWN_KEYS])
    print_table(
        ("Finance key field", "Dataverse path"), [(part.finance, part.dataverse) for part in table_map.key]
    )
    for leg in table_map.legs.values():
        deletes = f"deletes {leg.deletes}{limit_text(leg.approve_deletes_above)}"
        facts = f"{leg.direction}: {leg.extract.strategy}, write {leg.write}, {deletes}"
        typer.echo(f"{facts}, where {leg.extract.where}" if leg.extract.where else facts)
        rows = [
            (field_shown(rule), rule.source or "", steps_text(rule.steps), rule.evidence)
            for rule in leg.fields
        ]
        print_table(("field", "from", "operators", "evidence"), rows)


@app.command()
def lint(as_json: AsJson = False) -> None:
    """Check all maps and expectations; exit 1 with `file:line: message remedy` when something is wrong."""
    settings = Settings.from_environment()
    findings = (*lint_maps(settings.mappings), *_expectation_findings(settings))
    if as_json:
        _print_json([finding.as_json() for finding in findings])
    else:
        for finding in findings:
            typer.echo(finding)
    if findings:
        raise typer.Exit(1)


@app.command()
def diff(
    map_id: Annotated[
        str | None, typer.Argument(help="Map id; all maps without it.", autocompletion=completion.maps)
    ] = None,
    against: Annotated[str, typer.Option(help="A folder of maps, or a git revision.")] = "HEAD",
    as_json: AsJson = False,
) -> None:
    """Say what differs between the maps as they are and as they were."""
    new = read_folder(Settings.from_environment().mappings).maps
    with tempfile.TemporaryDirectory() as scratch:
        old = read_folder(_other_folder(against, Path(scratch))).maps
    names = [map_id] if map_id else sorted({*old, *new})
    if map_id and map_id not in {*old, *new}:
        raise typer.BadParameter(f"There is no map {map_id}, neither now nor in {against}.")
    changed = {name: differences(old.get(name), new.get(name)) for name in names}
    if as_json:
        entries = ("entry", "old", "new")
        _print_json(
            {
                name: [dict(zip(entries, row, strict=True)) for row in rows]
                for name, rows in changed.items()
                if rows
            }
        )
        return
    rows = [(name, *row) for name, each in changed.items() for row in each]
    if not rows:
        typer.echo(f"Nothing differs from {against}.")
        return
    print_table(("map", "entry", "old", "new"), rows)


@app.command()
def docs(
    path: Annotated[
        Path, typer.Argument(help="File to write.", show_default="docs/mappings.md")
    ] = PROJECT_ROOT / "docs" / "mappings.md",
) -> None:
    """Write docs/mappings.md."""
    path.write_text(render_docs(Settings.from_environment().mappings), encoding="utf-8")
    typer.echo(f"Wrote {path}.")


app.command()(profile)


def render_docs(folder: Path) -> str:
    """The text of docs/mappings.md for a folder of maps."""
    maps = load_maps(folder).maps
    return document(maps, {name: _left_out(folder, each) for name, each in maps.items()})


def _left_out(folder: Path, table_map: TableMap) -> Sequence[str]:
    path = folder / table_map.area / f"{table_map.map}.yaml"
    return _LEFT_OUT.findall(path.read_text(encoding="utf-8"))


def _loaded() -> LoadedMaps:
    return load_maps(Settings.from_environment().mappings)


def _map(loaded: LoadedMaps, map_id: str) -> TableMap:
    if map_id in loaded.maps:
        return loaded.maps[map_id]
    for broken in loaded.broken:
        if broken.map == map_id:
            typer.echo(broken.message, err=True)
            raise typer.Exit(1)
    raise typer.BadParameter(f"There is no map {map_id}; `maps list` shows them.")


def _expectation_findings(settings: Settings) -> tuple[Finding, ...]:
    from projops.validate.written import lint_expectations

    return lint_expectations(settings.expectations, _loaded().maps)


def _state(table_map: TableMap) -> str:
    return "on" if table_map.enabled else "off"


def _broken_plain(broken: Any) -> Mapping[str, object]:
    findings = [finding.as_json() for finding in broken.findings]
    return {"map": broken.map, "area": broken.area, "findings": findings}


def _other_folder(against: str, scratch: Path) -> Path:
    """The folder that `--against` names: itself, or the maps of a git revision in a scratch folder."""
    if Path(against).is_dir():
        return Path(against)
    mappings = Settings.from_environment().mappings
    archive = subprocess.run(  # the git of whoever calls, wherever it is installed  # nosec B607
        ["git", "-C", str(mappings), "archive", "--format=tar", against, "."],
        capture_output=True,
        check=False,
    )
    if archive.returncode != 0:
        raise typer.BadParameter(f"{against} is neither a folder nor a git revision that has the maps.")
    folder = scratch / "include" / "mappings"
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        if hasattr(tarfile, "data_filter"):  # Python 3.11 has it from 3.11.4 on
            files.extraction_filter = tarfile.data_filter
        files.extractall(folder)  # what git has archived itself  # nosec B202
    return folder


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
