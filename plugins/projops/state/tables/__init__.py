"""Tables of the state database.

Time stamps are stored in UTC and come back aware. Keys are canonical key texts
(`projops.mapping.keys`), hashes are those of `projops.transform.hashing`.
"""

from projops.state.tables.alerting import alert, delivery, digest, task_failure
from projops.state.tables.columns import UtcDateTime, metadata
from projops.state.tables.movement import (
    IS_UNDERWAY,
    batch,
    crosswalk,
    environment,
    export_execution,
    in_flight,
    lease,
    leg,
    look,
    meaning,
)
from projops.state.tables.operations import audit, pause, request_count
from projops.state.tables.proof import difference, invariant, quality, reconciled_leg, reconciliation
from projops.state.tables.set_aside import IS_LIVE, LIVE, MAY_GO, conflict, dead_letter
from projops.state.tables.signals import signal, signal_count
from projops.state.tables.throttling import throttle, throttle_holder, throttle_use

__all__ = [
    "IS_LIVE",
    "IS_UNDERWAY",
    "LIVE",
    "MAY_GO",
    "UtcDateTime",
    "alert",
    "audit",
    "batch",
    "conflict",
    "crosswalk",
    "dead_letter",
    "delivery",
    "difference",
    "digest",
    "environment",
    "export_execution",
    "in_flight",
    "invariant",
    "lease",
    "leg",
    "look",
    "meaning",
    "metadata",
    "pause",
    "quality",
    "reconciled_leg",
    "reconciliation",
    "request_count",
    "signal",
    "signal_count",
    "task_failure",
    "throttle",
    "throttle_holder",
    "throttle_use",
]
