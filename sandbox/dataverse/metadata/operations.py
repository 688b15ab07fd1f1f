"""Actions and functions of `$metadata`, with the types of what they take and answer."""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from sandbox.dataverse.queryfunctions import FUNCTIONS
from sandbox.dataverse.queryfunctions.hierarchy import HIERARCHY
from sandbox.dataverse.queryfunctions.values import VALUES
from sandbox.odata.csdl import element, operation_element, property_element

_ROWS = "Collection(mscrm.crmbaseentity)"
_TEXTS = "Collection(Edm.String)"

_COMPLEX_TYPES: Mapping[str, Mapping[str, str]] = {
    "CreateMultipleResponse": {"Ids": "Collection(Edm.Guid)"},
    "BulkDeleteResponse": {"JobId": "Edm.Guid"},
    "WhoAmIResponse": {"BusinessUnitId": "Edm.Guid", "UserId": "Edm.Guid", "OrganizationId": "Edm.Guid"},
    "RetrieveVersionResponse": {"Version": "Edm.String"},
    "RetrieveAvailableLanguagesResponse": {"LocaleIds": "Collection(Edm.Int32)"},
    "RetrieveCurrentOrganizationResponse": {"Detail": "mscrm.OrganizationDetail"},
    "RetrieveTotalRecordCountResponse": {"EntityRecordCountCollection": "mscrm.EntityRecordCountCollection"},
    "EntityRecordCountCollection": {
        "Count": "Edm.Int32",
        "IsReadOnly": "Edm.Boolean",
        "Keys": _TEXTS,
        "Values": "Collection(Edm.Int64)",
    },
    "OrganizationDetail": {
        "OrganizationId": "Edm.Guid",
        "FriendlyName": "Edm.String",
        "OrganizationVersion": "Edm.String",
        "EnvironmentId": "Edm.String",
        "UrlName": "Edm.String",
        "UniqueName": "Edm.String",
        "State": "mscrm.OrganizationState",
    },
    "QueryExpression": {"EntityName": "Edm.String", "Criteria": "mscrm.FilterExpression"},
    "FilterExpression": {
        "FilterOperator": "mscrm.LogicalOperator",
        "Conditions": "Collection(mscrm.ConditionExpression)",
        "Filters": "Collection(mscrm.FilterExpression)",
    },
    "ConditionExpression": {
        "EntityName": "Edm.String",
        "AttributeName": "Edm.String",
        "Operator": "mscrm.ConditionOperator",
        "Values": "Collection(mscrm.Object)",
    },
    "Object": {"Type": "Edm.String", "Value": "Edm.String"},
}
_ENUM_TYPES: Mapping[str, tuple[str, ...]] = {
    "EndpointAccessType": ("Default", "Internet", "Intranet"),
    "OrganizationState": ("Enabled", "Disabled"),
    "LogicalOperator": ("And", "Or"),
    "ConditionOperator": (
        "Equal",
        "NotEqual",
        "GreaterThan",
        "LessThan",
        "GreaterEqual",
        "LessEqual",
        "Like",
        "NotLike",
        "In",
        "NotIn",
        "Between",
        "NotBetween",
        "Null",
        "NotNull",
    ),
}
_BULK_RETURNS = {
    "CreateMultiple": "mscrm.CreateMultipleResponse",
    "UpdateMultiple": None,
    "UpsertMultiple": None,
}
_BULK_DELETE = {
    "QuerySet": "Collection(mscrm.QueryExpression)",
    "JobName": "Edm.String",
    "SendEmailNotification": "Edm.Boolean",
    "ToRecipients": _ROWS,
    "CCRecipients": _ROWS,
    "RecurrencePattern": "Edm.String",
    "StartDateTime": "Edm.DateTimeOffset",
    "SourceImportId": "Edm.Guid",
    "RunNow": "Edm.Boolean",
}
_FUNCTIONS: Mapping[str, Mapping[str, str]] = {
    "WhoAmI": {},
    "RetrieveVersion": {},
    "RetrieveAvailableLanguages": {},
    "RetrieveCurrentOrganization": {"AccessType": "mscrm.EndpointAccessType"},
    "RetrieveTotalRecordCount": {"EntityNames": _TEXTS},
}
_TAKES_LIST = frozenset({"In", "NotIn", "Between", "NotBetween", "ContainValues", "DoesNotContainValues"})
_TAKES_NUMBER = frozenset({"InFiscalPeriod", "InFiscalYear"})


def operations() -> Iterator[ET.Element]:
    """Yield the types that operations need, and the operations."""
    for name, properties in _COMPLEX_TYPES.items():
        parts = (property_element(each, kind) for each, kind in properties.items())
        yield element("ComplexType", {"Name": name}, parts)
    for name, members in _ENUM_TYPES.items():
        values = (element("Member", {"Name": each, "Value": str(n)}) for n, each in enumerate(members))
        yield element("EnumType", {"Name": name}, values)
    for name, returns in _BULK_RETURNS.items():
        targets = {"entityset": _ROWS, "Targets": _ROWS}
        yield operation_element("Action", name, targets, returns, bound=True)
    yield operation_element("Action", "BulkDelete", _BULK_DELETE, "mscrm.BulkDeleteResponse")
    for name, parameters in _FUNCTIONS.items():
        yield operation_element("Function", name, parameters, f"mscrm.{name}Response")
    for name in FUNCTIONS:
        taken = {"PropertyName": "Edm.String", **_values_of(name)}
        yield operation_element("Function", name, taken, "Edm.Boolean")


def imports() -> Iterator[ET.Element]:
    """Yield what stands in the container for operations that are bound to nothing."""
    yield element("ActionImport", {"Name": "BulkDelete", "Action": "mscrm.BulkDelete"})
    for name in _FUNCTIONS:
        yield element("FunctionImport", {"Name": name, "Function": f"mscrm.{name}"})


def _values_of(name: str) -> dict[str, str]:
    """Return what a query function takes beside the property [D, Web API query function reference]."""
    if name in _TAKES_LIST:
        return {"PropertyValues": _TEXTS}
    if name.endswith("FiscalPeriodAndYear"):
        return {"PropertyValue1": "Edm.Int64", "PropertyValue2": "Edm.Int64"}
    if "X" in name or name in _TAKES_NUMBER:
        return {"PropertyValue": "Edm.Int64"}
    return {"PropertyValue": "Edm.String"} if name in {*VALUES, *HIERARCHY} else {}
