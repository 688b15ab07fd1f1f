"""Causes found from tasks that failed, and from mapping files that are wrong."""

from collections.abc import Iterator, Sequence

from projops.alerts.facts import Facts
from projops.alerts.model import Alert, Kind, Rule, Severity
from projops.alerts.wording import OF_FAILURES, OF_OTHERS, Words
from projops.state.task_failures import OpenFailure

_MOST_NAMED = 5
_OTHER_RULES = "The rules that could be read hold meanwhile."
_NO_RULE = "Until then nobody is told of anything; alerts that are open stay open."


def failures(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find what tasks failed for that stops no single leg."""
    yield from _of_kind(facts, rule, Kind.FAILURE)


def stops(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find legs that stopped: too many bad rows, an implausible read, staged files lost."""
    yield from _of_kind(facts, rule, Kind.STOPPED)


def broken_maps(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find mapping files that are wrong, and what is wrong with the file of alerts itself."""
    by_lint: set[str] = set()
    for broken in facts.broken:
        first = broken.findings[0]
        if in_scope(rule, broken.map, broken.area):
            by_lint.add(first.file)
            yield Alert(
                cause=f"mapping:{first.file}",
                kind=Kind.BROKEN_MAP,
                severity=Severity.CRITICAL,
                title=f"Map {broken.map} is broken",
                happened=broken.message,
                meaning=OF_FAILURES["mapping"].meaning,
                remedy="Correct the file at that line; `projops maps lint` says the same. The map then runs "
                "by itself.",
                page=f"maps?q={broken.map}",
                map=broken.map,
                count=len(broken.findings),
            )
    if facts.findings and not rule.maps and not rule.areas:
        yield of_own_file(facts)
    yield from (
        each
        for each in _of_kind(facts, rule, Kind.BROKEN_MAP)
        if each.cause.removeprefix("mapping:") not in by_lint
    )


def in_scope(rule: Rule, map_id: str | None, area: str | None) -> bool:
    """Say whether a rule is about a map or area; a rule that names none is about all."""
    return not (rule.maps or rule.areas) or map_id in rule.maps or area in rule.areas


def named(names: Sequence[str]) -> str:
    """Name a few of many things, sorted: `a, b, c and 17 more`."""
    chosen = sorted(set(names))
    more = f" and {len(chosen) - _MOST_NAMED} more" if len(chosen) > _MOST_NAMED else ""
    return ", ".join(chosen[:_MOST_NAMED]) + more


def of_own_file(facts: Facts, unreadable: bool = False) -> Alert:
    """Tell what is wrong with the file of alerts, of which some rules hold, or none."""
    first = facts.findings[0]
    meanwhile = _NO_RULE if unreadable else _OTHER_RULES
    return Alert(
        cause=f"mapping:{first.file}",
        kind=Kind.BROKEN_MAP,
        severity=Severity.CRITICAL if unreadable else Severity.WARNING,
        title="The file of alerts is wrong",
        happened="\n".join(map(str, facts.findings)),
        meaning="What it was to say there is not heeded, so that people may not be told of everything.",
        remedy=f"Correct {first.file} at that line; `projops alerts rules` says the same. {meanwhile}",
        page="alerts",
        count=len(facts.findings),
    )


def _of_kind(facts: Facts, rule: Rule, kind: Kind) -> Iterator[Alert]:
    by_cause: dict[str, list[OpenFailure]] = {}
    for each in facts.failures:
        gone = each.map is not None and each.map not in facts.areas
        area = facts.areas.get(each.map or "", each.dag_id)
        if not gone and in_scope(rule, each.map, area) and _words(each.cause).kind is kind:
            by_cause.setdefault(each.cause, []).append(each)
    yield from (alert_of(each) for each in by_cause.values())


def alert_of(of: Sequence[OpenFailure]) -> Alert:
    """Tell of failures of one cause, the oldest first."""
    words, last, cause = _words(of[-1].cause), of[-1], of[-1].cause
    subject = cause.partition(":")[2].replace(":", " ")
    maps = {each.map for each in of}
    own = maps.pop() if len(maps) == 1 else None
    legs = {each.leg for each in of}
    return Alert(
        cause=cause,
        kind=words.kind,
        severity=words.severity,
        title=words.title.format(subject),
        happened=f"{last.message} Failed: {named([f'{each.dag_id} {each.task_id}' for each in of])}.",
        meaning=words.meaning,
        remedy=words.remedy or last.remedy,
        page=f"maps/{own}" if own else "maps",
        map=own,
        leg=legs.pop() if own and len(legs) == 1 else None,
        count=len(of),
    )


def _words(cause: str) -> Words:
    return OF_FAILURES.get(cause.partition(":")[0], OF_OTHERS)
