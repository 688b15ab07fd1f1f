"""Finance's errors, in the form in which AX answers them (protocol 2.1 [L])."""

from sandbox.finance.request import DataResponse
from sandbox.odata.wire import dumps

_SERVICES = "Microsoft.Dynamics.Platform.Integration.Services.OData"
WRITE_ERROR = f"{_SERVICES}.AxODataWriteException"
VALIDATION_ERROR = f"{_SERVICES}.AxODataValidationException"
ODATA_ERROR = "Microsoft.OData.ODataException"
CONCURRENCY_ERROR = f"{_SERVICES}.AxODataConcurrencyException"


class FinanceError(Exception):
    """A request that is refused.

    Attributes:
        status: HTTP status.
        message: The sentence of `innererror`.
        kind: The exception type of `innererror`.
    """

    def __init__(self, status: int, message: str, kind: str = ODATA_ERROR) -> None:
        """Keep what goes on the wire."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind


class HinderedError(Exception):
    """An operation of a batch that a fault rule stands in the way of.

    Attributes:
        response: What is answered instead.
    """

    def __init__(self, response: DataResponse) -> None:
        """Keep the answer."""
        super().__init__(f"A fault rule answers {response.status}.")
        self.response = response


class UnknownResourceError(Exception):
    """A URL that leads nowhere, which Finance answers in a form of its own [L]."""


def write_error(entity_type: str, infolog: str) -> FinanceError:
    """An X++ error while a row was written; `infolog` holds its lines."""
    message = f"Write failed for table row of type '{entity_type}Entity'. Infolog: {infolog}."
    return FinanceError(400, message, WRITE_ERROR)


def render_error(error: FinanceError, in_batch: bool) -> DataResponse:
    """The answer for a refused request; X++ write errors inside of a batch are 500 [L]."""
    status = 500 if in_batch and error.kind == WRITE_ERROR else error.status
    inner = {"message": error.message, "type": error.kind, "stacktrace": "   at the sandbox"}
    body = {"error": {"code": "", "message": "An error has occurred.", "innererror": inner}}
    return DataResponse(status, dumps(body))


def render_unknown(url: str) -> DataResponse:
    """The answer for a URL that leads nowhere."""
    message = f"No HTTP resource was found that matches the request URI '{url}'."
    return DataResponse(404, dumps({"Message": message}), media_type="application/json; charset=utf-8")
