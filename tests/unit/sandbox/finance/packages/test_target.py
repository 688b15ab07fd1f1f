"""Rows on their way from staging to the target: in sets, one by one, and what refuses them."""

from collections.abc import Sequence

import pytest

from sandbox.finance.packages import target
from sandbox.store.past import lagging
from tests.unit.sandbox.finance.packages.desk import Desk, csv_text, customers, entity_file, package


def load(
    desk: Desk, entity: str, columns: Sequence[str], *rows: Sequence[str], execution: str = "i1"
) -> None:
    data = csv_text(columns, rows).encode("utf-16")
    desk.order(package({entity_file(entity, columns): data}), execution)


def test_the_same_key_twice_in_a_file_is_one_row_that_was_changed(desk: Desk) -> None:
    desk.order(customers([("A1", "one"), ("A2", "two"), ("a1", "again")]))
    stored = desk.rows("CustomersV3")
    assert [(row["CustomerAccount"], row["OrganizationName"]) for row in stored] == [
        ("A1", "again"),
        ("A2", "two"),
    ]
    detail = desk.rows("DataManagementExecutionJobDetails")[0]
    assert (detail["TargetRecordsCreatedCount"], detail["TargetRecordsUpdatedCount"]) == (2, 1)


def test_keys_of_several_columns_compare_without_case_and_by_number(desk: Desk) -> None:
    load(desk, "Projects V2", ("PROJECTID",), ("P1",), execution="p")
    tasks = ("PROJECTID", "TASKID", "TASKNAME")
    load(desk, "Project tasks", tasks, ("p1", "İ", "one"), ("P1", "2", "two"), execution="t1")
    load(desk, "Project tasks", tasks, ("P1", "İ", "first"), ("P1", "02", "other"), execution="t2")
    assert [row["TaskName"] for row in desk.rows("ProjectTasks")] == ["first", "two", "other"]
    lines = ("PROJECTCONTRACTID", "LINESEQUENCENUMBER", "DESCRIPTION")
    load(desk, "Project contract headers", ("PROJECTCONTRACTID",), ("K1",), execution="k")
    assert desk.errors("k") == []
    load(desk, "Project contract lines", lines, ("K1", "01", "one"), execution="l1")
    load(desk, "Project contract lines", lines, ("k1", "1", "changed"), execution="l2")
    assert [desk.status("l1"), desk.status("l2")] == ["Succeeded", "Succeeded"]
    assert len(desk.rows("ProjectContractLines")) == 1


def test_keys_with_days_and_numbers_are_found_again(desk: Desk) -> None:
    columns = ("ENDDATE", "PERIODS", "PERIODKEYID", "PROJECTTRANSACTIONID")
    rows = (("2026-10-31", "1", "M", "T1"), ("2026-10-31 12:00:00", "01", "m", "t1"))
    for number, row in enumerate(rows):
        load(desk, "Project item forecasts", columns, row, execution=f"f{number}")
        assert desk.status(f"f{number}") == "Succeeded", desk.errors(f"f{number}")
    assert len(desk.rows("ProjectItemForecasts")) == 1


def test_a_parent_may_stand_in_the_same_file_before_its_child(desk: Desk) -> None:
    load(desk, "Projects V2", ("PROJECTID", "PARENTPROJECTID"), ("P1", ""), ("P2", "P1"), ("P3", "P9"))
    assert [row["ProjectId"] for row in desk.rows("ProjectsV2")] == ["P1", "P2"]
    assert "Project P9 does not exist" in desk.errors()[0]["ErrorMessage"]


def test_missing_parents_are_told_as_a_write_tells_them(desk: Desk) -> None:
    columns = ("PROJECTCONTRACTID", "CUSTOMERACCOUNTNUMBER")
    load(desk, "Project contract headers", columns, ("K1", ""), ("K2", "C9"))
    assert [row["ProjectContractId"] for row in desk.rows("ProjectContractHeaders")] == ["K1"]
    message = desk.errors()[0]["ErrorMessage"]
    assert message.startswith("Error: The value 'C9' in field 'CustomerAccountNumber' is not found")


def test_what_the_database_refuses_in_a_set_is_written_one_by_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two keys are one for the database and not for us, only the row itself is refused."""
    monkeypatch.setattr(target, "key_of", lambda table, row: (row["CustomerAccount"],))
    desk.order(customers([("A1", "one"), ("a1", "again"), ("A2", "two")]))
    stored = desk.rows("CustomersV3")
    assert [(row["CustomerAccount"], row["OrganizationName"]) for row in stored] == [
        ("A1", "again"),
        ("A2", "two"),
    ]


def test_rows_that_are_written_are_in_the_write_log(desk: Desk) -> None:
    desk.order(customers([("A'1", "one"), ("", "none")]))
    shown = desk.stats.snapshot()["writes"]
    assert [(it["verb"], it["entity"], it["status"], it["key"]) for it in shown] == [
        ("ImportFromPackage", "CustomersV3", 200, "dataAreaId='uspm',CustomerAccount='A''1'"),
        ("ImportFromPackage", "CustomersV3", 400, "CustomerAccount=''"),
    ]
    assert shown[0]["values"]["OrganizationName"] == "one"


def test_entities_that_are_only_read_cannot_be_imported(desk: Desk) -> None:
    with pytest.raises(Exception, match="is read-only"):
        load(desk, "Data management execution job details", ("JOBID",), ("x",))


def test_a_file_that_breaks_off_without_staging_keeps_what_was_written(desk: Desk) -> None:
    """With staging the same file is refused before any row is written."""
    rows = [(f"C{number:04}", "x") for number in range(1_500)]
    columns = ("CUSTOMERACCOUNT", "ORGANIZATIONNAME")
    data = csv_text(columns, rows).encode("utf-16") + b"x"
    for skipped, execution in ((False, "i1"), (True, "i2")):
        file = entity_file("Customers V3", columns, skip_staging=skipped)
        desk.order(package({file: data}), execution)
    assert [desk.status("i1"), desk.status("i2")] == ["Failed", "PartiallySucceeded"]
    assert "not in the encoding" in desk.errors("i2")[0]["ErrorMessage"]
    assert [it["TargetStatus"] for it in desk.rows("DataManagementExecutionJobDetails")] == [
        "NotRun",
        "Error",
    ]
    assert len(desk.rows("CustomersV3")) == 1_000


def test_an_import_is_of_the_present_whatever_reads_see(desk: Desk) -> None:
    desk.store.past.keep(600)
    with lagging(300):
        desk.order(customers([("A1", "one")]))
    desk.store.past.keep(0)
    assert (desk.status(), len(desk.rows("CustomersV3"))) == ("Succeeded", 1)
