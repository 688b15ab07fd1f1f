import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projops.errors import ProtocolError
from projops.systems.package_files import Columns, read_package
from projops.systems.properties import Form, Property
from projops.systems.safe_xml import parse_xml

NAMESPACE = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
COLUMNS = Columns(
    (
        Property("dataAreaId", pa.string()),
        Property("CustomerAccount", pa.string()),
        Property("CreditLimit", pa.decimal128(38, 16)),
        Property("ValidFrom", pa.date32()),
        Property("ChangedAt", pa.timestamp("us", "UTC")),
        Property("OnHold", pa.string(), Form.ENUM, enum="NoYes"),
    ),
    given={"dataAreaId": "uspm"},
)
HEADER = "VALIDFROM,CUSTOMERACCOUNT,OTHER,CREDITLIMIT,ONHOLD,CHANGEDAT\r\n"
ROWS = (
    '2026-10-31 12:00:00," O\'Brien, ""x""\r\n😀 ",?,922337203685476.9999,Yes,2026-10-31 23:00:00\r\n'
    "1900-01-01 00:00:00,,?,0.000000,No,1900-01-01 00:00:00\r\n"
)
EXPECTED = [
    {
        "_id": None,
        "_version": None,
        "dataAreaId": "uspm",
        "CustomerAccount": ' O\'Brien, "x"\r\n😀 ',
        "CreditLimit": Decimal("922337203685476.9999"),
        "ValidFrom": date(2026, 10, 31),
        "ChangedAt": datetime(2026, 10, 31, 23, tzinfo=UTC),
        "OnHold": "Yes",
    },
    {
        "_id": None,
        "_version": None,
        "dataAreaId": "uspm",
        "CustomerAccount": None,
        "CreditLimit": Decimal(0),
        "ValidFrom": None,
        "ChangedAt": None,
        "OnHold": "No",
    },
]
XML = """<?xml version="1.0" encoding="utf-8"?>
<Document>
  <CUSTOMERENTITY><VALIDFROM>2026-10-31T12:00:00Z</VALIDFROM><OTHER>?</OTHER>
    <CUSTOMERACCOUNT> O'Brien, "x"&#13;
😀 </CUSTOMERACCOUNT><CREDITLIMIT>922337203685476.9999</CREDITLIMIT><ONHOLD>Yes</ONHOLD>
    <CHANGEDAT>2026-10-31T23:00:00Z</CHANGEDAT></CUSTOMERENTITY>
  <CUSTOMERENTITY><CREDITLIMIT>0</CREDITLIMIT><ONHOLD>No</ONHOLD></CUSTOMERENTITY>
</Document>"""


def manifest(file: str = "Customers V3.csv", entity: str = "Customers V3", prolog: str = "") -> bytes:
    return f"""<?xml version="1.0"?>{prolog}<DataManagementPackageManifest xmlns="{NAMESPACE}">
        <DefinitionGroupName>g</DefinitionGroupName><PackageEntityList><DataManagementPackageEntityData>
        <EntityName>{entity}</EntityName><InputFilePath>{file}</InputFilePath>
        </DataManagementPackageEntityData></PackageEntityList></DataManagementPackageManifest>""".encode()


def package(files: Mapping[str, bytes], manifest_xml: bytes | None = None) -> io.BytesIO:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("Manifest.xml", manifest() if manifest_xml is None else manifest_xml)
        for name, content in files.items():
            zipped.writestr(name, content)
    return into


def rows_of(content: io.BytesIO, columns: Columns = COLUMNS) -> list[dict[str, object]]:
    return [row for batch in read_package(content, "customers v3", columns) for row in batch.to_pylist()]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8", "utf-8-sig"])
def test_csv_in_any_encoding(encoding: str) -> None:
    text = ("\ufeff" if encoding == "utf-16-be" else "") + HEADER + ROWS
    assert rows_of(package({"Customers V3.csv": text.encode(encoding)})) == EXPECTED


def test_xml() -> None:
    files = {"Customers V3.xml": XML.encode()}
    assert rows_of(package(files, manifest("Customers V3.xml"))) == EXPECTED


@pytest.mark.parametrize("text", ["", HEADER, HEADER.strip()])
def test_no_rows(text: str) -> None:
    assert rows_of(package({"Customers V3.csv": text.encode("utf-16")})) == []


