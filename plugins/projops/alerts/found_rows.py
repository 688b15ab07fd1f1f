"""Causes found from rows that were set aside, and from legs that fell behind."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from projops.alerts.facts import Facts
from projops.alerts.found_failures import in_scope, named
from projops.alerts.model import Alert, Kind, Rule, Severity
from projops.alerts.rules import ANY
from projops.state.alert_facts import Place

_BREAKER = "BreakerOpenError"


def dead_letters(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find maps with many new dead letters of a kind: opened by those of a time, over when they are few.

    Where the circuit breaker of the map is open, that is the cause.
    """
    broken = {each.map for each in facts.failures if each.error == _BREAKER}
    recent, all_of_them = _by_kind(facts.recent[rule.within], rule), _by_kind(facts.letters, rule)
    for (map_id, error), number in sorted(all_of_them.items()):
        cause = f"dead_letters:{map_id}:{error}"
        many = recent.get((map_id, error), 0) >= rule.count or (cause in facts.told and number >= rule.count)
        if many and map_id not in broken and in_scope(rule, map_id, facts.areas.get(map_id)):
            yield _of_letters(cause, map_id, error, number)


def approvals(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find deletes that nobody has approved yet."""
    for (map_id, leg), number in sorted(facts.awaiting.items()):
        if in_scope(rule, map_id, facts.areas.get(map_id)):
            yield Alert(
                cause=f"approval:{map_id}:{leg}",
                kind=Kind.APPROVAL,
                severity=Severity.CRITICAL,
                title=f"{map_id}: deletes wait for approval",
                happened=f"{number} deletes of {map_id} {leg} are set aside as awaiting approval.",
                meaning="A source that lost its rows by mistake looks the same. All other rows move on.",
                remedy="Find out why the rows are gone. On page Dead letters approve them, or dismiss them "
                f"with a reason; or `projops dead-letters approve --map {map_id}`.",
                page=_page(map=map_id, status="awaiting_approval"),
                map=map_id,
                leg=leg,
                count=number,
            )


def parked(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find rows that have waited for others for longer than the rule's time."""
    hours = f"{rule.within.total_seconds() / 3600:.3g}"
    for (map_id, leg), number in sorted(facts.parked[rule.within].items()):
        if number >= rule.count and in_scope(rule, map_id, facts.areas.get(map_id)):
            yield Alert(
                cause=f"parked:{map_id}:{leg}",
                kind=Kind.PARKED,
                severity=Severity.WARNING,
                title=f"{map_id}: rows have been parked for long",
                happened=f"{number} rows of {map_id} {leg} have been parked for more than {hours} hours.",
                meaning="The rows that they refer to have not arrived at the target. They go by themselves "
                "once those have.",
                remedy="Page Dead letters names the rows that they wait for: mend what holds those back, or "
                f"run their map in full; or `projops dead-letters list {map_id}`.",
                page=_page(map=map_id, status="parked"),
                map=map_id,
                leg=leg,
                count=number,
            )


def late(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find areas with legs that were not in step for longer than the rule's time.

    Whatever is known to hold a leg back is a cause of its own: a task of its area that failed, a broken map,
    a pause, a budget that is used up. A leg that has never run does not count.
    """
    failing = {facts.areas.get(each.map or "", each.dag_id) for each in facts.failures}
    still = facts.paused | {each.map for each in facts.broken}
    behind: dict[str, list[Place]] = {}
    for place, since in facts.in_step.items():
        area = facts.areas.get(place[0])
        held = area in failing or place[0] in still or _unpolled(facts, place)
        if area and not held and facts.now - since > rule.within and in_scope(rule, place[0], area):
            behind.setdefault(area, []).append(place)
    for area, places in sorted(behind.items()):
        oldest = min(facts.in_step[place] for place in places)
        yield Alert(
            cause=f"late:{area}",
            kind=Kind.LATE,
            severity=Severity.CRITICAL,
            title=f"{area} is late",
            happened=f"{len(places)} legs have not been in step for longer than "
            f"{rule.within.total_seconds() / 60:.0f} minutes, the oldest since {oldest:%Y-%m-%d %H:%M} UTC: "
            f"{named([' '.join(place) for place in places])}.",
            meaning="No task of the area has failed, so nothing runs: changes of both systems wait.",
            remedy=f"See in Airflow whether the DAG {area} is paused or a run of it hangs, and whether the "
            "scheduler is alive; page Maps shows each leg.",
            page=f"maps?{urlencode({'area': area})}",
            count=len(places),
        )


def _unpolled(facts: Facts, place: Place) -> bool:
    return facts.budget.left == 0 and place in facts.finance_legs


def _by_kind(counted: Mapping[Place, int], rule: Rule) -> dict[Place, int]:
    """Give the counts that a rule is about, one by one or all kinds together."""
    found: dict[Place, int] = {}
    for (map_id, error), number in counted.items():
        if rule.errors == (ANY,):
            found[map_id, ANY] = found.get((map_id, ANY), 0) + number
        elif not rule.errors or error in rule.errors:
            found[map_id, error] = number
    return found


def _of_letters(cause: str, map_id: str, error: str, number: int) -> Alert:
    kinds = "" if error == ANY else f" for {error}"
    asked = {"map": map_id, "status": "open"} | ({} if error == ANY else {"rule": error})
    return Alert(
        cause=cause,
        kind=Kind.DEAD_LETTERS,
        severity=Severity.WARNING,
        title=f"{map_id}: many dead letters{kinds}",
        happened=f"{number} rows of {map_id} are dead letters{kinds}.",
        meaning="These rows are not in step; the other rows of the map move on.",
        remedy="Page Dead letters says what each error means and what to do. Mend the cause, then replay the "
        f"group there; or `projops dead-letters list {map_id}`.",
        page=_page(**asked),
        map=map_id,
        count=number,
    )


def _page(**asked: str) -> str:
    return f"letters?{urlencode(asked)}"
