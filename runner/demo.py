"""The demo: every map end to end, a few rows changed, the life of a project told, both systems compared.

They are compared twice: row by row over plain HTTP, and by the product's own reconciliation.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from projops.mapping.reader import load_maps
from projops.state.batches import Counts
from runner.changes import make_changes
from runner.comparison import Difference, compare
from runner.errors import RunnerError
from runner.layout import Layout
from runner.ledger import clearing_accounts, unbalanced, without_their_voucher
from runner.moves import (
    LegName,
    all_runs,
    counts_of,
    run_areas,
    run_until_in_step,
    seconds_of,
    what_waits,
)
from runner.proof import prove
from runner.report import LegReport, Report, leg_table
from runner.stack import AREAS, Stack
from runner.story.telling import tell
from runner.wire import Wire

_SHOWN = 20


def demo(stack: Stack, console: Console, report_file: Path, setup_seconds: int, started: float) -> bool:
    """Run the demo on a running stack.

    Args:
        stack: Sandbox with the demo seed, and Airflow.
        console: Where progress and tables go.
        report_file: Where the report goes.
        setup_seconds: What making the environment took.
        started: When the demo began, by `time.monotonic`.

    Returns:
        Whether everything is in step.

    Raises:
        RunnerError: A run failed, or something moved that should not have, or the reverse.
    """
    earlier = set(all_runs(stack.api))
    _first_pass(stack, console)
    with closing(Wire.sign_in(stack.sandbox)) as wire:
        _changes(stack, console, wire)
        _story(stack, console, wire)
        console.print("Comparing both systems row by row over HTTP")
        differences = compare(stack.layout.mappings, AREAS, wire)
        wrong = [*unbalanced(wire), *without_their_voucher(wire)]
        accounts = clearing_accounts(wire)
    if wrong:
        raise RunnerError("The ledger does not hold: " + "; ".join(wrong[:_SHOWN]))
    console.print("Reconciling all maps and the books through Airflow")
    proof = prove(stack, console.print)
    runs = [run for run in all_runs(stack.api) if run not in earlier]
    report = Report(
        legs=_legs(counts_of(stack, runs), seconds_of(stack.api, runs)),
        drift=_rows(differences),
        dead_letters=what_waits(stack).dead_letters,
        clearing_accounts=accounts,
        reconciliation=proof,
        setup_seconds=setup_seconds,
        seconds=round(time.monotonic() - started, 1),
    )
    report.write(report_file)
    _show(console, report, differences, _areas(stack.layout))
    console.print(f"Report: {report_file}")
    cleared = all(balance == 0 for balances in accounts.values() for balance in balances.values())
    return report.drift == 0 and report.dead_letters == 0 and cleared


def _first_pass(stack: Stack, console: Console) -> None:
    """Move everything; on data that an earlier demo left in step, nothing must move."""
    mark = in_step_mark(stack.layout)
    was_in_step = mark.exists()
    mark.unlink(missing_ok=True)
    first, *_ = run_until_in_step(stack, console.print)
    if was_in_step:
        if first:
            raise RunnerError(f"The data was in step, yet the first pass moved {first} rows.")
        console.print("The data was in step already, and nothing moved")


def _changes(stack: Stack, console: Console, wire: Wire) -> None:
    """Change a few rows and see that exactly those move."""
    before = set(all_runs(stack.api))
    wanted = make_changes(stack.layout.mappings, wire, f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}")
    console.print("Changed three rows in Dataverse and one in Finance")
    run_until_in_step(stack, console.print)
    counts = counts_of(stack, [run for run in all_runs(stack.api) if run not in before])
    moved = {leg: found.loaded for leg, found in counts.items() if found.loaded}
    if moved != dict(wanted):
        raise RunnerError(f"Changed {dict(wanted)}, but what moved is {moved}.")
    console.print(f"Exactly these moved: {_listed(moved)}")


def _story(stack: Stack, console: Console, wire: Wire) -> None:
    """Let a project live, from its contract to its corrected invoice, and see that all comes to rest."""
    tell(wire, lambda areas: run_areas(stack, areas, console.print), console.print)
    run_until_in_step(stack, console.print)
    in_step_mark(stack.layout).touch()


def in_step_mark(layout: Layout) -> Path:
    """A file that says that a demo left this data in step, and no one has touched it since."""
    return layout.folder / "in-step"


def _legs(counts: Mapping[LegName, Counts], seconds: Mapping[LegName, float]) -> tuple[LegReport, ...]:
    return tuple(
        LegReport.of(map_id, leg, found, seconds.get((map_id, leg), 0.0))
        for (map_id, leg), found in sorted(counts.items())
    )


def _areas(layout: Layout) -> dict[str, str]:
    """Area of each map, in the order of the areas."""
    maps = sorted(load_maps(layout.mappings).maps.values(), key=lambda each: AREAS.index(each.area))
    return {each.map: each.area for each in maps}


def _show(
    console: Console, report: Report, differences: Sequence[Difference], areas: Mapping[str, str]
) -> None:
    console.print(leg_table(report.legs, areas))
    for difference in differences[:_SHOWN]:
        console.print(str(difference), style="red", markup=False)
    accounts = ", ".join(
        f"{company} {name} {balance}"
        for company, balances in report.clearing_accounts.items()
        for name, balance in balances.items()
    )
    console.print(f"Rows that differ: {report.drift}. Dead letters: {report.dead_letters}.")
    console.print(f"Clearing accounts: {accounts}. {report.seconds:.0f} s")
    console.print(
        f"Reconciled: {report.reconciliation.matched} rows are equal: {report.reconciliation.report}"
    )


def _rows(differences: Sequence[Difference]) -> int:
    return len({(each.map, each.leg, each.key) for each in differences})


def _listed(moved: Mapping[LegName, int]) -> str:
    return ", ".join(
        f"{rows} of {map_id} to {leg.rpartition('_to_')[2]}" for (map_id, leg), rows in moved.items()
    )
