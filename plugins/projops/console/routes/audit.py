"""The audit trail: who did what, when and why, for those who may read every DAG."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from projops.console.access import SignedIn
from projops.console.kept_engine import kept_engine
from projops.console.rendering import page
from projops.state.audit import actions, verbs

_A_PAGE = 50  # rows
_Text = Annotated[str, Query(max_length=200)]

router = APIRouter()


@router.get("/audit")
def audit(
    request: Request,
    viewer: SignedIn,
    actor: _Text = "",
    action: _Text = "",
    subject: _Text = "",
    before: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
) -> HTMLResponse:
    """List actions, newest first, of one actor, verb or subject if asked."""
    viewer.require_reads(None)
    with kept_engine().state.reading() as connection:
        asked = {"actor": actor.strip(), "action": action, "subject": subject.strip()}
        found = actions(connection, _A_PAGE + 1, **asked, before=before)
        known = verbs(connection)
    return page(
        request,
        viewer,
        "audit.html.j2",
        rows=found[:_A_PAGE],
        older=found[_A_PAGE - 1]["id"] if len(found) > _A_PAGE else None,
        choices=[("", "everything"), *((verb, verb) for verb in known)],
        actor=actor,
        action=action,
        subject=subject,
        before=before,
    )
