"""What an earlier process took on and did not finish is finished by the next one, once."""

from typing import Any

import pytest
import sqlalchemy as sa

from sandbox.finance.packages import imports, running
from sandbox.finance.packages.groups import DETAILS, GROUPS
from sandbox.finance.packages.staging import StagedRow
from sandbox.finance.packages.unpacking import PackageError
from sandbox.finance.packages.worker import Worker
from sandbox.finance.values import blanks
from sandbox.schema.model import Table
from sandbox.store import Store
from tests.unit.sandbox.finance.packages.desk import Desk, customers, open_desk

ROWS = [(f"C{number:04}", f"Name {number}") for number in range(2_500)]


def insert(desk: Desk, table: Table, **values: object) -> None:
    with desk.store.write() as unit:
        system = {"versionnumber": unit.next_version(), "recid": unit.next_recid(), "recversion": 1}
        row = blanks(table) | values | system
        unit.connection.execute(sa.insert(desk.tables.definitions[table.name]).values(row))


def resumed(store: Store, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The next process."""
    monkeypatch.setattr(Worker, "submit", lambda self, task: task())
    desk = open_desk(store)
    desk.runner.resume()
    return desk


def test_an_export_that_was_taken_on_is_run_at_the_next_start(
    store: Store, idle: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(store)
    insert(desk, GROUPS, Name="g")
    detail = {"DefinitionGroupId": "g", "EntityName": "Legal entities", "SourceFormat": "CSV"}
    insert(desk, DETAILS, **detail, AutoGenerateMapping="Yes")
    desk.act("ExportToPackage", definitionGroupId="g", executionId="e", legalEntityId="USPM")
    assert desk.status("e") == "NotRun"
    later = resumed(store, monkeypatch)
    assert later.status("e") == "Succeeded"
    assert str(later.act("GetExportedPackageUrl", executionId="e")).startswith("http://host/blobs/")


def test_an_import_goes_on_where_it_was_and_writes_no_row_twice(
    store: Store, idle: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between two transactions leaves what the first wrote, and how far it was."""
    desk = open_desk(store)
    desk.order(customers(ROWS))
    write = imports.write_rows

    def killed(unit: Any, catalog: Any, table: Table, rows: list[StagedRow]) -> Any:
        if rows[0].number > 1:
            raise SystemExit
        return write(unit, catalog, table, rows)

    monkeypatch.setattr(imports, "write_rows", killed)
    with pytest.raises(SystemExit):
        idle[0]()
    assert (desk.status(), len(desk.rows("CustomersV3"))) == ("Executing", 1_000)

    seen: list[int] = []

    def watched(unit: Any, catalog: Any, table: Table, rows: list[StagedRow]) -> Any:
        seen.extend(row.number for row in rows)
        return write(unit, catalog, table, rows)

    monkeypatch.setattr(imports, "write_rows", watched)
    later = resumed(store, monkeypatch)
    assert later.status() == "Succeeded"
    assert seen == list(range(1_001, 2_501))
    stored = later.rows("CustomersV3")
    assert [row["CustomerAccount"] for row in stored] == [account for account, _ in ROWS]
    assert {row["recversion"] for row in stored} == {1}
    detail = later.rows("DataManagementExecutionJobDetails")[0]
    assert (detail["TargetRecordsCreatedCount"], detail["TargetRecordsUpdatedCount"]) == (2_500, 0)


def test_an_import_ends_where_its_environment_was_emptied(
    store: Store, idle: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(store)
    desk.order(customers(ROWS))
    store.clear()
    idle[0]()
    assert desk.rows("CustomersV3") == []


def test_links_outlive_a_restart_and_end_with_a_reset(store: Store, idle: list[Any]) -> None:
    first = open_desk(store)
    link = first.upload(b"content")
    second = open_desk(store)
    assert second.blobs.open_link(link, "w") == first.blobs.open_link(link, "w")
    store.clear()
    second.tables.forget_before_reset()
    with pytest.raises(Exception, match="Signature did not match"):
        second.blobs.open_link(link, "w")


def test_what_fails_because_of_a_reset_leaves_nothing_behind(
    store: Store, idle: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(store)
    desk.order(customers(ROWS[:1]))

    def swept_away(*_: object) -> None:
        store.clear()
        desk.tables.forget_before_reset()
        raise PackageError("The package is no longer there.")

    monkeypatch.setattr(running, "run_import", swept_away)
    idle[0]()
    with store.read() as connection:
        assert connection.execute(sa.select(desk.tables.error)).all() == []
