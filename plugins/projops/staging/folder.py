"""Staged folders: Parquet parts, and a manifest that names them, written last.

A folder belongs to one batch and stage. Each try writes its parts under a name of its own and then
replaces the manifest in one step, so that a reader sees the whole of one try or of another, also
on object stores, which cannot rename folders.
"""

import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from projops import progress
from projops.errors import StagingLostError, TryAgainError

EVIDENCE = "evidence"  # folder of what a person is to look at
RECONCILIATIONS = "reconciliations"  # folder of their differences and reports, by number
# Parts are short and read as a whole, once or twice: zstd alone makes them smaller than with
# dictionaries, in less time, and nobody looks for rows by statistics.
_WRITTEN: Mapping[str, Any] = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished stage wrote.

    Attributes:
        uri: Where the manifest itself stands; this is what tasks hand on.
        parts: URIs of the Parquet parts, in order.
        rows: Rows in all parts.
        counts: Rows so far by what became of them (read, rejected, ...).
        facts: What the rows stand for, handed on from stage to stage: it and they cannot part.
    """

    uri: str
    parts: tuple[str, ...]
    rows: int
    counts: Mapping[str, int]
    facts: Mapping[str, str]


@dataclass(slots=True)
class StageWriter:
    """Writes the parts of one try."""

    filesystem: Any
    folder: str
    batch: int
    attempt: str
    parts: list[str] = field(default_factory=list)
    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def write(self, table: pa.Table) -> None:
        """Write one part; an empty table writes none.

        Raises:
            TryAgainError: Another try of the same stage has published its own parts meanwhile.
        """
        if table.num_rows == 0:
            return
        part = f"{self.folder}/{self.attempt}/part-{len(self.parts):05d}.parquet"
        try:
            with self.filesystem.open(part, "wb") as file:
                pq.write_table(table, file, **_WRITTEN)
        except FileNotFoundError as error:
            raise _replaced(self.folder) from error
        self.parts.append(part)
        self.rows += table.num_rows
        progress.done(self.folder.rpartition("/")[2], table.num_rows)

    def count(self, name: str, number: int) -> None:
        """Add to a count that the manifest carries."""
        self.counts[name] = self.counts.get(name, 0) + number


class Staging:
    """The staging area.

    Args:
        root: Folder as a URL that fsspec knows: `file:///…`, `s3://…`, `abfss://…`, or a path.
        options: Credentials and settings for fsspec.
    """

    def __init__(self, root: str, options: Mapping[str, Any] | None = None) -> None:
        self.filesystem, self.root = fsspec.core.url_to_fs(root, **dict(options or {}))

    @property
    def url(self) -> str:
        """The root as a URL, without credentials."""
        return str(self.filesystem.unstrip_protocol(self.root))

    @contextmanager
    def writer(self, map_id: str, leg: str, batch: int, stage: str) -> Iterator[StageWriter]:
        """Write a stage's parts; the manifest follows only if no error is raised."""
        folder = self._below(map_id, leg, str(batch), stage)
        attempt = uuid.uuid4().hex
        self.filesystem.makedirs(f"{folder}/{attempt}", exist_ok=True)
        writer = StageWriter(self.filesystem, folder, batch, attempt)
        yield writer
        self._publish(writer)

    def uri_of(self, writer: StageWriter) -> str:
        """Give the URI that a finished stage hands on."""
        return str(self.filesystem.unstrip_protocol(f"{writer.folder}/manifest.json"))

    def open(self, uri: str, batch: int) -> Manifest:
        """Read the manifest of a finished stage.

        Args:
            uri: What the stage handed on.
            batch: The batch whose rows are wanted.

        Raises:
            StagingLostError: It is gone, damaged, or of another batch.
        """
        try:
            content = json.loads(self.filesystem.cat_file(self.filesystem._strip_protocol(uri)))
            found = Manifest(
                uri, tuple(content["parts"]), content["rows"], content["counts"], content["facts"]
            )
        except FileNotFoundError as error:
            raise _lost(uri, "gone") from error
        except (ValueError, KeyError, TypeError) as error:
            raise _lost(uri, "damaged") from error
        if content.get("batch") != batch:
            raise _lost(uri, f"of batch {content.get('batch')}, not of batch {batch}")
        return found

    def size(self, manifest: Manifest) -> int:
        """Give how many bytes a stage's parts take."""
        return sum(self.filesystem.size(part) for part in manifest.parts)

    def tables(self, manifest: Manifest) -> Iterator[pa.Table]:
        """Read a stage's parts one by one.

        Raises:
            StagingLostError: A part is gone or damaged.
        """
        rows = 0
        for part in manifest.parts:
            table = self._read(part)
            rows += table.num_rows
            yield table
        if rows != manifest.rows:
            raise _lost(manifest.uri, f"damaged: it tells of {manifest.rows} rows, and there are {rows}")

    def keep(self, folder: str, name: str, content: bytes) -> str:
        """Keep bytes that a person is to look at; give their URI.

        Args:
            folder: Below the root, such as `evidence/projects/12`.
            name: Of the file, which is new.
            content: What is kept.
        """
        place = self._below(*folder.split("/"))
        path = self._below(*folder.split("/"), name)
        self.filesystem.makedirs(place, exist_ok=True)
        self.filesystem.pipe_file(path, content)
        return str(self.filesystem.unstrip_protocol(path))

    def publish(self, path: str, content: bytes) -> str:
        """Write a file that people may be reading, who see all of the old or all of the new; give its URI.

        Args:
            path: Below the root, such as `docs/projects/index.html`.
            content: What stands in it from now on.
        """
        with self.publishing(path) as file:
            file.write(content)
        return self.uri_below(path)

    @contextmanager
    def publishing(self, path: str) -> Iterator[Any]:
        """Open a binary file to write, which appears as `publish` has it, if no error is raised."""
        final = self._below(*path.split("/"))
        folder = final.rpartition("/")[0]
        self.filesystem.makedirs(folder, exist_ok=True)
        draft = f"{folder}/_{uuid.uuid4().hex}"
        try:
            with self.filesystem.open(draft, "wb") as file:
                yield file
        except BaseException:
            with suppress(FileNotFoundError):
                self.filesystem.rm(draft)
            raise
        self.filesystem.mv(draft, final)

    def opened(self, path: str) -> Any:
        """Open a file that was published, to read it as bytes; a context manager.

        Raises:
            FileNotFoundError: There is no such file.
        """
        return self.filesystem.open(self._below(*path.split("/")), "rb")

    def uri_below(self, path: str) -> str:
        """Give the URI of a path below the root."""
        return str(self.filesystem.unstrip_protocol(self._below(*path.split("/"))))

    def published(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Read files that `publish` has written, by path; those that are not there are left out."""
        whole = {self._below(*path.split("/")): path for path in paths}
        found = self.filesystem.cat(list(whole), on_error="omit") if whole else {}
        return {whole[name]: content for name, content in found.items()}

    def names(self, folder: str) -> list[str]:
        """Give the names of the files and folders directly in a folder, sorted; none where there is none."""
        try:
            found = self.filesystem.ls(self._below(*folder.split("/")), detail=False)
        except FileNotFoundError:
            return []
        return sorted(path.rstrip("/").rsplit("/", 1)[-1] for path in found)

    def _read(self, part: str) -> pa.Table:
        try:
            with self.filesystem.open(part, "rb") as file:
                return pq.read_table(file)
        except FileNotFoundError as error:
            raise _lost(part, "gone") from error
        except (pa.ArrowInvalid, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the storage is away, the file is not
            raise _lost(part, "damaged") from error

    def last_written(self) -> dict[str, datetime]:
        """Give the folder of each batch, and when its youngest file was written (UTC)."""
        latest: dict[str, datetime] = {}
        for path in self.filesystem.find(self.root):
            map_id, leg, batch, *rest = path.removeprefix(self.root).lstrip("/").split("/", 3) + [""] * 3
            if rest[0] and batch.isdecimal():
                folder = f"{self.root}/{map_id}/{leg}/{batch}"
                written = self._written(path)
                latest[folder] = max(written, latest.get(folder, written))
        return latest

    def kept(self, folder: str = EVIDENCE) -> dict[str, datetime]:
        """Give the files of a folder and those below it, by URI, and when each was written (UTC)."""
        found = self.filesystem.find(self._below(folder))
        return {str(self.filesystem.unstrip_protocol(path)): self._written(path) for path in found}

    def remove(self, path: str) -> None:
        """Remove a file or folder of the staging area, if it is there.

        Args:
            path: As a URI, or as the file system knows it.

        Raises:
            ValueError: It does not stand below the root.
        """
        inner = self.filesystem._strip_protocol(path)
        real, root = os.path.realpath(inner), os.path.realpath(self.root)  # links lead elsewhere
        if not real.startswith(f"{root}/"):
            raise ValueError(f"{path} is no file of the staging area")
        with suppress(FileNotFoundError):
            self.filesystem.rm(inner, recursive=True)

    def _below(self, *names: str) -> str:
        """Give a path below the root; a name that would lead elsewhere is none of ours."""
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r:.80} is no name for the staging area")
        return "/".join((self.root, *names))

    def _written(self, path: str) -> datetime:
        try:
            written: datetime = self.filesystem.modified(path)
        except FileNotFoundError:  # a stage replaces it at this moment
            return datetime.now(UTC)
        return written

    def _publish(self, writer: StageWriter) -> None:
        content = {
            "batch": writer.batch,
            "parts": writer.parts,
            "rows": writer.rows,
            "counts": writer.counts,
            "facts": writer.facts,
        }
        final = f"{writer.folder}/manifest.json"
        draft = f"{writer.folder}/{writer.attempt}/manifest.json"
        try:
            self.filesystem.pipe_file(draft, json.dumps(content).encode())
        except FileNotFoundError as error:
            raise _replaced(writer.folder) from error
        self.filesystem.mv(draft, final)
        for path in self.filesystem.ls(writer.folder, detail=False):
            if path.rstrip("/").rsplit("/", 1)[-1] not in {"manifest.json", writer.attempt}:
                self.filesystem.rm(path, recursive=True)


def _lost(path: str, how: str) -> StagingLostError:
    return StagingLostError(
        f"The staged file {path} is {how}.", remedy="Clear the extract task of this leg too."
    )


def _replaced(folder: str) -> TryAgainError:
    return TryAgainError(
        f"Another try of the same stage has replaced {folder} while it was written.",
        remedy="Retried by itself.",
    )
