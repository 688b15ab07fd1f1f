"""The report written from what the state and the staging area hold of a reconciliation."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.reconcile.model import ColumnDifference, Invariant, Scope, Verdict
from projops.reconcile.record import recording
from projops.reconcile.report.writing import write_report
from projops.run import LegRef
from projops.state import differences, invariants, quality, reconciliations
from projops.state.batches import NewBatch, open_batch
from projops.state.differences import Seen
from projops.state.quality import Breach
from tests.unit.projops.reconcile.report.reading import read
from tests.unit.projops.reconcile.report.sample import AT, leg, seen

UNITS = LegRef("units", "finance_to_dataverse")
COMPANIES = LegRef("companies", "finance_to_dataverse")
NAME = ColumnDifference("name", "Hour", "hour")


def begin(engine: Engine, scope: Scope, run_id: str = "run-1", threshold: int = 0) -> int:
    with engine.state.begin() as connection:
        return reconciliations.begin(connection, "nightly_reconciliation", run_id, scope, threshold)


def compare(engine: Engine, number: int, ref: LegRef, matched: int, found: Sequence[Seen]) -> None:
    """Keep of a leg what its comparison would keep."""
    with recording(engine.staging, number, ref.map) as record:
        record.add(found)
    counts = {verdict: sum(each.finding.verdict is verdict for each in found) for verdict in Verdict}
    with engine.state.begin() as connection:
        reconciliations.record_legs(connection, number, ref.map, [(leg(ref, matched, counts), AT)])
        differences.replace_of_map(connection, number, ref.map, found)


def rows(engine: Engine, number: int) -> list[tuple[str, str, str]]:
    with engine.staging.opened(f"reconciliations/{number}/differences.parquet") as file:
        table = pq.read_table(file)
    return [(row["map"], row["key"], row["verdict"]) for row in table.to_pylist()]


def page(engine: Engine, number: int, name: str = "report.html") -> str:
    with engine.staging.opened(f"reconciliations/{number}/{name}") as file:
        return str(file.read().decode())


def drift(ref: LegRef, key: str) -> Seen:
    return seen(ref, f'["{key}"]', Verdict.DRIFT, NAME)


def test_pages_and_differences_are_written_and_noted(engine: Engine) -> None:
    number = begin(engine, Scope(maps=("units", "companies")))
    kept = seen(COMPANIES, '["uspm"]', Verdict.KEPT)
    compare(engine, number, UNITS, 3, [drift(UNITS, "hr"), drift(UNITS, "ea")])
    compare(engine, number, COMPANIES, 2, [kept])
    written = write_report(engine, number, ["units: 1 row was sent again."])
    found = written.numbers
    assert (found.expected, found.matched, found.explained, found.drift) == (8, 5, 1, 2)
    assert not found.passed
    assert rows(engine, number) == [
        ("companies", '["uspm"]', "kept"),
        ("units", '["hr"]', "drift"),
        ("units", '["ea"]', "drift"),
    ]
    assert Path(written.uri.removeprefix("file://")).read_text() == page(engine, number)
    text = read(page(engine, number)).text
    assert "units: 1 row was sent again." in text
    assert ("Hour" in text, "Hour" in page(engine, number, "report-without-values.html")) == (True, False)
    with engine.state.begin() as connection:
        noted = reconciliations.get(connection, number)
    assert noted is not None
    assert (noted.report, noted.drift, noted.finished_at is not None) == (written.uri, 2, True)


def test_written_again_it_tells_of_the_last_comparison(engine: Engine) -> None:
    number = begin(engine, Scope(maps=("units",)))
    compare(engine, number, UNITS, 3, [drift(UNITS, "hr")])
    assert write_report(engine, number).numbers.drift == 1
    compare(engine, number, UNITS, 4, [])
    assert write_report(engine, number).numbers.passed
    assert rows(engine, number) == []
    assert "In step: 4 rows of 4 are equal." in page(engine, number)


def test_a_map_that_was_not_compared_is_named(engine: Engine) -> None:
    number = begin(engine, Scope(maps=("units", "companies")))
    compare(engine, number, UNITS, 3, [])
    written = write_report(engine, number)
    assert written.numbers.not_compared == ("companies",)
    assert "Not compared: companies." in page(engine, number)


def test_without_any_map_there_is_a_page_that_says_so(engine: Engine) -> None:
    number = begin(engine, Scope())
    numbers = write_report(engine, number).numbers
    assert "units" in numbers.not_compared
    assert not numbers.books_checked
    assert engine.staging.names(f"reconciliations/{number}") == ["report-without-values.html", "report.html"]


def test_differences_of_which_none_stands_any_more_go_with_their_page(engine: Engine) -> None:
    number = begin(engine, Scope(maps=("units",)))
    compare(engine, number, UNITS, 9, [drift(UNITS, "hour")])
    write_report(engine, number)
    assert rows(engine, number) == [("units", '["hour"]', "drift")]
    engine.staging.remove(engine.staging.uri_below(f"reconciliations/{number}/units.parquet"))
    write_report(engine, number)
    with pytest.raises(FileNotFoundError):
        rows(engine, number)


def test_books_that_do_not_hold_fail_it(engine: Engine) -> None:
    number = begin(engine, Scope(maps=("units",)), threshold=5)
    compare(engine, number, UNITS, 3, [drift(UNITS, "hr")])
    assert write_report(engine, number).numbers.passed
    broken = Invariant("clearing_expense", "uspm", False, False, "130700", "It stands at 12.50.")
    with engine.state.begin() as connection:
        invariants.replace_all(connection, number, [broken])
    assert write_report(engine, number).numbers.broken_invariants == 1
    assert not write_report(engine, number).numbers.passed
    assert "It stands at 12.50." in page(engine, number)


def test_reconciliations_of_the_same_scope_make_the_history(engine: Engine) -> None:
    for run, scope in (("a", Scope(maps=("units",))), ("b", Scope()), ("c", Scope(maps=("units",)))):
        number = begin(engine, scope, run)
        compare(engine, number, UNITS, 3, [])
        write_report(engine, number)
        charts = len(read(page(engine, number)).all("svg"))
        assert charts == {"a": 1, "b": 1, "c": 2}[run]


def test_rows_that_were_set_aside_by_rule_are_told_and_warnings_are_not(engine: Engine) -> None:
    number = begin(engine, Scope(maps=("units",)))
    compare(engine, number, UNITS, 3, [])
    new = NewBatch("reference_data", "run-1", UNITS.map, UNITS.leg, "incremental", "1.0", "f", advances=True)
    with engine.state.begin() as connection:
        batch = open_batch(connection, new)
        breaches = [Breach("R501", "name", "error", 4), Breach("W77", "name", "warning", 9)]
        quality.record(connection, batch, "validate", breaches)
    write_report(engine, number)
    said = read(page(engine, number)).text
    assert ("R501" in said, "W77" in said) == (True, False)


def test_a_number_that_there_is_not_is_a_sentence(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match=r"^There is no reconciliation 99\."):
        write_report(engine, 99)


def test_what_was_first_seen_earlier_says_so(engine: Engine) -> None:
    number = begin(engine, Scope(maps=("units",)))
    found = drift(UNITS, "hr")
    compare(engine, number, UNITS, 3, [Seen(found.finding, AT - timedelta(days=3))])
    write_report(engine, number)
    assert "first seen 2026-11-20 02:00 UTC" in page(engine, number)
