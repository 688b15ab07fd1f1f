"""What the Web API says about itself (protocol 1.8): the service, its document, and who asks."""

import httpx
import pytest

from tests.contract.csdl import EDM, dangling, read_csdl
from tests.contract.process import Sandbox


@pytest.mark.protocol("metadata: WhoAmI", "R")
def test_who_am_i_in_each_spelling_names_rows_that_are_there(dataverse: httpx.Client) -> None:
    answers = [
        dataverse.get(path).json() for path in ("WhoAmI", "WhoAmI()", "Microsoft.Dynamics.CRM.WhoAmI()")
    ]
    ids = [(each["UserId"], each["BusinessUnitId"], each["OrganizationId"]) for each in answers]
    assert len(set(ids)) == 1
    user, unit, organization = ids[0]
    row = dataverse.get(f"systemusers({user})?$expand=businessunitid($select=name)").json()
    assert (row["_businessunitid_value"], row["isdisabled"]) == (unit, False)
    assert row["businessunitid"]["name"]
    days = dataverse.get(f"organizations({organization})?$select=expirechangetrackingindays").json()
    assert days["expirechangetrackingindays"] == 7
    assert dataverse.get(f"businessunits({unit})?$select=name").status_code == 200


@pytest.mark.protocol("metadata: WhoAmI", "D")
def test_rows_belong_to_users_and_teams(dataverse: httpx.Client) -> None:
    user = dataverse.get("WhoAmI").json()["UserId"]
    [team] = dataverse.get("teams?$select=name&$filter=isdefault eq true").json()["value"]
    headers = {"Prefer": "return=representation"}
    for owner in (f"/systemusers({user})", f"/teams({team['teamid']})"):
        body = {"name": "A", "ownerid@odata.bind": owner}
        made = dataverse.post("accounts", json=body, headers=headers).json()
        assert made["_ownerid_value"] in owner
    nobody = {"name": "A", "ownerid@odata.bind": "/systemusers(11111111-2222-3333-4444-555555555555)"}
    assert dataverse.post("accounts", json=nobody).status_code == 404


def test_the_environment_keeps_its_id(dataverse: httpx.Client, control: httpx.Client) -> None:
    before = dataverse.get("WhoAmI").json()["OrganizationId"]
    control.post("/sandbox/reset", json={"seed": "demo"})
    assert dataverse.get("WhoAmI").json()["OrganizationId"] == before
    detail = dataverse.get(
        "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
    )
    assert detail.json()["Detail"]["OrganizationId"] == before
    assert len(dataverse.get("organizations?$select=name").json()["value"]) == 1


@pytest.mark.protocol("metadata: service document", "D")
def test_service_document(dataverse: httpx.Client, sandbox: Sandbox) -> None:
    body = dataverse.get("").json()
    assert body["@odata.context"] == f"{sandbox.dataverse}/api/data/v9.2/$metadata"
    assert {"name": "accounts", "kind": "EntitySet", "url": "accounts"} in body["value"]
    assert {"EntityDefinitions", "systemusers", "sdkmessagefilters"} <= {
        each["name"] for each in body["value"]
    }
    refused = dataverse.post("", json={})
    assert (refused.status_code, "error" in refused.json()) == (405, True)


@pytest.mark.protocol("metadata: RetrieveTotalRecordCount", "D")
def test_total_record_count(dataverse: httpx.Client) -> None:
    dataverse.post("accounts", json={"name": "A"})
    body = dataverse.get("RetrieveTotalRecordCount(EntityNames=['account','uom'])").json()
    collection = body["EntityRecordCountCollection"]
    assert dict(zip(collection["Keys"], collection["Values"], strict=True)) == {"account": 1, "uom": 0}


def test_languages(dataverse: httpx.Client) -> None:
    for spelling in ("RetrieveAvailableLanguages", "RetrieveAvailableLanguages()"):
        assert dataverse.get(spelling).json()["LocaleIds"] == [1033]


