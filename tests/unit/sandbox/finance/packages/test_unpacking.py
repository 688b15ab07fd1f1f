"""Packages from outside: whatever they hold, they are refused in a sentence, in little memory."""

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.finance.packages import unpacking
from sandbox.finance.packages.manifest import EntityFile, Manifest, render_header, render_manifest
from sandbox.finance.packages.reading import DataFileError, read_texts
from sandbox.finance.packages.unpacking import PackageError, manifest_of, open_package
from sandbox.safe_xml import UnsafeXmlError, parse_xml

MEGABYTE = 1024**2
MANIFEST = Manifest("g", "", (EntityFile("Currencies", "c.csv", "CSV", (("CURRENCYCODE", "CURRENCYCODE"),)),))


@contextmanager
def at_most(memory: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as package:
        for name, data in files.items():
            package.writestr(name, data)
    return content.getvalue()


def good(**others: bytes) -> dict[str, bytes]:
    return {"Manifest.xml": render_manifest(MANIFEST), "PackageHeader.xml": render_header(MANIFEST), **others}


def read_all(package: zipfile.ZipFile) -> None:
    for name in package.namelist():
        with package.open(name) as file:
            while file.read(MEGABYTE // 4):
                pass


def refusal(content: bytes) -> str:
    with pytest.raises(PackageError) as refused, open_package(io.BytesIO(content)) as package:
        manifest_of(package)
        read_all(package)
    return str(refused.value)


def test_what_we_write_we_read() -> None:
    with open_package(io.BytesIO(zipped(good()))) as package:
        assert manifest_of(package) == Manifest("g", "g", MANIFEST.entities)


@pytest.mark.parametrize(
    "name",
    [
        "../x.csv",
        "/etc/passwd",
        "a/../../x",
        "..\\x.csv",
        "C:\\x.csv",
        "C:x.csv",
        "\\\\host\\x",
        "./x",
        "a//b",
        "..",
    ],
)
def test_names_that_lead_out_are_refused(name: str) -> None:
    assert "outside of itself" in refusal(zipped(good(**{name: b""})))


def test_a_name_that_ends_early_is_refused() -> None:
    content = zipped(good(**{"x~.csv": b""})).replace(b"x~.csv", b"x\x00.csv")
    assert "outside of itself" in refusal(content)


def test_zips_that_are_none() -> None:
    whole = zipped(good(data=bytes(range(256)) * 400))
    assert "no zip file" in refusal(b"")
    assert "no zip file" in refusal(b"PK\x03\x04")
    assert "no zip file" in refusal(whole[:-10])
    for start in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[start] ^= 0xFF
        try:
            with open_package(io.BytesIO(bytes(broken))) as package:
                manifest_of(package)
                read_all(package)
        except PackageError as refused:
            assert str(refused).endswith(".")


def test_encrypted_and_unusual_ones() -> None:
    content = bytearray(zipped(good()))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(signature)
        flags = struct.unpack_from("<H", content, place + offset)[0]
        struct.pack_into("<H", content, place + offset, flags | 1)
    assert "encrypted" in refusal(bytes(content))
    assert "compressed in a way" in refusal(zipped(good(), zipfile.ZIP_LZMA))
    assert "two files of one name" in refusal(zipped({"Manifest.xml": b"", "MANIFEST.XML": b""}))


def test_bombs_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(good(zeros=bytes(100 * MEGABYTE)))
    assert len(bomb) < MEGABYTE
    with at_most(2 * MEGABYTE):
        assert "grows to" in refusal(bomb)
    assert "1002 files" in refusal(zipped(good(**{str(number): b"" for number in range(1_000)})))
    monkeypatch.setattr(unpacking, "_LARGEST_CONTENT", MEGABYTE)
    assert "grows to more than" in refusal(zipped(good(a=bytes(600_000), b=bytes(600_000))))


@pytest.mark.parametrize("name", ["zeros", "Manifest.xml"])
def test_a_lying_size_does_not_let_more_in(name: str) -> None:
    """What inflates to more than its directory says is cut there, and its checksum is wrong."""
    content = bytearray(zipped({**good(), name: bytes(20 * MEGABYTE)}))
    place = content.rfind(name.encode()) - 46
    struct.pack_into("<I", content, place + 24, 1_000)
    with at_most(2 * MEGABYTE):
        assert "no zip file that can be read" in refusal(bytes(content))


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"<a",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY b "x">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        render_manifest(MANIFEST).replace(b"2015", b"2014"),
        render_manifest(MANIFEST).replace(b"<SequenceInLevel>0", b"<SequenceInLevel>-1"),
        render_manifest(MANIFEST).replace(b"<SequenceInLevel>0", b"<SequenceInLevel>99999999999"),
    ],
)
def test_manifests_that_are_none(manifest: bytes) -> None:
    assert "Manifest.xml" in refusal(zipped(good() | {"Manifest.xml": manifest}))


