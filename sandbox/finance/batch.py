"""`$batch`: reads and changesets in one request (protocol 2.1).

A changeset is one transaction; one that fails leaves nothing behind and is answered by one error
part, in the place of its answers and with the Content-ID of its first operation [L]. The batch goes on
after a failure, and its own status is 200 whatever became of its parts [L];
`Prefer: odata.continue-on-error=false` ends it there [?].
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from sandbox.finance.errors import FinanceError, RoutingError
from sandbox.finance.failures import HinderedError, render_failure
from sandbox.finance.request import DataRequest, DataResponse, read_request
from sandbox.finance.service import Service
from sandbox.odata.batch import (
    BatchRequest,
    BatchResponse,
    Changeset,
    count_requests,
    parse_batch,
    render_batch,
)
from sandbox.odata.errors import ODataError

MAX_OPERATIONS = 5_000  # [D]
_REFERENCE = re.compile(r"(?:https?://[^/]+/data)?/?\$([^/?$]+)(.*)", re.IGNORECASE)
_SERVICE_NAMES = frozenset({"batch", "metadata"})


def answer_batch(service: Service, request: DataRequest) -> DataResponse:
    """Answer a batch; 400 only where the multipart body itself is wrong."""
    try:
        items = parse_batch(request.headers.get("content-type", ""), request.body)
        if count_requests(items) > MAX_OPERATIONS:
            raise FinanceError(400, f"A batch holds at most {MAX_OPERATIONS} operations.")
    except (ODataError, FinanceError) as error:
        return render_failure(error, request)
    parts: list[BatchResponse | list[BatchResponse]] = []
    stops = request.preferences.get("odata.continue-on-error") == "false"
    for item in items:
        answers = _answer_item(service, request, item)
        parts.append(answers)
        if stops and _failed(answers):
            break
    media_type, body = render_batch(parts)
    return DataResponse(200, body, media_type=media_type)


def _failed(answers: BatchResponse | list[BatchResponse]) -> bool:
    return any(it.status >= 400 for it in ([answers] if isinstance(answers, BatchResponse) else answers))


def _answer_item(
    service: Service, batch: DataRequest, item: BatchRequest | Changeset
) -> BatchResponse | list[BatchResponse]:
    if isinstance(item, Changeset):
        return _answer_changeset(service, batch, item)
    request = _inner(batch, item)
    if request.path.rstrip("/").endswith("/$batch"):
        nested = FinanceError(400, "A batch must not hold another batch.")
        return _part(render_failure(nested, request), item)
    return _part(service.answer(request), item)


def _answer_changeset(service: Service, batch: DataRequest, changeset: Changeset) -> list[BatchResponse]:
    """Run the operations in one transaction; later ones may name rows that earlier ones made: `$1`."""
    requests: list[DataRequest] = []
    responses: list[DataResponse] = []
    made: dict[str, str] = {}
    try:
        with service.catalog.store.write() as unit:
            for item in changeset.requests:
                requests.append(_inner(batch, _resolved(item, made)))
                response = service.write(unit, requests[-1])
                responses.append(response)
                if item.content_id is not None and "Location" in response.headers:
                    made[item.content_id] = response.headers["Location"]
    except (FinanceError, HinderedError, ODataError, RoutingError) as error:
        failed = requests[-1] if len(requests) > len(responses) else _inner(batch, item)
        response = render_failure(error, failed)
        service.count(failed, response)
        return [_part(response, changeset.requests[0])]
    for request, response in zip(requests, responses, strict=True):
        service.count(request, response)
    return [_part(response, item) for response, item in zip(responses, changeset.requests, strict=True)]


def _resolved(item: BatchRequest, made: Mapping[str, str]) -> BatchRequest:
    """An operation whose URL may begin with the Content-ID of an earlier one.

    Raises:
        FinanceError: No earlier operation has it.
    """
    match = _REFERENCE.fullmatch(item.url)
    if match is None or match[1].lower() in _SERVICE_NAMES:
        return item
    address = made.get(match[1])
    if address is None:
        raise FinanceError(400, f"Content-ID Reference: '${match[1]}' does not exist in the batch context.")
    return replace(item, url=address + match[2])


def _inner(batch: DataRequest, item: BatchRequest) -> DataRequest:
    return read_request(item.method, batch.root, item.url, item.headers, item.body, in_batch=True)


def _part(response: DataResponse, item: BatchRequest) -> BatchResponse:
    headers = {"OData-Version": "4.0", **response.headers}
    if response.body:
        headers = {"Content-Type": response.media_type, **headers}
    return BatchResponse(response.status, headers, response.body, item.content_id)
