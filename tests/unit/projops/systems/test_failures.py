import pytest
from orjson import dumps

from projops import errors
from projops.mapping.model import System
from projops.systems import failures
from projops.systems.failures import Kind

AX = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"


def dataverse(status: int, code: str, message: str = "No.") -> failures.Failure:
    body = dumps({"error": {"code": code, "message": message}})
    return failures.understand(System.DATAVERSE, status, {}, body)


def finance(status: int, message: str) -> failures.Failure:
    inner = {"message": message, "type": AX, "stacktrace": "   at Microsoft.Dynamics.Secret()"}
    body = dumps({"error": {"code": "", "message": "An error has occurred.", "innererror": inner}})
    return failures.understand(System.FINANCE, status, {}, body)


# Each code and text that the protocol has for an answer, with what it means.
DATAVERSE = [
    (429, "0x80072322", "Number of requests exceeded the limit of 6000.", Kind.THROTTLED),
    (429, "0x80072321", "Combined execution time", Kind.THROTTLED),
    (429, "0x80072326", "Number of concurrent requests exceeded the limit of 52.", Kind.THROTTLED),
    (503, "", "", Kind.THROTTLED),
    (500, "", "Unexpected", Kind.TRANSIENT),
    (500, "0x80044150", "Generic SQL error.", Kind.TRANSIENT),
    (400, "-2147204784", "deadlock", Kind.TRANSIENT),
    (400, "0x80044352", "Version stamp associated with the client has expired.", Kind.EXPIRED_WATERMARK),
    (410, "0X80044352", "expired", Kind.EXPIRED_WATERMARK),
    (412, "0x80040237", "A record with matching key values already exists.", Kind.DUPLICATE),
    (412, "0x80040333", "A duplicate was found.", Kind.DUPLICATE),
    (500, "0x80040216", "Cannot insert duplicate key.", Kind.DUPLICATE),
    (412, "0x80060882", "The version of the existing record doesn't match.", Kind.PRECONDITION),
    (404, "0x80040217", "account With Id = x Does Not Exist", Kind.NOT_FOUND),
    (
        404,
        "0x80060891",
        "A record with the specified key values does not exist in account entity",
        Kind.NOT_FOUND,
    ),
    (400, "0x80044331", "A validation error occurred. The length exceeded.", Kind.ROW),
    (400, "0x80040203", "Invalid argument", Kind.ROW),
    (413, "", "", Kind.ROW),
    (403, "0x80040220", "Principal user is missing prvReadAccount privilege", Kind.FORBIDDEN),
    (403, "", "", Kind.FORBIDDEN),
    (401, "", "", Kind.AUTH),
    (400, "0x80048d19", "An undeclared property 'x' was found", Kind.FATAL),
    (400, "", "The key in the request URI is not valid for resource 'account'.", Kind.FATAL),
    (404, "0x80060888", "Resource not found for the segment 'accountz'.", Kind.FATAL),
    (405, "", "", Kind.FATAL),
    (400, "", 'The "$filter" query parameter isn\'t supported when Change Tracking is enabled.', Kind.FATAL),
    (400, "", "There is an unterminated literal at position 21 in 'name eq '.", Kind.FATAL),
    (400, "", "Content-ID Reference: '$1' does not exist in the batch context.", Kind.FATAL),
    (501, "", "DeleteMultiple has not yet been implemented.", Kind.FATAL),
    (400, "0x80040216", "An unexpected error occurred.", Kind.ROW),
    (400, "-2147204783", "SQL timeout", Kind.TRANSIENT),
    (500, "0x80044151", "SQL timeout", Kind.TRANSIENT),
    (404, "", "Contact With Ids = 8f6c0b52-0000-4000-8000-000000000001 Do Not Exist", Kind.NOT_FOUND),
    (412, "0x80060892", "A record that has the attribute values already exists.", Kind.DUPLICATE),
    (412, "", "", Kind.PRECONDITION),
    (408, "", "", Kind.TRANSIENT),
    (504, "", "", Kind.TRANSIENT),
]


