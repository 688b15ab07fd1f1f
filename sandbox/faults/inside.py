"""Faults that meet the operations inside of a `$batch`."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.faults.answers import refusal_body, refusal_headers
from sandbox.faults.board import FaultBoard, read_target
from sandbox.stats import Stats


@dataclass(frozen=True, slots=True)
class PartRefusal:
    """What a fault answers instead of an operation.

    Attributes:
        status: HTTP status of the part.
        body: Its JSON.
        headers: `Retry-After`, or none.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class BatchFaults:
    """The rules of a board for the batches of one system.

    Attributes:
        system: "dataverse" or "finance".
        board: The rules.
        stats: Where faults are counted.
        clock: The sandbox's clock.
    """

    system: str
    board: FaultBoard
    stats: Stats
    clock: Clock

    def meet(self, method: str, resource: str) -> PartRefusal | None:
        """Return what is answered instead of an operation, None where no rule means it.

        Args:
            method: HTTP method of the operation.
            resource: Its path below the service root, decoded.
        """
        target = read_target(self.system, method, resource, in_batch=True)
        rule = None if target is None else self.board.take(target)
        if rule is None:
            return None
        self.stats.record_fault(rule.kind)
        return PartRefusal(rule.status or 500, refusal_body(rule), refusal_headers(rule, self.clock))
