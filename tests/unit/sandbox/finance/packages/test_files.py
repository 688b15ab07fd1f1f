import csv
import io
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from sandbox.finance.packages.files import file_columns, records_of, render
from sandbox.finance.packages.groups import SETS
from sandbox.schema.load import load_finance
from sandbox.store.defaults import finance_blank

TASKS = load_finance()["ProjectTasks"]


def rendered(source_format: str, *rows: dict[str, object]) -> bytes:
    return b"".join(render(source_format, records_of(TASKS, source_format, rows)))


def task(**values: object) -> dict[str, object]:
    return {name: finance_blank(column) for name, column in TASKS.columns.items()} | values


def test_entity_names_of_data_management_are_unique() -> None:
    labels = [table.label.lower() for table in (*load_finance().values(), *SETS)]
    assert len(set(labels)) == len(labels)


def test_the_company_is_in_no_file() -> None:
    assert "dataAreaId" not in {column.name for column in file_columns(TASKS)}
    exports = load_finance()["ProjExpensesExport"]
    assert "ReferenceDataAreaId" in {column.name for column in file_columns(exports)}


@pytest.mark.parametrize(("source_format", "encoding"), [("CSV-Unicode", "utf-16"), ("CSV", "utf-8-sig")])
def test_csv_round_trip(source_format: str, encoding: str) -> None:
    rows = [task(TaskId="1", TaskName='a"b,\r\nc;ö'), task(TaskId="2", TaskDisplaySequence=Decimal("1E+3"))]
    text = rendered(source_format, *rows).decode(encoding)
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert first["TASKNAME"] == 'a"b,\r\nc;ö'
    assert second["TASKDISPLAYSEQUENCE"] == "1000"
    assert text.splitlines()[0].isupper()


def test_xml_is_well_formed_whatever_the_text() -> None:
    document = ElementTree.fromstring(rendered("XML-Element", task(TaskName="<&>\x01\r\n😀")))
    assert document.findtext("PROJECTTASKENTITY/TASKNAME") == "<&>\ufffd\r\n😀"


def test_an_unknown_format_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        rendered("EXCEL")
