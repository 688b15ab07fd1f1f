"""Finance's errors, in the forms in which AX answers them (protocol 2.1 [L])."""

_SERVICES = "Microsoft.Dynamics.Platform.Integration.Services.OData"
WRITE_ERROR = f"{_SERVICES}.AxODataWriteException"
VALIDATION_ERROR = f"{_SERVICES}.AxODataValidationException"
ODATA_ERROR = "Microsoft.OData.ODataException"
CONCURRENCY_ERROR = f"{_SERVICES}.AxODataConcurrencyException"
ACTION_ERROR = "System.InvalidOperationException"


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


class RoutingError(Exception):
    """A request that the web server refuses before OData sees it, answered in a form of its own.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int, message: str) -> None:
        """Keep status and sentence."""
        super().__init__(message)
        self.status = status


class UnknownResourceError(RoutingError):
    """A URL that leads nowhere [L]."""

    def __init__(self, url: str) -> None:
        """Name the whole address."""
        super().__init__(404, f"No HTTP resource was found that matches the request URI '{url}'.")


def write_error(entity: str, infolog: str) -> FinanceError:
    """An X++ error while a row was written.

    Args:
        entity: The entity's name inside of Finance.
        infolog: Its lines.
    """
    message = f"Write failed for table row of type '{entity}'. Infolog: {infolog}."
    return FinanceError(400, message, WRITE_ERROR)


def action_error(action: str, entity_type: str, reason: str) -> FinanceError:
    """An X++ error while an action ran: 500 [D, the leave request API of Human Resources]."""
    message = f"Exception occurred while executing action {action} on Entity {entity_type}: {reason}"
    return FinanceError(500, message, ACTION_ERROR)


def not_allowed(method: str) -> RoutingError:
    """A verb that the resource does not take."""
    return RoutingError(405, f"The requested resource does not support http method '{method}'.")