def test_headers_of_other_packages() -> None:
    header = render_header(MANIFEST)
    other = header.replace(b"DefinitionGroup<", b"Other<")
    assert "type 'Other'" in refusal(zipped(good() | {"PackageHeader.xml": other}))
    assert "no PackageHeader.xml" in refusal(zipped({"Manifest.xml": render_manifest(MANIFEST)}))


def test_entities_cannot_multiply() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(UnsafeXmlError, match="document type declaration"):
        parse_xml(f'<!DOCTYPE a [<!ENTITY l0 "ha">{laughs}]><a>&l9;</a>'.encode())


@pytest.mark.parametrize(
    ("source_format", "content"),
    [
        ("CSV", b"A,B\r\n" + b"x" * (8 * MEGABYTE)),
        ("CSV", b'A,B\r\n"' + b"x\r\n" * (3 * MEGABYTE)),
        ("CSV-Unicode", "A,B\r\n".encode("utf-16") + b"x\x00" * (8 * MEGABYTE)),
        ("XML-Element", b"<D><R><A>" + b"x" * (16 * MEGABYTE) + b"</A></R></D>"),
        ("CSV", b"A,B\r\n" + b'"\r\n",' * (2 * MEGABYTE)),
        ("XML-Element", b'<D><R A="' + b"x" * (32 * MEGABYTE) + b'"></R></D>'),
        ("XML-Element", b"<D><!--" + b"x" * (32 * MEGABYTE) + b"--></D>"),
        ("XML-Element", b"<D><R>" + b"".join(b"<A%d/>" % n for n in range(200_000)) + b"</R></D>"),
        ("XML-Element", b"<D><R>" + b"<A>" * MEGABYTE),
        ("XML-Element", b'<?xml version="1.0" encoding="utf-7"?><D><R><A>1</A></R></D>'),
        ("XML-Element", b'<?xml version="1.0" encoding="no-such"?><D><R><A>1</A></R></D>'),
        ("CSV", b"A,B\r\n1,2,3\r\n"),
        ("CSV", b"A,B\r\n1,2\n3,4\r\n"),
        ("CSV", b"A,B\r\n\xff,2\r\n"),
        ("CSV", "A,B\r\n1,2\r\n".encode("utf-16")),
        ("CSV-Unicode", "A,B\r\n1,2\r\n".encode("utf-16") + b"x"),
        ("CSV-Unicode", "A,B\r\n".encode("utf-16") + b"\x00\xd8\x41\x00\r\x00\n\x00"),
        ("XML-Element", b"<D><R><A>1</A></R>"),
        ("XML-Element", b"A,B\r\n1,2\r\n"),
    ],
)
def test_data_files_that_are_none_end_in_a_sentence_and_little_memory(
    source_format: str, content: bytes
) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped({"f": content}))) as package:
        with at_most(24 * MEGABYTE):
            with pytest.raises(DataFileError, match=r"\.$"):
                list(read_texts(package, "f", source_format))
