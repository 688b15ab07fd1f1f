"""OpenLineage events held against OpenLineage's own JSON schemas."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from airflow.providers.openlineage.extractors import OperatorLineage
from jsonschema import Draft202012Validator
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde
from referencing import Registry, Resource

_SCHEMAS = Path(__file__).parent / "schemas"
_STANDARD = "https://openlineage.io/spec/"


def problems(event: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with an event: with itself, and with each of its facets by that facet's schema.

    A facet that names a schema of OpenLineage's which is not here, or no longer of that version, is wrong
    too; one that names somebody else's has only to be a facet.
    """
    found = [*_against(f"{_STANDARD}2-0-2/OpenLineage.json", "", event)]
    for place, facet in facets(event):
        url = str(facet.get("_schemaURL", ""))
        if not url.startswith(f"{_STANDARD}facets/"):
            continue
        schema, _, pointer = url.partition("#")
        if schema in _registry():
            found += [f"{place}: {problem}" for problem in _against(schema, pointer, facet)]
        else:
            found.append(f"{place}: there is no schema {schema}")
    return found


def event_of(lineage: OperatorLineage[Any, Any]) -> dict[str, Any]:
    """Make the event that Airflow's provider makes of what a task tells; it is as OpenLineage says."""
    event = RunEvent(
        eventTime=datetime.now(UTC).isoformat(),
        eventType=RunState.COMPLETE,
        run=Run(str(uuid4()), lineage.run_facets),
        job=Job("test", "task"),
        inputs=lineage.inputs,
        outputs=lineage.outputs,
        producer="https://example.org/test",
    )
    made: dict[str, Any] = json.loads(Serde.to_json(event))
    assert problems(made) == []
    return made


def tags(event: Mapping[str, Any]) -> dict[str, str]:
    """The tags of an event's run."""
    return {each["key"]: each["value"] for each in event["run"]["facets"]["tags"]["tags"]}


def facets(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give each facet of an event, with its place."""
    holders = [("run", event["run"].get("facets")), ("job", event["job"].get("facets"))]
    for side in ("input", "output"):
        for dataset in event.get(f"{side}s", []):
            name = f"{side} {dataset['name']}"
            holders += [(name, dataset.get("facets")), (name, dataset.get(f"{side}Facets"))]
    for place, held in holders:
        for name, facet in (held or {}).items():
            yield f"{place} {name}", facet


def read_events(file: Path) -> list[dict[str, Any]]:
    """Read the events that the file transport has written, one a line."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def _against(schema: str, pointer: str, value: object) -> Iterator[str]:
    validator = Draft202012Validator(
        {"$ref": f"{schema}#{pointer}"},
        registry=_registry(),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    for error in validator.iter_errors(value):
        yield f"{error.json_path}: {error.message:.200}"


@cache
def _registry() -> Registry[Any]:
    contents = [json.loads(file.read_text()) for file in sorted(_SCHEMAS.glob("*.json"))]
    return Registry().with_resources([(each["$id"], Resource.from_contents(each)) for each in contents])
