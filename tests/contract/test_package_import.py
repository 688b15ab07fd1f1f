"""Packages that are imported into Finance (protocol 2.2)."""

import csv
import io
import time
from xml.etree import ElementTree

import httpx
import pytest

from tests.contract.data_packages import DataManagement, Entity, csv_entity, customers, package, zipped

ACCOUNTS = ("CUSTOMERACCOUNT", "ORGANIZATIONNAME")
TASKS = ("PROJECTID", "TASKID", "TASKNAME")


@pytest.fixture
def management(finance: httpx.Client) -> DataManagement:
    """Data management of an environment with two companies."""
    for code in ("USPM", "GBPM"):
        assert finance.post("/data/LegalEntities", json={"LegalEntityId": code}).status_code == 201
    return DataManagement(finance)


def accounts(management: DataManagement) -> list[tuple[object, ...]]:
    return management.rows("CustomersV3", "dataAreaId,CustomerAccount,OrganizationName")


@pytest.mark.protocol("packages: ImportFromPackage", "D")
@pytest.mark.protocol("packages: GetExecutionSummaryStatus", "D")
def test_rows_are_created_and_changed_by_their_keys(management: DataManagement) -> None:
    first = management.load(package(customers(("A1", "one"), ("A2", "two"))))
    assert first.startswith("load-")
    assert management.status(first) == "Succeeded"
    second = management.load(package(customers(("a2", "second"), ("A3", "three"))), legalEntityId="uspm")
    assert management.errors(second) == []
    assert accounts(management) == [("uspm", "A1", "one"), ("uspm", "A2", "second"), ("uspm", "A3", "three")]
    counts = management.entities(second)[0]
    assert (counts["EntityName"], counts["StagingStatus"], counts["TargetStatus"]) == (
        "Customers V3",
        "Finished",
        "Finished",
    )
    assert (counts["TargetRecordsCreatedCount"], counts["TargetRecordsUpdatedCount"]) == (1, 1)
    where = f"$filter=JobId eq '{second}'&$select=DefinitionGroupId,EntityName,TargetRecordsCreatedCount"
    history = management.client.get(f"/data/DataManagementExecutionJobDetails?{where}").json()["value"]
    assert [(row["DefinitionGroupId"], row["TargetRecordsCreatedCount"]) for row in history] == [("load", 1)]


@pytest.mark.protocol("packages: ImportFromPackage", "?")
def test_a_change_sets_what_is_mapped_and_keeps_the_rest(management: DataManagement) -> None:
    management.load(package(customers(("A1", "one", "al"), columns=(*ACCOUNTS, "NAMEALIAS"))))
    before = management.client.get("/data/CustomersV3(dataAreaId='uspm',CustomerAccount='A1')").headers[
        "ETag"
    ]
    management.load(package(customers(("A1", "two"))))
    row = management.client.get("/data/CustomersV3(dataAreaId='uspm',CustomerAccount='A1')")
    assert (row.json()["OrganizationName"], row.json()["NameAlias"]) == ("two", "al")
    assert row.headers["ETag"] != before


@pytest.mark.protocol("packages: ImportFromPackage", "?")
def test_a_known_execution_is_answered_without_a_second_import(management: DataManagement) -> None:
    management.load(package(customers(("A1", "one"))), executionId="e1")
    assert management.load(package(customers(("A1", "again"))), executionId="e1") == "e1"
    assert accounts(management) == [("uspm", "A1", "one")]
    project = management.client.get("/data/DataManagementDefinitionGroups").json()["value"]
    assert [(row["Name"], row["OperationType"]) for row in project] == [("load", "Import")]


@pytest.mark.protocol("packages: ImportFromPackage", "D")
def test_without_execute_it_stops_after_staging(management: DataManagement) -> None:
    parameters = management.parameters(package(customers(("A1", "one"))), executionId="e1", execute=False)
    management.act("ImportFromPackage", **parameters)
    management.wait("e1")
    assert accounts(management) == []
    counts = management.entities("e1")[0]
    assert (counts["StagingRecordsCreatedCount"], counts["TargetStatus"]) == (1, "NotRun")
    management.act("ImportFromPackage", **{**parameters, "execute": True})
    assert management.wait("e1") == "Succeeded"
    assert accounts(management) == [("uspm", "A1", "one")]


@pytest.mark.protocol("packages: ImportFromPackage", "D")
def test_a_second_import_while_one_is_under_way_fails(management: DataManagement) -> None:
    many = package(customers(*((f"C{number}", "x") for number in range(5_000))))
    parameters = management.parameters(package(customers(("A1", "one"))))
    execution = management.act("ImportFromPackage", **management.parameters(many))
    assert "parallel" in management.refusal("ImportFromPackage", **parameters)
    assert management.wait(execution) == "Succeeded"
    management.wait(management.act("ImportFromPackage", **parameters))
    assert len(accounts(management)) == 5_001


