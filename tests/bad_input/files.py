"""Bad data packages: what a broken export, a broken download or a hostile hand can put into a zip."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa

from projops.systems.package_files import Columns
from projops.systems.properties import Form, Property
from tests.bad_input.kinds import Case, Ending

ENTITY = "Customers V3"
NAMESPACE = "http://schemas.microsoft.com/dynamics/2015/01/DataManagement"
COLUMNS = Columns(
    (
        Property("dataAreaId", pa.string()),
        Property("CustomerAccount", pa.string()),
        Property("CreditLimit", pa.decimal128(38, 16)),
        Property("ValidFrom", pa.date32()),
        Property("OnHold", pa.string(), Form.ENUM, enum="NoYes"),
    ),
    given={"dataAreaId": "uspm"},
)
HEADER = "CUSTOMERACCOUNT,CREDITLIMIT,VALIDFROM,ONHOLD\r\n"
ROW = "C-1,12.50,2026-10-31 12:00:00,No\r\n"
BILLION_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
)


def manifest(file: str = f"{ENTITY}.csv", entity: str = ENTITY, prolog: str = "") -> bytes:
    """A manifest that names one file of one entity."""
    return (
        f'<?xml version="1.0"?>{prolog}<DataManagementPackageManifest xmlns="{NAMESPACE}"><PackageEntityList>'
        f"<DataManagementPackageEntityData><EntityName>{entity}</EntityName><InputFilePath>{file}"
        "</InputFilePath></DataManagementPackageEntityData></PackageEntityList></DataManagementPackageManifest>"
    ).encode()


def package(
    files: Mapping[str, bytes], told: bytes | None = None, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A package of some files, with a manifest."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", method) as zipped:
        zipped.writestr("Manifest.xml", manifest() if told is None else told)
        for name, content in files.items():
            zipped.writestr(name, content)
    return into.getvalue()


def data(text: str, encoding: str = "utf-16") -> bytes:
    """A package whose data file holds a text."""
    return package({f"{ENTITY}.csv": text.encode(encoding)})


def rows(line: str) -> bytes:
    """A package with one good row and one other line."""
    return data(HEADER + ROW + line + "\r\n")


def _xml(text: str) -> bytes:
    return package({"c.xml": text.encode()}, manifest("c.xml"))


def _encrypted() -> bytes:
    """A zip whose entries say that they are encrypted."""
    content = bytearray(data(HEADER + ROW))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(mark)
        while start >= 0:
            (flags,) = struct.unpack_from("<H", content, start + place)
            struct.pack_into("<H", content, start + place, flags | 1)
            start = content.find(mark, start + 4)
    return bytes(content)


def _lying_size() -> bytes:
    """A zip that declares less than it unpacks to."""
    content = bytearray(package({f"{ENTITY}.csv": (HEADER + ROW * 1000).encode("utf-16")}))
    start = content.rfind(b"PK\x01\x02")
    struct.pack_into("<I", content, start + 24, 10)
    return bytes(content)


def _many_entries() -> bytes:
    return package({f"{number}.csv": b"" for number in range(2000)}, method=zipfile.ZIP_STORED)


def _damaged() -> bytes:
    content = bytearray(package({f"{ENTITY}.csv": (HEADER + ROW * 100).encode()}))
    place = content.index(f"{ENTITY}.csv".encode(), content.index(b"PK\x03\x04", 4)) + 40
    content[place : place + 8] = b"\xff" * 8
    return bytes(content)


def _without_manifest() -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as zipped:
        zipped.writestr(f"{ENTITY}.csv", HEADER + ROW)
    return into.getvalue()


Make = Callable[[], bytes]
_REFUSED: Mapping[str, tuple[Make, str]] = {
    "package that is no zip": (lambda: b"<html>expired</html>", "no readable zip"),
    "empty package": (lambda: b"", "no readable zip"),
    "package that is cut": (lambda: data(HEADER + ROW * 50)[:-60], "no readable zip"),
    "package with a damaged file": (_damaged, "no readable zip|no CSV"),
    "package that is encrypted": (_encrypted, "encrypted"),
    "zip bomb by ratio": (lambda: package({f"{ENTITY}.csv": bytes(30_000_000)}), "grows to 30000000"),
    "zip bomb beside the data": (lambda: package({"other.bin": bytes(30_000_000)}), "grows to 30000000"),
    "zip bomb of many files": (_many_entries, "2001 files"),
    "package that lies about a size": (_lying_size, "no readable zip|no CSV|lacks"),
    "package without manifest": (_without_manifest, "no Manifest"),
    "manifest that is no XML": (lambda: package({}, b"CUSTOMERS"), "XML"),
    "manifest with an entity bomb": (lambda: package({}, manifest(prolog=BILLION_LAUGHS)), "declarations"),
    "manifest that includes a file": (
        lambda: package({}, manifest(prolog='<!DOCTYPE x SYSTEM "file:///etc/passwd">')),
        "declarations",
    ),
    "manifest nested without end": (lambda: package({}, b"<a>" * 20_000), "XML"),
    "manifest of another entity": (lambda: package({}, manifest(entity="Vendors")), "does not hold"),
    "manifest of another namespace": (
        lambda: package({}, manifest().replace(NAMESPACE.encode(), b"urn:x")),
        "does not hold",
    ),
    "file name that climbs": (lambda: package({}, manifest("../../etc/passwd")), "unsafe"),
    "file name from the root": (lambda: package({}, manifest("/etc/passwd")), "unsafe"),
    "file name of a drive": (lambda: package({}, manifest("C:\\\\x.csv")), "unsafe"),
    "file name that is empty": (lambda: package({}, manifest("")), "unsafe"),
    "header that lacks a column": (
        lambda: data("CUSTOMERACCOUNT,ONHOLD\r\nC-1,No\r\n"),
        "lacks the columns CRED",
    ),
    "header of another language": (lambda: data("KUND;KREDIT\r\nC-1;1\r\n"), "lacks the columns"),
    "line with too few values": (lambda: rows("C-2,1"), "no CSV"),
    "line with too many values": (lambda: rows("C-2,1,,No,x,y"), "no CSV"),
    "quotes that never end": (lambda: rows('"C-2,1,,No'), "no CSV"),
    "half a character of UTF-16": (
        lambda: package({f"{ENTITY}.csv": (HEADER + ROW).encode("utf-16")[:-1]}),
        "no CSV",
    ),
    "lone surrogate in UTF-16": (
        lambda: package({f"{ENTITY}.csv": (HEADER + "C\ud800,1,,No\r\n").encode("utf-16", "surrogatepass")}),
        "no CSV",
    ),
    "bytes of Latin-1": (lambda: data(HEADER + "Åsa,1,,No\r\n", "latin-1"), "no CSV"),
    "text for an amount": (lambda: rows("C-2,much,,No"), "CreditLimit"),
    "amount with a comma": (lambda: rows('C-2,"1,5",,No'), "CreditLimit"),
    "amount that is not a number": (lambda: rows("C-2,NaN,,No"), "CreditLimit"),
    "amount of fifty digits": (lambda: rows(f"C-2,{'9' * 50},,No"), "CreditLimit"),
    "day of another country": (lambda: rows("C-2,1,31/10/2026,No"), "ValidFrom"),
    "data in XML that is cut": (lambda: _xml("<Document><C><CUSTOMERACCOUNT>C-1</C"), "XML"),
    "data in XML with entities": (lambda: _xml(f"{BILLION_LAUGHS}<Document/>"), "declarations"),
    "data in XML with a control character": (lambda: _xml("<Document><C>\x01</C></Document>"), "XML"),
}
_FINE: Mapping[str, tuple[Make, str]] = {
    "columns in another order": (
        lambda: data("ONHOLD,VALIDFROM,CREDITLIMIT,CUSTOMERACCOUNT\r\nNo,,12.50,C-1\r\n"),
        "C-1",
    ),
    "columns that nobody asked for": (
        lambda: data("X,CUSTOMERACCOUNT,CREDITLIMIT,VALIDFROM,ONHOLD\r\n,C-1,1,,No\r\n"),
        "C-1",
    ),
    "UTF-8 with a byte order mark": (lambda: data(HEADER + ROW, "utf-8-sig"), "C-1"),
    "lines that end with LF": (lambda: data((HEADER + ROW).replace("\r\n", "\n")), "C-1"),
    "line break inside a value": (lambda: data(HEADER + '"C\r\n1",1,,No\r\n'), "C\r\n1"),
    "last line without an end": (lambda: data((HEADER + ROW).removesuffix("\r\n")), "C-1"),
    "header in lower case": (lambda: data(HEADER.lower() + ROW), "C-1"),
}


def file_cases() -> Iterator[Case]:
    """Every bad package; its content is made when it is used."""
    for kind, (make, named) in _REFUSED.items():
        yield Case(kind, "package", Ending.STOP, named, make)
    for kind, (make, account) in _FINE.items():
        yield Case(kind, "package", Ending.AS_IT_IS, account, make)
