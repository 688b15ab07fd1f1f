"""The page of all maps: what is in step, what is not, what to do first; and what people do to maps."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response, status
from fastapi.responses import HTMLResponse
from starlette.convertors import StringConvertor, register_url_convertor

from projops import pausing
from projops.console import morning, runs
from projops.console.access import SignedIn, Viewer
from projops.console.actions import Fields, OwnForm, back_to
from projops.console.kept_engine import kept_engine
from projops.console.morning import LATE, Asked
from projops.console.rendering import page
from projops.console.table_map import TONES
from projops.engine import Engine
from projops.mapping.model import TableMap
from projops.pages.wording import words
from projops.pausing import Changed
from projops.standing import Standing, ago, backlog, standings
from projops.state.leg_facts import full_reads

_NEEDS_SHOWN = 8
_Text = Annotated[str, Query(max_length=200)]


class Verb(StrEnum):
    """What people do to maps."""

    PAUSE = "pause"
    RESUME = "resume"
    RUN = "run"
    INITIAL_SYNC = "initial-sync"
    STOP = "stop"


class _Verb(StringConvertor):
    regex = "|".join(Verb)


register_url_convertor("verb", _Verb())
router = APIRouter()


@router.get("/maps")
def maps(
    request: Request,
    viewer: SignedIn,
    area: _Text = "",
    q: _Text = "",
    state: _Text = "",
    sort: _Text = "",
) -> HTMLResponse:
    """Show how all maps stand, area by area: those of areas that the user may read."""
    engine, now = kept_engine(), datetime.now(UTC)
    known = {name: each for name, each in engine.maps.items() if viewer.reads(each.area)}
    broken = [each for each in engine.loaded.broken if viewer.reads(each.area)]
    areas = sorted({each.area for each in known.values()} | {each.area for each in broken})
    found = morning.sections(known, broken, standings(engine), runs.dag_states(request, areas), now)
    needs = morning.needs(found)
    return page(
        request,
        viewer,
        "maps.html.j2",
        sections=morning.chosen(found, Asked(area, q, state, sort)),
        counts=morning.counts(found),
        needs=needs[:_NEEDS_SHOWN],
        more_needs=max(len(needs) - _NEEDS_SHOWN, 0),
        areas=[("", "all areas"), *((each, words(each)) for each in areas)],
        states=[("", "any state"), *((each, each) for each in (*Standing, LATE))],
        asked=Asked(area, q, state, sort),
        tones=TONES,
        now=now,
        ago=ago,
        backlog=backlog,
        may_unpause=lambda dag_id: runs.may_unpause(viewer, dag_id),
        verbs=Verb,
    )


@router.post("/maps/{map_id}/{verb:verb}")
def act_on_map(request: Request, viewer: SignedIn, map_id: str, verb: Verb, fields: OwnForm) -> Response:
    """Do something to one map, and to others of its area where the form names them."""
    engine = kept_engine()
    found = engine.maps.get(map_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such map, or its file is broken.")
    back = f"maps/{map_id}" if fields.get("back") == f"maps/{map_id}" else f"maps?area={found.area}"
    return _act(request, viewer, verb, found.area, (map_id, *fields.each("map")), fields, back)


@router.post("/areas/{area}/unpause")
def unpause(request: Request, viewer: SignedIn, area: str, fields: OwnForm) -> Response:
    """Let the schedule of an area's DAG go on in Airflow."""
    if area not in {each.area for each in kept_engine().maps.values()}:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such area.")
    runs.unpause(viewer, area, fields.get("reason", "").strip())
    return back_to(request, f"maps?area={area}", f"The DAG {area} runs by its schedule again.")


@router.post("/areas/{area}/{verb:verb}")
def act_on_maps(request: Request, viewer: SignedIn, area: str, verb: Verb, fields: OwnForm) -> Response:
    """Do something to maps of an area that were chosen."""
    return _act(request, viewer, verb, area, fields.each("map"), fields, f"maps?area={area}")


def _act(
    request: Request,
    viewer: Viewer,
    verb: Verb,
    area: str,
    names: Sequence[str],
    fields: Fields,
    back: str,
) -> Response:
    """Do it, or first ask for what it needs: a reason, or a confirmation."""
    engine = kept_engine()
    chosen = _chosen(engine, area, names)
    viewer.require_acts(area)
    reason = fields.get("reason", "").strip()
    if verb is Verb.INITIAL_SYNC and not fields.get("confirmed"):
        return _ask(request, viewer, verb, area, chosen, reason)
    if verb in (Verb.PAUSE, Verb.STOP) and not reason:
        return _ask(request, viewer, verb, area, chosen, reason)
    ids = [each.map for each in chosen]
    if verb in (Verb.RUN, Verb.INITIAL_SYNC):
        pausing.refuse_paused(engine, ids)
        return back_to(request, back, _run(request, viewer, verb, area, ids, reason))
    return back_to(request, back, _change(engine, viewer, verb, ids, reason))


def _chosen(engine: Engine, area: str, names: Sequence[str]) -> list[TableMap]:
    """Give the maps that are named, all of one area; else refuse."""
    found = []
    for name in dict.fromkeys(names):
        table_map = engine.maps.get(name)
        if table_map is None or table_map.area != area:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such map in this area.")
        found.append(table_map)
    if not found:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "No map is chosen: tick some first.")
    return found


def _run(request: Request, viewer: Viewer, verb: Verb, area: str, maps: Sequence[str], reason: str) -> str:
    full = verb is Verb.INITIAL_SYNC
    conf = {"maps": sorted(maps), "mode": "full" if full else "incremental"}
    run = runs.trigger(request, viewer, area, conf, reason, "initial sync" if full else "run")
    return f"{', '.join(conf['maps'])}: {run.said}"


def _change(engine: Engine, viewer: Viewer, verb: Verb, maps: Sequence[str], reason: str) -> str:
    if verb is Verb.RESUME:
        return _said("Resumed", pausing.resume(engine, maps, None, viewer.name, reason))
    stop = verb is Verb.STOP
    done = pausing.pause(engine, maps, None, viewer.name, reason, at_once=stop)
    return _said("Stopped" if stop else "Paused", done)


def _said(verb: str, done: Changed) -> str:
    parts = [f"{verb}: {', '.join(done.maps)}."] if done.maps else []
    parts += [f"{name} stays as it is. {why}" for name, why in done.left.items()]
    then = "ends at its next chunk" if verb == "Stopped" else "finishes its batch"
    parts += [f"{name} is being written by {writer}, which {then}." for name, writer in done.writers.items()]
    return " ".join(parts)


def _ask(
    request: Request, viewer: Viewer, verb: Verb, area: str, chosen: Sequence[TableMap], reason: str
) -> HTMLResponse:
    """Ask for a reason, or say what an initial sync means and offer what the maps need."""
    engine = kept_engine()
    ids = [each.map for each in chosen]
    needed = sorted({name for each in chosen for name in each.needs} - set(ids))
    on = {name: engine.maps[name] for name in needed if name in engine.maps and engine.maps[name].enabled}
    with engine.state.reading() as connection:
        rows = full_reads(connection, [*ids, *needed]) if verb is Verb.INITIAL_SYNC else {}
    return page(
        request,
        viewer,
        "maps_ask.html.j2",
        verb=verb,
        verbs=Verb,
        area=area,
        chosen=chosen,
        needs=[each for each in on.values() if each.area == area],
        elsewhere=sorted(name for name, each in on.items() if each.area != area),
        rows=rows,
        reason=reason,
    )
