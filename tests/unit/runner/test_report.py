from dataclasses import asdict

from projops.state.batches import Counts
from runner.report import LegReport

KEYS = ["map", "leg", "read", "unchanged", "loaded", "parked", "rejected", "failed", "seconds"]


def test_a_leg_is_reported_under_the_names_that_checks_rely_on() -> None:
    """Whatever else batches count."""
    counts = Counts(read=9, unchanged=1, loaded=4, parked=2, rejected=1, failed=1)
    report = asdict(LegReport.of("customers", "dataverse_to_finance", counts, 1.26))
    assert list(report) == KEYS
    assert list(report.values()) == ["customers", "dataverse_to_finance", 9, 1, 4, 2, 1, 1, 1.3]