def test_a_file_that_is_not_there_holds_no_rows() -> None:
    assert rows_of(package({})) == []


def test_an_empty_xml_document() -> None:
    files = {"Customers V3.xml": b"<Document/>"}
    assert rows_of(package(files, manifest("Customers V3.xml"))) == []


def test_many_rows_come_in_several_batches() -> None:
    columns = Columns((Property("A", pa.int64()), Property("B", pa.string())), {})
    csv_text = "A,B\r\n" + "".join(f"{number},{'x' * 100}\r\n" for number in range(50_000))
    xml_text = "<D>" + "".join(f"<E><A>{number}</A></E>" for number in range(50_000)) + "</D>"
    files = {"Customers V3.csv": csv_text.encode(), "c.xml": xml_text.encode()}
    for name in ("Customers V3.csv", "c.xml"):
        batches = list(read_package(package(files, manifest(name)), "Customers V3", columns))
        assert len(batches) > 1
        assert [value for batch in batches for value in batch["A"].to_pylist()] == list(range(50_000))


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\r\n\t,\"' ")), min_size=1
    )
)
def test_texts_arrive_unchanged(texts: list[str]) -> None:
    column = Columns((Property("Name", pa.string()), Property("No", pa.int64())), {})
    quoted = "".join('{},"{}"\r\n'.format(n, text.replace('"', '""')) for n, text in enumerate(texts))
    content = package({"Customers V3.csv": ("NO,NAME\r\n" + quoted).encode("utf-16")})
    assert [row["Name"] for row in rows_of(content, column)] == [text or None for text in texts]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (package({}, manifest(entity="Vendors")), "does not hold"),
        (package({}, b""), "XML"),
        (package({}, b"<x"), "XML"),
        (package({}, manifest("../../etc/passwd")), "unsafe"),
        (package({}, manifest("/etc/passwd")), "unsafe"),
        (package({}, manifest("C:\\x.csv")), "unsafe"),
        (package({}, manifest("")), "unsafe"),
        (package({}, manifest(prolog='<!DOCTYPE x [<!ENTITY a "b">]>')), "declarations"),
        (package({}, manifest(prolog='<!DOCTYPE x SYSTEM "file:///etc/passwd">')), "declarations"),
        (package({"Customers V3.csv": b"\0" * 20_000_000}), "grows"),
        (package({"Customers V3.csv": b"A,B\r\n1,2\r\n"}), "lacks the columns CHANGEDAT, CREDITLIMIT"),
        (package({"Customers V3.csv": (HEADER + "1,2\r\n").encode()}), "no CSV"),
        (package({"Customers V3.csv": b"\xff\xfe\x00\xd8\x00"}), "CSV|lacks"),
        (package({"Customers V3.csv": (HEADER + "2026-10-31,a,b,much,No,\r\n").encode()}), "CreditLimit"),
        (package({"Customers V3.csv": (HEADER + "yesterday,a,b,1,No,\r\n").encode()}), "ValidFrom"),
        (package({"c.xml": XML[:-20].encode()}, manifest("c.xml")), "XML"),
        (package({"c.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}, manifest("c.xml")), "declarations"),
        (io.BytesIO(b"no zip"), "zip"),
        (io.BytesIO(package({"Customers V3.csv": b"x" * 500}).getvalue()[:-100]), "zip"),
    ],
)
def test_what_is_wrong_is_refused_and_named(content: io.BytesIO, named: str) -> None:
    with pytest.raises(ProtocolError, match=named):
        rows_of(content)


def test_a_package_without_manifest() -> None:
    into = io.BytesIO()
    zipfile.ZipFile(into, "w").close()
    with pytest.raises(ProtocolError, match="Manifest"):
        rows_of(into)


def test_damaged_content() -> None:
    content = bytearray(package({"Customers V3.csv": (HEADER + ROWS * 100).encode()}).getvalue())
    place = content.index(b"Customers V3.csv") + 40
    content[place : place + 8] = b"\xff" * 8
    with pytest.raises(ProtocolError):
        rows_of(io.BytesIO(bytes(content)))


def test_small_xml_keeps_names_and_texts() -> None:
    root = parse_xml(f'<a xmlns="{NAMESPACE}"><b c="d">e&amp;f</b></a>'.encode())
    assert root.findtext(f"{{{NAMESPACE}}}b") == "e&f"
