"""One operation attempted: its answer, whatever becomes of it, and its line in the stats."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.dataverse.api import Api
from sandbox.dataverse.errors import UNEXPECTED, ApiError, bad_request
from sandbox.dataverse.events.call import calling, read_call
from sandbox.dataverse.impersonation import acting
from sandbox.dataverse.router import dispatch
from sandbox.dataverse.wire import Request, Response, error_response
from sandbox.odata.errors import ODataError
from sandbox.odata.wire import sent_object
from sandbox.rules.rowset import MissingRowError
from sandbox.stats import Operation, Stats
from sandbox.store import WriteUnit
from sandbox.write_log import WrittenRow, written_row

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request and its answer."""

    request: Request
    response: Response


def attempt(
    api: Api, request: Request, unit: WriteUnit | None = None, refused: ApiError | None = None
) -> Outcome:
    """Answer a request; every error becomes an error body.

    Args:
        api: The environment.
        request: What was asked.
        unit: The transaction of a changeset; the caller rolls it back when the status is an error.
        refused: An error that is known beforehand.
    """

    def operation() -> Response:
        if refused is not None:
            raise refused
        user = acting(api, request)
        initiating = api.user_id if user is not api else None
        with calling(read_call(request.headers, request.options, _host(request.root), initiating)):
            return dispatch(user, request, unit)

    return Outcome(request, guarded(request, operation))


def _host(root: str) -> str:
    return root.partition("://")[2].partition("/")[0]


def guarded(request: Request, operation: Callable[[], Response]) -> Response:
    """Run an operation; whatever goes wrong becomes an answer that says so."""
    try:
        return operation()
    except ApiError as error:
        refused = error
    except ODataError as error:
        refused = bad_request(str(error))
    except MissingRowError as missing:
        refused = bad_request(str(missing))
    except RecursionError:
        refused = bad_request("The request is nested too deeply.")
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        refused = ApiError(500, UNEXPECTED, "An unexpected error occurred.")
    return named(request, error_response(refused, request.preferences.annotations))


def record(api: Api, stats: Stats, outcome: Outcome) -> None:
    """Put an operation into the stats."""
    response = outcome.response
    operation = Operation(
        system="dataverse",
        entity=response.entity,
        verb=response.verb or outcome.request.method,
        status=response.status,
        rows=response.rows,
        written=_written(outcome),
    )
    stats.record(operation, api.store.clock.now().isoformat())


def _written(outcome: Outcome) -> tuple[WrittenRow, ...]:
    """Note the rows that a write meant; one that was refused as a whole is one of them."""
    request, response = outcome.request, outcome.response
    if request.method == "GET":
        return ()
    body = {} if request.path == "$batch" else sent_object(request.body)
    if response.written:
        rows = zip(response.written, body["Targets"], strict=True)
        return tuple(written_row(row_id, columns, target) for (row_id, columns), target in rows)
    return (written_row(response.key, response.columns, body),)


def named(request: Request, response: Response) -> Response:
    """Note which set and key a refused request was about, as far as its path tells."""
    entity, _, rest = request.path.partition("/")[0].partition("(")
    return replace(response, entity=entity, key=rest.removesuffix(")"))
