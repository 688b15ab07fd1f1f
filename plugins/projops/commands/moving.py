"""Running legs from the command line, one after another."""

import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from projops.due import areas
from projops.engine import Engine
from projops.pausing import refuse_paused
from projops.pipeline import detect, extract, load, transform, validate
from projops.run import LegOutcome, LegRef, RunRequest


def cli_request(
    maps: Sequence[str], companies: Sequence[str] | None = None, mode: str = "incremental"
) -> RunRequest:
    """Make the request of a run of its own, in which every leg of the maps is due."""
    named = tuple(companies) if companies else None
    return RunRequest("cli", uuid.uuid4().hex, tuple(maps), named, mode, manual=True)


def move(engine: Engine, request: RunRequest, wanted: Callable[[LegRef], bool]) -> list[LegOutcome]:
    """Run the legs of a request that are due and wanted, in order, through all stages.

    Raises:
        MapPausedError: Somebody has paused one of the maps.
        ProjOpsError: A leg failed; those before it are done.
    """
    refuse_paused(engine, request.maps or ())
    return [
        _move(engine, ref, request)
        for area in areas(engine)
        for ref in _due(engine, area, request)
        if wanted(ref)
    ]


def _due(engine: Engine, area: str, request: RunRequest) -> list[LegRef]:
    """Find what is due in an area, of the maps asked for."""
    here = tuple(name for name in request.maps or () if engine.map(name).area == area)
    return detect(engine, area, replace(request, maps=here)) if here else []


def _move(engine: Engine, ref: LegRef, request: RunRequest) -> LegOutcome:
    if sys.stderr.isatty():
        print(f"{ref} …", file=sys.stderr)  # noqa: T201  progress, not output
    staged = extract(engine, ref, request)
    return load(engine, transform(engine, validate(engine, staged)))
