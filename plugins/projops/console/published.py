"""Files of the staging area as answers: what a browser may do with them, or why there is none."""

from collections.abc import Iterator, Mapping
from errno import ENAMETOOLONG
from pathlib import PurePosixPath
from typing import Any

from fastapi import HTTPException, status
from fastapi.responses import StreamingResponse

from projops.orchestration.connections import airflow_settings
from projops.pages import POLICY
from projops.staging import Staging

_HEADERS = {"Content-Security-Policy": f"{POLICY}; frame-ancestors 'self'"}
_PIECE = 1 << 18  # bytes
_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}


def answer(path: str, missing: str) -> StreamingResponse:
    """Send a file that was published.

    Args:
        path: Below the root of the staging area; names that would lead elsewhere are none of ours.
        missing: What to say where it is not there: one sentence.

    Raises:
        HTTPException: 404 with that sentence.
    """
    content_type = _TYPES.get(PurePosixPath(path).suffix)
    try:
        file = Staging(airflow_settings().staging).opened(path) if content_type else None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, ValueError):
        file = None
    except OSError as error:
        if error.errno != ENAMETOOLONG:
            raise
        file = None
    if file is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, missing)
    return StreamingResponse(_pieces(file), headers=_HEADERS, media_type=content_type)


def _pieces(file: Any) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
