"""What runs have published: reports of reconciliations, and Data Docs."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, StreamingResponse

from projops.console.access import RECONCILIATION, SignedIn, note_reveal
from projops.console.kept_engine import kept_engine
from projops.console.published import answer
from projops.reconcile.places import DIFFERENCES, PAGE, PAGE_WITHOUT_VALUES, path_of

_DOCS, _INDEX = "docs", "index.html"
_NO_REPORT = "There is no such report: they are written when a reconciliation ends, and kept for a month."
_NO_PAGE = "There is no such page: Data Docs are kept for the last batches of each leg."

router = APIRouter()


@router.get("/reports/{number:number}")
def report(number: int, viewer: SignedIn) -> RedirectResponse:
    """Lead to the page of a report, beside which its links find its files."""
    viewer.require_reads(RECONCILIATION)
    return RedirectResponse(f"{number}/{PAGE}")


@router.get(f"/reports/{{number:number}}/{PAGE}")
def report_page(number: int, viewer: SignedIn) -> StreamingResponse:
    """Send a report: with what rows hold to those who may see that of every area, and without to others."""
    viewer.require_reads(RECONCILIATION)
    if not (viewer.sees_values and viewer.reads(None)):
        return answer(path_of(number, PAGE_WITHOUT_VALUES), _NO_REPORT)
    found = answer(path_of(number, PAGE), _NO_REPORT)
    note_reveal(viewer, f"reconciliation {number}")
    return found


@router.get(f"/reports/{{number:number}}/{DIFFERENCES}")
def differences(number: int, viewer: SignedIn) -> StreamingResponse:
    """Send all differences of a reconciliation, with what the rows hold: of all areas in one file."""
    viewer.require_reads(RECONCILIATION)
    viewer.require_reads(None)
    viewer.require_values()
    found = answer(path_of(number, DIFFERENCES), _NO_REPORT)
    note_reveal(viewer, f"differences of reconciliation {number}")
    return found


@router.get("/docs")
def docs() -> RedirectResponse:
    """Lead to the index of Data Docs."""
    return RedirectResponse(f"{_DOCS}/{_INDEX}")


@router.get("/docs/{path:path}")
def docs_page(path: str, viewer: SignedIn) -> StreamingResponse:
    """Send a page of Data Docs; they hold counts, and nothing of what rows hold.

    Pages about no map that there is, such as the index of all, are for those who may read every DAG.
    """
    table_map = kept_engine().maps.get(path.partition("/")[0])
    viewer.require_reads(table_map.area if table_map else None)
    return answer(f"{_DOCS}/{path or _INDEX}", _NO_PAGE)
