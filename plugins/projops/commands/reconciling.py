"""`projops reconcile`: are both sides equal, and if not, which rows and columns, and why."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer

from projops.commands import completion
from projops.commands.exit_codes import FAILED, FOUND
from projops.commands.output import AsJson, ShowValues, actor, open_engine, print_json, print_rows, shown
from projops.commands.progress import progress_shown
from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.reconcile.accounting import check_books
from projops.reconcile.model import Finding, Invariant, LegResult, Scope, Verdict
from projops.reconcile.reconciliation import begin, finish, maps_of, not_compared, reconcile_map
from projops.reconcile.record import recorded
from projops.reconcile.repair import repairing as repairs
from projops.reconcile.report.model import Report
from projops.reconcile.report.verdict import Numbers, summary
from projops.state import differences, invariants, reconciliations
from projops.state.audit import record_action
from projops.state.differences import Seen, columns_json
from projops.state.reconciliations import Reconciliation, Status

_FIRST = 50  # differences of a map that are shown unless all are asked for

Maps = Annotated[
    list[str] | None,
    typer.Argument(help="Map ids; none for all that are enabled.", autocompletion=completion.maps),
]
Company = Annotated[list[str] | None, typer.Option(help="Only these companies.")]
_DAY = ["%Y-%m-%d"]
Since = Annotated[datetime | None, typer.Option(formats=_DAY, help="First day, of maps with a period.")]
Until = Annotated[datetime | None, typer.Option(formats=_DAY, help="Last day, of maps with a period.")]
Repair = Annotated[
    bool, typer.Option("--repair", help="Send what has drifted again, then compare once more.")
]
Everything = Annotated[bool, typer.Option("--all", help="Show all differences, not the first of each map.")]


def reconcile(  # noqa: PLR0913, PLR0917  each option is a parameter
    map_ids: Maps = None,
    company: Company = None,
    since: Since = None,
    until: Until = None,
    repair: Repair = False,
    everything: Everything = False,
    values: ShowValues = False,
    as_json: AsJson = False,
) -> None:
    """Compare both sides: exit code 0 if they are in step, 3 if drift remains, 1 on errors.

    Drift is what nothing explains: no pending change, no row that was set aside, nothing that the mapping
    leaves. Without maps the books are checked too. Nothing is written to either system without --repair.
    """
    scope = Scope(
        maps=tuple(map_ids) if map_ids else None,
        companies=tuple(code.lower() for code in company) if company else None,
        since=since.date() if since else None,
        until=until.date() if until else None,
    )
    with open_engine() as engine:
        done, errors = _compare(engine, scope, as_json)
        sentences: list[str] = []
        if repair and done.drift:
            sentences = _repair(engine, done.id, as_json)
            done, errors = _compare(engine, scope, as_json)
        if values:
            with engine.state.begin() as connection:
                record_action(connection, actor(), "reveal", f"reconciliation {done.id}")
        _Shown(engine, done, values, everything).show(sentences, errors, as_json)
    _end(done, errors)


def _repair(engine: Engine, number: int, quiet: bool) -> list[str]:
    with progress_shown(quiet) as say:
        say("Repairing")
        return repairs.repair(engine, number, actor()).sentences


def _compare(engine: Engine, scope: Scope, quiet: bool) -> tuple[Reconciliation, Mapping[str, str]]:
    """Reconcile; give the reconciliation, and by map why it could not be compared."""
    number = begin(engine, "cli", uuid.uuid4().hex, scope)
    broken = engine.loaded.broken if scope.maps is None else ()
    errors = {each.map: str(each.findings[0].as_error()) for each in broken}
    names = maps_of(engine, scope)
    with progress_shown(quiet) as say:
        for place, name in enumerate(names, 1):
            say(f"{name}, map {place} of {len(names)}")
            with _noting(name, errors):
                reconcile_map(engine, number, name, scope)
        if scope.maps is None:
            say("The books")
            with _noting("the books", errors):
                check_books(engine, number, scope)
    return finish(engine, number), errors


@contextmanager
def _noting(what: str, errors: dict[str, str]) -> Iterator[None]:
    """Go on with the other maps where one cannot be compared."""
    try:
        yield
    except ProjOpsError as error:
        errors[what] = str(error)


def _end(done: Reconciliation, errors: Mapping[str, str]) -> NoReturn:
    for what, sentence in errors.items():
        typer.echo(f"{what} could not be compared. {sentence}", err=True)
    if errors or done.status is Status.INCOMPLETE:
        raise SystemExit(FAILED)
    raise SystemExit(0 if done.status is Status.IN_STEP else FOUND)


class _Shown:
    """A reconciliation as it is printed."""

    def __init__(self, engine: Engine, done: Reconciliation, values: bool, everything: bool) -> None:
        self.engine, self.done, self.values, self.everything = engine, done, values, everything
        with engine.state.begin() as connection:
            self.legs = reconciliations.legs(connection, done.id)
            self.invariants = invariants.of(connection, done.id)

    def show(self, sentences: Sequence[str], errors: Mapping[str, str], as_json: bool) -> None:
        """Print what was repaired, a line a leg, what differs, what the books lack, and a verdict."""
        if as_json:
            print_json(self._as_json(sentences, errors))
            return
        for sentence in sentences:
            typer.echo(sentence)
        print_rows([_leg(each) for each in self.legs], False, "Nothing was compared.")
        differing = [_row(each, self.values) for each in self._differences()]
        if differing:
            print_rows(differing, False, "")
        broken = [_invariant(each) for each in self.invariants if not each.holds]
        if broken:
            print_rows(broken, False, "")
        typer.echo(" ".join(summary(self._numbers())))

    def _numbers(self) -> Numbers:
        missing = not_compared(self.engine, self.done, [each.leg for each in self.legs])
        told = Report(self.done, tuple(self.legs), {}, missing, invariants=tuple(self.invariants))
        return told.numbers

    def _differences(self) -> Iterator[Seen]:
        """Give the differences of each map, drift first."""
        for name in dict.fromkeys(each.leg.map for each in self.legs):
            if self.everything:
                yield from recorded(self.engine.staging, self.done.id, name)
                continue
            with self.engine.state.begin() as connection:
                yield from differences.found(connection, self.done.id, name, limit=_FIRST)

    def _as_json(self, sentences: Sequence[str], errors: Mapping[str, str]) -> dict[str, Any]:
        done = self.done
        return {
            "reconciliation": done.id,
            "status": done.status.value,
            "matched": done.matched,
            "drift": done.drift,
            "explained": done.explained,
            "broken_invariants": done.broken_invariants,
            "threshold": done.threshold,
            "legs": [_leg(each) for each in self.legs],
            "differences": [_row_json(each, self.values) for each in self._differences()],
            "invariants": [_invariant(each) for each in self.invariants],
            "repair": list(sentences),
            "errors": dict(errors),
        }


def _leg(result: LegResult) -> dict[str, Any]:
    counts = {
        "expected": result.expected_rows,
        "found": result.found_rows,
        "matched": result.matched,
        **{verdict.value: result.verdicts[verdict] for verdict in Verdict if verdict is not Verdict.DRIFT},
        "drift": result.verdicts[Verdict.DRIFT],
    }
    return {"map": result.leg.map, "leg": result.leg.leg, **counts}


def _facts(finding: Finding) -> dict[str, Any]:
    row = finding.difference
    return {
        "map": row.leg.map,
        "leg": row.leg.leg,
        "key": row.key,
        "kind": row.kind.value,
        "verdict": finding.verdict.value,
        "cause": finding.cause,
    }


def _row(seen: Seen, values: bool) -> dict[str, Any]:
    columns = columns_json(seen.finding.difference.columns)
    named = [
        f"{each['column']}: {each['expected']!r} expected, {each['found']!r} found"
        if values
        else each["column"]
        for each in columns
    ]
    return {
        **_facts(seen.finding),
        "columns": "\n".join(str(name) for name in named),
        "explanation": seen.finding.explanation,
    }


def _row_json(seen: Seen, values: bool) -> dict[str, Any]:
    row = seen.finding.difference
    columns = [
        {
            "column": each["column"],
            "expected": shown(each["expected"], values),
            "found": shown(each["found"], values),
        }
        for each in columns_json(row.columns)
    ]
    return {
        **_facts(seen.finding),
        "columns": columns,
        "explanation": seen.finding.explanation,
        "company": row.company,
        "period": row.period,
        "source_id": row.source_id,
        "target_id": row.target_id,
        "first_seen": seen.first_seen.isoformat(),
    }


def _invariant(each: Invariant) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Invariant.__slots__}