@pytest.mark.protocol("packages: ImportFromPackage", "D")
@pytest.mark.protocol("packages: GetAzureWriteUrl", "D")
def test_only_packages_of_our_own_blobs_are_taken(management: DataManagement) -> None:
    def refused(url: str, **others: object) -> str:
        parameters = {"definitionGroupId": "load", "legalEntityId": "USPM", "execute": True, **others}
        return management.refusal("ImportFromPackage", packageUrl=url, **parameters)

    url = management.upload(package(customers(("A1", "one"))))
    for foreign in ("", "http://127.0.0.1:9/package.zip", "file:///etc/passwd", url.replace("sig=", "sig=0")):
        assert "no blob of this environment" in refused(foreign)
    assert "nothing was written" in refused(management.write_url())
    assert "'XXXX' does not exist" in refused(url, legalEntityId="XXXX")
    assert "execute" in refused(url, execute="yes")
    assert accounts(management) == []


@pytest.mark.protocol("packages: execution errors", "L")
@pytest.mark.protocol("packages: error files", "D")
@pytest.mark.protocol("packages: GetMessageStatus", "?")
def test_bad_rows_are_named_and_the_others_are_written(management: DataManagement) -> None:
    columns = (*ACCOUNTS, "CREDITLIMIT")
    rows = (("A1", "one", "1.5"), ("A2", "two", "much"), ("", "none", "2"), ("A'4", "x" * 300, "3"))
    execution = management.load(package(customers(*rows, columns=columns)))
    assert management.status(execution) == "PartiallySucceeded"
    assert management.act("GetMessageStatus", messageId=execution) == "ProcessedWithErrors"
    assert [key for _, key, _ in accounts(management)] == ["A1", "A'4"]
    errors = management.errors(execution)
    assert [(it["RecordId"], it["Field"]) for it in errors] == [
        ("CustomerAccount='A2'", "CREDITLIMIT"),
        ("CustomerAccount=''", ""),
    ]
    assert "Cannot convert the value 'much'" in errors[0]["ErrorMessage"]
    assert "Field 'CustomerAccount' must be filled in" in errors[1]["ErrorMessage"]

    about = {"executionId": execution, "entityName": "customers v3"}
    staging = httpx.get(management.act("GetImportStagingErrorFileUrl", **about)).content.decode("utf-16")
    assert list(csv.reader(io.StringIO(staging, newline=""))) == [list(columns), ["A2", "two", "much"]]
    assert management.act("GenerateImportTargetErrorKeysFile", **about) == "True"
    deadline = time.monotonic() + 30
    while not (url := management.act("GetImportTargetErrorKeysFileUrl", **about)):
        assert time.monotonic() < deadline
    keys = httpx.get(url).content.decode("utf-16")
    assert list(csv.reader(io.StringIO(keys, newline=""))) == [["CUSTOMERACCOUNT"], [""]]


@pytest.mark.protocol("packages: error files", "D")
def test_without_errors_there_are_no_error_files(management: DataManagement) -> None:
    execution = management.load(package(customers(("A1", "one"))))
    about = {"executionId": execution, "entityName": "Customers V3"}
    assert management.act("GetImportStagingErrorFileUrl", **about) == ""
    assert management.act("GenerateImportTargetErrorKeysFile", **about) == "False"
    assert management.act("GetImportTargetErrorKeysFileUrl", **about) == ""
    assert "no entity 'Vendors'" in management.refusal(
        "GetImportStagingErrorFileUrl", executionId=execution, entityName="Vendors"
    )


@pytest.mark.protocol("packages: GetExecutionSummaryStatus", "L")
@pytest.mark.protocol("packages: execution errors", "L")
@pytest.mark.protocol("packages: GetMessageStatus", "?")
def test_an_execution_that_is_not_known_was_not_found(management: DataManagement) -> None:
    for action in ("GetExecutionSummaryStatus", "GetExecutionErrors", "GetEntityExecutionSummaryStatusList"):
        assert "were not found" in management.refusal(action, executionId="nope")
    for action in (
        "GetImportStagingErrorFileUrl",
        "GenerateImportTargetErrorKeysFile",
        "GetImportTargetErrorKeysFileUrl",
    ):
        assert "were not found" in management.refusal(action, executionId="nope", entityName="Currencies")
    assert "were not found" in management.refusal("GetMessageStatus", messageId="nope")


