"""Packages and error files behind signed addresses, as a storage account keeps them (protocol 2.2)."""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import sqlalchemy as sa

from sandbox.clock import parse_instant
from sandbox.finance.packages.tables import PackageTables
from sandbox.store import Store, WriteUnit
from sandbox.store.types import instant_text

LARGEST_BLOB = 2 * 1024**3
PIECE = 4 * 1024**2
READ, WRITE = "r", "rcw"
_PATH = "/blobs/"
_LINK_LIFETIME = timedelta(hours=1)
_BLOB_LIFETIME = timedelta(days=7)  # [D]


class LinkError(Exception):
    """A link that opens nothing: not signed by us, changed, expired, or for something else."""


class BlockListError(Exception):
    """A list of blocks that names one which nobody sent."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that has content.

    Attributes:
        blob_id: Its id.
        name: Its file name.
        modified: When its content was committed, aware, UTC.
        content_type: Media type that the writer named.
        size: Bytes.
        uploads: What its content consists of, in order.
    """

    blob_id: str
    name: str
    modified: datetime
    content_type: str
    size: int
    uploads: tuple[str, ...]

    @property
    def etag(self) -> str:
        """A tag that changes with the content."""
        digest = hashlib.sha256("".join(self.uploads).encode()).hexdigest()
        return f'"0x{digest[:15].upper()}"'


