"""Query functions that ask for the caller: user, business unit, teams, language.

The application user has no team, and nobody reports to it [?]; its language is English (1033).
"""

from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.queryfunctions.calls import Call, Condition, Function
from sandbox.odata.errors import TypeMismatchError
from sandbox.odata.literals import Kind

_ENGLISH = 1033


def _user(call: Call) -> Condition:
    return _of(call, Kind.GUID) == sa.literal(call.caller.user_id)


def _business_unit(call: Call) -> Condition:
    return _of(call, Kind.GUID) == sa.literal(call.caller.business_unit_id)


def _no_team(call: Call) -> Condition:
    _of(call, Kind.GUID)
    return sa.false()


def _language(call: Call) -> Condition:
    return _of(call, Kind.INTEGER) == sa.literal(_ENGLISH)


def _of(call: Call, kind: Kind) -> sa.ColumnElement[Any]:
    if call.term.kind is not kind:
        raise TypeMismatchError(
            f"The function '{call.name}' takes properties of type '{kind}', not '{call.term.kind}'."
        )
    return call.term.sql


def _other(function: Function) -> Function:
    return lambda call: sa.not_(function(call))


IDENTITY: dict[str, Function] = {
    "EqualUserId": _user,
    "NotEqualUserId": _other(_user),
    "EqualBusinessId": _business_unit,
    "NotEqualBusinessId": _other(_business_unit),
    "EqualUserOrUserHierarchy": _user,
    "EqualUserOrUserHierarchyAndTeams": _user,
    "EqualUserOrUserTeams": _user,
    "EqualUserTeams": _no_team,
    "EqualUserLanguage": _language,
}
