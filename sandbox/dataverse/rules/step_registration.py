"""What Dataverse asks of a webhook and of its steps when they are registered, and what it notes itself."""

from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import INVALID_ARGUMENT, bad_request
from sandbox.dataverse.events.steps import WEBHOOK, Stage
from sandbox.rules.hooks import Change, Verb, complete, guard

_STAGES = frozenset(Stage)
_ADDRESSES = ("http://", "https://")
_WRITTEN = (Verb.CREATE, Verb.UPDATE)


def require_address(_desk: Desk, change: Change) -> None:
    """Refuse a webhook that has no address to post to.

    Raises:
        ApiError: 400 when it has none.
    """
    row = change.after
    if row.get("contract") == WEBHOOK and not str(row.get("url") or "").startswith(_ADDRESSES):
        raise bad_request("A webhook needs a url that begins with http:// or https://.", INVALID_ARGUMENT)


def note_secret(_desk: Desk, change: Change) -> dict[str, Any]:
    """Tell readers that an endpoint has a secret, which they never see [D]."""
    if "authvalue" not in change.values and change.verb is Verb.UPDATE:
        return {}
    return {"isauthvalueset": bool(change.values.get("authvalue"))}


def require_stage(_desk: Desk, change: Change) -> None:
    """Refuse a step that runs where no step of one's own can: asynchronous ones follow the operation [D].

    Raises:
        ApiError: 400 when the stage is none of one's own, or does not go with the mode.
    """
    row = change.after
    stage, mode = row.get("stage", Stage.POST_OPERATION), row.get("mode", 0)
    if stage not in _STAGES:
        raise bad_request(
            f"A step cannot be registered in stage {stage}: take 10, 20 or 40.", INVALID_ARGUMENT
        )
    if mode == 1 and stage != Stage.POST_OPERATION:
        raise bad_request(
            f"An asynchronous step runs in stage 40 (post-operation), not in {stage}.", INVALID_ARGUMENT
        )


HOOKS = (
    guard("serviceendpoint", _WRITTEN, require_address),
    complete("serviceendpoint", _WRITTEN, note_secret),
    guard("sdkmessageprocessingstep", _WRITTEN, require_stage),
)
