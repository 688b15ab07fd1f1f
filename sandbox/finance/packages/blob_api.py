"""The blob endpoint: what clients of a storage account do with a signed link (protocol 2.2).

`PUT` of a whole blob, or of blocks and their list as Azure's own client sends large ones; `GET` and
`HEAD` with ranges. Bodies pass through memory piece by piece.
"""

import base64
import hashlib
import re
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from sandbox.clock import http_date
from sandbox.finance.packages.blobs import LARGEST_BLOB, PIECE, Blob, BlobStore, BlockListError, LinkError
from sandbox.safe_xml import UnsafeXmlError, parse_xml

METHODS = ("GET", "HEAD", "PUT")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_LARGEST_BLOCK_LIST = 8 * 1024**2
_VERSION = "2021-08-06"


class BlobRefusedError(Exception):
    """A request that the endpoint refuses.

    Attributes:
        status: HTTP status.
        code: Azure's error code.
        message: Its sentence.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what goes on the wire."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True)
class BlobApi:
    """Answers requests for blobs.

    Attributes:
        blobs: Where they are.
    """

    blobs: BlobStore

    async def answer(self, request: Request) -> Response:
        """Answer one request; errors are Azure's XML, their code in `x-ms-error-code` too."""
        try:
            response = await self._answer(request)
        except BlobRefusedError as refused:
            response = _failure(refused)
        except ClientDisconnect:
            response = Response(status_code=400)
        response.headers["x-ms-version"] = request.headers.get("x-ms-version", _VERSION)
        response.headers["x-ms-request-id"] = str(uuid.uuid4())
        if "x-ms-client-request-id" in request.headers:
            response.headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
        return response

    async def _answer(self, request: Request) -> Response:
        right = "w" if request.method == "PUT" else "r"
        blob_id = await run_in_threadpool(self._opened, str(request.url), right)
        if request.method != "PUT":
            return await run_in_threadpool(self._read, blob_id, request)
        part = request.query_params.get("comp", "")
        writers = {"": self._put_blob, "block": self._put_block, "blocklist": self._put_block_list}
        if part not in writers:
            raise BlobRefusedError(400, "InvalidQueryParameterValue", f"The sandbox has no comp={part}.")
        await writers[part](blob_id, request)
        headers = {"x-ms-request-server-encrypted": "true"}
        blob = await run_in_threadpool(self.blobs.find, blob_id)
        if part != "block" and blob is not None:
            headers |= _state(blob)
        return Response(status_code=201, headers=headers)

    def _opened(self, url: str, right: str) -> str:
        try:
            blob_id = self.blobs.open_link(url, right)
        except LinkError as refused:
            message = f"Server failed to authenticate the request. {refused}"
            raise BlobRefusedError(403, "AuthenticationFailed", message) from None
        if not self.blobs.exists(blob_id):
            raise BlobRefusedError(404, "BlobNotFound", "The specified blob does not exist.")
        return blob_id

    async def _put_blob(self, blob_id: str, request: Request) -> None:
        kind = request.headers.get("x-ms-blob-type")
        if kind is None:
            raise BlobRefusedError(
                400, "MissingRequiredHeader", "The header x-ms-blob-type must be specified."
            )
        if kind.lower() != "blockblob":
            raise BlobRefusedError(400, "InvalidHeaderValue", f"The sandbox keeps no blobs of type {kind}.")
        await self._check_conditions(blob_id, request)
        upload = await self._receive(blob_id, "", request)
        await run_in_threadpool(self.blobs.commit, blob_id, [upload], _content_type(request))

    async def _put_block(self, blob_id: str, request: Request) -> None:
        block_id = request.query_params.get("blockid", "")
        if not block_id:
            raise BlobRefusedError(400, "InvalidQueryParameterValue", "The parameter blockid is missing.")
        await self._receive(blob_id, block_id, request)

    async def _put_block_list(self, blob_id: str, request: Request) -> None:
        await self._check_conditions(blob_id, request)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_BLOCK_LIST:
                raise _too_large()
        try:
            listed = [(each.tag, (each.text or "").strip()) for each in parse_xml(body)]
            await run_in_threadpool(self.blobs.commit_blocks, blob_id, listed, _content_type(request))
        except UnsafeXmlError as unreadable:
            raise BlobRefusedError(400, "InvalidXmlDocument", str(unreadable)) from None
        except BlockListError as unknown:
            raise BlobRefusedError(400, "InvalidBlockList", str(unknown)) from None

    async def _check_conditions(self, blob_id: str, request: Request) -> None:
        """`If-None-Match: *`: Azure's client sends it unless it may overwrite."""
        if request.headers.get("if-none-match") == "*":
            if await run_in_threadpool(self.blobs.find, blob_id) is not None:
                raise BlobRefusedError(409, "BlobAlreadyExists", "The specified blob already exists.")

    async def _receive(self, blob_id: str, block_id: str, request: Request) -> str:
        """Keep a body as it arrives; return the upload's id."""
        upload, number, total = secrets.token_hex(16), 0, 0
        digest, buffer = hashlib.md5(usedforsecurity=False), bytearray()
        async for part in request.stream():
            digest.update(part)
            buffer += part
            total += len(part)
            if total > LARGEST_BLOB:
                raise _too_large()
            while len(buffer) >= PIECE:
                piece, buffer = bytes(buffer[:PIECE]), buffer[PIECE:]
                await run_in_threadpool(self.blobs.add_piece, upload, number, blob_id, block_id, piece)
                number += 1
        sent = request.headers.get("content-md5")
        if sent is not None and sent != base64.b64encode(digest.digest()).decode():
            message = "The MD5 value specified in the request did not match the calculated one."
            raise BlobRefusedError(400, "Md5Mismatch", message)
        await run_in_threadpool(self.blobs.add_piece, upload, number, blob_id, block_id, bytes(buffer))
        return upload

    def _read(self, blob_id: str, request: Request) -> Response:
        blob = self.blobs.find(blob_id)
        if blob is None:
            raise BlobRefusedError(404, "BlobNotFound", "The specified blob does not exist.")
        start, end, partial = _range(request, blob.size)
        headers = _state(blob) | {
            "Accept-Ranges": "bytes",
            "Content-Length": str(end - start),
            "x-ms-blob-type": "BlockBlob",
        }
        if partial:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
        status = 206 if partial else 200
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=blob.content_type)
        pieces: Iterator[bytes] = self.blobs.content(blob, start, end)
        return StreamingResponse(pieces, status, headers, blob.content_type)


def _range(request: Request, size: int) -> tuple[int, int, bool]:
    """Begin and end of what is asked for, and whether a range was; unreadable ranges are ignored."""
    asked = request.headers.get("x-ms-range", request.headers.get("range", ""))
    match = _RANGE.fullmatch(asked.strip())
    if match is None or not any(match.groups()):
        return 0, size, False
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        message = "The range specified is invalid for the current size of the resource."
        raise BlobRefusedError(416, "InvalidRange", message)
    return start, end, True


def _state(blob: Blob) -> dict[str, str]:
    return {"ETag": blob.etag, "Last-Modified": http_date(blob.modified)}


def _content_type(request: Request) -> str:
    headers = request.headers
    return headers.get("x-ms-blob-content-type") or headers.get("content-type") or "application/octet-stream"


def _too_large() -> BlobRefusedError:
    return BlobRefusedError(413, "RequestBodyTooLarge", f"A blob holds at most {LARGEST_BLOB} bytes.")


def _failure(refused: BlobRefusedError) -> Response:
    error = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
    body = f'\ufeff<?xml version="1.0" encoding="utf-8"?>{error}'
    return Response(body, refused.status, {"x-ms-error-code": refused.code}, "application/xml")