@pytest.mark.parametrize(("status", "code", "message", "kind"), DATAVERSE)
def test_dataverse(status: int, code: str, message: str, kind: Kind) -> None:
    assert dataverse(status, code, message).kind is kind


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (
            500,
            "Write failed for table row of type 'X'. Infolog: Info: x\nThe record already exists..",
            Kind.DUPLICATE,
        ),
        (
            400,
            "Write failed for table row of type 'X'. Infolog: Error: Project 'P1' does not exist.",
            Kind.PARENT_MISSING,
        ),
        (
            500,
            "Write failed for table row of type 'X'. Infolog: Warning: The value '9' in field 'Customer' "
            "is not found in the related table 'Customers'.",
            Kind.PARENT_MISSING,
        ),
        (500, "Write failed for table row of type 'X'. Infolog: Error: Field must be filled in.", Kind.ROW),
        (400, "Enum value 'Maybe' is unknown", Kind.ROW),
        (404, "The row does not exist", Kind.NOT_FOUND),
        (400, "No resources were found when selecting for update.", Kind.NOT_FOUND),
        (404, "No resources were found when selecting for update.", Kind.NOT_FOUND),
        (500, "No resources were found when selecting for update.", Kind.NOT_FOUND),
        (412, "changed", Kind.PRECONDITION),
        (500, "A deadlock occurred", Kind.TRANSIENT),
        (500, "Object reference not set", Kind.TRANSIENT),
        (429, "too many", Kind.THROTTLED),
        (502, "", Kind.TRANSIENT),
    ],
)
def test_finance(status: int, message: str, kind: Kind) -> None:
    assert finance(status, message).kind is kind


def test_every_code_of_the_table_is_tried() -> None:
    tried = {code.upper() for _, code, _, _ in DATAVERSE}
    assert {code for rule in failures.RULES for code in rule.codes} <= tried


def test_unknown_address_of_finance_is_fatal() -> None:
    body = dumps({"Message": "No HTTP resource was found that matches the request URI 'x'."})
    assert failures.understand(System.FINANCE, 404, {}, body).kind is Kind.FATAL


def test_the_sentence_is_what_follows_the_infolog() -> None:
    failure = finance(
        500,
        "Write failed for table row of type 'CustCustomerGroupEntity'. Infolog: Info: Cannot create a record "
        "in Customer groups (CustGroup). Customer group: B2.\nThe record already exists..",
    )
    assert failure.message == (
        "Cannot create a record in Customer groups (CustGroup). Customer group: B2. "
        "The record already exists."
    )


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b"[1]", b'{"error": "text"}', b'{"error":{"message":null}}']
)
def test_any_body_gives_a_sentence(body: bytes) -> None:
    failure = failures.understand(System.DATAVERSE, 502, {}, body)
    assert (failure.kind, failure.message) == (Kind.TRANSIENT, "HTTP 502")


def test_a_sentence_is_bounded_and_on_one_line() -> None:
    message = dataverse(400, "", "a\n" * 5000).message
    assert len(message) == 500
    assert "\n" not in message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "12"}, 12.0),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, 3600.0),
        ({"Retry-After": "99999999999999"}, 3600.0),
        (
            {"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
            30.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert failures.retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.TRANSIENT, errors.SystemUnavailableError),
        (Kind.THROTTLED, errors.ThrottledError),
        (Kind.ROW, errors.ProtocolError),
        (Kind.PARENT_MISSING, errors.ProtocolError),
        (Kind.DUPLICATE, errors.ProtocolError),
        (Kind.NOT_FOUND, errors.ProtocolError),
        (Kind.PRECONDITION, errors.ProtocolError),
        (Kind.AUTH, errors.AuthenticationError),
        (Kind.FORBIDDEN, errors.ConfigurationError),
        (Kind.EXPIRED_WATERMARK, errors.WatermarkExpiredError),
        (Kind.FATAL, errors.ProtocolError),
    ],
)
def test_each_kind_has_its_error(kind: Kind, expected: type[errors.ProjOpsError]) -> None:
    raised = failures.error(
        failures.Failure(kind, 400, "0x1", "It is so."), "dataverse_default", "reading accounts"
    )
    assert type(raised) is expected
    assert str(raised).startswith("dataverse_default, reading accounts: It is so. ")
    assert raised.context["code"] == "0x1"


def test_every_kind_is_covered() -> None:
    for kind in Kind:
        assert failures.error(failures.Failure(kind, 400, "", "x"), "c", "w").remedy
