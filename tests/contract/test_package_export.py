"""Data packages of Finance over HTTP (protocol 2.2)."""

import csv
import io
import json
import time
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import httpx
import pytest

GROUPS = "/data/DataManagementDefinitionGroups"
ACTION = f"{GROUPS}/Microsoft.Dynamics.DataEntities."
NAMESPACE = {"d": "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"}
FINISHED = {"Succeeded", "Failed"}


@pytest.fixture
def group(finance: httpx.Client) -> Iterator[str]:
    """Two companies, and a definition group that exports customers incrementally."""
    for code in ("USPM", "GBPM"):
        create(finance, "/data/LegalEntities", LegalEntityId=code)
    define(finance, "customers", "Customers V3")
    yield "customers"


def create(client: httpx.Client, path: str, **values: object) -> None:
    answer = client.post(path, json=values)
    assert answer.status_code == 201, answer.text


def define(client: httpx.Client, name: str, entity: str, **values: object) -> None:
    create(client, GROUPS, Name=name, OperationType="Export")
    detail = {
        "DefinitionGroupId": name,
        "EntityName": entity,
        "SourceFormat": "CSV-Unicode",
        "DefaultRefreshType": "IncrementalPush",
        "AutoGenerateMapping": "Yes",
    }
    create(client, "/data/DataManagementDefinitionGroupDetails", **{**detail, **values})


def customer(client: httpx.Client, account: str, name: str = "", company: str = "USPM") -> None:
    create(client, "/data/CustomersV3", dataAreaId=company, CustomerAccount=account, OrganizationName=name)


