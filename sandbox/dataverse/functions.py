"""Unbound functions: who asks, which environment this is, how many rows there are."""

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import NAMESPACE
from sandbox.dataverse.errors import INVALID_ARGUMENT, bad_request
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.wire import loads

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
    text = argument.partition("=")[2]
    if text.startswith("@"):
        text = request.options.get(text, "")
    names = loads(text.replace("'", '"').encode()) if text else []
    if not isinstance(names, list) or not all(
        isinstance(name, str) and name in api.entities.by_name for name in names
    ):
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


FUNCTIONS: Mapping[str, Callable[[Api, Request, str], Response]] = {
    "WhoAmI": who_am_i,
    "RetrieveCurrentOrganization": current_organization,
    "RetrieveVersion": version,
    "RetrieveAvailableLanguages": languages,
    "RetrieveTotalRecordCount": total_record_count,
}
