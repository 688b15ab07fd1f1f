"""What people decide about dead letters on pages, and what became of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse, RedirectResponse

from projops.console import runs
from projops.console.access import SignedIn, Viewer
from projops.console.actions import Fields, OwnForm, back_to
from projops.console.areas import areas_of
from projops.console.causes import is_number, parameters, selection
from projops.console.kept_engine import kept_engine
from projops.console.rendering import page
from projops.engine import Engine
from projops.errors import StopError
from projops.fates import fates
from projops.replay import Decided, Selection, approve, dismiss, replay
from projops.state import StateStore, decided, decisions

_A_PAGE = 50  # rows
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SEPARATOR = "/"  # between a DAG and its run, in addresses; ids of DAGs have none
_MOST_RUNS = 20

router = APIRouter()


@router.post("/letters/replay")
def replay_letters(request: Request, viewer: SignedIn, fields: OwnForm) -> RedirectResponse:
    """Let the next run try rows again; with `run` ask for that run at once."""
    return _decide(request, viewer, fields, replay)


@router.post("/letters/approve")
def approve_letters(request: Request, viewer: SignedIn, fields: OwnForm) -> RedirectResponse:
    """Let the next run delete rows that are still gone; with `run` ask for that run at once."""
    return _decide(request, viewer, fields, approve)


@router.post("/letters/dismiss")
def dismiss_letters(request: Request, viewer: SignedIn, fields: OwnForm) -> RedirectResponse:
    """Close entries for good, with a reason."""
    reason = fields.get("reason", "")
    engine, wanted = kept_engine(), _chosen(fields)
    _require_acts(engine, viewer, wanted)
    done = dismiss(engine.state, wanted, reason, viewer.name)
    said = f"{_counted(done.count)} dismissed." if done.count else "None of them was live any more."
    return back_to(request, _back(fields), said)


@router.get("/letters/decisions/{moment:number}")
def decision(
    request: Request,
    viewer: SignedIn,
    moment: int,
    run: Annotated[list[str] | None, Query(max_length=_MOST_RUNS)] = None,
    number: Annotated[int, Query(alias="page", ge=1, lt=10_000)] = 1,
) -> HTMLResponse:
    """Say what became of the entries that somebody decided on, by the moment of the decision."""
    engine, at = kept_engine(), _moment(moment)
    with engine.state.reading() as connection:
        maps = decided.maps(connection, at)
    if not maps:
        raise _forgotten()
    areas = areas_of(engine)
    for name in maps:
        viewer.require_reads(areas.get(name))
    found = fates(engine.state, at, _A_PAGE, (number - 1) * _A_PAGE)
    named = [(dag_id, run_id) for dag_id, _, run_id in (each.partition(_SEPARATOR) for each in run or ())]
    asked = [each for each in named if viewer.reads(each[0])]  # the address may name runs of any DAG
    alive = runs.live_runs(asked) if asked else set()
    return page(
        request,
        viewer,
        "letters_decided.html.j2",
        at=at,
        found=found,
        maps=maps,
        runs=[(*each, runs.run_link(request, *each), each in alive) for each in asked],
        going=bool(alive),
        number=number,
        last=-(-found.count // _A_PAGE),
    )


def _moment(number: int) -> datetime:
    """Read the moment of a decision; in a year that no calendar has, nothing was decided."""
    try:
        return _EPOCH + number * _MICROSECOND
    except OverflowError:
        raise _forgotten() from None


def _forgotten() -> HTTPException:
    return HTTPException(
        status.HTTP_404_NOT_FOUND,
        "Nothing is left of this decision: its entries were decided on anew, or are kept no more.",
    )


def _decide(
    request: Request,
    viewer: Viewer,
    fields: Fields,
    carry_out: Callable[[StateStore, Selection, str, str], Decided],
) -> RedirectResponse:
    """Mark entries, ask for the run that takes them if wanted, and lead to what becomes of them."""
    engine, wanted = kept_engine(), _chosen(fields)
    _require_acts(engine, viewer, wanted)
    reason = fields.get("reason", "").strip()
    done = carry_out(engine.state, wanted, viewer.name, reason)
    if not done.count:
        return back_to(request, _back(fields), " ".join(done.stays) or "None of them is live any more.")
    said = [f"{_counted(done.count)} {'goes' if done.count == 1 else 'go'} with the next run.", *done.stays]
    asked: list[tuple[str, str]] = []
    if fields.get("run"):
        asked, answers = _run(request, viewer, _by_area(engine, done), reason)
        said += answers
    query = urlencode([("run", _SEPARATOR.join(each)) for each in asked])
    moment = (done.at - _EPOCH) // _MICROSECOND
    return back_to(request, f"letters/decisions/{moment}" + (f"?{query}" if query else ""), " ".join(said))


def _run(
    request: Request, viewer: Viewer, maps_by_area: Mapping[str, Sequence[str]], reason: str
) -> tuple[list[tuple[str, str]], list[str]]:
    """Ask for the runs; the entries are marked, and go with a later run where one cannot be."""
    asked, said = [], []
    for area, maps in maps_by_area.items():
        try:
            run = runs.trigger(request, viewer, area, {"maps": list(maps)}, reason, "replay")
        except HTTPException as error:
            said.append(str(error.detail))
        else:
            asked.append((run.dag_id, run.run_id))
            said.append(run.said)
    return asked, said


def _by_area(engine: Engine, done: Decided) -> dict[str, list[str]]:
    """Sort the maps that a run can take by the area that runs them."""
    found: dict[str, list[str]] = {}
    for name in done.maps:
        if name in engine.maps and engine.maps[name].enabled:
            found.setdefault(engine.maps[name].area, []).append(name)
    return found


def _chosen(fields: Fields) -> Selection:
    """Read which entries a form means: those that are ticked, or a whole group.

    Raises:
        StopError: Neither.
        HTTPException: 422 for numbers that are none.
    """
    numbers = fields.each("number")
    if not all(map(is_number, (*numbers, *fields.each("upto")))):
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "These are no numbers of dead letters.")
    if "group" in fields:
        return selection(fields)
    if not numbers:
        raise StopError("Nothing was chosen.", remedy="Tick the rows, or act on the whole group.")
    return Selection(tuple(map(int, numbers)))


def _require_acts(engine: Engine, viewer: Viewer, wanted: Selection) -> None:
    """Insist on the right to act on every map whose entries are meant."""
    areas, maps = areas_of(engine), {wanted.map or ""}
    if wanted.numbers:
        with engine.state.reading() as connection:
            maps = {row["map"] for row in decisions.named(connection, wanted.numbers)}
    for name in sorted(maps):
        viewer.require_acts(areas.get(name))


def _back(fields: Fields) -> str:
    """Give the page of the group that a form belongs to, or that of all groups."""
    group = parameters(selection(fields))
    return f"letters/rows?{urlencode(group)}" if group["map"] else "letters"


def _counted(count: int) -> str:
    return f"{count:,} {'dead letter' if count == 1 else 'dead letters'}"
