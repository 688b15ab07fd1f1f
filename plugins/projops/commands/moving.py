"""Running legs from the command line, one after another."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from projops.commands.progress import progress_shown
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


def move(
    engine: Engine, request: RunRequest, wanted: Callable[[LegRef], bool], *, quiet: bool = False
) -> list[LegOutcome]:
    """Run the legs of a request that are due and wanted, in order, through all stages.

    Args:
        engine: The engine.
        request: What is asked.
        wanted: Says which of the legs that are due are to run.
        quiet: Whether to show no progress.

    Raises:
        MapPausedError: Somebody has paused one of the maps.
        ProjOpsError: A leg failed; those before it are done.
    """
    refuse_paused(engine, request.maps or ())
    outcomes = []
    with progress_shown(quiet) as say:
        for area in areas(engine):
            for ref in filter(wanted, _due(engine, area, request)):
                say(str(ref))
                staged = extract(engine, ref, request)
                outcomes.append(load(engine, transform(engine, validate(engine, staged))))
    return outcomes


def _due(engine: Engine, area: str, request: RunRequest) -> list[LegRef]:
    """Find what is due in an area, of the maps asked for."""
    here = tuple(name for name in request.maps or () if engine.map(name).area == area)
    return detect(engine, area, replace(request, maps=here)) if here else []
