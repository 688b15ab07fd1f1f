"""What is refused of FetchXML; codes by their names in the list of web service error codes [D]."""

from sandbox.dataverse.errors import ApiError, bad_request
from sandbox.schema.model import Table

MALFORMED = "0x80040201"  # the code of XML that cannot be read [?]
UNKNOWN_TABLE = "0x80041102"
UNKNOWN_COLUMN = "0x80041103"
BAD_CONDITION = "0x80041106"
COLUMN_WITH_AGGREGATE = "0x80041107"
INVALID_VALUE = "0x80041108"
INVALID_ALIAS = "0x80041109"
UNKNOWN_ALIAS = "0x8004110a"
NO_ALIAS = "0x8004110b"
NOT_ABOVE_ZERO = "0x8004110c"
INVALID_AGGREGATE = "0x8004111a"
INVALID_NODE = "0x8004111c"
MISSING_PART = "0x8004111e"
UNKNOWN_OPERATOR = "0x80041120"
UNKNOWN_JOIN = "0x80041121"
UNKNOWN_FILTER = "0x80041122"
MISSING_ELEMENT = "0x80041123"
TOO_MANY_CONDITIONS = "0x8004430c"
TOO_MANY_LINKS = "0x8004430d"


def malformed(reason: str) -> ApiError:
    """A text that is no XML of this kind; the sentence is ours [?]."""
    return bad_request(f"Invalid XML. {reason}", MALFORMED)


def unknown_table(name: str) -> ApiError:
    """A table that does not exist [C]."""
    return bad_request(
        f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache.",
        UNKNOWN_TABLE,
    )


def unknown_column(table: Table, name: str) -> ApiError:
    """A column that a table does not have [C]."""
    return bad_request(
        f"'{table.name}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'.",
        UNKNOWN_COLUMN,
    )
