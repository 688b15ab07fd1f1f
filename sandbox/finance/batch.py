"""`$batch`: reads and changesets in one request (protocol 2.1).

A changeset is one transaction; one that fails leaves nothing behind and is answered by one error
part. The batch goes on after a failure, and its own status is 200 whatever became of its parts [L].
"""

from sandbox.finance.errors import FinanceError, HinderedError, UnknownResourceError, render_error
from sandbox.finance.request import DataRequest, DataResponse, read_request
from sandbox.finance.service import Service, render_failure
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


def answer_batch(service: Service, request: DataRequest) -> DataResponse:
    """Answer a batch; 400 only where the multipart body itself is wrong."""
    try:
        items = parse_batch(request.headers.get("content-type", ""), request.body)
        if count_requests(items) > MAX_OPERATIONS:
            raise FinanceError(400, f"A batch holds at most {MAX_OPERATIONS} operations.")
    except (ODataError, FinanceError) as error:
        return render_failure(error, request)
    parts = [_answer_item(service, request, item) for item in items]
    media_type, body = render_batch(parts)
    return DataResponse(200, body, media_type=media_type)


def _answer_item(
    service: Service, batch: DataRequest, item: BatchRequest | Changeset
) -> BatchResponse | list[BatchResponse]:
    if isinstance(item, Changeset):
        return _answer_changeset(service, batch, item)
    request = _inner(batch, item)
    if request.path.rstrip("/").endswith("/$batch"):
        return _part(render_error(FinanceError(400, "A batch must not hold another batch."), True), item)
    return _part(service.answer(request), item)


def _answer_changeset(
    service: Service, batch: DataRequest, changeset: Changeset
) -> BatchResponse | list[BatchResponse]:
    requests = [_inner(batch, item) for item in changeset.requests]
    responses: list[DataResponse] = []
    try:
        with service.catalog.store.write() as unit:
            for request in requests:
                responses.append(service.write(unit, request))  # noqa: PERF401 - what was done before a failure counts
    except (FinanceError, HinderedError, ODataError, UnknownResourceError) as error:
        failed = requests[len(responses)]
        response = render_failure(error, failed)
        service.count(failed, response)
        return _part(response, changeset.requests[len(responses)])
    for request, response in zip(requests, responses, strict=True):
        service.count(request, response)
    return [_part(response, item) for response, item in zip(responses, changeset.requests, strict=True)]


def _inner(batch: DataRequest, item: BatchRequest) -> DataRequest:
    return read_request(item.method, batch.root, item.url, item.headers, item.body, in_batch=True)


def _part(response: DataResponse, item: BatchRequest) -> BatchResponse:
    headers = {"OData-Version": "4.0", **response.headers}
    if response.body:
        headers = {"Content-Type": response.media_type, **headers}
    return BatchResponse(response.status, headers, response.body, item.content_id)
