"""The metrics: one place for their names, kinds and tags; `docs/metrics.md` is its table for people.

Names are those of Airflow's own style, below its prefix: `airflow.projops.rows`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Kind(StrEnum):
    """How a receiver takes values together."""

    COUNTER = "counter"  # adds up
    GAUGE = "gauge"  # the last value holds
    TIMER = "timer"  # distribution of lengths of time


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured.

    Attributes:
        name: Below Airflow's prefix.
        kind: How values are taken together.
        tags: What a value belongs to, in the order in which a name without tags carries them.
        meaning: For people: what it counts, and its unit.
    """

    name: str
    kind: Kind
    tags: tuple[str, ...]
    meaning: str

    def measure(self, value: float | timedelta, *tags: str) -> "Measure":
        """Make a value of this metric.

        Args:
            value: The number; of a timer the length of time.
            tags: Values of the tags, in their order.
        """
        return Measure(self, value, tags)


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of a metric.

    Attributes:
        metric: What was measured.
        value: The number; of a timer the length of time.
        tags: Values of the metric's tags, in their order.
    """

    metric: Metric
    value: float | timedelta
    tags: tuple[str, ...]

    @property
    def tagged(self) -> Mapping[str, str]:
        """The tags by name."""
        return dict(zip(self.metric.tags, self.tags, strict=True))


_LEG = ("map", "leg")

ROWS = Metric(
    "projops.rows",
    Kind.COUNTER,
    ("outcome", *_LEG),
    "Rows that batches have moved or not, by outcome: `read`, `unchanged`, `loaded` (of these `deleted` "
    "without anybody's approval), `parked`, `rejected` (by a rule of ours), `failed` (refused by the target)",
)
BATCH = Metric("projops.batch", Kind.TIMER, _LEG, "From the start of a batch to its commit")
STAGE = Metric(
    "projops.stage",
    Kind.TIMER,
    ("stage", *_LEG),
    "One stage of a batch: `extract`, `validate`, `transform`, `load`; of one that failed too",
)
LEGS = Metric("projops.legs", Kind.GAUGE, ("standing",), "Legs that stand so, such as `in_step` or `stopped`")
LAG = Metric("projops.lag", Kind.GAUGE, _LEG, "Seconds since the leg was last in step")
BACKLOG = Metric(
    "projops.backlog",
    Kind.GAUGE,
    _LEG,
    "Rows that the next run has to move, at least: changes that the last look at the source found, and rows "
    "set aside that are tried again",
)
DEAD_LETTERS = Metric(
    "projops.dead_letters",
    Kind.GAUGE,
    ("status", *_LEG),
    "Rows that are set aside: `open`, `parked`, `awaiting_approval`",
)
REQUESTS = Metric("projops.requests", Kind.GAUGE, ("system",), "Requests sent to a system today (UTC)")
BUDGET = Metric(
    "projops.request_budget", Kind.GAUGE, (), "Requests that a day may cost, both systems together"
)
THROTTLED = Metric(
    "projops.throttled",
    Kind.GAUGE,
    ("system",),
    "Requests that a system refused today (UTC) for coming too fast",
)
THROTTLED_SECONDS = Metric(
    "projops.throttled_seconds",
    Kind.GAUGE,
    ("system",),
    "Seconds of today (UTC) for which a system wanted no request (Retry-After)",
)
DRIFT = Metric(
    "projops.drift",
    Kind.GAUGE,
    _LEG,
    "Rows adrift in the last reconciliation of the leg: no pending change explains",
)
MATCHED = Metric(
    "projops.matched", Kind.GAUGE, _LEG, "Rows found equal in the last reconciliation of the leg"
)
RECONCILIATION_SECONDS = Metric(
    "projops.reconciliation_seconds", Kind.GAUGE, (), "What the last reconciliation of everything took"
)
BROKEN = Metric(
    "projops.broken_invariants",
    Kind.GAUGE,
    (),
    "What must hold of the books, and did not in that reconciliation",
)
ALERTS = Metric("projops.alerts", Kind.GAUGE, ("severity",), "Open alerts")

METRICS: Sequence[Metric] = (
    ROWS,
    BATCH,
    STAGE,
    LEGS,
    LAG,
    BACKLOG,
    DEAD_LETTERS,
    REQUESTS,
    BUDGET,
    THROTTLED,
    THROTTLED_SECONDS,
    DRIFT,
    MATCHED,
    RECONCILIATION_SECONDS,
    BROKEN,
    ALERTS,
)
