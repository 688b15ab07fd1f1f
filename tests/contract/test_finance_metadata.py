"""What Finance says about itself: `/data`, its CSDL, and the metadata service (protocol 2.1)."""

from typing import Any

import httpx
import pytest

from tests.contract.csdl import EDM, dangling, read_csdl

DATA = "Microsoft.Dynamics.DataEntities"


def value(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


@pytest.mark.protocol("finance metadata: csdl", "D")
def test_csdl_describes_every_set_and_names_nothing_that_is_not_there(finance: httpx.Client) -> None:
    answer = finance.get("/data/$metadata")
    assert answer.headers["content-type"].startswith("application/xml")
    document = read_csdl(answer.content)
    assert document.schema.get("Namespace") == DATA
    assert dangling(document) == []
    sets = {each["name"] for each in value(finance, "/data")}
    assert {"CustomersV3", "ProjectsV2", "DataManagementDefinitionGroups"} <= sets
    assert {each.get("Name") for each in document.schema.iter(f"{EDM}EntitySet")} == sets
    task = document.entity_type("ProjectTask")
    key = [part.get("Name") for part in task.findall(f"{EDM}Key/{EDM}PropertyRef")]
    assert key == ["dataAreaId", "ProjectId", "TaskId"]
    nullable = {each.get("Name"): each.get("Nullable") for each in task.findall(f"{EDM}Property")}
    assert nullable["TaskId"] == "false"
    members = document.types[f"{DATA}.NoYes"].findall(f"{EDM}Member")
    assert [(each.get("Name"), each.get("Value")) for each in members] == [("No", "0"), ("Yes", "1")]


@pytest.mark.protocol("finance metadata: csdl", "D")
def test_actions_of_csdl_are_those_that_answer(finance: httpx.Client) -> None:
    document = read_csdl(finance.get("/data/$metadata").content)
    actions = {each.attrib["Name"]: each for each in document.schema.findall(f"{EDM}Action")}
    assert {"ExportToPackage", "GetExecutionSummaryStatus", "GetAzureWriteUrl"} <= set(actions)
    for name, action in actions.items():
        bound, *parameters = action.findall(f"{EDM}Parameter")
        assert action.get("IsBound") == "true"
        if bound.get("Type") == f"Collection({DATA}.DataManagementDefinitionGroup)":
            body = dict.fromkeys((each.attrib["Name"] for each in parameters), "")
            answer = finance.post(f"/data/DataManagementDefinitionGroups/{DATA}.{name}", json=body)
            assert answer.status_code != 404, name


@pytest.mark.protocol("finance metadata: data entities", "L")
def test_data_entities(finance: httpx.Client) -> None:
    [found] = value(finance, "/Metadata/DataEntities?$filter=PublicEntityName eq 'CustomerV3'")
    assert {
        "Name": "CustCustomerV3Entity",
        "PublicCollectionName": "CustomersV3",
        "DataServiceEnabled": True,
        "DataManagementEnabled": True,
        "EntityCategory": "Master",
        "IsReadOnly": False,
    }.items() <= found.items()
    single = finance.get("/metadata/DataEntities('CustCustomerV3Entity')").json()
    assert single.pop("@odata.context").endswith("/metadata/$metadata#DataEntities/$entity")
    assert single == found
    master = "EntityCategory eq Microsoft.Dynamics.Metadata.EntityCategory'Master'"
    text = "contains(tolower(Name), 'customer')"
    some = value(
        finance, f"/Metadata/DataEntities?$select=Name&$filter={text} and {master} and IsReadOnly eq false"
    )
    assert {"Name": "CustCustomerV3Entity"} in some
    listed = finance.get("/Metadata/DataEntities?$top=2&$skip=1&$count=true").json()
    everything = value(finance, "/Metadata/DataEntities")
    assert (listed["value"], listed["@odata.count"]) == (everything[1:3], len(everything))
    assert {each["PublicCollectionName"] for each in everything} == {
        each["name"] for each in value(finance, "/data")
    }
    assert finance.get("/Metadata/DataEntities('Unicorn')").status_code == 404
    assert finance.get("/Metadata/DataEntities?$filter=Unicorn eq 1").status_code == 400
    assert finance.get("/Metadata/DataEntities?$select=Unicorn").status_code == 400
    assert finance.post("/Metadata/DataEntities", json={}).status_code == 405


@pytest.mark.protocol("finance metadata: public entities", "L")
def test_public_entities(finance: httpx.Client) -> None:
    entity = finance.get("/Metadata/PublicEntities('ProjectTask')").json()
    assert (entity["EntitySetName"], entity["IsReadOnly"]) == ("ProjectTasks", False)
    properties = {each["Name"]: each for each in entity["Properties"]}
    assert [name for name, each in properties.items() if each["IsKey"]] == [
        "dataAreaId",
        "ProjectId",
        "TaskId",
    ]
    assert (properties["TaskId"]["IsMandatory"], properties["TaskId"]["AllowEdit"]) == (True, False)
    assert {
        "TypeName",
        "DataType",
        "LabelId",
        "ConfigurationEnabled",
        "AllowEditOnCreate",
        "IsDimension",
    } <= set(properties["TaskId"])
    way = next(each for each in entity["NavigationProperties"] if each["Cardinality"] == "Single")
    assert {"Property": "ProjectId", "ReferencedProperty": "ProjectID"}.keys() <= way["Constraints"][0].keys()
    groups = finance.get("/Metadata/PublicEntities('DataManagementDefinitionGroup')").json()
    export = next(each for each in groups["Actions"] if each["Name"] == "ExportToPackage")
    assert export["BindingKind"] == "BoundToEntitySet"
    assert export["Parameters"][1] == {
        "Name": "definitionGroupId",
        "Type": {"TypeName": "Edm.String", "IsCollection": False},
    }
    enum = next(each for each in groups["Properties"] if each["DataType"] == "Enum")
    assert enum["TypeName"].startswith(f"{DATA}.")
    [listed] = value(finance, "/Metadata/PublicEntities?$select=Name&$filter=EntitySetName eq 'ProjectTasks'")
    assert listed == {"Name": "ProjectTask"}
    assert finance.get("/Metadata/PublicEntities('Nope')").status_code == 404


@pytest.mark.protocol("finance metadata: enumerations", "L")
def test_enumerations(finance: httpx.Client) -> None:
    members = finance.get("/Metadata/PublicEnumerations('NoYes')").json()["Members"]
    assert [(each["Name"], each["Value"]) for each in members] == [("No", 0), ("Yes", 1)]
    assert {"Name", "Value", "LabelId", "ConfigurationEnabled"} == set(members[0])
    names = {each["Name"] for each in value(finance, "/Metadata/PublicEnumerations?$select=Name")}
    used = {
        each["TypeName"].removeprefix(f"{DATA}.")
        for entity in value(finance, "/Metadata/PublicEntities")
        for each in entity["Properties"]
        if each["DataType"] == "Enum"
    }
    assert used == names
    assert finance.get("/Metadata/PublicEnumerations('Nope')").status_code == 404


@pytest.mark.protocol("finance metadata: labels", "L")
def test_labels_are_read_one_by_one(finance: httpx.Client) -> None:
    [entity] = value(finance, "/Metadata/DataEntities?$filter=PublicEntityName eq 'CustomerV3'")
    answer = finance.get(f"/Metadata/Labels(Id='{entity['LabelId']}',Language='en-US')").json()
    assert (answer["Id"], answer["Language"]) == (entity["LabelId"], "en-US")
    assert answer["Value"] == "Customers V3"
    assert finance.get("/metadata/Labels(Language='en-us',Id='@Sandbox:CustomerGroupId')").json()["Value"]
    for listed in ("Labels", "Labels?$filter=Id eq '@Sandbox:TaskId'"):
        assert finance.get(f"/Metadata/{listed}").status_code == 501
    assert finance.get("/Metadata/Labels('@Sandbox:TaskId')").status_code == 400
    for unknown in ("@Sandbox:Unicorn", "unicorn"):
        assert finance.get(f"/Metadata/Labels(Id='{unknown}',Language='en-US')").status_code == 404


@pytest.mark.protocol("finance metadata: labels", "?")
def test_labels_of_other_files_are_shown_as_their_id(finance: httpx.Client) -> None:
    answer = finance.get("/Metadata/Labels(Id='@SYS1',Language='en-US')").json()
    assert (answer["Id"], answer["Language"], answer["Value"]) == ("@SYS1", "en-US", "@SYS1")


@pytest.mark.protocol("finance: action", "C")
def test_versions_and_entities_of_the_environment(finance: httpx.Client) -> None:
    def asked(place: str) -> Any:
        return finance.post(f"/data/{place.replace('/', f'/{DATA}.')}", json={}).json()["value"]

    assert asked("DataManagementEntities/GetApplicationVersion").startswith("10.0.")
    assert asked("DataManagementEntities/GetPlatformBuildVersion").startswith("7.0.")
    assert asked("DataManagementEntities/GetApplicationBuildVersion").startswith("10.0.")
    module = asked("SystemNotifications/GetInstalledModules")[0]
    parts = [part.partition(": ")[0] for part in module.split(" | ")]
    assert parts == ["Name", "Version", "Module", "Publisher", "DisplayName"]
    [entity] = value(finance, "/data/DataManagementEntities?$filter=TargetEntity eq 'CustomerV3'")
    assert (entity["EntityName"], entity["EntityCategory"], entity["IsShared"]) == (
        "Customers V3",
        "Master",
        "No",
    )


def test_the_metadata_service_lists_what_it_has(finance: httpx.Client) -> None:
    names = {each["name"] for each in value(finance, "/Metadata")}
    assert names == {"DataEntities", "PublicEntities", "PublicEnumerations", "Labels"}
    assert finance.get("/Metadata/Unicorns").status_code == 404