def act(client: httpx.Client, action: str, **parameters: object) -> str:
    answer = client.post(ACTION + action, json=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.json()["@odata.context"].endswith("$metadata#Edm.String")
    return str(answer.json()["value"])


def order(client: httpx.Client, name: str, execution: str, company: str = "USPM", again: bool = False) -> str:
    return act(
        client,
        "ExportToPackage",
        definitionGroupId=name,
        packageName=f"{name} package",
        executionId=execution,
        reExecute=again,
        legalEntityId=company,
    )


def wait(client: httpx.Client, execution: str) -> str:
    deadline = time.monotonic() + 20
    while (status := act(client, "GetExecutionSummaryStatus", executionId=execution)) not in FINISHED:
        assert status in {"NotRun", "Executing"}
        assert time.monotonic() < deadline
    return status


def fetch(client: httpx.Client, execution: str) -> zipfile.ZipFile:
    assert wait(client, execution) == "Succeeded", act(client, "GetExecutionErrors", executionId=execution)
    link = act(client, "GetExportedPackageUrl", executionId=execution)
    with httpx.Client() as stranger:
        answer = stranger.get(link)
    assert answer.status_code == 200
    return zipfile.ZipFile(io.BytesIO(answer.content))


def export(
    client: httpx.Client, name: str, execution: str, company: str = "USPM", again: bool = False
) -> zipfile.ZipFile:
    assert order(client, name, execution, company, again) == execution
    return fetch(client, execution)


def rows(package: zipfile.ZipFile, file: str = "Customers V3.csv") -> list[dict[str, str]]:
    text = package.read(file).decode("utf-16")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def exported(package: zipfile.ZipFile) -> list[str]:
    return [row["CUSTOMERACCOUNT"] for row in rows(package)]


@pytest.mark.protocol("packages: ExportToPackage", "D")
@pytest.mark.protocol("packages: incremental export", "D")
def test_an_export_holds_what_changed_since_the_last_one(finance: httpx.Client, group: str) -> None:
    customer(finance, "A1")
    customer(finance, "A2")
    assert exported(export(finance, group, "e1")) == ["A1", "A2"]
    assert exported(export(finance, group, "e2")) == []
    finance.patch("/data/CustomersV3(dataAreaId='uspm',CustomerAccount='A1')", json={"NameAlias": "x"})
    customer(finance, "A3")
    assert exported(export(finance, group, "e3")) == ["A1", "A3"]


@pytest.mark.protocol("packages: incremental export", "?")
def test_deleted_rows_are_in_no_export(finance: httpx.Client, group: str) -> None:
    customer(finance, "A1")
    export(finance, group, "e1")
    finance.delete("/data/CustomersV3(dataAreaId='uspm',CustomerAccount='A1')")
    assert exported(export(finance, group, "e2")) == []


@pytest.mark.protocol("packages: incremental export", "?")
def test_each_company_and_each_group_has_a_state_of_its_own(finance: httpx.Client, group: str) -> None:
    define(finance, "other", "Customers V3")
    customer(finance, "A1")
    customer(finance, "B1", company="GBPM")
    assert exported(export(finance, group, "e1", "uspm")) == ["A1"]
    assert exported(export(finance, group, "e2", "GBPM")) == ["B1"]
    assert exported(export(finance, "other", "e3")) == ["A1"]


@pytest.mark.protocol("packages: ExportToPackage", "?")
def test_entities_that_companies_share_are_exported_whole(finance: httpx.Client, group: str) -> None:
    define(finance, "entities", "Legal entities")
    package = export(finance, "entities", "e1", "GBPM")
    assert [row["LEGALENTITYID"] for row in rows(package, "Legal entities.csv")] == ["USPM", "GBPM"]


@pytest.mark.protocol("packages: ExportToPackage", "?")
def test_a_full_push_exports_everything_each_time(finance: httpx.Client, group: str) -> None:
    define(finance, "full", "Customers V3", DefaultRefreshType="FullPush")
    customer(finance, "A1")
    for execution in ("e1", "e2"):
        assert exported(export(finance, "full", execution)) == ["A1"]


@pytest.mark.protocol("packages: ExportToPackage", "?")
def test_a_known_execution_is_answered_without_a_second_export(finance: httpx.Client, group: str) -> None:
    """[?]: so that a client may repeat a call whose answer it lost."""
    customer(finance, "A1")
    export(finance, group, "e1")
    customer(finance, "A2")
    assert exported(export(finance, group, "e1")) == ["A1"]
    assert exported(export(finance, group, "e2")) == ["A2"]


@pytest.mark.protocol("packages: ExportToPackage", "?")
def test_a_repeated_execution_begins_where_its_first_run_began(finance: httpx.Client, group: str) -> None:
    customer(finance, "A1")
    export(finance, group, "e1")
    customer(finance, "A2")
    export(finance, group, "e2")
    customer(finance, "A3")
    assert exported(export(finance, group, "e2", again=True)) == ["A2", "A3"]
    assert exported(export(finance, group, "e3")) == []


@pytest.mark.protocol("packages: ExportToPackage", "?")
def test_executions_run_in_order(finance: httpx.Client, group: str) -> None:
    customer(finance, "A1")
    for number in range(5):
        order(finance, group, f"e{number}")
    assert [exported(fetch(finance, f"e{number}")) for number in range(5)] == [["A1"], [], [], [], []]


def test_a_group_made_anew_starts_anew(finance: httpx.Client, group: str) -> None:
    customer(finance, "A1")
    export(finance, group, "e1")
    key = f"Name='{group}',OperationType=Microsoft.Dynamics.DataEntities.DMFOperationType'Export'"
    assert finance.delete(f"{GROUPS}({key})").status_code == 204
    assert finance.get("/data/DataManagementDefinitionGroupDetails").json()["value"] == []
    define(finance, group, "Customers V3")
    assert exported(export(finance, group, "e2")) == ["A1"]


@pytest.mark.protocol("packages: trap: namespace", "L")
def test_the_package_has_manifest_and_header(finance: httpx.Client, group: str) -> None:
    package = export(finance, group, "e1")
    assert set(package.namelist()) == {"Manifest.xml", "PackageHeader.xml", "Customers V3.csv"}
    header = ElementTree.fromstring(package.read("PackageHeader.xml"))
    assert header.findtext("d:PackageType", namespaces=NAMESPACE) == "DefinitionGroup"
    assert header.findtext("d:PackageVersion", namespaces=NAMESPACE) == "2"
    manifest = ElementTree.fromstring(package.read("Manifest.xml"))
    assert manifest.findtext("d:DefinitionGroupName", namespaces=NAMESPACE) == group
    entity = manifest.find("d:PackageEntityList/d:DataManagementPackageEntityData", NAMESPACE)
    assert entity is not None
    assert entity.findtext("d:EntityName", namespaces=NAMESPACE) == "Customers V3"
    assert entity.findtext("d:InputFilePath", namespaces=NAMESPACE) == "Customers V3.csv"
    fields = [it.text for it in entity.findall("d:EntityMapList/d:EntityMap/d:EntityField", NAMESPACE)]
    assert fields[:2] == ["CUSTOMERACCOUNT", "ORGANIZATIONNAME"]


AWKWARD = '  O\'Brien & Söhne, "日本" 🚀\r\n\t%_[a]* '


@pytest.mark.protocol("packages: trap: unicode", "L")
def test_csv_unicode_is_utf16_with_a_byte_order_mark_and_exact(finance: httpx.Client, group: str) -> None:
    body = {"dataAreaId": "USPM", "CustomerAccount": "A1", "OrganizationName": AWKWARD}
    text = json.dumps(body).removesuffix("}") + ', "CreditLimit": 922337203685476.9999}'
    assert finance.post("/data/CustomersV3", content=text).status_code == 201
    package = export(finance, group, "e1")
    assert package.read("Customers V3.csv").startswith(b"\xff\xfe")
    row = rows(package)[0]
    assert (row["ORGANIZATIONNAME"], row["CREDITLIMIT"]) == (AWKWARD, "922337203685476.9999")
    assert (row["ONHOLDSTATUS"], row["NAMEALIAS"]) == ("No", "")


@pytest.mark.protocol("packages: ExportToPackage", "?")
def test_xml_element_and_csv(finance: httpx.Client, group: str) -> None:
    customer(finance, "A1", AWKWARD)
    define(finance, "xml", "Customers V3", SourceFormat="XML-Element")
    define(finance, "csv", "Customers V3", SourceFormat="CSV")
    document = ElementTree.fromstring(export(finance, "xml", "e1").read("Customers V3.xml"))
    assert [row.findtext("ORGANIZATIONNAME") for row in document] == [AWKWARD]
    text = export(finance, "csv", "e2").read("Customers V3.csv").decode("utf-8-sig")
    assert [row["ORGANIZATIONNAME"] for row in csv.DictReader(io.StringIO(text, newline=""))] == [AWKWARD]


@pytest.mark.protocol("packages: execution errors", "L")
@pytest.mark.parametrize(
    ("entity", "values", "message"),
    [
        ("CustomersV3", {}, "Entity CustomersV3 does not exist in the target environment."),
        ("Customers V3", {"SourceFormat": "EXCEL"}, "EXCEL"),
        ("Customers V3", {"AutoGenerateMapping": "No"}, "no field mapping"),
    ],
)
def test_exports_that_fail_say_why(
    finance: httpx.Client, group: str, entity: str, values: dict[str, str], message: str
) -> None:
    define(finance, "broken", entity, **values)
    order(finance, "broken", "e1")
    assert wait(finance, "e1") == "Failed"
    errors = json.loads(act(finance, "GetExecutionErrors", executionId="e1"))
    assert message in errors[0]["ErrorMessage"]
    assert act(finance, "GetExportedPackageUrl", executionId="e1") == ""


@pytest.mark.protocol("packages: ExportToPackage", "D")
@pytest.mark.protocol("packages: GetExecutionSummaryStatus", "L")
def test_unknown_group_company_and_execution(finance: httpx.Client, group: str) -> None:
    def refused(action: str, **parameters: object) -> str:
        answer = finance.post(ACTION + action, json=parameters)
        assert answer.status_code == 400
        return str(answer.json()["error"]["innererror"]["message"])

    assert "'nope' does not exist" in refused(
        "ExportToPackage", definitionGroupId="nope", legalEntityId="USPM"
    )
    assert "'XXXX' does not exist" in refused(
        "ExportToPackage", definitionGroupId=group, legalEntityId="XXXX"
    )
    assert "were not found" in refused("GetExecutionSummaryStatus", executionId="nope")
    assert "executionId" in refused("GetExecutionSummaryStatus", executionId=5)
    assert finance.post(f"{ACTION}Nope", json={}).status_code == 404


@pytest.mark.protocol("packages: ExportToPackage", "D")
def test_an_execution_gets_an_id_where_the_client_gives_none(finance: httpx.Client, group: str) -> None:
    execution = order(finance, group, "")
    assert execution.startswith(group)
    assert wait(finance, execution) == "Succeeded"


@pytest.mark.protocol("packages: GetExportedPackageUrl", "D")
def test_links_expire_and_cannot_be_guessed(finance: httpx.Client, control: httpx.Client, group: str) -> None:
    export(finance, group, "e1")
    link = act(finance, "GetExportedPackageUrl", executionId="e1")
    assert httpx.get(link.replace("sig=", "sig=0")).status_code == 403
    assert httpx.get(link.partition("?")[0]).status_code == 403
    control.put("/sandbox/clock", json={"advance_seconds": 3_700})
    assert httpx.get(link).status_code == 403
    assert httpx.get(act(finance, "GetExportedPackageUrl", executionId="e1")).status_code == 200


@pytest.mark.protocol("packages: blob life", "D")
def test_packages_are_kept_for_seven_days(finance: httpx.Client, control: httpx.Client, group: str) -> None:
    export(finance, group, "e1")
    control.put("/sandbox/clock", json={"advance_seconds": 7 * 86_400 + 60})
    assert httpx.get(act(finance, "GetExportedPackageUrl", executionId="e1")).status_code == 404


def test_a_reset_forgets_groups_and_executions(
    finance: httpx.Client, control: httpx.Client, group: str
) -> None:
    export(finance, group, "e1")
    control.post("/sandbox/reset", json={"seed": "empty"})
    assert finance.get(GROUPS).json()["value"] == []
    assert finance.post(f"{ACTION}GetExecutionSummaryStatus", json={"executionId": "e1"}).status_code == 400
