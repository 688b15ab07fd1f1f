import pytest

from projops.errors import BreakerOpenError
from projops.validate.breaker import Breaker, Limit, PartialLimit, check_breaker

SETTINGS = Limit(0.2, 50)


@pytest.mark.parametrize(("rejected", "total"), [(0, 0), (50, 50), (51, 255), (200, 1000)])
def test_the_breaker_stays_closed_below_either_limit(rejected: int, total: int) -> None:
    check_breaker(rejected, total, SETTINGS)


@pytest.mark.parametrize(("rejected", "total"), [(51, 254), (201, 1000), (1000, 1000)])
def test_the_breaker_opens_above_both_limits(rejected: int, total: int) -> None:
    with pytest.raises(
        BreakerOpenError, match=f"{rejected} of {total} rows of roles are bad, more than 20% and more than 50"
    ):
        check_breaker(rejected, total, SETTINGS, leg="roles")


def test_a_map_may_be_stricter_or_more_tolerant_than_the_settings() -> None:
    with pytest.raises(BreakerOpenError, match="3 of 1000 rows are bad, more than 0% and more than 2"):
        check_breaker(3, 1000, SETTINGS, breaker=Breaker(PartialLimit(share=0, rows=2)))
    check_breaker(900, 1000, SETTINGS, breaker=Breaker(PartialLimit(share=0.9)))
    with pytest.raises(BreakerOpenError, match="more than 90% and more than 50"):
        check_breaker(901, 1000, SETTINGS, breaker=Breaker(PartialLimit(share=0.9)))


def test_a_rule_may_be_limited_by_itself_and_leaves_open_what_the_map_says() -> None:
    own = Breaker(PartialLimit(rows=4), {"amount": PartialLimit(share=0)})
    check_breaker(4, 1000, SETTINGS, breaker=own, broken={"amount": 4, "other": 900})
    with pytest.raises(BreakerOpenError, match="5 of 1000 rows of actuals break the rule amount, more"):
        check_breaker(0, 1000, SETTINGS, breaker=own, broken={"amount": 5}, leg="actuals")
