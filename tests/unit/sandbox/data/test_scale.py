"""The plan of a scale seed, and how many rows it comes to."""

from collections import Counter

import pytest

from sandbox.data.scale.chance import Chance, zipf_shares
from sandbox.data.scale.plan import plan_firm
from sandbox.data.scale.seed import recorded


@pytest.mark.parametrize(("total", "count"), [(1, 12), (11, 12), (1_000, 12), (1_000_003, 2_500)])
def test_zipf_shares_add_up_and_fall(total: int, count: int) -> None:
    shares = zipf_shares(total, count)
    assert (len(shares), sum(shares)) == (count, total)
    assert shares == sorted(shares, reverse=True)


def test_low_numbers_are_drawn_more_often() -> None:
    chance = Chance(1)
    drawn = Counter(chance.low(8) for _ in range(4_000))
    assert set(drawn) == set(range(8))
    assert 1_800 < drawn[0] < 2_200


@pytest.mark.parametrize("actuals", [1, 2, 17, 333, 10_001])
def test_there_are_as_many_actuals_as_asked_for(actuals: int) -> None:
    batches = list(recorded(plan_firm(actuals), actuals))
    ids = [str(row["msdyn_actualid"]) for batch in batches for row in batch["msdyn_actual"]]
    assert len(ids) == actuals
    assert ids == sorted(set(ids))


def test_numbers_of_projects_stay_within_five_digits_whatever_the_scale() -> None:
    plan = plan_firm(50_000_000)
    numbers = {site.project.number for site in plan.sites}
    assert len(numbers) == len(plan.sites) == 45_000
    assert max(map(len, numbers)) <= 20
    assert sum(site.actuals for site in plan.sites) == 50_000_000
