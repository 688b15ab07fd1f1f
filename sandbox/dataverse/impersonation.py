"""On whose behalf a request acts: `CallerObjectId` and `MSCRMCallerID` (protocol 1.7).

The user is a row of `systemusers`, and what the request writes bears that user as creator, modifier and
owner. Privileges are what the user's access mode grants: one who may only read writes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.errors import (
    INVALID_ARGUMENT,
    bad_request,
    privilege_missing,
    user_disabled,
    user_unknown,
)
from sandbox.dataverse.wire import Request

# Header and the column of systemuser by which it names the user; the preferred one first [D].
_HEADERS = {"callerobjectid": "azureactivedirectoryobjectid", "mscrmcallerid": "systemuserid"}
_MAY_ONLY_READ = 2
_PRIVILEGES = {"POST": "Create", "PATCH": "Write", "PUT": "Write", "DELETE": "Delete"}


def acting(api: Api, request: Request) -> Api:
    """Return the environment as the user sees it on whose behalf the request acts.

    Raises:
        ApiError: 400 when the header is no GUID, 404 when there is no such user, 403 when the user is
            disabled or may not write.
    """
    for header, column in _HEADERS.items():
        if header in request.headers:
            user = _user(api, column, request.headers[header])
            _check_privilege(user, request)
            unit = user["businessunitid"] or api.business_unit_id
            writer = replace(api.writer, user_id=user["systemuserid"], business_unit_id=unit)
            return replace(api, user_id=user["systemuserid"], business_unit_id=unit, writer=writer)
    return api


def _user(api: Api, column: str, given: str) -> Mapping[str, Any]:
    try:
        wanted = str(UUID(given.strip()))
    except ValueError:
        raise bad_request(
            f"The id of the user to act for is no GUID: '{given[:50]}'.", INVALID_ARGUMENT
        ) from None
    users = api.entities.by_name["systemuser"].sql
    with api.store.read() as connection:
        row = connection.execute(sa.select(users).where(users.c[column] == wanted)).mappings().first()
    if row is None:
        raise user_unknown(wanted)
    return dict(row)


def _check_privilege(user: Mapping[str, Any], request: Request) -> None:
    if user["isdisabled"]:
        raise user_disabled(user["systemuserid"])
    if user["accessmode"] == _MAY_ONLY_READ and request.method in _PRIVILEGES:
        place = request.path.partition("(")[0].partition("/")[0]
        raise privilege_missing(user["systemuserid"], _PRIVILEGES[request.method], place)
