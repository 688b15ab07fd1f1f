"""Who asks, which environment, which tables (protocol 1.8)."""

import httpx
import pytest

from tests.contract.process import Sandbox


@pytest.mark.parametrize("spelling", ["WhoAmI", "WhoAmI()", "Microsoft.Dynamics.CRM.WhoAmI()"])
def test_who_am_i(dataverse: httpx.Client, spelling: str) -> None:
    body = dataverse.get(spelling).json()
    assert {"UserId", "BusinessUnitId", "OrganizationId"} <= set(body)


def test_the_environment_keeps_its_id(dataverse: httpx.Client, control: httpx.Client) -> None:
    before = dataverse.get("WhoAmI").json()["OrganizationId"]
    control.post("/sandbox/reset", json={"seed": "demo"})
    assert dataverse.get("WhoAmI").json()["OrganizationId"] == before
    detail = dataverse.get(
        "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
    )
    assert detail.json()["Detail"]["OrganizationId"] == before


def test_service_document(dataverse: httpx.Client, sandbox: Sandbox) -> None:
    body = dataverse.get("").json()
    assert body["@odata.context"] == f"{sandbox.dataverse}/api/data/v9.2/$metadata"
    assert {"name": "accounts", "kind": "EntitySet", "url": "accounts"} in body["value"]


def test_definitions(dataverse: httpx.Client) -> None:
    select = "$select=LogicalName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled"
    [found] = dataverse.get(f"EntityDefinitions?{select}&$filter=LogicalName eq 'account'").json()["value"]
    assert (found["EntitySetName"], found["PrimaryIdAttribute"]) == ("accounts", "accountid")
    assert found["ChangeTrackingEnabled"] is True
    single = dataverse.get(f"EntityDefinitions(LogicalName='account')?{select}").json()
    assert single["LogicalName"] == "account"
    owned = "OwnershipType eq Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'"
    flags = "CanCreateAttributes/Value eq true"
    listed = dataverse.get(f"EntityDefinitions?$select=LogicalName&$filter={owned} and {flags}").json()[
        "value"
    ]
    assert "account" in {item["LogicalName"] for item in listed}
    assert dataverse.get("EntityDefinitions(LogicalName='unicorn')").status_code == 404


def test_attributes_and_options(dataverse: httpx.Client) -> None:
    place = "EntityDefinitions(LogicalName='account')/Attributes"
    kinds = {item["LogicalName"]: item["AttributeType"] for item in dataverse.get(place).json()["value"]}
    assert (kinds["accountid"], kinds["creditlimit"], kinds["name"]) == (
        "Uniqueidentifier",
        "Money",
        "String",
    )
    assert (kinds["msdyn_company"], kinds["statecode"]) == ("Lookup", "State")
    picklists = dataverse.get(
        f"{place}/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)"
    ).json()["value"]
    assert all(item["OptionSet"]["Options"] is not None for item in picklists)
    dates = dataverse.get(
        f"{place}/Microsoft.Dynamics.CRM.DateTimeAttributeMetadata?$select=LogicalName,DateTimeBehavior"
    ).json()["value"]
    assert {item["DateTimeBehavior"]["Value"] for item in dates} <= {
        "UserLocal",
        "DateOnly",
        "TimeZoneIndependent",
    }


def test_keys_and_relationships(dataverse: httpx.Client) -> None:
    [key] = dataverse.get("EntityDefinitions(LogicalName='account')/Keys").json()["value"]
    assert key["KeyAttributes"] == ["accountnumber", "msdyn_company"]
    links = dataverse.get("EntityDefinitions(LogicalName='account')/ManyToOneRelationships").json()["value"]
    [company] = [link for link in links if link["ReferencingAttribute"] == "msdyn_company"]
    assert company["ReferencedEntity"] == "cdm_company"
    assert company["ReferencingEntityNavigationPropertyName"] == "msdyn_company"
    expanded = dataverse.get(
        "EntityDefinitions(LogicalName='account')?$expand=Attributes($select=LogicalName)"
    ).json()
    assert {"LogicalName": "name"}.items() <= [
        item for item in expanded["Attributes"] if item["LogicalName"] == "name"
    ][0].items()


def test_total_record_count(dataverse: httpx.Client) -> None:
    dataverse.post("accounts", json={"name": "A"})
    body = dataverse.get("RetrieveTotalRecordCount(EntityNames=['account','uom'])").json()
    collection = body["EntityRecordCountCollection"]
    assert dict(zip(collection["Keys"], collection["Values"], strict=True)) == {"account": 1, "uom": 0}
