"""The console below `/projops` of Airflow's own server: it asks Airflow who the user is and what they may do.

Nothing of it is described to strangers.
"""

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from projops.console import refusals
from projops.console.headers import STATIC, Assets, Guarded
from projops.console.rendering import root
from projops.console.routes import (
    alerts,
    audit,
    conflicts,
    letter,
    letter_actions,
    letters,
    map_plan,
    maps,
    month_end,
    published,
    reconciliations,
    table_map,
    trace,
)
from projops.errors import ProjOpsError

app = FastAPI(
    title="Project Operations Sync",
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    dependencies=[Depends(refusals.require_text)],
)
app.add_middleware(Guarded)
app.mount("/static", Assets(directory=STATIC), name="static")
for _routes in (
    alerts,
    audit,
    conflicts,
    letter,
    letter_actions,
    letters,
    map_plan,
    maps,
    month_end,
    published,
    reconciliations,
    table_map,
    trace,
):
    app.include_router(_routes.router)
app.exception_handler(HTTPException)(refusals.refuse)
app.exception_handler(ProjOpsError)(refusals.refuse_ours)
app.exception_handler(RequestValidationError)(refusals.refuse_form)
app.exception_handler(Exception)(refusals.confess)


@app.get("/")
def first(request: Request) -> RedirectResponse:
    """Lead to the first page."""
    return RedirectResponse(f"{root(request)}/maps")
