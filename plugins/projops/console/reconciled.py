"""What the pages about reconciliations show, read from the state as values."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from projops.console.access import RECONCILIATION
from projops.console.charts import Chart, Column, chart
from projops.engine import Engine
from projops.reconcile.model import LegResult, Scope, Verdict
from projops.reconcile.reconciliation import not_compared
from projops.reconcile.report.model import Report
from projops.reconcile.report.sums import SumsOfLeg, sums_of
from projops.reconcile.report.verdict import Numbers, summary
from projops.state import differences, invariants, proofs, reconciliations
from projops.state.differences import MOST_OF_A_VERDICT, Chosen, Seen
from projops.state.proofs import Proof
from projops.state.reconciliations import Reconciliation, Status

A_PAGE = 50  # rows
_STALE = timedelta(hours=36)  # a nightly comparison has been missed
_DOUBT = ("bad", "warn", "good")  # tones, in the order in which they are looked at
_TONES: Mapping[Status, tuple[str, str]] = {
    Status.RUNNING: ("idle", "running"),
    Status.IN_STEP: ("good", "in step"),
    Status.DRIFT: ("bad", "not in step"),
    Status.INCOMPLETE: ("warn", "not all compared"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """The page of all reconciliations.

    Attributes:
        rows: Some of them, the newest first.
        older: Number before which the next page begins, or None.
        tones: Tone and word for each status.
        drift: Drift over time of those that compared everything, or None where fewer than two did.
        latest: The last of those, or None.
        proofs: When each leg was compared whole last.
    """

    rows: Sequence[Reconciliation]
    older: int | None
    tones: Mapping[Status, tuple[str, str]]
    drift: Chart | None
    latest: Reconciliation | None
    proofs: Sequence[Proof]


@dataclass(frozen=True, slots=True)
class Proven:
    """Whether a leg is proven.

    Attributes:
        map: Map id.
        leg: Direction.
        tone: How it looks.
        word: What it is: in step, drift, long ago, never compared.
        proof: The last whole comparison, or None.
    """

    map: str
    leg: str
    tone: str
    word: str
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for of the differences; "" and None are everything."""

    map: str = ""
    leg: str = ""
    verdict: Verdict | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a reconciliation found, as far as a user may see it.

    Attributes:
        run: The reconciliation.
        report: Its numbers, books and legs; those of legs that the user may not see are in the numbers.
        legs: The legs that the user may see.
        maps: Maps that the user may see.
        sums: Rows and sums by company and period of these legs.
    """

    run: Reconciliation
    report: Report
    legs: Sequence[LegResult]
    maps: Collection[str]
    sums: Sequence[SumsOfLeg]

    @property
    def numbers(self) -> Numbers:
        """What it came to."""
        return self.report.numbers

    @property
    def verdict(self) -> tuple[str, str]:
        """Give tone and sentences."""
        if self.run.status is Status.RUNNING:
            return "idle", "It is running: what is compared so far follows."
        return _TONES[self.run.status][0], " ".join(summary(self.numbers))

    @property
    def drifted(self) -> Mapping[str, int]:
        """Rows of drift by map, of the maps that the user may see and that there are."""
        rows: dict[str, int] = {}
        for leg in self.legs:
            if leg.drift:
                rows[leg.leg.map] = rows.get(leg.leg.map, 0) + leg.drift
        return rows

    def rows_of(self, verdict: Verdict) -> int:
        """Count the differing rows of a kind."""
        return sum(leg.verdicts.get(verdict, 0) for leg in self.legs)

    def choose(self, filters: Filters) -> Chosen:
        """Say which differences to show: of one verdict, drift before others where there is any."""
        first = next((verdict for verdict in Verdict if self.rows_of(verdict)), Verdict.DRIFT)
        maps = [name for name in self.maps if filters.map in ("", name)]
        return Chosen(self.run.id, filters.verdict or first, maps, filters.leg or None, filters.cause or None)


@dataclass(frozen=True, slots=True)
class Differences:
    """A page of differences.

    Attributes:
        rows: By number.
        older: Number behind which the next page begins, or None.
        causes: How many there are of each cause.
        capped: Whether the state keeps only the first of them.
    """

    rows: Mapping[int, Seen]
    older: int | None
    causes: Mapping[str, int]
    capped: bool


def listed(engine: Engine, before: int | None) -> Listed:
    """Read the page of all reconciliations; `before` a number, None for the newest."""
    with engine.state.reading() as connection:
        found = reconciliations.recent(connection, before, A_PAGE + 1)
        latest = reconciliations.latest(connection, RECONCILIATION, Scope())
        history = reconciliations.history(connection, latest) if latest else []
        proven = proofs.proofs(connection)
    older = found[A_PAGE - 1].id if len(found) > A_PAGE else None
    drawn = _drift(history) if len(history) > 1 else None
    return Listed(found[:A_PAGE], older, _TONES, drawn, latest, proven)


def legs_proven(engine: Engine, known: Sequence[Proof], maps: Collection[str]) -> list[Proven]:
    """Say of each leg of some maps that are on whether it is proven, the doubtful before the others."""
    by_leg = {(each.leg.map, each.leg.leg): each for each in known}
    legs = [
        (name, direction.value)
        for name in sorted(maps)
        if engine.maps[name].enabled
        for direction in engine.maps[name].legs
    ]
    now = datetime.now(UTC)
    told = [_proven(name, leg, by_leg.get((name, leg)), now) for name, leg in legs]
    return sorted(told, key=lambda each: (_DOUBT.index(each.tone), each.map, each.leg))


def read_reconciliation(engine: Engine, run: Reconciliation, maps: Collection[str]) -> Found:
    """Read what a reconciliation found.

    Args:
        engine: State and maps.
        run: The reconciliation.
        maps: Maps that the user may see.
    """
    incomplete = run.status is Status.INCOMPLETE
    with engine.state.reading() as connection:
        legs = reconciliations.legs(connection, run.id)
        books = invariants.of(connection, run.id)
    missing = not_compared(engine, run, [leg.leg for leg in legs]) if incomplete else ()
    report = Report(run, tuple(legs), {}, missing, invariants=tuple(books))
    mine = [leg for leg in legs if leg.leg.map in maps]
    return Found(run, report, mine, maps, sums_of(mine))


def read_differences(engine: Engine, found: Found, chosen: Chosen, after: int) -> Differences:
    """Read some differences behind a number, and how many there are of each cause."""
    with engine.state.reading() as connection:
        rows = differences.page(connection, chosen, after, A_PAGE + 1)
        causes = differences.by_cause(connection, replace(chosen, cause=None))
    numbers = list(rows)
    older = numbers[A_PAGE - 1] if len(numbers) > A_PAGE else None
    shown = {number: rows[number] for number in numbers[:A_PAGE]}
    most = max((leg.verdicts.get(chosen.verdict, 0) for leg in found.legs), default=0)
    return Differences(shown, older, causes, most > MOST_OF_A_VERDICT)


def _proven(name: str, leg: str, proof: Proof | None, now: datetime) -> Proven:
    tone, word = "good", "in step"
    if proof is None:
        tone, word = "warn", "never compared"
    elif proof.drift:
        tone, word = "bad", "drift"
    elif now - proof.read_at > _STALE:
        tone, word = "warn", "not lately"
    return Proven(name, leg, tone, word, proof)


def _drift(history: Sequence[Reconciliation]) -> Chart:
    return chart(
        [
            Column(
                f"{past.started_at:%d %b}",
                (past.drift, past.explained),
                f"Reconciliation {past.id} of {past.started_at:%Y-%m-%d}: drift of {past.drift:,}, "
                f"{past.explained:,} explained",
            )
            for past in history
        ]
    )
