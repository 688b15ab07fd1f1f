"""$filter over values in memory."""

from typing import Any

import pytest

from sandbox.odata.errors import ODataError
from sandbox.odata.valuefilter import TEXT_FUNCTIONS, UnknownFunctionError, matches

TABLE: dict[str, Any] = {
    "LogicalName": "account",
    "ObjectTypeCode": 1,
    "IsCustomEntity": False,
    "IsCustomizable": {"Value": True, "CanBeChanged": False},
    "OwnershipType": "UserOwned",
    "DataProviderId": None,
}


@pytest.mark.parametrize(
    "text",
    [
        "LogicalName eq 'account'",
        "LogicalName ne 'uom' and not (ObjectTypeCode eq 2)",
        "LogicalName in ('uom','account')",
        "ObjectTypeCode ge 1 and ObjectTypeCode lt 2",
        "IsCustomEntity eq false",
        "IsCustomizable/Value eq true",
        "IsCustomizable/Value",
        "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'",
        "DataProviderId eq null",
        "contains(tolower(OwnershipType), 'own')",
        "startswith(LogicalName,'acc') or endswith(LogicalName,'x')",
        "toupper(LogicalName) eq 'ACCOUNT'",
    ],
)
def test_what_fits(text: str) -> None:
    assert matches(TABLE, text, TEXT_FUNCTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "LogicalName eq 'Account'",
        "not (LogicalName eq 'account')",
        "ObjectTypeCode gt 1",
        "IsCustomEntity",
        "IsCustomizable/CanBeChanged",
        "LogicalName/Value eq true",
        "DataProviderId gt 1",
        "contains(LogicalName, 'x')",
    ],
)
def test_what_does_not_fit(text: str) -> None:
    assert not matches(TABLE, text, TEXT_FUNCTIONS)


@pytest.mark.parametrize(
    "text",
    [
        "Unicorn eq 1",
        "LogicalName eq",
        "LogicalName gt 1",
        "ObjectTypeCode add 1 eq 2",
        "contains(ObjectTypeCode, 'x')",
        "contains(LogicalName, 1)",
    ],
)
def test_what_cannot_be_asked(text: str) -> None:
    with pytest.raises(ODataError):
        matches(TABLE, text, TEXT_FUNCTIONS)


def test_functions_are_those_that_are_given() -> None:
    with pytest.raises(UnknownFunctionError) as refused:
        matches(TABLE, "startswith(LogicalName,'acc')")
    assert refused.value.name == "startswith"
