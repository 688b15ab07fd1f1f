"""Refusals as they go on the wire (protocol 2.1 [L])."""

from sandbox.finance.errors import WRITE_ERROR, FinanceError, RoutingError
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.odata.wire import dumps


class HinderedError(Exception):
    """An operation of a batch that a fault rule stands in the way of.

    Attributes:
        response: What is answered instead.
    """

    def __init__(self, response: DataResponse) -> None:
        """Keep the answer."""
        super().__init__(f"A fault rule answers {response.status}.")
        self.response = response


def render_failure(error: Exception, request: DataRequest) -> DataResponse:
    """The answer for a request that was refused, whatever refused it."""
    if isinstance(error, HinderedError):
        return error.response
    if isinstance(error, RoutingError):
        return render_routing(error)
    return _render_error(error if isinstance(error, FinanceError) else FinanceError(400, str(error)), request)


def render_routing(error: RoutingError) -> DataResponse:
    """The answer of the web server in front of OData: unknown address [L], wrong verb, wrong media type."""
    return DataResponse(
        error.status, dumps({"Message": str(error)}), media_type="application/json; charset=utf-8"
    )


def _render_error(error: FinanceError, request: DataRequest) -> DataResponse:
    """X++ write errors inside of a batch are 500 [L]."""
    status = 500 if request.in_batch and error.kind == WRITE_ERROR else error.status
    inner = {"message": error.message, "type": error.kind, "stacktrace": "   at the sandbox"}
    return DataResponse(
        status, dumps({"error": {"code": "", "message": "An error has occurred.", "innererror": inner}})
    )
