"""Counts are bounded, however many addresses a client tries."""

from sandbox.stats import Operation, Stats


def test_addresses_beyond_ten_thousand_are_counted_together() -> None:
    stats = Stats()
    for number in range(10_050):
        stats.record(Operation("dataverse", f"nothing{number}", "GET", 404), "2026-01-01T00:00:00+00:00")
    stats.record(Operation("dataverse", "nothing0", "GET", 404), "2026-01-01T00:00:00+00:00")
    counted = {place["entity"]: place["count"] for place in stats.snapshot()["requests"]}
    assert (len(counted), counted[""], counted["nothing0"]) == (10_001, 50, 2)
