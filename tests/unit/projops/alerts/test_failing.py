"""What tasks failed for: one cause, however many fail for it."""

import pytest

from projops.alerts.failing import Task, failure_of
from projops.errors import (
    AuthenticationError,
    BreakerOpenError,
    ConfigurationError,
    EnvironmentMismatchError,
    ImplausibleReadError,
    LeaseHeldError,
    MapPausedError,
    MappingError,
    PoisonPageError,
    ProjOpsError,
    RowRejectedError,
    StagingLostError,
    SystemUnavailableError,
    ThrottledError,
    UnknownOutcomeError,
)

TASK = Task("vendor_invoices", "r", "vendors__finance_to_dataverse.load", "vendors", "finance_to_dataverse")
DETECT = Task("vendor_invoices", "r", "detect")
AT = {"connection": "finance_default"}


@pytest.mark.parametrize(
    ("task", "error", "cause"),
    [
        (TASK, AuthenticationError("No.", **AT), "authentication:finance_default"),
        (DETECT, AuthenticationError("No.", **AT), "authentication:finance_default"),
        (TASK, ConfigurationError("No role.", **AT), "configuration:finance_default"),
        (DETECT, ConfigurationError("There is no map x."), "configuration:There is no map x."),
        (TASK, EnvironmentMismatchError("Other.", system="finance"), "environment"),
        (TASK, MappingError("Bad.", file="include/a.yaml", line=3), "mapping:include/a.yaml"),
        (TASK, StagingLostError("Gone."), "staging"),
        (TASK, BreakerOpenError("60 bad."), "stopped:vendors:finance_to_dataverse"),
        (TASK, BreakerOpenError("60 bad.", leg="vendors__finance_to_dataverse"), "stopped:vendors:"),
        (TASK, ImplausibleReadError("Empty.", map="vendors"), "stopped:vendors:finance_to_dataverse"),
        (TASK, PoisonPageError("Bytes.", body=b"x"), "protocol:vendors:finance_to_dataverse"),
        (DETECT, PoisonPageError("Bytes.", body=b"x"), "protocol:vendor_invoices"),
        (TASK, SystemUnavailableError("Down.", **AT), "unavailable:finance_default"),
        (TASK, ThrottledError("Slow.", retry_after=9, **AT), "throttled:finance_default"),
        (TASK, LeaseHeldError("Held.", map="vendors"), "lease:vendors"),
        (TASK, UnknownOutcomeError("Who knows."), "again:vendors:finance_to_dataverse"),
        (TASK, RowRejectedError("Odd."), "failed:vendors:finance_to_dataverse"),
        (
            TASK,
            ZeroDivisionError("secret 42"),
            f"unexpected:vendor_invoices:{TASK.task_id}:ZeroDivisionError",
        ),
        (TASK, None, f"unexpected:vendor_invoices:{TASK.task_id}:TaskLost"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_failure_has_the_cause_that_all_of_its_kind_share(
    task: Task, error: BaseException | None, cause: str
) -> None:
    failure = failure_of(task, error)
    assert failure is not None
    assert failure.cause.startswith(cause)
    assert "secret" not in failure.message
    if isinstance(error, ProjOpsError):
        assert (failure.message, failure.remedy) == (error.message, error.remedy)
    else:
        assert failure.remedy


def test_a_pause_is_no_failure_that_anybody_needs_to_hear_of() -> None:
    assert failure_of(TASK, MapPausedError("Paused.", map="vendors")) is None
