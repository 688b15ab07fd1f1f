"""Definitions of tables, columns, keys, relationships and option sets (protocol 1.8)."""

from typing import Any

import httpx
import pytest

ACCOUNT = "EntityDefinitions(LogicalName='account')"
CRM = "Microsoft.Dynamics.CRM"


def value(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def one(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.protocol("metadata: entity definitions", "D")
def test_tables_are_found_by_name_and_by_id(dataverse: httpx.Client) -> None:
    select = (
        "$select=LogicalName,SchemaName,EntitySetName,ObjectTypeCode,PrimaryIdAttribute,ChangeTrackingEnabled"
    )
    [found] = value(dataverse, f"EntityDefinitions?{select}&$filter=LogicalName eq 'account'")
    assert (found["EntitySetName"], found["PrimaryIdAttribute"]) == ("accounts", "accountid")
    assert (found["SchemaName"], found["ObjectTypeCode"]) == ("Account", 1)
    assert found["ChangeTrackingEnabled"] is True
    single = one(dataverse, f"{ACCOUNT}?{select}")
    columns = select.removeprefix("$select=")
    assert single.pop("@odata.context").endswith(f"/$metadata#EntityDefinitions({columns})/$entity")
    assert single == found
    below = one(dataverse, f"{ACCOUNT}/Attributes?$select=LogicalName")["@odata.context"]
    assert below.endswith("/$metadata#EntityDefinitions('account')/Attributes(LogicalName)")
    assert one(dataverse, f"EntityDefinitions({found['MetadataId']})")["LogicalName"] == "account"
    assert one(dataverse, f"{ACCOUNT}/SchemaName")["value"] == "Account"
    assert dataverse.get("EntityDefinitions(LogicalName='unicorn')").status_code == 404
    assert dataverse.post("EntityDefinitions", json={}).status_code == 405
    unknown = dataverse.get("EntityDefinitions?$select=Unicorn").json()["error"]["message"]
    assert unknown == f"Could not find a property named 'Unicorn' on type '{CRM}.EntityMetadata'."


@pytest.mark.protocol("metadata: not paged", "D")
def test_all_tables_come_in_one_page(dataverse: httpx.Client) -> None:
    answer = dataverse.get("EntityDefinitions?$count=true", headers={"Prefer": "odata.maxpagesize=2"}).json()
    assert "@odata.nextLink" not in answer
    sets = {each["name"] for each in value(dataverse, "") if not each["name"].endswith("Definitions")}
    assert {each["EntitySetName"] for each in answer["value"]} == sets
    assert answer["@odata.count"] == len(sets) == int(dataverse.get("EntityDefinitions/$count").text)
    assert dataverse.get("EntityDefinitions/$count?$filter=LogicalName eq 'account'").text == "1"
    codes = [each["ObjectTypeCode"] for each in answer["value"]]
    assert len(set(codes)) == len(codes)


@pytest.mark.protocol("metadata: not paged", "L")
@pytest.mark.parametrize("option", ["$top=1", "$orderby=LogicalName", "$skip=1"])
def test_options_that_definitions_do_not_take(dataverse: httpx.Client, option: str) -> None:
    refused = dataverse.get(f"EntityDefinitions?{option}")
    error = refused.json()["error"]
    name = option.partition("=")[0]
    expected = (400, "0x80060888", f"The query parameter {name} is not supported")
    assert (refused.status_code, error["code"], error["message"]) == expected


@pytest.mark.protocol("metadata: enum literal", "D")
@pytest.mark.protocol("metadata: complex path", "D")
def test_filters_by_enum_literal_and_complex_path(dataverse: httpx.Client) -> None:
    def names(condition: str) -> set[str]:
        return {
            each["LogicalName"]
            for each in value(dataverse, f"EntityDefinitions?$select=LogicalName&$filter={condition}")
        }

    owned = f"OwnershipType eq {CRM}.OwnershipTypes'UserOwned'"
    flags = "CanCreateAttributes/Value eq true and IsCustomizable/Value ne false"
    everything = names("ChangeTrackingEnabled eq true or ChangeTrackingEnabled eq false")
    assert "account" in names(f"{owned} and {flags}")
    assert names(owned) | names(f"not ({owned})") == everything
    assert "systemuser" in names(f"OwnershipType eq {CRM}.OwnershipTypes'OrganizationOwned'")
    assert names("LogicalName in ('account','uom')") == {"account", "uom"}
    assert "msdyn_project" in names("IsCustomEntity eq true")
    assert names("ObjectTypeCode eq 1 and IsIntersect eq false") == {"account"}


@pytest.mark.protocol("metadata: entity definitions", "L")
def test_functions_are_refused_in_filters_of_definitions(dataverse: httpx.Client) -> None:
    refused = dataverse.get("EntityDefinitions?$filter=startswith(LogicalName,'msdyn')")
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "0x8006088a")
    assert error["message"] == 'The "startswith" function isn\'t supported for Metadata Entities.'


@pytest.mark.protocol("metadata: attributes", "D")
def test_columns_and_their_types(dataverse: httpx.Client) -> None:
    columns = {each["LogicalName"]: each for each in value(dataverse, f"{ACCOUNT}/Attributes")}
    kinds = {name: each["AttributeType"] for name, each in columns.items()}
    assert (kinds["accountid"], kinds["creditlimit"], kinds["name"]) == (
        "Uniqueidentifier",
        "Money",
        "String",
    )
    assert (kinds["msdyn_company"], kinds["statecode"], kinds["ownerid"]) == ("Lookup", "State", "Owner")
    assert (columns["name"]["@odata.type"], columns["name"]["IsPrimaryName"]) == (
        f"#{CRM}.StringAttributeMetadata",
        True,
    )
    assert columns["accountid"]["RequiredLevel"]["Value"] == "SystemRequired"
    assert columns["ownerid"]["Targets"] == ["systemuser", "team"]
    assert (columns["createdon"]["SchemaName"], columns["createdon"]["IsValidForCreate"]) == (
        "CreatedOn",
        False,
    )
    select = "$select=LogicalName,AttributeType"
    [name] = value(dataverse, f"{ACCOUNT}/Attributes?{select}&$filter=LogicalName eq 'name'")
    assert set(name) == {"@odata.type", "LogicalName", "AttributeType", "MetadataId"}
    assert one(dataverse, f"{ACCOUNT}/Attributes(LogicalName='name')")["MaxLength"] == 160
    # What only some types have needs a cast.
    assert dataverse.get(f"{ACCOUNT}/Attributes?$select=MaxLength").status_code == 400
    assert dataverse.get(f"{ACCOUNT}/Attributes(LogicalName='unicorn')").status_code == 404


CASTS = {
    "String": {"MaxLength", "FormatName", "Format"},
    "Memo": {"MaxLength"},
    "Integer": {"MinValue", "MaxValue", "Format"},
    "BigInt": {"MinValue", "MaxValue"},
    "Decimal": {"Precision", "MinValue", "MaxValue"},
    "Double": {"Precision", "MinValue", "MaxValue"},
    "Money": {"Precision", "PrecisionSource"},
    "Boolean": {"DefaultValue"},
    "DateTime": {"DateTimeBehavior", "Format"},
    "Picklist": {"DefaultFormValue"},
    "State": {"DefaultFormValue"},
    "Status": {"DefaultFormValue"},
    "MultiSelectPicklist": {"DefaultFormValue"},
    "Lookup": {"Targets"},
    "UniqueIdentifier": {"LogicalName"},
}


@pytest.mark.protocol("metadata: casts", "D")
def test_casts_give_the_columns_of_one_type_with_what_only_they_have(dataverse: httpx.Client) -> None:
    seen = set()
    for table in ("account", "msdyn_project", "product"):
        place = f"EntityDefinitions(LogicalName='{table}')/Attributes"
        kinds: dict[str, set[str]] = {}
        for each in value(dataverse, place):
            kinds.setdefault(each["@odata.type"].removeprefix(f"#{CRM}."), set()).add(each["LogicalName"])
        for cast, properties in CASTS.items():
            select = ",".join(sorted(properties | {"LogicalName"}))
            found = value(dataverse, f"{place}/{CRM}.{cast}AttributeMetadata?$select={select}")
            assert {each["LogicalName"] for each in found} == kinds.get(f"{cast}AttributeMetadata", set())
            assert all(set(each) == properties | {"LogicalName", "MetadataId"} for each in found)
            seen |= {cast} if found else set()
    assert value(dataverse, f"{ACCOUNT}/Attributes/{CRM}.ImageAttributeMetadata") == []
    assert dataverse.get(f"{ACCOUNT}/Attributes/{CRM}.UnicornAttributeMetadata").status_code == 404
    assert seen >= {
        "String",
        "Memo",
        "Integer",
        "Decimal",
        "Money",
        "Boolean",
        "DateTime",
        "Picklist",
        "Lookup",
    }


@pytest.mark.protocol("metadata: option sets", "D")
def test_option_sets(dataverse: httpx.Client) -> None:
    project = "EntityDefinitions(LogicalName='msdyn_project')/Attributes"
    expand = "$select=LogicalName&$expand=OptionSet($select=Options),GlobalOptionSet"
    picklists = value(dataverse, f"{project}/{CRM}.PicklistAttributeMetadata?{expand}")
    assert picklists and all(each["OptionSet"]["Options"] for each in picklists)
    [state] = value(dataverse, f"{project}/{CRM}.StateAttributeMetadata?{expand}")
    labels = {each["Value"]: each["Label"] for each in state["OptionSet"]["Options"]}
    assert labels[0]["UserLocalizedLabel"]["Label"] == labels[0]["LocalizedLabels"][0]["Label"] == "Active"
    [status] = value(dataverse, f"{project}/{CRM}.StatusAttributeMetadata?$expand=OptionSet")
    assert {each["Value"]: each["State"] for each in status["OptionSet"]["Options"]}[2] == 1
    two = f"{ACCOUNT}/Attributes(LogicalName='donotemail')/{CRM}.BooleanAttributeMetadata"
    sets = one(dataverse, f"{two}?$expand=OptionSet($select=TrueOption,FalseOption)")["OptionSet"]
    assert (sets["TrueOption"]["Value"], sets["FalseOption"]["Value"]) == (1, 0)
    below = one(dataverse, f"{project}(LogicalName='statecode')/{CRM}.StateAttributeMetadata/OptionSet")
    assert below["Options"] == state["OptionSet"]["Options"]
    assert dataverse.get(f"{project}?$expand=OptionSet").status_code == 400


@pytest.mark.protocol("metadata: option sets", "?")
def test_global_option_sets_are_those_that_tables_share(dataverse: httpx.Client) -> None:
    names = [each["Name"] for each in value(dataverse, "GlobalOptionSetDefinitions?$select=Name")]
    assert "msdyn_transactiontypecode" in names
    found = one(dataverse, "GlobalOptionSetDefinitions(Name='msdyn_transactiontypecode')")
    assert found["IsGlobal"] is True and {"Cost", "Project Contract"} <= {
        each["Label"]["UserLocalizedLabel"]["Label"] for each in found["Options"]
    }
    column = (
        "EntityDefinitions(LogicalName='msdyn_actual')/Attributes(LogicalName='msdyn_transactiontypecode')"
    )
    expand = "$expand=OptionSet($select=Name,IsGlobal),GlobalOptionSet($select=Name)"
    shared = one(dataverse, f"{column}/{CRM}.PicklistAttributeMetadata?$select=LogicalName&{expand}")
    assert shared["GlobalOptionSet"]["Name"] == shared["OptionSet"]["Name"] == "msdyn_transactiontypecode"


@pytest.mark.protocol("metadata: date behaviour", "D")
def test_date_behaviour(dataverse: httpx.Client) -> None:
    place = "EntityDefinitions(LogicalName='msdyn_timeentry')/Attributes"
    select = "$select=LogicalName,DateTimeBehavior,Format"
    dates = value(dataverse, f"{place}/{CRM}.DateTimeAttributeMetadata?{select}")
    behaviours = {each["LogicalName"]: each["DateTimeBehavior"]["Value"] for each in dates}
    assert behaviours["createdon"] == "UserLocal"
    assert set(behaviours.values()) <= {"UserLocal", "DateOnly", "TimeZoneIndependent"}


@pytest.mark.protocol("metadata: keys", "D")
def test_alternate_keys(dataverse: httpx.Client) -> None:
    key, short = value(dataverse, f"{ACCOUNT}/Keys")
    assert key["KeyAttributes"] == ["accountnumber", "msdyn_company"]
    assert short["KeyAttributes"] == ["accountnumber"]
    assert (key["EntityLogicalName"], key["EntityKeyIndexStatus"]) == ("account", "Active")
    [table] = value(
        dataverse,
        "EntityDefinitions?$filter=LogicalName eq 'account'&$expand=Keys($select=KeyAttributes)",
    )
    assert table["Keys"][0]["KeyAttributes"] == key["KeyAttributes"]


@pytest.mark.protocol("metadata: relationships", "D")
def test_relationships_of_both_sides(dataverse: httpx.Client) -> None:
    links = value(dataverse, f"{ACCOUNT}/ManyToOneRelationships")
    [company] = [link for link in links if link["ReferencingAttribute"] == "msdyn_company"]
    assert company["ReferencedEntity"] == "cdm_company"
    assert company["ReferencingEntityNavigationPropertyName"] == "msdyn_company"
    other = "EntityDefinitions(LogicalName='cdm_company')/OneToManyRelationships"
    [same] = value(dataverse, f"{other}?$filter=ReferencingEntity eq 'account'")
    assert same == company
    by_name = one(dataverse, f"RelationshipDefinitions(SchemaName='{company['SchemaName']}')")
    assert by_name["@odata.type"] == f"#{CRM}.OneToManyRelationshipMetadata"
    assert "@odata.type" not in company
    cast = f"RelationshipDefinitions/{CRM}.OneToManyRelationshipMetadata"
    [again] = value(dataverse, f"{cast}?$filter=SchemaName eq '{company['SchemaName']}'")
    assert again == company
    assert value(dataverse, f"{ACCOUNT}/ManyToManyRelationships") == []
    # The name is that of the rows' own navigation property.
    made = dataverse.post("cdm_companies", json={"cdm_name": "A", "cdm_companycode": "USPM"}).headers
    listed = f"{made['OData-EntityId']}/{company['ReferencedEntityNavigationPropertyName']}"
    assert value(dataverse, listed) == []


@pytest.mark.protocol("metadata: managed properties", "D")
@pytest.mark.protocol("metadata: labels", "D")
def test_managed_properties_and_labels(dataverse: httpx.Client) -> None:
    table = one(dataverse, ACCOUNT)
    assert table["IsCustomizable"] == {
        "Value": True,
        "CanBeChanged": True,
        "ManagedPropertyLogicalName": "iscustomizable",
    }
    label = table["DisplayName"]
    assert label["UserLocalizedLabel"] == label["LocalizedLabels"][0]
    assert (label["UserLocalizedLabel"]["Label"], label["UserLocalizedLabel"]["LanguageCode"]) == (
        "Account",
        1033,
    )
    assert {"HasNotes", "IsActivity", "IsIntersect", "IsPrivate", "DataProviderId", "TableType"} <= set(table)


@pytest.mark.protocol("metadata: entity definitions", "D")
def test_parts_are_expanded_with_options_of_their_own(dataverse: httpx.Client) -> None:
    inner = "$select=LogicalName,AttributeType;$filter=IsPrimaryName eq true"
    expand = f"Attributes({inner}),Keys($select=KeyAttributes),ManyToOneRelationships($select=SchemaName)"
    table = one(dataverse, f"{ACCOUNT}?$select=LogicalName&$expand={expand}")
    assert [each["LogicalName"] for each in table["Attributes"]] == ["name"]
    assert set(table["Keys"][0]) == {"KeyAttributes", "MetadataId"}
    assert table["ManyToOneRelationships"]
    assert dataverse.get(f"{ACCOUNT}?$expand=Unicorns").status_code == 400
