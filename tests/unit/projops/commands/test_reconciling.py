"""`projops reconcile` on the command line: what it prints, what it hides, and how it ends."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from projops.cli import main
from projops.commands import reconciling
from projops.engine import Engine
from projops.errors import SystemUnavailableError
from projops.reconcile.model import (
    ColumnDifference,
    Finding,
    Invariant,
    Kind,
    LegResult,
    RowDifference,
    Scope,
    Verdict,
)
from projops.reconcile.record import recording
from projops.reconcile.repair.plan import Left
from projops.reconcile.repair.repairing import LegRepair, Repaired
from projops.run import LegRef
from projops.state import differences, invariants, reconciliations
from projops.state.audit import actions
from projops.state.differences import Seen

NIGHT = datetime(2026, 11, 23, 2, tzinfo=UTC)
Output = tuple[int, str, str]
CommandLine = Callable[..., Output]


class Played:
    """Both systems, as each comparison finds them: rows of drift in each map, one number a comparison."""

    def __init__(self, *drift: int) -> None:
        self.drift = list(drift)
        self.scopes: list[Scope] = []
        self.away: set[str] = set()
        self.broken = False
        self.repaired: list[int] = []

    def begin(self, engine: Engine, dag_id: str, run_id: str, scope: Scope) -> int:
        self.scopes.append(scope)
        with engine.state.begin() as connection:
            return reconciliations.begin(connection, dag_id, f"{run_id}{uuid.uuid4()}", scope, 0)

    def reconcile_map(self, engine: Engine, number: int, map_id: str, scope: Scope) -> None:
        if map_id in self.away:
            raise SystemUnavailableError("Finance does not answer.", remedy="See whether it is up.")
        drift = self.drift[len(self.scopes) - 1]
        legs = [LegRef(map_id, each.value) for each in engine.map(map_id).legs]
        with recording(engine.staging, number, map_id) as record:
            record.add([_seen(legs[0], place) for place in range(drift)])
        verdicts: dict[LegRef, dict[Verdict, int]] = {legs[0]: {Verdict.DRIFT: drift, Verdict.KEPT: 2}}
        results = [LegResult(leg, "1", 1, 9, 9, 9 - drift, verdicts.get(leg, {})) for leg in legs]
        with engine.state.begin() as connection:
            reconciliations.record_legs(connection, number, map_id, [(each, NIGHT) for each in results])
            differences.replace_of_map(connection, number, map_id, record.kept)

    def check_books(self, engine: Engine, number: int, scope: Scope) -> None:
        with engine.state.begin() as connection:
            thing = Invariant("balance", "uspm", not self.broken, False, "V-7", "Debits exceed credits.")
            invariants.replace_all(connection, number, [thing])

    def repair(self, engine: Engine, number: int, actor: str) -> Repaired:
        self.repaired.append(number)
        leg = LegRef("units", "finance_to_dataverse")
        return Repaired((LegRepair(leg, left=(Left("The map passes no deletes on.", 2, ['["x"]']),)),))


def _seen(leg: LegRef, place: int) -> Seen:
    cell = ColumnDifference("name", "Secret before", f"Secret {place}")
    row = RowDifference(leg, f'["u{place}"]', Kind.CHANGED, "f", "guid", "h", (cell,))
    return Seen(Finding(row, Verdict.DRIFT, "case", "Upper and lower case."), NIGHT)


@pytest.fixture
def projops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Played], CommandLine]:
    monkeypatch.setenv("PROJOPS_STATE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    monkeypatch.setenv("PROJOPS_STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("PROJOPS_ACTOR", "ada")
    monkeypatch.setenv("COLUMNS", "300")

    def of(played: Played) -> CommandLine:
        for name in ("begin", "reconcile_map", "check_books"):
            monkeypatch.setattr(reconciling, name, getattr(played, name))
        monkeypatch.setattr("projops.commands.reconciling.repairs.repair", played.repair)

        def run(*arguments: str) -> Output:
            monkeypatch.setattr("sys.argv", ["projops", "reconcile", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
            captured = capsys.readouterr()
            return int(str(ended.value.code or 0)), captured.out, captured.err

        return run

    return of


def answer(output: Output) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(output[1])
    return said


def test_in_step_ends_with_nought(projops: Callable[[Played], CommandLine]) -> None:
    code, out, err = projops(Played(0))("units")
    assert (code, err) == (0, "")
    assert "In step: 9 rows of 9 are equal, and 2 rows differ for a known reason." in out


def test_drift_ends_with_three_names_columns_and_hides_values(
    projops: Callable[[Played], CommandLine],
) -> None:
    code, out, _ = projops(Played(1))("units")
    assert code == 3
    assert "Secret" not in out
    for word in ('["u0"]', "name", "case", "Upper and lower case.", "Drift of 1 row:"):
        assert word in out


def test_values_are_shown_on_request_and_noted(
    projops: Callable[[Played], CommandLine], tmp_path: Path
) -> None:
    assert "name: 'Secret before' expected, 'Secret 0' found" in projops(Played(1))("units", "--values")[1]
    said = answer(projops(Played(1))("units", "--json"))
    assert said["differences"][0]["columns"] == [
        {"column": "name", "expected": "hidden; --values shows it", "found": "hidden; --values shows it"}
    ]
    with Engine.from_environment() as engine, engine.state.begin() as connection:
        noted = [(each["actor"], each["action"], each["subject"]) for each in actions(connection)]
    assert noted == [("ada", "reveal", "reconciliation 1")]


def test_the_first_of_a_map_are_shown_and_all_on_request(projops: Callable[[Played], CommandLine]) -> None:
    assert len(answer(projops(Played(60))("units", "--json"))["differences"]) == 50
    assert len(answer(projops(Played(60))("units", "--json", "--all"))["differences"]) == 60


def test_a_repair_is_followed_by_a_second_comparison(projops: Callable[[Played], CommandLine]) -> None:
    played = Played(2, 0)
    code, out, _ = projops(played)("units", "--repair")
    assert (code, played.repaired, len(played.scopes)) == (0, [1], 2)
    assert 'left as it is: 2 rows, ["x"]. The map passes no deletes on.' in out
    still = Played(0)
    assert projops(still)("units", "--repair")[0] == 0
    assert still.repaired == []


def test_the_scope_is_what_was_asked(projops: Callable[[Played], CommandLine]) -> None:
    played = Played(0)
    asked = ("--company", "USPM", "--since", "2026-10-01", "--until", "2026-10-31")
    assert projops(played)("units", "workers", *asked)[0] == 0
    [scope] = played.scopes
    assert (scope.maps, scope.companies) == (("units", "workers"), ("uspm",))
    assert (str(scope.since), str(scope.until)) == ("2026-10-01", "2026-10-31")


def test_without_maps_the_books_are_checked_too(projops: Callable[[Played], CommandLine]) -> None:
    played = Played(0)
    played.broken = True
    code, out, _ = projops(played)()
    assert code == 3
    assert "Debits exceed credits." in out
    assert "1 of the things that must hold of the books does not." in out
    assert answer(projops(Played(0))("units", "--json"))["invariants"] == []


def test_a_map_that_cannot_be_compared_stops_no_other_and_ends_with_one(
    projops: Callable[[Played], CommandLine],
) -> None:
    played = Played(0)
    played.away = {"workers"}
    code, out, err = projops(played)("units", "workers")
    assert code == 1
    assert err.strip() == "workers could not be compared. Finance does not answer. See whether it is up."
    assert "Not compared: workers." in out
