"""Whether the month of a company can be closed: asked of both systems while the user waits."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from projops.console.access import RECONCILIATION, SignedIn, Viewer
from projops.console.actions import OwnForm
from projops.console.kept_engine import kept_engine
from projops.console.limited import within
from projops.console.rendering import page
from projops.errors import ProjOpsError
from projops.reconcile.month_end.gate import gates
from projops.reconcile.month_end.model import Gate, Period

_SECONDS = 60.0

router = APIRouter()


@router.get("/reconciliations/month-end")
def month_end(request: Request, viewer: SignedIn) -> HTMLResponse:
    """Show the form that asks."""
    _require(viewer)
    return _page(request, viewer)


@router.post("/reconciliations/month-end")
def judge(request: Request, viewer: SignedIn, fields: OwnForm) -> HTMLResponse:
    """Compare the rows of a month and company afresh, and say what stands in the way of closing it.

    It takes the right to read every DAG, as what is in the way may be of any area, and the right to trigger
    the reconciliation, as it is one. It writes to neither system.
    """
    _require(viewer)
    viewer.require_acts(RECONCILIATION)
    period, company = (fields.get(name, "").strip()[:20] for name in ("period", "company"))
    if not company:
        return _page(request, viewer, period, company, trouble="Which company? Write its code, such as USPM.")
    engine, now = kept_engine(), datetime.now(UTC)
    try:
        month = Period.of(period)
        [gate] = within(_SECONDS, "The gate", lambda: list(gates(engine, month, company, now)))
    except ProjOpsError as error:
        return _page(request, viewer, period, company, trouble=str(error))
    return _page(request, viewer, period, company, gate)


def _require(viewer: Viewer) -> None:
    viewer.require_reads(RECONCILIATION)
    viewer.require_reads(None)


def _page(
    request: Request,
    viewer: Viewer,
    period: str = "",
    company: str = "",
    gate: Gate | None = None,
    trouble: str = "",
) -> HTMLResponse:
    return page(
        request,
        viewer,
        "reconciliations_month_end.html.j2",
        period=period,
        company=company,
        gate=gate,
        trouble=trouble,
        seconds=int(_SECONDS),
        may_ask=viewer.acts(RECONCILIATION),
        maps=frozenset(kept_engine().maps),
    )
