"""Unbound functions: who asks, which environment this is, how many rows there are."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import sqlalchemy as sa
from odata_query import ast

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import NAMESPACE
from sandbox.dataverse.errors import INVALID_ARGUMENT, bad_request, method_not_allowed
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.grammar import parse_filter

_Function: TypeAlias = Callable[[Api, Request, str], Response]

_VERSION = "9.2.26083.00153"


def who_am_i(api: Api, request: Request, _argument: str) -> Response:
    """`WhoAmI` and `WhoAmI()`: user, business unit and organization."""
    return json_response(
        200,
        {
            "@odata.context": f"{request.root}$metadata#{NAMESPACE}.WhoAmIResponse",
            "BusinessUnitId": api.business_unit_id,
            "UserId": api.user_id,
            "OrganizationId": api.organization_id,
        },
    )


def current_organization(api: Api, request: Request, _argument: str) -> Response:
    """`RetrieveCurrentOrganization(AccessType=...)`: the environment's identity."""
    detail = {
        "OrganizationId": api.organization_id,
        "FriendlyName": "Project Operations sandbox",
        "OrganizationVersion": _VERSION,
        "EnvironmentId": api.organization_id,
        "UrlName": "sandbox",
        "UniqueName": "sandbox",
        "State": "Enabled",
    }
    context = f"{request.root}$metadata#{NAMESPACE}.RetrieveCurrentOrganizationResponse"
    return json_response(200, {"@odata.context": context, "Detail": detail})


def version(_api: Api, request: Request, _argument: str) -> Response:
    """`RetrieveVersion()`: the version that the sandbox speaks for."""
    context = f"{request.root}$metadata#{NAMESPACE}.RetrieveVersionResponse"
    return json_response(200, {"@odata.context": context, "Version": _VERSION})


def total_record_count(api: Api, request: Request, argument: str) -> Response:
    """`RetrieveTotalRecordCount(EntityNames=['account'])`: rows of whole tables, here always exact.

    Raises:
        ApiError: When the argument is no list of known logical names.
        ODataError: When the argument cannot be read.
    """
    names = _names(argument.partition("=")[2].strip(), request)
    if not names or not all(name in api.entities.by_name for name in names):
        raise bad_request("EntityNames must be a list of logical names of tables.", INVALID_ARGUMENT)
    with api.store.read() as connection:
        counts = [
            connection.execute(
                sa.select(sa.func.count()).select_from(api.entities.by_name[name].sql)
            ).scalar_one()
            for name in names
        ]
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    context = f"{request.root}$metadata#{NAMESPACE}.RetrieveTotalRecordCountResponse"
    return json_response(200, {"@odata.context": context, "EntityRecordCountCollection": collection})


def languages(_api: Api, request: Request, _argument: str) -> Response:
    """`RetrieveAvailableLanguages()`: LCIDs of the languages that labels are in [C]."""
    context = f"{request.root}$metadata#{NAMESPACE}.RetrieveAvailableLanguagesResponse"
    return json_response(200, {"@odata.context": context, "LocaleIds": [1033]})


def _names(text: str, request: Request) -> list[str]:
    """The texts of a list, given where it stands or by an alias; none where it is no list."""
    if not text:
        return []
    node = parse_filter(request.options.get(text, "") if text.startswith("@") else text)
    items = node.val if isinstance(node, ast.List) else []
    return [item.val for item in items if isinstance(item, ast.String)]


def _asked(function: _Function) -> _Function:
    """Let a function answer GET alone."""

    def answer(api: Api, request: Request, argument: str) -> Response:
        if request.method != "GET":
            raise method_not_allowed(request.method, request.path)
        return function(api, request, argument)

    return answer


FUNCTIONS: Mapping[str, _Function] = {
    "WhoAmI": _asked(who_am_i),
    "RetrieveCurrentOrganization": _asked(current_organization),
    "RetrieveVersion": _asked(version),
    "RetrieveAvailableLanguages": _asked(languages),
    "RetrieveTotalRecordCount": _asked(total_record_count),
}