class BlobStore:
    """Keeps blobs for seven days of the sandbox's clock, and signs the links that lead to them."""

    def __init__(self, store: Store, tables: PackageTables) -> None:
        """Keep content in the store's database, in pieces, each in a transaction of its own."""
        self._store = store
        self._tables = tables

    def reserve(self, unit: WriteUnit, name: str) -> str:
        """Make room for a blob that somebody will write, and drop those that are too old; return its id."""
        self._drop_old(unit)
        blob_id, now = str(uuid.uuid4()), instant_text(unit.now)
        row: dict[str, object] = {
            "blob_id": blob_id,
            "name": name,
            "created": now,
            "modified": now,
            "uploads": "[]",
        }
        row |= {"content_type": "application/octet-stream", "size": None}
        unit.connection.execute(sa.insert(self._tables.blob).values(row))
        return blob_id

    def link(self, root: str, blob_id: str, name: str, rights: str) -> str:
        """Sign an address, good for an hour of the sandbox's clock.

        Args:
            root: Scheme and host that the client uses.
            blob_id: The blob.
            name: Its file name.
            rights: `READ` or `WRITE`.
        """
        expiry = instant_text((self._store.clock.now() + _LINK_LIFETIME).replace(microsecond=0))
        signed = {"sv": "2021-08-06", "se": expiry, "sr": "b", "sp": rights}
        query = urlencode(signed | {"sig": self._sign(blob_id, rights, expiry)})
        return f"{root}{_PATH}{blob_id}/{quote(name, '')}?{query}"

    def open_link(self, url: str, right: str) -> str:
        """Return the blob that a link opens; host and scheme do not count, the signature does.

        Args:
            url: The whole address, or its path and query.
            right: What is to be done, one letter of `WRITE`.

        Raises:
            LinkError: The link does not open it; the text is the storage account's.
        """
        parts = urlsplit(url)
        path, query = unquote(parts.path), dict(parse_qsl(parts.query))
        blob_id = path.removeprefix(_PATH).partition("/")[0] if path.startswith(_PATH) else ""
        rights, expiry = query.get("sp", ""), query.get("se", "")
        if not hmac.compare_digest(
            self._sign(blob_id, rights, expiry).encode(), query.get("sig", "").encode()
        ):
            raise LinkError("Signature did not match.")
        if parse_instant(expiry) < self._store.clock.now():
            raise LinkError("Signature not valid in the specified time frame.")
        if right not in rights:
            raise LinkError("The signature does not permit this operation.")
        return blob_id

    def exists(self, blob_id: str) -> bool:
        """Say whether a blob was reserved and is not too old."""
        with self._store.read() as connection:
            query = sa.select(self._tables.blob.c.blob_id).where(self._is_kept(blob_id))
            return connection.execute(query).first() is not None

    def find(self, blob_id: str) -> Blob | None:
        """Return a blob that has content; None where there is none, or it is too old."""
        blob = self._tables.blob
        with self._store.read() as connection:
            row = connection.execute(sa.select(blob).where(self._is_kept(blob_id))).mappings().first()
        if row is None or row["size"] is None:
            return None
        modified, uploads = parse_instant(row["modified"]), tuple(json.loads(row["uploads"]))
        return Blob(blob_id, row["name"], modified, row["content_type"], row["size"], uploads)

    def add_piece(self, upload: str, piece: int, blob_id: str, block_id: str, content: bytes) -> None:
        """Keep a part of what is being sent; nobody sees it before it is committed."""
        row = {"upload": upload, "piece": piece, "blob_id": blob_id, "block_id": block_id}
        with self._store.write() as unit:
            row |= {"sequence": unit.next_version(), "size": len(content), "content": content}
            unit.connection.execute(sa.insert(self._tables.block).values(row))

    def commit(self, blob_id: str, uploads: Sequence[str], content_type: str) -> None:
        """Make uploads the content of a blob, in this order; all others of it are forgotten."""
        blob, block = self._tables.blob.c, self._tables.block.c
        with self._store.write() as unit:
            mine = (block.blob_id == blob_id, block.upload.in_(set(uploads)))
            query = sa.select(block.upload, sa.func.sum(block.size)).where(*mine).group_by(block.upload)
            sizes = {upload: int(size) for upload, size in unit.connection.execute(query)}
            values = {
                "uploads": json.dumps(list(uploads)),
                "size": sum(sizes.get(upload, 0) for upload in uploads),
                "content_type": content_type,
                "modified": instant_text(unit.now),
            }
            others = (block.blob_id == blob_id, block.upload.not_in(set(uploads)))
            unit.connection.execute(
                sa.update(self._tables.blob).where(blob.blob_id == blob_id).values(values)
            )
            unit.connection.execute(sa.delete(self._tables.block).where(*others))

    def commit_blocks(self, blob_id: str, listed: Iterable[tuple[str, str]], content_type: str) -> None:
        """Make blocks the content of a blob.

        Args:
            blob_id: The blob.
            listed: Where to look (`Committed`, `Uncommitted`, `Latest`) and the block's id, in order.
            content_type: Its media type.

        Raises:
            BlockListError: A block is not there.
        """
        known = self.find(blob_id)
        committed = set() if known is None else set(known.uploads)
        places: dict[tuple[str, str], str] = {}
        for upload, block_id in self._blocks(blob_id):
            place = "Committed" if upload in committed else "Uncommitted"
            places[place, block_id] = upload
            if place == "Uncommitted" or ("Latest", block_id) not in places:
                places["Latest", block_id] = upload
        try:
            uploads = [places[each] for each in listed]
        except KeyError:
            raise BlockListError("The specified block list is invalid.") from None
        self.commit(blob_id, uploads, content_type)

    def keep(self, name: str, content_type: str, content: BinaryIO) -> str:
        """Keep a file of our own; return the id of its blob."""
        with self._store.write() as unit:
            blob_id = self.reserve(unit, name)
        upload = secrets.token_hex(16)
        for number, piece in enumerate(iter(lambda: content.read(PIECE), b"")):
            self.add_piece(upload, number, blob_id, "", piece)
        self.commit(blob_id, [upload], content_type)
        return blob_id

    def content(self, blob: Blob, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, and without, `end`; one piece at a time is in memory."""
        block, position = self._tables.block.c, 0
        for upload, piece, size in self._pieces(blob):
            if position < end and start < position + size:
                query = sa.select(block.content).where(block.upload == upload, block.piece == piece)
                with self._store.read() as connection:
                    content = bytes(connection.execute(query).scalar_one())
                yield content[max(start - position, 0) : end - position]
            position += size

    def copy(self, blob: Blob, into: BinaryIO) -> None:
        """Write the whole content into an open file, and go back to its beginning."""
        for piece in self.content(blob, 0, blob.size):
            into.write(piece)
        into.seek(0)

    def _pieces(self, blob: Blob) -> Iterator[tuple[str, int, int]]:
        block = self._tables.block.c
        query = (
            sa.select(block.upload, block.piece, block.size)
            .where(block.blob_id == blob.blob_id)
            .order_by(block.piece)
        )
        by_upload: dict[str, list[tuple[str, int, int]]] = {}
        with self._store.read() as connection:
            for upload, piece, size in connection.execute(query):
                by_upload.setdefault(upload, []).append((upload, piece, size))
        for upload in blob.uploads:
            yield from by_upload.get(upload, ())

    def _blocks(self, blob_id: str) -> list[tuple[str, str]]:
        """The uploads of a blob with their block ids, in the order in which they came."""
        block = self._tables.block.c
        query = sa.select(block.upload, block.block_id).where(block.blob_id == blob_id)
        with self._store.read() as connection:
            rows = connection.execute(query.where(block.piece == 0).order_by(block.sequence))
            return [(upload, block_id) for upload, block_id in rows]

    def _is_kept(self, blob_id: str) -> sa.ColumnElement[bool]:
        blob = self._tables.blob.c
        return sa.and_(blob.blob_id == blob_id, blob.created >= self._oldest(self._store.clock.now()))

    def _drop_old(self, unit: WriteUnit) -> None:
        blob, block = self._tables.blob, self._tables.block
        too_old = sa.select(blob.c.blob_id).where(blob.c.created < self._oldest(unit.now))
        unit.connection.execute(sa.delete(block).where(block.c.blob_id.in_(too_old)))
        unit.connection.execute(sa.delete(blob).where(blob.c.created < self._oldest(unit.now)))

    def _oldest(self, now: datetime) -> str:
        return instant_text((now - _BLOB_LIFETIME).replace(microsecond=0))

    def _sign(self, blob_id: str, rights: str, expiry: str) -> str:
        with self._store.read() as connection:
            key = self._tables.signing_key(connection)
        if key is None:
            raise LinkError("Signature did not match.")
        digest = hmac.new(key, f"{blob_id}\n{rights}\n{expiry}".encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()
