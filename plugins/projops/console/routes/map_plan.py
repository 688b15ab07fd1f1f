"""The plan of a map's next run: what it would write, and nothing written."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from projops.console.access import SignedIn, note_reveal
from projops.console.actions import OwnForm
from projops.console.kept_engine import kept_engine
from projops.console.planning import ROWS, SECONDS, planned
from projops.console.rendering import page
from projops.console.routes.table_map import found_map, head
from projops.pages.wording import words

if TYPE_CHECKING:
    from projops.plan import LegPlan

_PAGE = "table_map_plan.html.j2"
_LIMITS: Mapping[str, Any] = {"seconds": SECONDS, "most_rows": ROWS}
_TONES: Mapping[str, str] = {
    **dict.fromkeys(("delete", "parked", "conflicts", "await_approval"), "warn"),
    **dict.fromkeys(("rejected", "refused"), "bad"),
}

router = APIRouter()


@router.get("/maps/{map_id}/plan")
def form(request: Request, viewer: SignedIn, map_id: str) -> HTMLResponse:
    """Offer to plan the next run of a map."""
    found = found_map(kept_engine(), viewer, map_id)
    return page(request, viewer, _PAGE, plans=None, values=False, **head(request, found), **_LIMITS)


@router.post("/maps/{map_id}/plan")
def plan(request: Request, viewer: SignedIn, fields: OwnForm, map_id: str) -> HTMLResponse:
    """Say what a run of a map would write, and write nothing.

    It asks both systems, at the cost of everybody's daily budget: so it takes the right to run the map.
    """
    engine = kept_engine()
    found = found_map(engine, viewer, map_id)
    viewer.require_acts(found.area)
    values = bool(fields.get("values"))
    if values:
        viewer.require_values()
        note_reveal(viewer, f"plan of {map_id}")
    plans = planned(engine, engine.map(map_id).map)
    from projops.plan_wording import remarks  # by now the stages are there, which take seconds

    told = [(each, _numbers(each), remarks(each)) for each in plans]
    return page(request, viewer, _PAGE, plans=told, values=values, **head(request, found), **_LIMITS)


def _numbers(plan: "LegPlan") -> list[tuple[str, str, str]]:
    """Give the numbers of a plan: label, number, and how it looks where there are any."""
    from projops.plan_wording import summary

    numbers = ((name, each) for name, each in summary(plan).items() if isinstance(each, int))
    return [(words(name), f"{each:,}", _TONES.get(name, "") if each else "") for name, each in numbers]
