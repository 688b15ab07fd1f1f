"""`$batch`: many operations in one request, changesets all or nothing (protocol 1.6)."""

from dataclasses import dataclass, field

from sandbox.dataverse.api import Api
from sandbox.dataverse.errors import ApiError, bad_request
from sandbox.dataverse.references import resource_path
from sandbox.dataverse.service import Outcome, attempt, named, record
from sandbox.dataverse.wire import JSON, Request, Response
from sandbox.faults import BatchFaults
from sandbox.odata.batch import (
    BatchRequest,
    BatchResponse,
    Changeset,
    count_requests,
    parse_batch,
    render_batch,
)
from sandbox.stats import Stats
from sandbox.store import WriteUnit

_LIMIT = 1000
_Answer = BatchResponse | list[BatchResponse]


_LONGEST_ADDRESS = 65_536
_SHARED = frozenset(
    {
        "callerobjectid",
        "mscrmcallerid",
        "mscrm.bypassbusinesslogicexecution",
        "mscrm.bypassbusinesslogicexecutionstepids",
        "mscrm.bypasscustompluginexecution",
    }
)


class _ChangesetFailed(Exception):
    """Leaves a write unit, so that it rolls back."""


@dataclass
class BatchRun:
    """One batch on its way: what `$1` stands for grows as parts succeed."""

    api: Api
    stats: Stats
    request: Request
    faults: BatchFaults
    content_ids: dict[str, str] = field(default_factory=dict)

    def run(self) -> Response:
        """Run the parts in order; the first error stops the batch unless continue-on-error is asked for.

        Raises:
            ODataError: When the body cannot be taken apart.
            ApiError: When it holds more than 1,000 operations.
        """
        items = parse_batch(self.request.headers.get("content-type", ""), self.request.body)
        if count_requests(items) > _LIMIT:
            raise bad_request(f"The batch request contains more than {_LIMIT} operations.")
        answers: list[_Answer] = []
        status = 200
        for item in items:
            answer, part_status = self._changeset(item) if isinstance(item, Changeset) else self._single(item)
            answers.append(answer)
            if part_status >= 400 and not self.request.preferences.continue_on_error:
                status = part_status
                break
        content_type, body = render_batch(answers)
        return Response(status, body, {"Content-Type": content_type}, entity="$batch", rows=len(answers))

    def _single(self, part: BatchRequest) -> tuple[BatchResponse, int]:
        outcome = self._attempt(self._request(part))
        record(self.api, self.stats, outcome)
        self._remember(part, outcome)
        return _rendered(part, outcome.response), outcome.response.status

    def _changeset(self, changeset: Changeset) -> tuple[_Answer, int]:
        """Run the parts in one transaction; a failed changeset is answered by its one error."""
        known = dict(self.content_ids)
        outcomes: list[Outcome] = []
        answers: list[BatchResponse] = []
        try:
            with self.api.store.write() as unit:
                for part in changeset.requests:
                    outcome = self._in_changeset(part, unit)
                    outcomes.append(outcome)
                    answers.append(_rendered(part, outcome.response))
                    if outcome.response.status >= 400:
                        raise _ChangesetFailed
                    self._remember(part, outcome)
        except _ChangesetFailed:
            self.content_ids = known
            record(self.api, self.stats, outcomes[-1])
            return [answers[-1]], outcomes[-1].response.status
        for outcome in outcomes:
            record(self.api, self.stats, outcome)
        return answers, 200

    def _in_changeset(self, part: BatchRequest, unit: WriteUnit) -> Outcome:
        return self._attempt(self._request(part), unit)

    def _attempt(self, request: Request, unit: WriteUnit | None = None) -> Outcome:
        """Do one operation, unless it has no place in a batch or a fault stands in its way."""
        refused = _refusal(request, in_changeset=unit is not None)
        if refused is not None:
            return attempt(self.api, request, unit, refused)
        fault = self.faults.meet(request.method, request.path)
        if fault is None:
            return attempt(self.api, request, unit)
        headers = {"Content-Type": JSON, **fault.headers}
        return Outcome(request, named(request, Response(fault.status, fault.body, headers)))

    def _request(self, part: BatchRequest) -> Request:
        address, _, query = part.url.partition("?")
        return Request(
            method=part.method,
            path=resource_path(address, self.request.root),
            query=query,
            root=self.request.root,
            headers=self._acting | dict(part.headers),
            body=part.body,
            content_ids=self.content_ids,
            in_batch=True,
        )

    @property
    def _acting(self) -> dict[str, str]:
        """For whom the batch acts, and what it leaves out, is said once for all parts, or by each [?]."""
        return {name: text for name, text in self.request.headers.items() if name in _SHARED}

    def _remember(self, part: BatchRequest, outcome: Outcome) -> None:
        """Let later parts refer to the row that this one wrote."""
        if part.content_id and outcome.response.status < 400 and outcome.response.key:
            self.content_ids[part.content_id] = f"{outcome.response.entity}({outcome.response.key})"


def _rendered(part: BatchRequest, response: Response) -> BatchResponse:
    headers = {**response.headers, "OData-Version": "4.0"}
    return BatchResponse(response.status, headers, response.body, part.content_id)


def _refusal(request: Request, *, in_changeset: bool) -> ApiError | None:
    """Say why an operation has no place here: a batch, an overlong address, a read in a changeset."""
    if len(request.path) + len(request.query) > _LONGEST_ADDRESS:
        return bad_request(f"The address of an operation has more than {_LONGEST_ADDRESS} characters.")
    if request.path == "$batch":
        return bad_request("A batch request must not hold another batch request.")
    if in_changeset and request.method == "GET":
        return bad_request("A GET request is not allowed inside of a changeset.")
    return None
