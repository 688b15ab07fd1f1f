"""What one environment exports, another one imports: the same rows."""

import json

import httpx
import pytest

from tests.contract.data_packages import GROUPS, DataManagement

# Entity, set and level: what others refer to comes first. The data of the demo, awkward texts among it.
ENTITIES = (
    ("Currencies", "Currencies", 1),
    ("Units", "UnitsOfMeasure", 1),
    ("Exchange rate types", "ExchangeRateTypes", 1),
    ("Exchange rate currency pairs", "ExchangeRateCurrencyPairs", 2),
    ("CDS Exchange Rates", "ExchangeRatesCDSEntity", 3),
    ("Worker", "Workers", 1),
    ("Customers V3", "CustomersV3", 2),
    ("Vendors V2", "VendorsV2", 2),
    ("Released products V2", "ReleasedProductsV2", 2),
)
DETAILS = "/data/DataManagementDefinitionGroupDetails"
COMPANY = "USPM"


def export(management: DataManagement, source_format: str) -> bytes:
    client = management.client
    assert client.post(GROUPS, json={"Name": source_format, "OperationType": "Export"}).status_code == 201
    for name, _, level in ENTITIES:
        detail = {"DefinitionGroupId": source_format, "EntityName": name, "SourceFormat": source_format}
        detail |= {"AutoGenerateMapping": "Yes", "DefaultRefreshType": "FullPush"}
        answer = client.post(DETAILS, json={**detail, "LevelInExecutionUnit": level})
        assert answer.status_code == 201, answer.text
    execution = management.act("ExportToPackage", definitionGroupId=source_format, legalEntityId=COMPANY)
    assert management.wait(execution) == "Succeeded", management.errors(execution)
    return httpx.get(management.act("GetExportedPackageUrl", executionId=execution)).content


def contents(client: httpx.Client) -> dict[str, list[str]]:
    """The rows of all entities, as they are on the wire, without what tells of their writing."""
    found = {}
    for _, entity_set, _ in ENTITIES:
        answer = client.get(f"/data/{entity_set}?cross-company=true")
        # as text, since numbers are exact only there
        rows = json.loads(answer.content, parse_float=str)["value"]
        mine = [row for row in rows if row.get("dataAreaId", COMPANY).upper() == COMPANY]
        found[entity_set] = sorted(json.dumps({**row, "@odata.etag": ""}, sort_keys=True) for row in mine)
    return found


@pytest.mark.protocol("packages: ImportFromPackage", "D")
@pytest.mark.protocol("packages: ExportToPackage", "D")
def test_an_export_is_imported_elsewhere(demo: None, finance: httpx.Client, control: httpx.Client) -> None:
    management = DataManagement(finance)
    packages = [export(management, source_format) for source_format in ("CSV-Unicode", "XML-Element")]
    before = contents(finance)
    assert [name for name, rows in before.items() if not rows] == []
    for package in packages:
        assert control.post("/sandbox/reset", json={"seed": "empty"}).is_success
        assert finance.post("/data/LegalEntities", json={"LegalEntityId": COMPANY}).status_code == 201
        for created in (True, False):  # the second time, all keys are found
            execution = management.load(package, legalEntityId=COMPANY)
            assert management.status(execution) == "Succeeded", management.errors(execution)[:3]
            counts = {bool(it["TargetRecordsCreatedCount"]) for it in management.entities(execution)}
            assert counts == {created}
            assert contents(finance) == before
