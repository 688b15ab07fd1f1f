"""Reconciliations as the state keeps them: found again, replaced, summed up, and remembered by the next."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from projops.reconcile.model import (
    Finding,
    Invariant,
    Kind,
    LegResult,
    RowDifference,
    Scope,
    Total,
    Verdict,
)
from projops.run import LegRef
from projops.state import StateStore, crosswalk, differences, invariants, reconciliations
from projops.state.crosswalk import Entry
from projops.state.differences import Seen
from projops.state.reconciliations import Status

FORTH, BACK = LegRef("m", "dataverse_to_finance"), LegRef("m", "finance_to_dataverse")
NIGHT = datetime(2026, 11, 23, 2, tzinfo=UTC)
SCOPE = Scope(("m",), ("uspm",), date(2026, 10, 1), date(2026, 10, 31))


def result(ref: LegRef = FORTH, matched: int = 5, **verdicts: int) -> LegResult:
    totals = (Total("uspm", "2026-10", 6, 5, {"Amount": Decimal("0.10")}, {"Amount": Decimal("0.30")}),)
    by_verdict = {Verdict(name): count for name, count in verdicts.items()}
    return LegResult(ref, "1.0", 3, 6, 5, matched, by_verdict, totals, 2.0)


def row(key: str | None = '["a"]', source_hash: str = "h", source_id: str = "guid") -> RowDifference:
    return RowDifference(FORTH, key, Kind.MISSING, source_id, None, source_hash)


def seen(difference: RowDifference, verdict: Verdict = Verdict.DRIFT, at: datetime = NIGHT) -> Seen:
    return Seen(Finding(difference, verdict, "never_moved", "Send it."), at)


def test_a_run_finds_its_reconciliation_again(store: StateStore) -> None:
    with store.begin() as connection:
        first = reconciliations.begin(connection, "nightly", "run 1", SCOPE, 0)
        again = reconciliations.begin(connection, "nightly", "run 1", SCOPE, 2)
        other = reconciliations.begin(connection, "nightly", "run 2", Scope(), 0)
        assert first == again != other
        kept = reconciliations.get(connection, first)
        assert kept is not None
        assert (kept.scope, kept.threshold, kept.status) == (SCOPE, 2, Status.RUNNING)
        assert reconciliations.latest(connection) is None
        assert reconciliations.get(connection, 99) is None


def test_legs_are_replaced_and_summed_up(store: StateStore) -> None:
    with store.begin() as connection:
        number = reconciliations.begin(connection, "nightly", "run 1", SCOPE, 1)
        for drift in (5, 1):
            found = [(result(drift=drift, pending=2), NIGHT), (result(BACK, 7, kept=1), NIGHT)]
            reconciliations.record_legs(connection, number, "m", found)
        forth, _ = reconciliations.legs(connection, number)
        assert forth.totals == result().totals
        assert forth.verdicts[Verdict.PENDING] == 2
        done = reconciliations.finish(connection, number, [FORTH, BACK])
    assert (done.matched, done.drift, done.explained, done.status) == (12, 1, 3, Status.IN_STEP)
    with store.begin() as connection:
        assert reconciliations.latest(connection, "nightly") == done
        assert reconciliations.latest(connection, "cli") is None
        reconciliations.note_report(connection, number, "file:///report.html")
        noted = reconciliations.get(connection, number)
        assert noted is not None and noted.report == "file:///report.html"


def test_all_maps_without_the_books_are_not_everything(store: StateStore) -> None:
    with store.begin() as connection:
        number = reconciliations.begin(connection, "nightly", "run 1", Scope(), 0)
        reconciliations.record_legs(connection, number, "m", [(result(), NIGHT)])
        assert reconciliations.finish(connection, number, [FORTH]).status is Status.INCOMPLETE
        invariants.replace_all(connection, number, [Invariant("balance", "uspm", True, False, "", "Fine.")])
        assert reconciliations.finish(connection, number, [FORTH]).status is Status.IN_STEP


def test_what_is_missing_drifts_or_is_broken_is_the_status(store: StateStore) -> None:
    def finished(run: str, *legs: LegResult, broken: bool = False) -> Status:
        with store.begin() as connection:
            number = reconciliations.begin(connection, "nightly", run, SCOPE, 0)
            reconciliations.record_legs(connection, number, "m", [(each, NIGHT) for each in legs])
            thing = Invariant("balance", "uspm", not broken, False, "4010", "Look.")
            invariants.replace_all(connection, number, [thing])
            return reconciliations.finish(connection, number, [FORTH, BACK]).status

    assert finished("1", result(), result(BACK)) is Status.IN_STEP
    assert finished("2", result(drift=1), result(BACK)) is Status.DRIFT
    assert finished("3", result(), result(BACK), broken=True) is Status.DRIFT
    assert finished("4", result()) is Status.INCOMPLETE
    with store.begin() as connection:
        last = reconciliations.latest(connection)
        assert last is not None
        past = reconciliations.history(connection, last, limit=3)
        assert [each.run_id for each in past] == ["2", "3", "4"]
        assert reconciliations.last_of(connection, 4, BACK) == (3, NIGHT)
        assert reconciliations.last_of(connection, 1, BACK) is None


def test_a_narrower_reconciliation_in_between_does_not_tell_since_when_rows_differ(store: StateStore) -> None:
    october = Scope(companies=("uspm",), since=date(2026, 10, 1), until=date(2026, 10, 31))
    asked = [Scope(), october, replace(october, since=date(2026, 9, 1)), october, Scope()]
    with store.begin() as connection:
        numbers = [
            reconciliations.begin(connection, "cli", f"{place}", scope, 0)
            for place, scope in enumerate(asked)
        ]
        for number in numbers:
            reconciliations.record_legs(connection, number, "m", [(result(), NIGHT)])
        last = [reconciliations.last_of(connection, number, FORTH) for number in numbers]
    whole, _, wide, _, _ = numbers
    assert [each and each[0] for each in last] == [None, whole, whole, wide, whole]


def test_a_difference_is_remembered_by_key_or_by_its_source(store: StateStore) -> None:
    keyless, long = row(None, source_id="g" * 600), row('["l"]')
    with store.begin() as connection:
        differences.replace_of_map(connection, 1, "m", [seen(row()), seen(keyless), seen(long, Verdict.KEPT)])
        crosswalk.put(connection, "m", 1, [Entry('["a"]', "guid")])
        told = differences.sightings(connection, 1, FORTH, [row(), keyless, long, row('["other"]')])
        assert set(told) == {differences.identity(each) for each in (row(), keyless, long)}
        assert told['["a"]'].first_seen == NIGHT
        moved_at = told['["a"]'].moved_at
        assert moved_at is not None and moved_at - datetime.now(UTC) < timedelta(minutes=1)
        assert (told['["l"]'].verdict, told['["l"]'].moved_at) == (Verdict.KEPT, None)
        assert differences.sightings(connection, 1, BACK, [row()]) == {}


def test_differences_of_a_map_are_replaced_and_drift_comes_first(store: StateStore) -> None:
    with store.begin() as connection:
        differences.replace_of_map(connection, 1, "m", [seen(row()) for _ in range(3)])
        kept = [seen(row('["p"]'), Verdict.PARKED), seen(row('["d"]')), seen(row('["e"]'))]
        differences.replace_of_map(connection, 1, "m", kept)
        found = differences.found(connection, 1, "m")
        assert [each.finding.difference.key for each in found] == ['["d"]', '["e"]', '["p"]']
        assert len(differences.found(connection, 1, limit=2)) == 2
        [parked] = differences.found(connection, 1, verdict=Verdict.PARKED)
        assert parked == kept[0]
        differences.note_repair(connection, 1, "m", ['["d"]', '["p"]'], 9)
        again = {each.finding.difference.key: each.repaired_by for each in differences.found(connection, 1)}
        assert again == {'["d"]': 9, '["e"]': None, '["p"]': None}
        assert differences.found(connection, 1, "other") == []
