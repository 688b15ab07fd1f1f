"""An import is under way when the server is stopped; the next one ends it, each row once (protocol 2.2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.contract.conftest import TOKEN
from tests.contract.data_packages import DataManagement, customers, package
from tests.contract.process import serve

ROWS = 8_000


@contextmanager
def management(database: str, folder: Path) -> Iterator[DataManagement]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        serve("sqlite", database, folder) as sandbox,
        httpx.Client(base_url=sandbox.finance, headers=headers, timeout=60) as client,
    ):
        yield DataManagement(client)


@pytest.mark.protocol("packages: ImportFromPackage", "?")
def test_an_import_goes_on_after_a_restart(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'kept.db'}"
    content = package(customers(*((f"C{number:05}", "x") for number in range(ROWS))))
    with management(database, tmp_path) as first:
        assert first.client.post("/data/LegalEntities", json={"LegalEntityId": "USPM"}).status_code == 201
        execution = first.act("ImportFromPackage", **first.parameters(content))
        while not first.entities(execution)[0]["TargetRecordsCreatedCount"]:
            assert first.status(execution) in {"NotRun", "Executing"}
    with management(database, tmp_path) as second:
        assert second.wait(execution) == "Succeeded"
        counts = second.entities(execution)[0]
        assert (counts["TargetRecordsCreatedCount"], counts["TargetRecordsUpdatedCount"]) == (ROWS, 0)
        assert second.client.get("/data/CustomersV3/$count").text == str(ROWS)
