import json
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from projops.state.batches import Counts
from runner.proof import Proof
from runner.report import LegReport, Report

KEYS = ["map", "leg", "read", "unchanged", "loaded", "parked", "rejected", "failed", "seconds"]


def test_a_leg_is_reported_under_the_names_that_checks_rely_on() -> None:
    """Whatever else batches count."""
    counts = Counts(read=9, unchanged=1, loaded=4, parked=2, rejected=1, failed=1)
    report = asdict(LegReport.of("customers", "dataverse_to_finance", counts, 1.26))
    assert list(report) == KEYS
    assert list(report.values()) == ["customers", "dataverse_to_finance", 9, 1, 4, 2, 1, 1, 1.3]


def test_the_report_keeps_the_names_that_checks_rely_on(tmp_path: Path) -> None:
    cleared = {"USPM": {"expense": Decimal("0.00"), "procurement": Decimal("0.00")}}
    report = Report((), 0, 0, cleared, Proof(9, 2, 0, "/staging/reconciliations/1/report.html"), 4, 1.5)
    report.write(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == {
        "legs": [],
        "drift": 0,
        "dead_letters": 0,
        "clearing_accounts": {"USPM": {"expense": "0.00", "procurement": "0.00"}},
        "reconciliation": {
            "matched": 9,
            "explained": 2,
            "drift": 0,
            "report": "/staging/reconciliations/1/report.html",
        },
        "setup_seconds": 4,
        "seconds": 1.5,
    }
