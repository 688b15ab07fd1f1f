"""What a request says about itself to whatever runs with its writes: who, why, and what to leave out."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from sandbox.dataverse.errors import INVALID_ARGUMENT, bad_request

_BYPASS = "mscrm.bypassbusinesslogicexecution"
_BYPASS_STEPS = "mscrm.bypassbusinesslogicexecutionstepids"
_BYPASS_PLUGINS = "mscrm.bypasscustompluginexecution"
_MOST_STEPS = 3


@dataclass(frozen=True, slots=True)
class Call:
    """One operation, as the execution contexts of its steps tell of it.

    Attributes:
        tag: The `tag` of the URL, which steps see as a shared variable; None where there is none [D].
        host: Host that the client asked, "" outside of requests.
        skip_sync: Whether custom synchronous steps are left out.
        skip_async: Whether custom asynchronous steps are left out.
        skip_steps: Ids of single steps that are left out.
        initiating_user_id: Who asked, where the request writes on behalf of somebody else; else None.
        correlation_id: GUID that all steps of the operation share.
    """

    tag: str | None = None
    host: str = ""
    skip_sync: bool = False
    skip_async: bool = False
    skip_steps: frozenset[str] = frozenset()
    initiating_user_id: str | None = None
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


_CALL: ContextVar[Call | None] = ContextVar("call", default=None)
_DEPTH: ContextVar[int] = ContextVar("depth", default=1)


def current_call() -> Call:
    """Return the operation at work; a blank one outside of requests."""
    return _CALL.get() or Call()


def current_depth() -> int:
    """Return how deep the write at work is in what follows from other writes: 1 for what a client sent."""
    return _DEPTH.get()


@contextmanager
def calling(call: Call) -> Iterator[None]:
    """Let steps see `call` inside of the block."""
    token = _CALL.set(call)
    try:
        yield
    finally:
        _CALL.reset(token)


@contextmanager
def deeper() -> Iterator[None]:
    """Count what is written inside of the block as what follows from the write at work."""
    token = _DEPTH.set(_DEPTH.get() + 1)
    try:
        yield
    finally:
        _DEPTH.reset(token)


def read_call(
    headers: Mapping[str, str], options: Mapping[str, str], host: str, initiating_user_id: str | None = None
) -> Call:
    """Read what a request says to its steps.

    `MSCRM.BypassBusinessLogicExecution: CustomSync,CustomAsync` leaves out steps by mode,
    `...StepIds` at most three by id, `MSCRM.BypassCustomPluginExecution: true` the synchronous ones [D].
    `MSCRM.SuppressCallbackRegistrationExpanderJob` is taken: there are no flows that it could hold back.

    Args:
        headers: By lower-case name.
        options: Query options.
        host: Host that the client asked.
        initiating_user_id: Who asks, where it is on behalf of somebody else.

    Raises:
        ApiError: When a header names no mode, or more than three steps.
    """
    modes = _words(headers.get(_BYPASS, ""))
    if not modes <= {"customsync", "customasync"}:
        raise bad_request(
            "MSCRM.BypassBusinessLogicExecution takes CustomSync, CustomAsync or both, "
            f"not '{headers[_BYPASS]}'.",
            INVALID_ARGUMENT,
        )
    steps = _words(headers.get(_BYPASS_STEPS, ""))
    if len(steps) > _MOST_STEPS:
        raise bad_request(
            f"MSCRM.BypassBusinessLogicExecutionStepIds takes {_MOST_STEPS} ids at most, "
            f"and {len(steps)} came.",
            INVALID_ARGUMENT,
        )
    plugins = headers.get(_BYPASS_PLUGINS, "").strip().lower() == "true"
    return Call(
        tag=options.get("tag"),
        host=host,
        skip_sync=plugins or "customsync" in modes,
        skip_async="customasync" in modes,
        skip_steps=steps,
        initiating_user_id=initiating_user_id,
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(word for part in text.lower().split(",") if (word := part.strip()))
