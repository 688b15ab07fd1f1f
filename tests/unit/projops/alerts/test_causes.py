"""From facts to causes: what is told, what hides behind others, and what several rules want together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from projops.alerts.causes import find
from projops.alerts.facts import Facts
from projops.alerts.model import Action, AlertRules, Channel, Kind, Rule, Severity
from projops.mapping.findings import Finding
from projops.mapping.reader import BrokenMap
from projops.reconcile.model import Scope
from projops.run import LegRef
from projops.state.alert_facts import BrokenBooks, Tried
from projops.state.proofs import Proof
from projops.state.reconciliations import Reconciliation, Status
from projops.state.task_failures import OpenFailure
from projops.state.throttling import Budget

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BACK = ("vendors", "finance_to_dataverse")
CHANNELS = MappingProxyType({name: Channel(name, "slack") for name in ("a", "b")})
FACTS = Facts(
    now=NOW,
    areas={"vendors": "reference_data", "actuals": "estimates_and_actuals"},
    finance_legs=frozenset({BACK}),
    told=frozenset(),
    failures=(),
    broken=(),
    findings=(),
    letters={},
    recent={HOUR: {}},
    parked={HOUR: {}},
    awaiting={},
    in_step={},
    paused=frozenset(),
    proofs=(),
    proof=None,
    books=(),
    budget=Budget(100, {"finance": 1}),
    tried={},
)


def causes(facts: Facts, *rules: Rule) -> dict[str, Severity]:
    found = find(facts, AlertRules(CHANNELS, rules))
    return {each.alert.cause: each.alert.severity for each in found}


def failed(cause: str, dag_id: str = "reference_data", map_id: str | None = "vendors") -> OpenFailure:
    return OpenFailure(NOW, dag_id, "task", map_id, None, "E", cause, "It failed.", "Mend it.", "")


def test_nothing_is_told_where_nothing_is_wrong() -> None:
    within = {Kind.DEAD_LETTERS: HOUR, Kind.PARKED: HOUR, Kind.LATE: HOUR, Kind.UNPROVED: HOUR}
    rules = [Rule(kind, kind, within=within.get(kind, timedelta(0)), count=80) for kind in Kind]
    assert causes(FACTS, *rules) == {}


def test_the_budget_is_told_when_it_is_low_and_once_more_when_it_is_spent() -> None:
    rule = Rule("budget", Kind.BUDGET, count=80)
    day = f"budget:{NOW.date()}"
    used = {number: replace(FACTS, budget=Budget(100, {"finance": number})) for number in (79, 80, 100)}
    assert causes(used[79], rule) == {}
    assert causes(used[80], rule) == {f"{day}:low": Severity.WARNING}
    assert causes(used[100], rule) == {f"{day}:spent": Severity.CRITICAL}
    told = replace(used[100], told=frozenset({f"{day}:low"}))
    assert set(causes(told, rule)) == {f"{day}:low", f"{day}:spent"}  # what was told stays true


@pytest.mark.parametrize(
    "known",
    [
        {"failures": [failed("lease:vendors")]},
        {"broken": [BrokenMap("vendors", "reference_data", (Finding("f", 1, "No.", "Yes."),))]},
        {"paused": frozenset({"vendors"})},
        {"budget": Budget(1, {"finance": 1})},
        {"in_step": {BACK: NOW - HOUR}},
        {"areas": {}},
    ],
    ids=["failure", "broken", "paused", "budget", "in-time", "off"],
)
def test_an_area_is_late_only_where_nothing_else_is_known_to_hold_it(known: dict[str, object]) -> None:
    rule = Rule("late", Kind.LATE, within=HOUR)
    late = replace(FACTS, in_step={BACK: NOW - 2 * HOUR})
    assert set(causes(late, rule)) == {"late:reference_data"}
    assert causes(replace(late, **known), rule) == {}  # type: ignore[arg-type]


def test_failures_of_one_cause_are_one_alert_that_names_their_tasks() -> None:
    cause = "authentication:dataverse_default"
    many = [failed(cause, f"area_{number}", None) for number in range(20)]
    [found] = find(replace(FACTS, failures=many), AlertRules(CHANNELS, (Rule("f", Kind.FAILURE),)))
    assert (found.alert.count, found.alert.map, found.alert.page) == (20, None, "maps")
    assert found.alert.happened.endswith("and 15 more.")
    assert found.alert.remedy == "Mend it."


def test_a_failure_of_a_map_that_is_gone_is_nobodys() -> None:
    gone = replace(FACTS, failures=[failed("lease:vendors", map_id="no_more")])
    assert causes(gone, Rule("f", Kind.FAILURE)) == {}


def test_a_rule_is_about_its_maps_and_areas_only() -> None:
    both = replace(FACTS, awaiting={BACK: 3, ("actuals", "dataverse_to_finance"): 4})
    assert len(causes(both, Rule("all", Kind.APPROVAL))) == 2
    assert set(causes(both, Rule("one", Kind.APPROVAL, maps=("vendors",)))) == {
        "approval:vendors:finance_to_dataverse"
    }
    assert set(causes(both, Rule("one", Kind.APPROVAL, areas=("estimates_and_actuals",)))) == {
        "approval:actuals:dataverse_to_finance"
    }


def test_what_several_rules_find_is_one_alert_with_what_all_of_them_want() -> None:
    rules = (
        Rule("mild", Kind.APPROVAL, notify=("a",), resolved=False),
        Rule("strict", Kind.APPROVAL, notify=("b", "a"), action=Action.STOP),
        Rule("pause", Kind.APPROVAL, action=Action.PAUSE),
    )
    [found] = find(replace(FACTS, awaiting={BACK: 3}), AlertRules(CHANNELS, rules))
    assert found.rules == ("mild", "strict", "pause")
    assert (found.notify, found.action, found.tells_end) == (("a", "b"), Action.STOP, True)


def test_the_breaker_hides_the_letters_that_opened_it() -> None:
    many = replace(FACTS, letters={("vendors", "E2"): 60}, recent={HOUR: {("vendors", "E2"): 60}})
    rule = Rule("letters", Kind.DEAD_LETTERS, count=50, within=HOUR)
    assert set(causes(many, rule)) == {"dead_letters:vendors:E2"}
    opened = replace(failed("stopped:vendors:finance_to_dataverse"), error="BreakerOpenError")
    assert causes(replace(many, failures=[opened]), rule) == {}


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (Tried(1, False, "Away."), False),
        (Tried(2, False, "Away."), True),
        (Tried(1, True, "Refused."), True),
        (Tried(3, False, None), False),
    ],
)
def test_a_channel_is_out_of_reach_when_it_refused_or_failed_twice(last: Tried, told: bool) -> None:
    rules = AlertRules(CHANNELS, (Rule("c", Kind.CHANNEL, notify=("a",)),))
    found = find(replace(FACTS, tried={"a": last}), rules)
    assert [(each.alert.cause, each.notify) for each in found] == ([("channel:a", ("b",))] if told else [])


def test_drift_is_told_by_map_from_as_many_rows_on_as_the_rule_says() -> None:
    def proof(leg: str, drift: int) -> Proof:
        return Proof(LegRef("vendors", leg), 7, NOW, 90, drift, 0)

    both = replace(FACTS, proofs=[proof("finance_to_dataverse", 2), proof("dataverse_to_finance", 1)])
    [found] = find(both, AlertRules(CHANNELS, (Rule("d", Kind.DRIFT, count=3),)))
    assert (found.alert.cause, found.alert.count, found.alert.leg) == ("drift:vendors", 3, None)
    assert found.alert.page == "reconciliations/7"
    assert causes(both, Rule("d", Kind.DRIFT, count=4)) == {}
    off = replace(both, areas={})  # what is not compared again would never be over
    assert causes(off, Rule("d", Kind.DRIFT)) == {}


def test_books_that_do_not_hold_are_told_by_company() -> None:
    scope, numbers = Scope(), (0, NOW, NOW, 9, 0, 0, 3, None)
    proof = Reconciliation(7, "cli", "r", Status.DRIFT, scope, *numbers)
    broken = [BrokenBooks("clearing_expense", "uspm", 2, "Account 1 stands at 5.00.")]
    facts = replace(FACTS, proof=proof, books=broken)
    [found] = find(
        facts, AlertRules(CHANNELS, (Rule("b", Kind.BOOKS), Rule("u", Kind.UNPROVED, within=HOUR)))
    )
    assert found.alert.cause == "books:clearing_expense:uspm"
    assert found.alert.title == "Books of uspm: clearing expense does not hold"
    assert "Account 1 stands at 5.00." in found.alert.happened