@pytest.mark.protocol("packages: ImportFromPackage", "?")
def test_an_import_in_which_no_row_is_written_failed(management: DataManagement) -> None:
    execution = management.load(package(csv_entity("Project tasks", TASKS, [("P1", "1", "design")])))
    assert management.status(execution) == "Failed"
    assert management.act("GetMessageStatus", messageId=execution) == "PostProcessingFailed"
    error = management.errors(execution)[0]
    assert error["RecordId"] == "ProjectId='P1',TaskId='1'"
    assert "Project P1 does not exist" in error["ErrorMessage"]


@pytest.mark.protocol("packages: ImportFromPackage", "D")
def test_entities_run_in_the_order_of_unit_level_and_sequence(management: DataManagement) -> None:
    tasks = csv_entity("Project tasks", TASKS, [("P1", "1", "design")], LevelInExecutionUnit=2)
    projects = csv_entity(
        "Projects V2", ("PROJECTID", "PROJECTNAME"), [("P1", "Tower")], LevelInExecutionUnit=1
    )
    execution = management.load(package(tasks, projects))
    assert management.status(execution) == "Succeeded", management.errors(execution)
    assert [it["EntityName"] for it in management.entities(execution)] == ["Projects V2", "Project tasks"]
    broken = csv_entity(
        "Projects V2", ("PROJECTID", "PARENTPROJECTID"), [("P2", "P9")], FailLevelOnError="Yes"
    )
    later = csv_entity("Project tasks", TASKS, [("P1", "2", "build")], LevelInExecutionUnit=2)
    execution = management.load(package(broken, later))
    assert [it["TargetStatus"] for it in management.entities(execution)] == ["Error", "NotRun"]


@pytest.mark.protocol("packages: ImportFromPackage", "D")
def test_without_staging_rows_go_to_the_target_at_once(management: DataManagement) -> None:
    rows = (("A1", "one", "1"), ("A2", "two", "much"))
    entity = csv_entity("Customers V3", (*ACCOUNTS, "CREDITLIMIT"), rows, SkipStaging="true")
    execution = management.load(package(entity))
    assert management.status(execution) == "PartiallySucceeded"
    counts = management.entities(execution)[0]
    assert (counts["StagingStatus"], counts["TargetRecordsCreatedCount"]) == ("NotRun", 1)
    about = {"executionId": execution, "entityName": "Customers V3"}
    assert management.act("GetImportStagingErrorFileUrl", **about) == ""
    assert management.act("GenerateImportTargetErrorKeysFile", **about) == "True"


@pytest.mark.protocol("packages: ImportFromPackage", "?")
def test_imports_run_the_rules_of_a_write(management: DataManagement) -> None:
    """A role that companies share is spread to each of them."""
    roles = csv_entity("Project resource roles for all companies", ("ROLEID", "DESCRIPTION"), [("Lead", "x")])
    execution = management.load(package(roles))
    assert management.status(execution) == "Succeeded", management.errors(execution)
    spread = management.rows("ResourceCategories", "dataAreaId,RoleId")
    assert spread == [("uspm", "Lead"), ("gbpm", "Lead")]


# The five traps, as met on a live system


@pytest.mark.protocol("packages: trap: no entity map", "L")
def test_without_a_mapping_it_succeeds_with_no_rows(management: DataManagement) -> None:
    content = customers(("A1", "one")).content
    execution = management.load(package(Entity("Customers V3", content, ())))
    assert (management.status(execution), management.errors(execution)) == ("Succeeded", [])
    assert accounts(management) == []
    assert management.entities(execution)[0]["StagingRecordsCreatedCount"] == 0


@pytest.mark.protocol("packages: trap: entity label", "L")
def test_entities_are_named_by_their_label(management: DataManagement) -> None:
    named = csv_entity("CustomersV3", ACCOUNTS, [("A1", "one")])
    message = management.refusal("ImportFromPackage", **management.parameters(package(named)))
    assert message == "Entity CustomersV3 does not exist in the target environment."


@pytest.mark.protocol("packages: trap: unicode", "L")
def test_csv_unicode_must_be_utf16_with_a_byte_order_mark(management: DataManagement) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"):
        content = "CUSTOMERACCOUNT,ORGANIZATIONNAME\r\nA1,one\r\n".encode(encoding)
        execution = management.load(package(Entity("Customers V3", content, ACCOUNTS)))
        assert management.status(execution) == "Failed"
        messages = [it["ErrorMessage"] for it in management.errors(execution)]
        assert messages == ["Selected file is not Unicode."]


@pytest.mark.protocol("packages: trap: namespace", "L")
def test_manifest_and_header_are_of_one_namespace(management: DataManagement) -> None:
    for namespace in ("", "http://schemas.microsoft.com/dynamics/2014/01/DataManagement"):
        content = package(customers(("A1", "one")), namespace=namespace)
        message = management.refusal("ImportFromPackage", **management.parameters(content))
        assert "namespace http://schemas.microsoft.com/dynamics/2015/01/DataManagement" in message


