"""Trace: from a key or number in hand to the row, where it comes from, and what became of it."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, status
from fastapi.responses import HTMLResponse

from projops.console import runs
from projops.console.access import SignedIn, Viewer, note_reveal
from projops.console.kept_engine import kept_engine
from projops.console.limited import within
from projops.console.rendering import page, root
from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.lineage.trace.document import as_document, nested
from projops.lineage.trace.kinds import ANY, KINDS
from projops.lineage.trace.model import Trace
from projops.lineage.trace.walking import Bound
from projops.pages import wording
from projops.state.row_search import rows_bearing

if TYPE_CHECKING:
    from projops.lineage.trace.tracing import Candidates

_A_PAGE = 50  # rows
_SECONDS = 60.0
_BOUND = Bound(rows=200, depth=25)
_LONGEST = 500

router = APIRouter()


@router.get("/trace")
def search(
    request: Request, viewer: SignedIn, q: Annotated[str, Query(max_length=_LONGEST)] = ""
) -> HTMLResponse:
    """Find the rows that the state knows by a part of their key; offer to look in both systems."""
    engine, text = kept_engine(), q.strip().replace("\0", "")
    found: list[tuple[str, str]] = []
    if text:
        with engine.state.reading() as connection:
            found = rows_bearing(connection, viewer.readable(engine.maps), text, _A_PAGE + 1)
    return page(
        request,
        viewer,
        "trace.html.j2",
        q=text,
        rows=found[:_A_PAGE],
        more=len(found) > _A_PAGE,
        titles={name: each.title for name, each in engine.maps.items()},
        kinds=(*KINDS, ANY) if viewer.reads(None) else (),
    )


@router.get("/trace/{what}/{key:path}")
def one(
    request: Request, viewer: SignedIn, what: str, key: str, load: bool = False, values: bool = False
) -> HTMLResponse:
    """Show the trace of a row, or of what bears a number.

    Without `load` the page comes at once, and loads the trace by itself: both systems are asked for it.
    """
    engine, key = kept_engine(), key[:_LONGEST].replace("\0", "")
    _require(viewer, engine, what)
    if values:
        viewer.require_values()
    facts: dict[str, Any] = {"document": None, "candidates": None, "trouble": ""}
    if load:
        facts |= _traced(engine, viewer, what, key, values)
    return page(
        request,
        viewer,
        "trace_of.html.j2",
        **facts,
        what=what,
        key=key,
        written=_written,
        here_of=lambda **asked: f"{root(request)}/trace/{what}/{wording.quoted(key)}?{urlencode(asked)}",
        is_map=what in engine.maps,
        values=values,
        seconds=int(_SECONDS),
        run_link=partial(runs.run_link, request),
    )


def _traced(engine: Engine, viewer: Viewer, what: str, key: str, values: bool) -> dict[str, Any]:
    """Trace, and give what the page shows: the trace, what there is to choose from, or what went wrong."""
    try:
        found = within(_SECONDS, "The trace", lambda: trace_text(engine, what, key))
    except ProjOpsError as error:
        return {"trouble": str(error)}
    if not isinstance(found, Trace):
        return {"candidates": found.found[:_A_PAGE]}
    if values:
        note_reveal(viewer, f"trace of {found.asked}")
    return _told(found, values, whole=viewer.reads(None))


def trace_text(engine: Engine, what: str, key: str) -> "Trace | Candidates":
    """Trace; the rules of rows come with it, which are seconds to load: not for the server to start with."""
    from projops.lineage.trace.tracing import trace

    return trace(engine, what, key, _BOUND)


def _written(text: str) -> str:
    """Write what was asked for: a key in its parts, what only begins like one as it is."""
    try:
        return wording.key(text) if text.startswith("[") else wording.readable(text)
    except (ValueError, RecursionError):
        return wording.readable(text)


def _told(found: Trace, values: bool, *, whole: bool) -> dict[str, Any]:
    """Give a trace as its page shows it; what lies around its row is of all areas."""
    document = as_document(found, (lambda value: value) if values else (lambda _: None))
    trees = {
        "Where it comes from, step by step": nested(document["starts"], document["origins"]),
        "What became of it": nested([*document["starts"], *document["ends"]], document["outcomes"]),
    }
    return {"document": document, "trees": trees if whole else None}


def _require(viewer: Viewer, engine: Engine, what: str) -> None:
    """Insist on the right to read the area of a map; numbers of documents may be of any area.

    Raises:
        HTTPException: 403; 404 where there is no such map or kind.
    """
    table_map = engine.maps.get(what)
    if table_map is None and what not in (*KINDS, ANY):
        sentence = "There is no such map, and nothing of the kind that a number is of."
        raise HTTPException(status.HTTP_404_NOT_FOUND, sentence)
    viewer.require_reads(table_map.area if table_map else None)
