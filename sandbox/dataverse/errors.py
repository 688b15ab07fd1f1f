"""What the Web API refuses, with the codes and sentences that clients look for (protocol 1.2 to 1.7)."""

from sandbox.schema.model import Table

RECORD_NOT_FOUND = "0x80040217"
KEY_NOT_FOUND = "0x80060891"
SEVERAL_RECORDS = "0x8006089d"
DUPLICATE_RECORD = "0x80040237"
VERSION_MISMATCH = "0x80060882"
INVALID_REQUEST = "0x80060888"
RESOURCE_NOT_FOUND = "0x8006088a"
INVALID_PAYLOAD = "0x80048d19"
INVALID_ARGUMENT = "0x80040203"
TOO_LONG = "0x80044331"
OUT_OF_RANGE = "0x80044330"
INVALID_OPTION = "0x8004431a"
EXPIRED_TOKEN = "0x80044352"  # an error code  # nosec B105
PRIVILEGE_MISSING = "0x80040220"
USER_DISABLED = "0x80040225"
DUPLICATE_DETECTED = "0x80040333"
PLUGIN_REFUSED = "0x80040265"
UNEXPECTED = "0x80040216"
NOT_IMPLEMENTED = "0x80040216"


class ApiError(Exception):
    """A request that is answered with an error body.

    Attributes:
        status: HTTP status.
        code: Dataverse's code, `0x...`.
        message: The sentence that goes on the wire.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep the parts of the answer."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def bad_request(message: str, code: str = INVALID_REQUEST) -> ApiError:
    """An argument that does not hold."""
    return ApiError(400, code, message)


def expired_delta_token() -> ApiError:
    """A delta token that is too old [L]; 400 is our choice of status [?]."""
    return bad_request(
        "Version stamp associated with the client has expired. Please perform a full sync.", EXPIRED_TOKEN
    )


def resource_not_found(segment: str) -> ApiError:
    """A path that leads nowhere: text and code are documented for functions that there are not [D]."""
    return ApiError(404, RESOURCE_NOT_FOUND, f"Resource not found for the segment '{segment}'.")


def record_not_found(table: Table, row_id: str) -> ApiError:
    """No row with this GUID [L]."""
    return ApiError(404, RECORD_NOT_FOUND, f"{table.name} With Id = {row_id} Does Not Exist")


def records_not_found(table: Table, row_ids: list[str]) -> ApiError:
    """Rows of a bulk message that do not exist [L]: "Contact With Ids = <guid> Do Not Exist"."""
    label = table.name.capitalize()
    return ApiError(404, RECORD_NOT_FOUND, f"{label} With Ids = {','.join(row_ids)} Do Not Exist")


def key_not_found(table: Table) -> ApiError:
    """No row with this alternate key."""
    return ApiError(
        404, KEY_NOT_FOUND, f"A record with the specified key values does not exist in {table.name} entity"
    )


def several_records(table: Table, key: tuple[str, ...]) -> ApiError:
    """Several rows with this alternate key: MultipleRecordsFoundByEntityKey [D], status and use [?]."""
    return bad_request(
        f"More than one record exists for entity {table.name} with entity key involving attributes "
        f"{', '.join(key)}",
        SEVERAL_RECORDS,
    )


def duplicate_record(message: str = "A record with matching key values already exists.") -> ApiError:
    """A create that meets a row with its id or alternate key."""
    return ApiError(412, DUPLICATE_RECORD, message)


def version_mismatch() -> ApiError:
    """An If-Match that names another version."""
    return ApiError(
        412,
        VERSION_MISMATCH,
        "The version of the existing record doesn't match the RowVersion property provided.",
    )


def undeclared_property(table: Table, name: str) -> ApiError:
    """A property of a body that the table does not have."""
    return ApiError(
        400,
        INVALID_PAYLOAD,
        f"Error identified in Payload provided by the user for Entity :'{table.entity_set}': "
        f"An undeclared property '{name}' was found; the type 'Microsoft.Dynamics.CRM.{table.name}' does not "
        "declare it. Make sure to only use property names that are defined by the type.",
    )


def undeclared_navigation(table: Table, name: str) -> ApiError:
    """A `name@odata.bind` of a body whose name is no navigation property, or not in its case [D]."""
    return ApiError(
        400,
        INVALID_PAYLOAD,
        f"Error identified in Payload provided by the user for Entity :'{table.entity_set}'  ----> "
        f"InnerException : Microsoft.OData.ODataException: An undeclared property '{name}' which only has "
        "property annotations in the payload but no property value was found in the payload. In OData, only "
        "declared navigation properties and declared named streams can be represented as properties without "
        "values.",
    )


def not_a_key(table: Table) -> ApiError:
    """Key columns of a URL that are no alternate key."""
    return ApiError(
        400,
        INVALID_REQUEST,
        f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{table.name}'. "
        "Ensure that the names and number of key properties match the declared or alternate key properties "
        f"for the resource 'Microsoft.Dynamics.CRM.{table.name}'.",
    )


def method_not_allowed(method: str, place: str) -> ApiError:
    """A verb that a resource does not take."""
    return ApiError(405, INVALID_REQUEST, f"The HTTP method '{method}' is not supported for '{place}'.")


def duplicate_detected() -> ApiError:
    """A row that duplicate detection, where it is asked for, finds another one of [D]."""
    return ApiError(
        412,
        DUPLICATE_DETECTED,
        "A record was not created or updated because a duplicate of the current record already exists.",
    )


def user_unknown(user_id: str) -> ApiError:
    """A user to act for that there is not; status and code are our choice [?]."""
    return ApiError(404, RECORD_NOT_FOUND, f"systemuser With Id = {user_id} Does Not Exist")


def user_disabled(user_id: str) -> ApiError:
    """A user to act for who is disabled."""
    return ApiError(
        403,
        USER_DISABLED,
        f"The specified user(Id = {user_id}) is either disabled or is not a member of any business unit.",
    )


def privilege_missing(user_id: str, privilege: str, place: str) -> ApiError:
    """A user to act for who may not do this."""
    return ApiError(
        403,
        PRIVILEGE_MISSING,
        f"Principal user (Id={user_id}, type=8, accessMode=2) is missing the privilege prv{privilege} "
        f"for '{place}'.",
    )
