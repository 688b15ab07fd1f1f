"""What a fault rule may say, and which requests it meets."""

from typing import Any

import pytest

from sandbox.faults import FaultBoard, FaultRuleError, read_rules
from sandbox.faults.board import Target, read_target

ACCOUNTS = Target("dataverse", "accounts", ("GET",))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"nonsense": 1, "status": 500}, "rule 2: nonsense. Known: system, entity, verb"),
        ({"status": "500"}, "rule 2 cannot be read: Expected `int | null`, got `str` - at `$.status`"),
        ({"status": 200}, "Expected `int` >= 400"),
        ({"status": 500, "probability": 2}, "Expected `float` <= 1"),
        ({"status": 500, "count": -1}, "Expected `int` >= 0"),
        ({"system": "sap", "status": 500}, "Invalid enum value 'sap'"),
        ({"drop": "sometimes"}, "Invalid enum value 'sometimes'"),
        ({"truncate": 1.5}, "Expected `float` < 1"),
        ({"partial": 0}, "Expected `int` >= 1"),
        ({"entity": "accounts"}, "rule 2 does nothing: give one of delay_seconds"),
        ({"status": 500, "drop": "after"}, "has status and drop: choose one"),
        ({"drop": "after", "message": "x"}, "has message without a status"),
        ({"status": 429, "retry_after_date": True}, "has retry_after_date without retry_after"),
        ({"in_batch": True, "drop": "before"}, "is in_batch, where only a status"),
        ({"in_batch": True, "status": 500, "delay_seconds": 1}, "is in_batch, where only a status"),
        ({"entity": "accounts", "partial": 1}, "is partial, which only a $batch can be"),
    ],
)
def test_a_rule_that_cannot_be_says_why(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(FaultRuleError) as refused:
        read_rules([{"status": 500}, rule])
    assert said in str(refused.value)


@pytest.mark.parametrize("body", [{}, "x", {"rules": 3}, [3], None])
def test_rules_are_a_list_of_objects(body: object) -> None:
    with pytest.raises(FaultRuleError, match="Send a list of fault rules"):
        read_rules(body)


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"status": 429}, "429"),
        ({"status": 503, "in_batch": True}, "in_batch_503"),
        ({"drop": "during", "delay_seconds": 1}, "drop_during"),
        ({"expire": "delta"}, "expire_delta"),
        ({"truncate": 0.2}, "truncate"),
        ({"delay_seconds": 0}, "delay"),
        ({"skew_seconds": -60}, "skew"),
        ({"stale_seconds": 60}, "stale"),
    ],
)
def test_faults_are_counted_under_stable_names(rule: dict[str, Any], kind: str) -> None:
    assert read_rules([rule])[0].kind == kind


def board(*rules: dict[str, Any]) -> FaultBoard:
    made = FaultBoard()
    made.replace(read_rules(list(rules)))
    return made


def test_the_first_rule_that_means_a_request_meets_it() -> None:
    rules = board({"entity": "accounts", "count": 1, "status": 500}, {"system": "dataverse", "status": 503})
    met = [rules.take(ACCOUNTS) for _ in range(2)]
    assert [rule and rule.status for rule in met] == [500, 503]
    assert rules.take(Target("finance", "accounts", ("GET",))) is None


def test_skip_comes_before_count() -> None:
    rules = board({"skip": 2, "count": 1, "status": 500})
    assert [rules.take(ACCOUNTS) is not None for _ in range(5)] == [False, False, True, False, False]


def test_a_seed_meets_the_same_requests_again() -> None:
    def met(seed: int) -> list[bool]:
        rules = board({"probability": 0.5, "seed": seed, "status": 500})
        return [rules.take(ACCOUNTS) is not None for _ in range(100)]

    assert met(7) == met(7)
    assert met(7) != met(8)
    assert 30 < sum(met(7)) < 70


UPSERT = "POST accounts/Microsoft.Dynamics.CRM.UpsertMultiple"


@pytest.mark.parametrize(
    ("rule", "meant", "not_meant"),
    [
        ({"verb": "UpsertMultiple", "status": 500}, UPSERT, "POST accounts"),
        ({"verb": "POST", "status": 500}, UPSERT, "PATCH accounts(1)"),
        ({"entity": "Items", "status": 500}, "PATCH Items(No='a/b)',dataAreaId='x')", "GET Others"),
        ({"partial": 1}, "POST $batch", "POST accounts"),
        ({"repeat_page": True}, "GET accounts", "POST accounts"),
    ],
)
def test_which_requests_a_rule_means(rule: dict[str, Any], meant: str, not_meant: str) -> None:
    def target(request: str) -> Target:
        method, _, resource = request.partition(" ")
        found = read_target("dataverse", method, resource)
        assert found is not None
        return found

    rules = board(rule)
    assert rules.take(target(not_meant)) is None
    assert rules.take(target(meant)) is not None


def test_rules_for_the_inside_of_batches_meet_nothing_else() -> None:
    inside = Target("dataverse", "accounts", ("GET",), in_batch=True)
    assert board({"in_batch": True, "status": 500}).take(ACCOUNTS) is None
    assert board({"in_batch": True, "status": 500}).take(inside) is not None
    assert board({"status": 500}).take(inside) is None


def test_a_path_that_cannot_be_read_meets_no_rule() -> None:
    assert read_target("dataverse", "GET", "accounts('open") is None
