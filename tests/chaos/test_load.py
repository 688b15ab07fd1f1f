"""Eight legs at once within a tenth of what Dataverse allows: nobody starves, and little is left unused."""

from pathlib import Path

from tests.chaos.load import LEGS, TENTH, Narrow, put_to_the_test

WINDOW = 4.0
PART = WINDOW / TENTH.window * 6  # six times the rate of the tenth, in windows that a test can wait for


def test_eight_legs_share_what_a_tenth_of_the_limits_allows(tmp_path: Path) -> None:
    narrow = Narrow(round(TENTH.requests * PART), WINDOW, TENTH.execution * PART, TENTH.concurrent)
    found = put_to_the_test(narrow, tmp_path)
    assert found.throttled == 0, found.lines()
    assert min(found.shares) >= 0.8, found.lines()
    starved = [name for answered in found.answered for name in LEGS if not answered[name]]
    assert starved == [], found.lines()
