"""Exports that an earlier process took on are finished by the next one."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from sandbox.clock import Clock
from sandbox.finance.catalog import Catalog
from sandbox.finance.packages.actions import PackageActions
from sandbox.finance.packages.blobs import BlobStore
from sandbox.finance.packages.groups import DETAILS, GROUPS, SETS
from sandbox.finance.packages.tables import PackageTables
from sandbox.finance.request import DataRequest
from sandbox.finance.values import blanks
from sandbox.schema.model import Table
from sandbox.store import Store

REQUEST = DataRequest("POST", "http://host", "/data")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'sandbox.db'}", Clock())
    opened.bulk_insert(opened.finance["LegalEntities"], [{"LegalEntityId": "USPM"}])
    yield opened
    opened.close()


def start(store: Store) -> tuple[PackageTables, PackageActions]:
    tables = PackageTables(store)
    sets = {**store.finance, **{table.name: table for table in SETS}}
    actions = PackageActions(Catalog(store, sets, tables.definitions), tables, BlobStore(store, tables))
    return tables, actions


def insert(store: Store, tables: PackageTables, table: Table, **values: object) -> None:
    with store.write() as unit:
        system = {"versionnumber": unit.next_version(), "recid": unit.next_recid(), "recversion": 1}
        unit.connection.execute(
            sa.insert(tables.definitions[table.name]).values(blanks(table) | values | system)
        )


def test_an_unfinished_export_is_run_at_the_next_start(store: Store) -> None:
    tables, _ = start(store)
    tables.forget_before_reset()
    insert(store, tables, GROUPS, Name="g")
    detail = {"DefinitionGroupId": "g", "EntityName": "Legal entities", "SourceFormat": "CSV"}
    insert(store, tables, DETAILS, **detail, AutoGenerateMapping="Yes")
    row = {
        "execution_id": "e",
        "sequence": 1,
        "definition_group": "g",
        "company": "uspm",
        "package_name": "p",
    }
    row |= {"status": "Executing", "reexecute": False, "errors": "[]", "blob_id": ""}
    with store.write() as unit:
        unit.connection.execute(sa.insert(tables.execution).values(row))

    _, actions = start(store)
    actions.resume()
    deadline = time.monotonic() + 10
    while (status := actions.execution_status(REQUEST, {"executionId": "e"})) != "Succeeded":
        assert status in {"NotRun", "Executing"}
        assert time.monotonic() < deadline
    assert actions.exported_package_url(REQUEST, {"executionId": "e"}).startswith("http://host/blobs/")
