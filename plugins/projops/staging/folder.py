"""Staged folders: Parquet parts, and a manifest that names them, written last.

A folder belongs to one batch and stage. Each try writes its parts under a name of its own and then
replaces the manifest in one step, so that a reader sees the whole of one try or of another, also
on object stores, which cannot rename folders.
"""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from projops.errors import StagingLostError


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished stage wrote.

    Attributes:
        uri: Where the manifest itself stands; this is what tasks hand on.
        parts: URIs of the Parquet parts, in order.
        rows: Rows in all parts.
        counts: Rows so far by what became of them (read, rejected, ...).
    """

    uri: str
    parts: tuple[str, ...]
    rows: int
    counts: Mapping[str, int]


@dataclass(slots=True)
class StageWriter:
    """Writes the parts of one try."""

    filesystem: Any
    folder: str
    attempt: str
    parts: list[str] = field(default_factory=list)
    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def write(self, table: pa.Table) -> None:
        """Write one part; an empty table writes none."""
        if table.num_rows == 0:
            return
        part = f"{self.folder}/{self.attempt}/part-{len(self.parts):05d}.parquet"
        with self.filesystem.open(part, "wb") as file:
            pq.write_table(table, file, compression="zstd")
        self.parts.append(part)
        self.rows += table.num_rows

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

    @contextmanager
    def writer(self, map_id: str, leg: str, batch: int, stage: str) -> Iterator[StageWriter]:
        """Write a stage's parts; the manifest follows only if no error is raised."""
        folder = f"{self.root}/{map_id}/{leg}/{batch}/{stage}"
        attempt = uuid.uuid4().hex
        self.filesystem.makedirs(f"{folder}/{attempt}", exist_ok=True)
        writer = StageWriter(self.filesystem, folder, attempt)
        yield writer
        self._publish(writer)

    def uri_of(self, writer: StageWriter) -> str:
        """Give the URI that a finished stage hands on."""
        return str(self.filesystem.unstrip_protocol(f"{writer.folder}/manifest.json"))

    def open(self, uri: str) -> Manifest:
        """Read the manifest of a finished stage.

        Raises:
            StagingLostError: It is gone.
        """
        try:
            content = json.loads(self.filesystem.cat_file(self.filesystem._strip_protocol(uri)))
        except FileNotFoundError as error:
            raise _lost(uri) from error
        return Manifest(uri, tuple(content["parts"]), content["rows"], content["counts"])

    def tables(self, manifest: Manifest) -> Iterator[pa.Table]:
        """Read a stage's parts one by one.

        Raises:
            StagingLostError: A part is gone.
        """
        for part in manifest.parts:
            try:
                with self.filesystem.open(part, "rb") as file:
                    yield pq.read_table(file)
            except FileNotFoundError as error:
                raise _lost(part) from error

    def last_written(self) -> dict[str, datetime]:
        """Give the folder of each batch, and when its youngest file was written (UTC)."""
        latest: dict[str, datetime] = {}
        for path in self.filesystem.find(self.root):
            map_id, leg, batch, *rest = path.removeprefix(self.root).lstrip("/").split("/", 3) + [""] * 3
            if rest[0] and batch.isdecimal():
                folder = f"{self.root}/{map_id}/{leg}/{batch}"
                written = self.filesystem.modified(path)
                latest[folder] = max(written, latest.get(folder, written))
        return latest

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

    def _publish(self, writer: StageWriter) -> None:
        content = {"parts": writer.parts, "rows": writer.rows, "counts": writer.counts}
        final = f"{writer.folder}/manifest.json"
        draft = f"{writer.folder}/{writer.attempt}/manifest.json"
        self.filesystem.pipe_file(draft, json.dumps(content).encode())
        self.filesystem.mv(draft, final)
        for path in self.filesystem.ls(writer.folder, detail=False):
            if path.rstrip("/").rsplit("/", 1)[-1] not in {"manifest.json", writer.attempt}:
                self.filesystem.rm(path, recursive=True)


def _lost(path: str) -> StagingLostError:
    return StagingLostError(
        f"The staged file {path} is gone.", remedy="Clear the extract task of this leg too."
    )
