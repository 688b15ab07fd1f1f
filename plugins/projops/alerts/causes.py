"""From facts to causes: each kind of rule finds its own; a cause that several rules find is one alert."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from projops.alerts.facts import Facts
from projops.alerts.found_failures import broken_maps, failures, of_own_file, stops
from projops.alerts.found_proofs import books, drift, unproved
from projops.alerts.found_rows import approvals, dead_letters, late, parked
from projops.alerts.model import Action, Alert, AlertRules, Kind, Rule, Severity
from projops.state.alerts import Found

_BUDGET_REMEDY = (
    "Nothing, if it is enough: it begins anew at midnight UTC. Else raise PROJOPS_REQUEST_BUDGET, or see on "
    "page Maps which maps move much."
)


def find(facts: Facts, rules: AlertRules) -> list[Found]:
    """Give the causes that hold, with what the rules want of each.

    Args:
        facts: What is known.
        rules: What is wanted.
    """
    if is_unreadable(facts, rules):
        return [Found(of_own_file(facts, unreadable=True), ())]
    found: dict[str, Found] = {}
    for rule in rules.rules:
        for alert in _FINDERS[rule.when](facts, rule):
            each = Found(alert, (rule.name,), rule.notify, rule.action, rule.resolved)
            found[alert.cause] = _both(found[alert.cause], each) if alert.cause in found else each
    reached = _reached(facts, rules)
    return [_within_reach(each, facts, reached) for each in found.values()]


def is_unreadable(facts: Facts, rules: AlertRules) -> bool:
    """Say whether a slip in the file of alerts leaves no rule: nobody then knows what else is over."""
    return bool(facts.findings) and not rules.rules


def _both(one: Found, other: Found) -> Found:
    order = list(Action)
    return replace(
        one,
        rules=(*one.rules, *other.rules),
        notify=tuple(dict.fromkeys([*one.notify, *other.notify])),
        action=max(one.action, other.action, key=order.index),
        tells_end=one.tells_end or other.tells_end,
    )


def _budget(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find the day's requests used up, or nearly: those two are told apart, and each once a day."""
    budget, day = facts.budget, facts.now.date().isoformat()
    low, spent = f"budget:{day}:low", f"budget:{day}:spent"
    sums = f"{budget.sent} of today's {budget.budget} requests (UTC) are sent."
    if budget.left == 0:
        yield _of_budget(
            spent,
            Severity.CRITICAL,
            "Today's requests are used up",
            sums,
            "Finance is not polled before midnight UTC; changes of Dataverse and manual runs go on.",
        )
    nearly = budget.sent * 100 >= rule.count * budget.budget
    if nearly and (budget.left > 0 or low in facts.told):
        yield _of_budget(
            low,
            Severity.WARNING,
            "Today's requests are nearly used up",
            sums,
            "Finance is polled less often, so that the rest lasts for the day.",
        )


def _of_budget(cause: str, severity: Severity, title: str, happened: str, meaning: str) -> Alert:
    return Alert(cause, Kind.BUDGET, severity, title, happened, meaning, _BUDGET_REMEDY, "maps")


def _channels(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find channels that do not work: one that was given up, or that failed twice running."""
    for name in _out_of_reach(facts):
        yield Alert(
            cause=f"channel:{name}",
            kind=Kind.CHANNEL,
            severity=Severity.WARNING,
            title=f"Channel {name} cannot be reached",
            happened=f"{facts.tried[name].error}",
            meaning="Whoever reads that channel is not told of alerts. The console shows them all.",
            remedy=f"Mend it, then see whether `projops alerts test {name}` arrives.",
            page="alerts",
        )


def _out_of_reach(facts: Facts) -> list[str]:
    return [name for name, last in facts.tried.items() if last.error and (last.given_up or last.attempts > 1)]


def _reached(facts: Facts, rules: AlertRules) -> Sequence[str]:
    return [name for name in rules.channels if name not in _out_of_reach(facts)]


def _within_reach(found: Found, facts: Facts, reached: Iterable[str]) -> Found:
    """Tell of a channel that does not work through others, whichever there are."""
    if found.alert.kind is not Kind.CHANNEL:
        return found
    usual = tuple(name for name in found.notify if name in reached)
    return replace(found, notify=usual or tuple(reached))


_FINDERS: Mapping[Kind, Callable[[Facts, Rule], Iterable[Alert]]] = {
    Kind.FAILURE: failures,
    Kind.STOPPED: stops,
    Kind.BROKEN_MAP: broken_maps,
    Kind.DEAD_LETTERS: dead_letters,
    Kind.APPROVAL: approvals,
    Kind.PARKED: parked,
    Kind.LATE: late,
    Kind.DRIFT: drift,
    Kind.BOOKS: books,
    Kind.UNPROVED: unproved,
    Kind.BUDGET: _budget,
    Kind.CHANNEL: _channels,
}
