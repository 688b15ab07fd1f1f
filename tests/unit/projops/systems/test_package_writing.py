"""What a written package holds, read back by other means: zip, XML and CSV of the standard library."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from xml.etree import ElementTree

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.systems.package_writing import DataFile, cell, is_left_out, write_package
from projops.systems.properties import Form, Property

SPACE = "{http://schemas.microsoft.com/dynamics/2015/01/DataManagement}"


def opened(data: DataFile) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(write_package(data)))


def test_the_manifest_says_what_live_systems_insist_on() -> None:
    package = opened(DataFile("g & co", "Currencies <V2>", ("CurrencyCode", "Name"), [("USD", "Dollar")]))
    assert sorted(package.namelist()) == ["Manifest.xml", "PackageHeader.xml", "rows.csv"]
    header = ElementTree.fromstring(package.read("PackageHeader.xml"))
    assert header.tag == f"{SPACE}DataManagementPackageHeader"
    assert header.findtext(f"{SPACE}PackageType") == "DefinitionGroup"
    assert header.findtext(f"{SPACE}PackageVersion") == "2"
    manifest = ElementTree.fromstring(package.read("Manifest.xml"))
    assert manifest.findtext(f"{SPACE}DefinitionGroupName") == "g & co"
    [entity] = manifest.iter(f"{SPACE}DataManagementPackageEntityData")
    assert entity.findtext(f"{SPACE}EntityName") == "Currencies <V2>"
    assert entity.findtext(f"{SPACE}SourceFormat") == "CSV-Unicode"
    assert entity.findtext(f"{SPACE}InputFilePath") == "rows.csv"
    mapped = [
        (each.findtext(f"{SPACE}EntityField"), each.findtext(f"{SPACE}XMLField"))
        for each in entity.iter(f"{SPACE}EntityMap")
    ]
    assert mapped == [("CURRENCYCODE", "CURRENCYCODE"), ("NAME", "NAME")]


def test_rows_are_unicode_with_a_mark_and_lines_that_end_with_cr_lf() -> None:
    content = opened(DataFile("g", "E", ("Key", "Name"), [("1", "ä"), ("2", "")])).read("rows.csv")
    assert content == b"\xff\xfe" + "KEY,NAME\r\n1,ä\r\n2,\r\n".encode("utf-16-le")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_any_text_comes_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    content = opened(DataFile("g", "E", ("Key", "Name"), rows)).read("rows.csv")
    read = csv.reader(io.StringIO(content.decode("utf-16"), newline=""), strict=True)
    assert [tuple(row) for row in read] == [("KEY", "NAME"), *rows]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**20), max_value=10**20))
def test_an_amount_keeps_all_its_digits(amount: Decimal) -> None:
    assert Decimal(cell(amount)) == amount
    assert "E" not in cell(amount)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("Net30", "Net30"),
        (True, "true"),
        (False, "false"),
        (-7, "-7"),
        (Decimal("1000000.500"), "1000000.5"),
        (date(2026, 11, 2), "2026-11-02 12:00:00"),
        (datetime(2026, 11, 2, 9, 5, tzinfo=UTC), "2026-11-02 09:05:00"),
        (datetime(2026, 11, 2, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2026-11-01 23:00:00"),
    ],
)
def test_values_stand_as_exports_write_them(value: object, text: str) -> None:
    assert cell(value) == text


def test_only_an_enum_and_a_truth_are_left_out_for_lack_of_a_value() -> None:
    assert is_left_out(Property("E", pa.string(), Form.ENUM, "NoYes"), None)
    assert is_left_out(Property("B", pa.bool_()), None)
    assert not is_left_out(Property("E", pa.string(), Form.ENUM, "NoYes"), "No")
    assert not any(is_left_out(Property("P", kind), None) for kind in (pa.string(), pa.int64(), pa.date32()))
