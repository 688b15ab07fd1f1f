"""Whether both systems hold the same: reconciliations, what differs, proof of each leg, repair."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse

from projops.console import runs
from projops.console.access import RECONCILIATION, SignedIn, Viewer, note_reveal
from projops.console.actions import OwnForm, back_to
from projops.console.kept_engine import kept_engine
from projops.console.reconciled import (
    Filters,
    Found,
    legs_proven,
    listed,
    read_differences,
    read_reconciliation,
)
from projops.console.records import Records
from projops.console.rendering import page
from projops.engine import Engine
from projops.mapping.model import System
from projops.pages.wording import words
from projops.reconcile.model import RowDifference, Scope, Verdict
from projops.reconcile.report.words import KINDS, STATES, scope_words
from projops.state import reconciliations
from projops.state.reconciliations import Reconciliation

_REPAIR = "repair"
_Number = Annotated[int | None, Query(ge=0, lt=1 << 62)]
_Text = Annotated[str, Query(max_length=200)]

router = APIRouter()


@router.get("/reconciliations")
def overview(request: Request, viewer: SignedIn, before: _Number = None) -> HTMLResponse:
    """List reconciliations, newest first, how drift went, and when each leg was last proven."""
    viewer.require_reads(RECONCILIATION)
    engine = kept_engine()
    shown = listed(engine, before)
    return page(
        request,
        viewer,
        "reconciliations.html.j2",
        shown=shown,
        legs=legs_proven(engine, shown.proofs, viewer.readable(engine.maps)),
        before=before,
        maps=[("", "all maps, and the books"), *((name, name) for name in _enabled(viewer, engine))],
        run_link=lambda run: _run_link(request, run),
        scope_words=scope_words,
        may_run=viewer.acts(RECONCILIATION),
    )


@router.get("/reconciliations/{number:number}")
def one(  # noqa: PLR0913, PLR0917  each parameter is one of the address
    request: Request,
    viewer: SignedIn,
    number: int,
    map: _Text = "",
    leg: _Text = "",
    verdict: Verdict | None = None,
    cause: _Text = "",
    after: _Number = None,
    values: bool = False,
) -> HTMLResponse:
    """Show what a reconciliation came to, and what differs, some at a time."""
    viewer.require_reads(RECONCILIATION)
    if values:
        viewer.require_values()
    engine = kept_engine()
    found = _found(engine, viewer, number)
    chosen = found.choose(Filters(map, leg, verdict, cause))
    rows = read_differences(engine, found, chosen, after or 0)
    if values:
        note_reveal(viewer, f"differences of reconciliation {number}")
    mendable = viewer.actionable(engine.maps) if viewer.acts(RECONCILIATION) else frozenset()
    records = Records.of(engine)
    return page(
        request,
        viewer,
        "reconciliation.html.j2",
        found=found,
        chosen=chosen,
        rows=rows,
        mapped=[(name, name) for name in sorted({each.leg.map for each in found.legs})],
        causes=[(name, f"{words(name)} ({count:,})") for name, count in rows.causes.items()],
        links=lambda row: records.of_row(row.leg.map, row.key, _dataverse_id(row)),
        after=after,
        values=values,
        states=STATES,
        kinds=KINDS,
        scope=scope_words(found.run.scope),
        run_link=_run_link(request, found.run),
        repairable=[name for name in found.drifted if name in mendable],
    )


@router.post("/reconciliations/repair")
def repair(request: Request, viewer: SignedIn, fields: OwnForm) -> RedirectResponse:
    """Queue a run of the DAG that sends the drift of chosen maps again, and compares them once more."""
    engine, reason = kept_engine(), fields.get("reason", "").strip()
    text = fields.get("number", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _refused("The form names no reconciliation.")
    viewer.require_reads(RECONCILIATION)
    found = _found(engine, viewer, int(text))
    maps = sorted(set(fields.each("maps")))
    if not maps:
        raise _refused("No map was chosen: tick those whose drift is to be sent again.")
    if not reason:
        raise _refused("Say why the drift is sent again: the audit trail keeps it.")
    for name in maps:
        if name not in found.drifted:
            raise _refused(f"Reconciliation {text} found no drift in {name:.100} that can be sent again.")
        viewer.require_acts(engine.maps[name].area)
    scope = found.run.scope
    conf = _form(Scope(tuple(maps), scope.companies, scope.since, scope.until), repair=True)
    run = runs.trigger(request, viewer, RECONCILIATION, conf, reason, _REPAIR)
    return back_to(request, f"reconciliations/{text}", run.said)


@router.post("/reconciliations/run")
def run_now(request: Request, viewer: SignedIn, fields: OwnForm) -> RedirectResponse:
    """Queue a run of the DAG that compares one map, or all and the books; it writes to neither system."""
    engine, name = kept_engine(), fields.get("map", "")
    if name:
        viewer.require_acts(engine.map(name).area)
    codes = fields.get("companies", "").replace(",", " ").lower().split()
    scope = Scope((name,) if name else None, tuple(dict.fromkeys(codes)) or None)
    reason = fields.get("reason", "").strip()
    run = runs.trigger(request, viewer, RECONCILIATION, _form(scope, repair=False), reason, "reconcile")
    return back_to(request, "reconciliations", run.said)


def _form(scope: Scope, *, repair: bool) -> dict[str, Any]:
    """Fill in the DAG's trigger form; what is left out keeps its default."""
    form: dict[str, Any] = {_REPAIR: repair}
    for name, value in (("maps", scope.maps), ("companies", scope.companies)):
        if value is not None:
            form[name] = list(value)
    for name, day in (("since", scope.since), ("until", scope.until)):
        if day is not None:
            form[name] = day.isoformat()
    return form


def _found(engine: Engine, viewer: Viewer, number: int) -> Found:
    with engine.state.reading() as connection:
        run = reconciliations.get(connection, number)
    if run is None:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, f"There is no reconciliation {number}: they are kept for a month."
        )
    return read_reconciliation(engine, run, viewer.readable(engine.maps))


def _enabled(viewer: Viewer, engine: Engine) -> list[str]:
    """Give the maps that are on and that a user may act on, sorted."""
    return sorted(name for name in viewer.actionable(engine.maps) if engine.maps[name].enabled)


def _dataverse_id(row: RowDifference) -> str | None:
    """Give the GUID of a row that differs, as far as Dataverse has it."""
    return row.source_id if row.leg.direction.source is System.DATAVERSE else row.target_id


def _run_link(request: Request, run: Reconciliation) -> str:
    return runs.run_link(request, run.dag_id, run.run_id)


def _refused(sentence: str) -> HTTPException:
    return HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, sentence)
