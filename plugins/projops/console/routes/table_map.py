"""The page of one map: how its legs stand, its runs, quality, fields, versions and needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.console import graph, table_map
from projops.console.access import SignedIn, Viewer
from projops.console.kept_engine import kept_engine
from projops.console.rendering import page
from projops.console.runs import dag_link, run_link
from projops.engine import Engine
from projops.mapping.description import limit_text
from projops.mapping.model import Direction, TableMap
from projops.mapping.reader import BrokenMap
from projops.standing import LegStatus, standings
from projops.state import history
from projops.validate.docs.places import leg_folder

_A_PAGE = 50  # rows
_CHARTED = 60  # batches
_Text = Annotated[str, Query(max_length=200)]

router = APIRouter()


class View(StrEnum):
    """A part of the page."""

    RUNS = "runs"
    QUALITY = "quality"
    FIELDS = "fields"
    VERSIONS = "versions"
    NEEDS = "needs"


_TITLES = {
    View.RUNS: "Runs",
    View.QUALITY: "Quality",
    View.FIELDS: "Fields",
    View.VERSIONS: "Versions",
    View.NEEDS: "Prerequisites",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a page asks for.

    Attributes:
        engine: The engine.
        map: The map.
        leg: Only this leg; None is both.
        text: Only field rows that speak of it; "" is all.
        before: Only batches of lower numbers; None begins with the newest.
    """

    engine: Engine
    map: TableMap | BrokenMap
    leg: Direction | None
    text: str
    before: int | None

    @property
    def legs(self) -> Sequence[str]:
        """The legs to look at, also those that the map has no longer."""
        return [each.value for each in Direction if self.leg in (None, each)]


@router.get("/maps/{map_id}")
def show(
    request: Request,
    viewer: SignedIn,
    map_id: str,
    view: View = View.RUNS,
    leg: Direction | None = None,
    q: _Text = "",
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
) -> HTMLResponse:
    """Show a part of the page of a map."""
    engine = kept_engine()
    asked = Asked(engine, found_map(engine, viewer, map_id), leg, q, before)
    stands, now = standings(engine), datetime.now(UTC)
    facts = {
        **head(request, asked.map),
        "stands": [(each, each.as_row(now)) for each in stands if each.map == map_id],
        "views": [(each.value, title, each is view) for each, title in _TITLES.items()],
        "leg": leg,
        "q": q,
    }
    if view is View.NEEDS:
        facts |= _needs(asked, viewer, stands)
    elif view is View.FIELDS:
        facts |= _fields(asked)
    else:
        with engine.state.reading() as connection:
            facts |= _FROM_STATE[view](connection, asked)
    return page(request, viewer, f"table_map_{view}.html.j2", **facts)


def found_map(engine: Engine, viewer: Viewer, map_id: str) -> TableMap | BrokenMap:
    """Find a map, also a broken one, that the user may read.

    Raises:
        HTTPException: 404 where there is none; 403 without the right to read its area.
    """
    broken = {each.map: each for each in engine.loaded.broken}
    found = engine.maps.get(map_id) or broken.get(map_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such map.")
    viewer.require_reads(found.area)
    return found


def head(request: Request, found: TableMap | BrokenMap) -> dict[str, Any]:
    """Give what the pages of a map show at their top."""
    return {
        "map": found,
        "broken": found if isinstance(found, BrokenMap) else None,
        "tones": table_map.TONES,
        "dag": dag_link(request, found.area),
        "run_address": partial(run_link, request),
    }


def _runs(connection: Connection, asked: Asked) -> dict[str, Any]:
    most = (_A_PAGE if asked.before else max(_CHARTED, _A_PAGE)) + 1
    batches = history.batches(connection, asked.map.map, asked.legs, most, asked.before)
    return {
        "batches": batches[:_A_PAGE],
        "older": batches[_A_PAGE - 1].id if len(batches) > _A_PAGE else None,
        "before": asked.before,
        "charted": () if asked.before else batches[:_CHARTED],
        "chart": None if asked.before else table_map.runs_chart(batches[:_CHARTED]),
        "documented": _documented(asked),
    }


def _quality(connection: Connection, asked: Asked) -> dict[str, Any]:
    return {
        "rules": table_map.broken_rules(connection, asked.map.map, datetime.now(UTC).date()),
        "days": table_map.QUALITY_DAYS,
        "documented": _documented(asked),
    }


def _versions(connection: Connection, asked: Asked) -> dict[str, Any]:
    return {"versions": table_map.versions(connection, asked.engine, asked.map.map)}


_FROM_STATE: Mapping[View, Callable[[Connection, Asked], dict[str, Any]]] = {
    View.RUNS: _runs,
    View.QUALITY: _quality,
    View.VERSIONS: _versions,
}


def _documented(asked: Asked) -> dict[str, set[str]]:
    """Give the numbers of the batches whose Data Docs are kept, by leg."""
    names = asked.engine.staging.names
    return {leg: set(names(leg_folder(asked.map.map, leg))) for leg in asked.legs}


def _fields(asked: Asked) -> dict[str, Any]:
    if isinstance(asked.map, BrokenMap):
        return {"tables": []}
    chosen = [each for direction, each in asked.map.legs.items() if asked.leg in (None, direction)]
    tables = [(each, table_map.fields(asked.map, each, asked.engine, asked.text)) for each in chosen]
    return {"tables": tables, "limit_text": limit_text}


def _needs(asked: Asked, viewer: Viewer, stands: Sequence[LegStatus]) -> dict[str, Any]:
    """Lay out what the map needs and what needs it; maps that the user may not read are left out."""
    engine, name = asked.engine, asked.map.map
    broken = {each.map for each in engine.loaded.broken if viewer.reads(each.area)}
    readable = viewer.readable(engine.maps) | broken
    known = {
        each: tuple(one for one in found.needs if one in readable)
        for each, found in engine.maps.items()
        if each in readable
    }
    needs = graph.around(name, known)
    return {
        "picture": graph.picture(needs),
        "box": (graph.WIDTH, graph.HEIGHT),
        "direct": known.get(name, ()),
        "needing": sorted(each for each, wanted in known.items() if name in wanted),
        "states": {each: _state_of(engine, each, stands) for each in needs},
        "titles": {each: engine.maps[each].title for each in needs if each in engine.maps},
    }


def _state_of(engine: Engine, map_id: str, stands: Sequence[LegStatus]) -> str:
    """Say how a map stands: as the leg that presses most."""
    if map_id not in engine.maps:
        return "broken"
    order = list(type(stands[0].standing)) if stands else []
    found = [each.standing for each in stands if each.map == map_id]
    return min(found, key=order.index).value if found else "off"
