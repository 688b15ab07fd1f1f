"""Alerts: what is wrong now, the most pressing first, and what people were told before."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from projops.alerts.facts import areas_of
from projops.alerts.rules import read_rules
from projops.console.access import SignedIn, Viewer
from projops.console.kept_engine import kept_engine
from projops.console.rendering import page
from projops.engine import Engine
from projops.state.alerts import Sight, closed_ones, open_ones
from projops.state.deliveries import deliveries_of

_A_PAGE = 50  # alerts
_DAG = "alerts"
"""Whoever may read this DAG may read the alerts that are of no single map."""

router = APIRouter()


@router.get("/alerts")
def alerts(
    request: Request,
    viewer: SignedIn,
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
) -> HTMLResponse:
    """List open alerts, the most severe first, then those that are over, newest first."""
    engine = kept_engine()
    sight = _sight(engine, viewer)
    with engine.state.reading() as connection:
        still = open_ones(connection, sight)
        over = closed_ones(connection, _A_PAGE + 1, before, sight)
        sent = deliveries_of(connection, {each.id for each in [*still, *over]})
    rules, findings = read_rules(engine.settings.alerts, areas_of(engine))
    return page(
        request,
        viewer,
        "alerts.html.j2",
        still=still,
        over=over[:_A_PAGE],
        older=over[_A_PAGE - 1].id if len(over) > _A_PAGE else None,
        before=before,
        sent=sent,
        channels=list(rules.channels),
        findings=findings if sight.general else (),
    )


def _sight(engine: Engine, viewer: Viewer) -> Sight:
    """Give which alerts a user may read: those of the maps whose DAG they may."""
    if viewer.reads(None):
        return Sight()
    areas = areas_of(engine)
    readable = {area for area in set(areas.values()) if viewer.reads(area)}
    return Sight(frozenset(name for name, area in areas.items() if area in readable), viewer.reads(_DAG))
