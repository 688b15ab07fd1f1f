"""What an environment has rows of by itself, whatever it is filled with.

Its organization, the root business unit with its default team, the application user behind every token,
the default solution and its publisher, and which SDK messages there are for which table; of Finance, the list
of entities of data management.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa

from sandbox.data.firm import Row, guid
from sandbox.finance.metadata.categories import category_of
from sandbox.schema.model import Table
from sandbox.store import Store

_TABLE_MESSAGES = ("Create", "Update", "Delete", "Retrieve", "RetrieveMultiple")
_BULK_MESSAGES = ("CreateMultiple", "UpdateMultiple")
# UpsertMultiple has no filter: a table with the other two supports it (protocol 0.5 [D]).
_OTHER_MESSAGES = ("Upsert", "UpsertMultiple", "BulkDelete", "WhoAmI", "RetrieveTotalRecordCount")
_ENTITIES = "DataManagementEntities"
_ENGLISH = 1033
_DELTA_TOKEN_DAYS = 7
_NON_INTERACTIVE = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, and where: ids that follow from the environment's own and stay for its life.

    Attributes:
        organization_id: Id of the organization, the environment's own.
        user_id: Id of the application user.
        business_unit_id: Id of the root business unit.
        team_id: Id of its default team.
    """

    organization_id: str
    user_id: str
    business_unit_id: str
    team_id: str


def identity(environment_id: str) -> Identity:
    """Return the identity of an environment."""
    environment = uuid.UUID(environment_id)
    names = ("application user", "business unit", "default team")
    return Identity(environment_id, *(str(uuid.uuid5(environment, name)) for name in names))


def ensure_environment(store: Store) -> None:
    """Insert the environment's own rows unless they are there."""
    with store.read() as connection:
        organization = store.sql(store.dataverse["organization"])
        if connection.execute(sa.select(organization.c.organizationid).limit(1)).scalar() is not None:
            return
    rows = {**_directory(identity(store.environment_id)), **_customization(), **_messages(store)}
    for table, some in rows.items():
        store.bulk_insert(store.dataverse[table], some)
    store.bulk_insert(store.finance[_ENTITIES], [_entity(table) for table in store.finance.values()])


def _entity(table: Table) -> Row:
    """Return the row by which Finance's data management knows an entity."""
    return {
        "EntityName": table.label,
        "TargetEntity": table.entity_type,
        "EntityCategory": category_of(table.name),
        "IsShared": "Yes" if table.company_column is None else "No",
    }


def _directory(who: Identity) -> dict[str, list[Row]]:
    audit: Row = {"createdby": who.user_id, "modifiedby": who.user_id}
    organization: Row = {
        "organizationid": who.organization_id,
        "name": "sandbox",
        "languagecode": _ENGLISH,
        "localeid": _ENGLISH,
        "pricingdecimalprecision": 2,
        "currencydecimalprecision": 2,
        "expirechangetrackingindays": _DELTA_TOKEN_DAYS,
    }
    unit: Row = {
        "businessunitid": who.business_unit_id,
        "name": "sandbox",
        "organizationid": who.organization_id,
    }
    team: Row = {
        "teamid": who.team_id,
        "name": "sandbox",
        "businessunitid": who.business_unit_id,
        "administratorid": who.user_id,
        "organizationid": who.organization_id,
        "isdefault": True,
    }
    user: Row = {
        "systemuserid": who.user_id,
        "fullname": "# Sandbox application",
        "firstname": "#",
        "lastname": "Sandbox application",
        "domainname": "application@sandbox.example",
        "internalemailaddress": "application@sandbox.example",
        "applicationid": guid("application", "sandbox-client"),
        "azureactivedirectoryobjectid": guid("service principal", "sandbox-client"),
        "businessunitid": who.business_unit_id,
        "organizationid": who.organization_id,
        "accessmode": _NON_INTERACTIVE,
    }
    rows = {"organization": organization, "businessunit": unit, "team": team, "systemuser": user}
    return {table: [row | audit] for table, row in rows.items()}


def _customization() -> dict[str, list[Row]]:
    publisher_id = guid("publisher", "DefaultPublishersandbox")
    publisher: Row = {
        "publisherid": publisher_id,
        "uniquename": "DefaultPublishersandbox",
        "friendlyname": "Default Publisher for sandbox",
        "customizationprefix": "new",
        "customizationoptionvalueprefix": 10_000,
    }
    solution: Row = {
        "solutionid": guid("solution", "Default"),
        "uniquename": "Default",
        "friendlyname": "Default Solution",
        "version": "1.0",
        "publisherid": publisher_id,
    }
    return {"publisher": [publisher], "solution": [solution]}


def _messages(store: Store) -> dict[str, list[Row]]:
    return {"sdkmessage": list(_sdk_messages()), "sdkmessagefilter": list(_filters(tuple(store.dataverse)))}


def _sdk_messages() -> Iterator[Row]:
    for name in (*_TABLE_MESSAGES, *_BULK_MESSAGES, *_OTHER_MESSAGES):
        yield {"sdkmessageid": guid("sdkmessage", name), "name": name}


@lru_cache(maxsize=1)
def _filters(tables: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple(
        {
            "sdkmessagefilterid": guid("sdkmessagefilter", f"{message}/{table}"),
            "sdkmessageid": guid("sdkmessage", message),
            "primaryobjecttypecode": table,
            "secondaryobjecttypecode": "none",
        }
        for table in tables
        for message in (*_TABLE_MESSAGES, *_BULK_MESSAGES)
    )
