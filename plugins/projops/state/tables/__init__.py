"""Tables of the state database.

Time stamps are stored in UTC and come back aware. Keys are canonical key texts
(`projops.mapping.keys`), hashes are those of `projops.transform.hashing`.
"""

from projops.state.tables.columns import UtcDateTime, metadata
from projops.state.tables.movement import (
    batch,
    crosswalk,
    environment,
    export_execution,
    in_flight,
    lease,
    leg,
    meaning,
)
from projops.state.tables.operations import audit, pause, request_count
from projops.state.tables.set_aside import IS_LIVE, LIVE, conflict, dead_letter
from projops.state.tables.throttling import throttle, throttle_holder, throttle_use

__all__ = [
    "IS_LIVE",
    "LIVE",
    "UtcDateTime",
    "audit",
    "batch",
    "conflict",
    "crosswalk",
    "dead_letter",
    "environment",
    "export_execution",
    "in_flight",
    "lease",
    "leg",
    "meaning",
    "metadata",
    "pause",
    "request_count",
    "throttle",
    "throttle_holder",
    "throttle_use",
]