@pytest.mark.protocol("packages: trap: line ends", "L")
def test_lines_end_with_cr_lf(management: DataManagement) -> None:
    entity = customers(("A1", "one"))
    content = entity.content.decode("utf-16").replace("\r\n", "\n").encode("utf-16")
    parameters = management.parameters(package(Entity(entity.name, content, entity.columns)))
    message = management.refusal("ImportFromPackage", **parameters)
    assert message.startswith("The mapping is incorrect for entity Customers V3 and field {")


@pytest.mark.protocol("packages: ImportFromPackage", "L")
def test_a_mapping_names_fields_and_columns_that_are_there(management: DataManagement) -> None:
    content = customers(("A1", "one")).content
    for columns in ((*ACCOUNTS, "NOSUCHFIELD"), (*ACCOUNTS, "CREDITLIMIT")):
        parameters = management.parameters(package(Entity("Customers V3", content, columns)))
        message = management.refusal("ImportFromPackage", **parameters)
        assert message == f"The mapping is incorrect for entity Customers V3 and field {columns[-1]}."


@pytest.mark.protocol("packages: ImportFromPackage", "D")
def test_xml_and_plain_csv(management: DataManagement) -> None:
    text = '  O\'Brien & Söhne, "日本" 🚀\r\n\t<%_[a]*> '
    document = ElementTree.Element("Document")
    row = ElementTree.SubElement(document, "CUSTCUSTOMERV3ENTITY")
    ElementTree.SubElement(row, "CUSTOMERACCOUNT").text = "X1"
    ElementTree.SubElement(row, "ORGANIZATIONNAME").text = text
    xml = ElementTree.tostring(document, encoding="utf-16").replace(
        "\r".encode("utf-16-le"), "&#13;".encode("utf-16-le")
    )
    plain = customers(("C1", text)).content.decode("utf-16").encode("utf-8-sig")
    management.load(package(Entity("Customers V3", xml, ACCOUNTS, "XML-Element")))
    management.load(package(Entity("Customers V3", plain, ACCOUNTS, "CSV")))
    assert accounts(management) == [("uspm", "X1", text), ("uspm", "C1", text)]


@pytest.mark.protocol("packages: ImportFromPackage", "?")
def test_hostile_packages_are_refused(management: DataManagement) -> None:
    entity = customers(("A1", "one"))
    bomb = b'<!DOCTYPE a [<!ENTITY b "xx"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    whole = package(entity)
    hostile = {
        "no zip file": b"hello",
        "no zip file that": whole[: len(whole) // 2],
        "no PackageHeader.xml": zipped({"Manifest.xml": b"<a/>"}),
        "outside of itself": zipped({"../Manifest.xml": b""}),
        "grows to": zipped({"zeros": bytes(20_000_000)}),
        "document type declaration": zipped({"Manifest.xml": bomb, "PackageHeader.xml": bomb}),
    }
    for reason, content in hostile.items():
        message = management.refusal("ImportFromPackage", **management.parameters(content))
        assert reason in message
    rows = b"<!DOCTYPE a [<!ENTITY b 'x'>]><Document><R><CUSTOMERACCOUNT>&b;</CUSTOMERACCOUNT></R></Document>"
    execution = management.load(package(Entity("Customers V3", rows, ACCOUNTS, "XML-Element")))
    assert "document type declaration" in management.errors(execution)[0]["ErrorMessage"]
    assert accounts(management) == []


@pytest.mark.protocol("packages: ImportFromPackage", "?")
def test_money_is_exact_and_texts_that_are_no_values_are_refused(management: DataManagement) -> None:
    columns = ("CUSTOMERACCOUNT", "CREDITLIMIT", "ONHOLDSTATUS")
    rows = (("A1", "922337203685476.9999", "No"), ("A2", "", ""), ("A3", "NaN", "No"), ("A4", "1", "Perhaps"))
    unstorable = ("A5\x00", "1", "No")
    execution = management.load(package(customers(*rows, unstorable, columns=columns)))
    answer = management.client.get("/data/CustomersV3?cross-company=true&$select=CustomerAccount,CreditLimit")
    assert '"CreditLimit":922337203685476.9999' in answer.text.replace(" ", "")
    assert [row["CustomerAccount"] for row in answer.json()["value"]] == ["A1", "A2"]
    fields = [it["Field"] for it in management.errors(execution)]
    assert fields == ["CREDITLIMIT", "ONHOLDSTATUS", "CUSTOMERACCOUNT"]