@pytest.mark.protocol("metadata: sdk message filters", "D")
def test_sdk_message_filters_say_which_tables_take_bulk_messages(dataverse: httpx.Client) -> None:
    messages = "sdkmessageid/name eq 'CreateMultiple' or sdkmessageid/name eq 'UpdateMultiple'"
    table = f"({messages} or sdkmessageid/name eq 'UpsertMultiple') and primaryobjecttypecode eq 'account'"
    query = (
        f"sdkmessagefilters?$select=primaryobjecttypecode&$expand=sdkmessageid($select=name)&$filter={table}"
    )
    found = dataverse.get(query).json()["value"]
    names = sorted(each["sdkmessageid"]["name"] for each in found)
    # UpsertMultiple is not listed: a table that has the other two supports it.
    assert names == ["CreateMultiple", "UpdateMultiple"]
    [upsert] = dataverse.get("sdkmessages?$select=name&$filter=name eq 'UpsertMultiple'").json()["value"]
    assert upsert["name"] == "UpsertMultiple"


@pytest.mark.protocol("metadata: csdl", "D")
def test_csdl_describes_every_table_and_names_nothing_that_is_not_there(dataverse: httpx.Client) -> None:
    answer = dataverse.get("$metadata", headers={"Accept": "application/xml"})
    assert answer.headers["content-type"].startswith("application/xml")
    document = read_csdl(answer.content)
    assert (document.schema.get("Namespace"), document.schema.get("Alias")) == (
        "Microsoft.Dynamics.CRM",
        "mscrm",
    )
    assert dangling(document) == []
    service = dataverse.get("").json()["value"]
    tables = {each["name"] for each in service if not each["name"].endswith("Definitions")}
    assert {each.get("Name") for each in document.schema.iter(f"{EDM}EntitySet")} == tables
    types = {each.get("Name"): each.get("Type") for each in document.entity_type("account")}
    assert (types["accountid"], types["creditlimit"], types["name"]) == (
        "Edm.Guid",
        "Edm.Decimal",
        "Edm.String",
    )
    assert (types["_msdyn_company_value"], types["msdyn_company"]) == ("Edm.Guid", "mscrm.cdm_company")
    operations = {
        each.get("Name") for each in document.schema if each.tag in {f"{EDM}Action", f"{EDM}Function"}
    }
    assert {"CreateMultiple", "UpdateMultiple", "UpsertMultiple", "BulkDelete", "WhoAmI"} <= operations
    assert {"LastXDays", "In", "Under"} <= operations
    assert b"ChangeTracking" not in answer.content


@pytest.mark.protocol("tracking: capability", "D")
def test_annotations_say_which_sets_track_changes(dataverse: httpx.Client) -> None:
    document = read_csdl(dataverse.get("$metadata?annotations=true").content)
    assert dangling(document) == []

    def tracked(name: str) -> str | None:
        term = "Org.OData.Capabilities.V1.ChangeTracking"
        place = f"{EDM}Annotation[@Term='{term}']/{EDM}Record/{EDM}PropertyValue[@Property='Supported']"
        value = document.entity_set(name).find(place)
        return None if value is None else value.get("Bool")

    assert (tracked("accounts"), tracked("sdkmessages")) == ("true", "false")
    started = dataverse.get("sdkmessages?$select=name", headers={"Prefer": "odata.track-changes"})
    assert started.status_code == 400


@pytest.mark.protocol("metadata: csdl", "D")
def test_navigation_properties_of_csdl_lead_where_the_rows_lead(dataverse: httpx.Client) -> None:
    document = read_csdl(dataverse.get("$metadata").content)
    ways = document.entity_type("account").findall(f"{EDM}NavigationProperty")
    names = [way.attrib["Name"] for way in (*ways[:6], *ways[-6:])]
    made = dataverse.post("accounts", json={"name": "A"}).headers["OData-EntityId"]
    row = dataverse.get(f"{made}?$select=name&$expand={','.join(names)}").json()
    assert set(names) <= set(row), row


@pytest.mark.protocol("metadata: csdl", "D")
def test_operations_of_csdl_are_those_that_answer(dataverse: httpx.Client) -> None:
    document = read_csdl(dataverse.get("$metadata").content)
    functions = {each.get("Name") for each in document.schema.iter(f"{EDM}FunctionImport")}
    assert {"WhoAmI", "RetrieveTotalRecordCount"} <= functions
    for name in functions:
        assert dataverse.get(f"{name}()").status_code in {200, 400}, name
    for each in document.schema.iter(f"{EDM}ActionImport"):
        assert dataverse.post(str(each.get("Name")), json={}).status_code == 400, each.get("Name")
    bound = {each.get("Name") for each in document.schema.findall(f"{EDM}Action") if each.get("IsBound")}
    for message in bound:
        answer = dataverse.post(f"accounts/Microsoft.Dynamics.CRM.{message}", json={"Targets": []})
        assert answer.status_code in {200, 204, 400}, message
