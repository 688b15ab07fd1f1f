"""Finished packages behind signed addresses, as a storage account hands them out."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from starlette.responses import Response

from sandbox.clock import parse_instant
from sandbox.finance.packages.tables import PackageTables
from sandbox.store import Store, WriteUnit
from sandbox.store.types import instant_text

_LINK_LIFETIME = timedelta(hours=1)
_BLOB_LIFETIME = timedelta(days=7)  # [D]


class BlobStore:
    """Keeps packages for seven days and serves them to whoever holds a link that has not expired."""

    def __init__(self, store: Store, tables: PackageTables) -> None:
        """Links are signed with a key of this process: they end with it."""
        self._store = store
        self._tables = tables
        self._key = secrets.token_bytes(32)

    def put(self, unit: WriteUnit, content: bytes) -> str:
        """Keep a package and drop those that are too old; return its id."""
        blob, blob_id = self._tables.blob, str(secrets.token_hex(16))
        oldest = instant_text(unit.now - _BLOB_LIFETIME)
        unit.connection.execute(sa.delete(blob).where(blob.c.created < oldest))
        row = {"blob_id": blob_id, "created": instant_text(unit.now), "content": content}
        unit.connection.execute(sa.insert(blob).values(row))
        return blob_id

    def link(self, root: str, blob_id: str, file_name: str) -> str:
        """An address for a package, good for an hour of the sandbox's clock."""
        expiry = instant_text((self._store.clock.now() + _LINK_LIFETIME).replace(microsecond=0))
        query = urlencode({"sv": "2021-08-06", "sp": "r", "se": expiry, "sig": self._sign(blob_id, expiry)})
        return f"{root}/blobs/{blob_id}/{quote(file_name, '')}?{query}"

    def serve(self, path: str, query: dict[str, str]) -> Response:
        """`GET /blobs/{id}/{name}`: the package; 403 for a bad or expired signature, 404 for none."""
        blob_id, expiry = path.partition("/")[0], query.get("se", "")
        if not hmac.compare_digest(self._sign(blob_id, expiry).encode(), query.get("sig", "").encode()):
            return _failure(403, "AuthenticationFailed", "Server failed to authenticate the request.")
        if parse_instant(expiry) < self._store.clock.now():
            return _failure(403, "AuthenticationFailed", "Signature not valid in the specified time frame.")
        blob = self._tables.blob
        oldest = instant_text(self._store.clock.now() - _BLOB_LIFETIME)
        wanted = sa.select(blob.c.content).where(blob.c.blob_id == blob_id, blob.c.created >= oldest)
        with self._store.read() as connection:
            content = connection.execute(wanted).scalar()
        if content is None:
            return _failure(404, "BlobNotFound", "The specified blob does not exist.")
        return Response(bytes(content), headers={"x-ms-blob-type": "BlockBlob"}, media_type="application/zip")

    def _sign(self, blob_id: str, expiry: str) -> str:
        return hmac.new(self._key, f"{blob_id}\n{expiry}".encode(), hashlib.sha256).hexdigest()


def _failure(status: int, code: str, message: str) -> Response:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(f'<?xml version="1.0" encoding="utf-8"?>{error}', status, media_type="application/xml")
