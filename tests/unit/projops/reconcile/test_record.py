"""All differences are in the file, exact; the state keeps so many of each verdict."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from projops.engine import Engine
from projops.errors import StagingLostError
from projops.reconcile.model import ColumnDifference, Finding, Kind, RowDifference, Verdict
from projops.reconcile.places import path_of_map
from projops.reconcile.record import recorded, recording
from projops.run import LegRef
from projops.state import differences
from projops.state.differences import MOST_OF_A_VERDICT, Seen

LEG = LegRef("projects", "dataverse_to_finance")
SEEN = datetime(2026, 11, 23, 2, tzinfo=UTC)


def finding(key: str, verdict: Verdict = Verdict.DRIFT, *cells: tuple[str, Any, Any]) -> Seen:
    columns = tuple(ColumnDifference(*cell) for cell in cells)
    kind = Kind.CHANGED if cells else Kind.MISSING
    row = RowDifference(LEG, key, kind, "guid", None, "h", columns, "uspm", "2026-10", "a reason")
    return Seen(Finding(row, verdict, "case", "Look."), SEEN)


def test_values_are_exact_and_come_back_row_by_row(engine: Engine) -> None:
    cells = (
        ("Amount", Decimal("922337203685476.9999"), Decimal("0.0000000000000001")),
        ("Name", "Caf\u00e9 ", "Cafe\u0301"),
        ("Day", date(2026, 10, 31), None),
        ("At", datetime(2026, 10, 31, 23, 59, 59, 999999, UTC), SEEN),
        ("Yes", True, False),
    )
    with recording(engine.staging, 4, "projects") as record:
        record.add([finding("[1]", Verdict.DRIFT, *cells), finding("[2]", Verdict.PARKED)])
        record.add([finding("[2]", Verdict.PENDING, ("Name", None, ""))])
    texts = {
        "Amount": ("922337203685476.9999", "0.0000000000000001"),
        "Name": ("Caf\u00e9 ", "Cafe\u0301"),
        "Day": ("2026-10-31", None),
        "At": ("2026-10-31T23:59:59.999999+00:00", "2026-11-23T02:00:00+00:00"),
        "Yes": ("true", "false"),
    }
    first, second, third = recorded(engine.staging, 4, "projects")
    row = first.finding.difference
    assert {each.column: (each.expected, each.found) for each in row.columns} == texts
    assert (row.leg, row.company, row.period, row.reason) == (LEG, "uspm", "2026-10", "a reason")
    assert (second.finding.difference.kind, second.first_seen) == (Kind.MISSING, SEEN)
    assert [each.expected for each in third.finding.difference.columns] == [None]
    assert record.verdicts == {LEG: {Verdict.DRIFT: 1, Verdict.PARKED: 1, Verdict.PENDING: 1}}
    with engine.staging.opened(path_of_map(4, "projects")) as file:
        assert pq.read_table(file).num_rows == 7

    with engine.state.begin() as connection:  # and through the state
        differences.replace_of_map(connection, 4, "projects", record.kept)
        kept = differences.found(connection, 4)
        assert [each.finding.verdict for each in kept] == ["drift", "parked", "pending"]
        back = kept[0].finding.difference
        assert {each.column: (each.expected, each.found) for each in back.columns} == texts


def test_the_state_keeps_so_many_of_drift_and_of_what_is_explained(engine: Engine) -> None:
    more = MOST_OF_A_VERDICT + 3
    with recording(engine.staging, 1, "projects") as record:
        record.add([finding(f"[{place}]", Verdict.PENDING) for place in range(more)])
        record.add([finding("[d]")])
    assert len(record.kept) == MOST_OF_A_VERDICT + 1
    assert record.kept[-1].finding.verdict is Verdict.DRIFT
    assert sum(1 for _ in recorded(engine.staging, 1, "projects")) == more + 1


def test_a_comparison_that_fails_leaves_the_earlier_file(engine: Engine) -> None:
    with recording(engine.staging, 1, "projects") as record:
        record.add([finding("[1]")])
    with pytest.raises(RuntimeError), recording(engine.staging, 1, "projects") as record:
        record.add([finding("[2]")])
        raise RuntimeError
    assert [each.finding.difference.key for each in recorded(engine.staging, 1, "projects")] == ["[1]"]
    assert engine.staging.names("reconciliations/1") == ["projects.parquet"]
    with pytest.raises(StagingLostError, match="Reconcile again"):
        next(recorded(engine.staging, 2, "projects"))
