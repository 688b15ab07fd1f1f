"""Opening a package that came from outside: nothing of it is trusted, nothing of it is kept in memory.

Names never reach a path; sizes, ratios and numbers of files are bounded before anything is read.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from sandbox.finance.packages.manifest import Manifest, ManifestError, check_header, read_manifest

MANIFEST, HEADER = "Manifest.xml", "PackageHeader.xml"
_MOST_FILES = 1_000
_LARGEST_MANIFEST = 16 * 1024**2
_LARGEST_CONTENT = 8 * 1024**3  # of all files together
_HIGHEST_RATIO, _SMALL = 500, 1024**2  # rows of empty columns in UTF-16 come to about 100
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class PackageError(Exception):
    """A package that cannot be taken; the sentence says why."""


@contextmanager
def open_package(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose directory is harmless.

    Raises:
        PackageError: It is no zip, is cut off, encrypted, too large, or names files outside of itself;
            also raised for what is found damaged while it is read inside of the block.
    """
    with ExitStack() as stack:
        try:
            package = stack.enter_context(zipfile.ZipFile(file))
            _refuse_harmful(package)
            for entry in package.infolist():
                package.open(entry).close()  # its own header is read, as the directory's is
        except (zipfile.BadZipFile, NotImplementedError, struct.error, OSError, ValueError) as problem:
            raise _unreadable(problem) from None
        try:
            yield package
        except (zipfile.BadZipFile, zlib.error, EOFError) as problem:
            raise _unreadable(problem) from None


def _unreadable(problem: Exception) -> PackageError:
    return PackageError(f"The package is no zip file that can be read: {problem}.")


def manifest_of(package: zipfile.ZipFile) -> Manifest:
    """Read what a package says of itself.

    Raises:
        PackageError: Manifest or header is missing, too large, or not in its form.
    """
    try:
        check_header(_small_file(package, HEADER))
        return read_manifest(_small_file(package, MANIFEST))
    except ManifestError as problem:
        raise PackageError(str(problem)) from None


def _small_file(package: zipfile.ZipFile, name: str) -> bytes:
    if name not in package.namelist():
        raise PackageError(f"The package has no {name}.")
    size = package.getinfo(name).file_size
    if size > _LARGEST_MANIFEST:
        raise PackageError(f"The {name} of the package is larger than {_LARGEST_MANIFEST} bytes.")
    with package.open(name) as file:  # no more than the directory says, whatever else is in it
        return file.read(size)


def _refuse_harmful(package: zipfile.ZipFile) -> None:
    entries = package.infolist()
    if len(entries) > _MOST_FILES:
        raise PackageError(f"The package holds {len(entries)} files, and {_MOST_FILES} are the most.")
    if len({entry.filename.lower() for entry in entries}) < len(entries):
        raise PackageError("The package holds two files of one name.")
    if sum(entry.file_size for entry in entries) > _LARGEST_CONTENT:
        raise PackageError(f"The package grows to more than {_LARGEST_CONTENT} bytes.")
    for entry in entries:
        _refuse_harmful_entry(entry)


def _refuse_harmful_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if not is_plain_name(name.rstrip("/")) or not is_plain_name(entry.orig_filename.rstrip("/")):
        raise PackageError(f"The package names a file outside of itself: '{name[:100]}'.")
    if entry.flag_bits & _ENCRYPTED:
        raise PackageError("The package is encrypted.")
    if entry.compress_type not in _METHODS:
        raise PackageError(f"The file '{name[:100]}' is compressed in a way that packages are not.")
    if entry.file_size > _SMALL and entry.file_size > _HIGHEST_RATIO * entry.compress_size:
        raise PackageError(f"The file '{name[:100]}' grows to {entry.file_size} bytes: that is no data.")


def is_plain_name(name: str) -> bool:
    """Say whether a name stays inside of its package, whoever takes it for a path."""
    parts = name.split("/")
    return (
        bool(name) and not any(part in {"", ".", ".."} for part in parts) and not set(name) & set("\\:\x00")
    )
