"""Whether the period of a company can be closed, or what stands in the way: evidence judged. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any

from projops.counting import rows
from projops.mapping.model import System
from projops.reconcile.model import Finding, Verdict
from projops.reconcile.month_end.model import Evidence, Gate, Held, Obstacle, Period
from projops.run import LegRef
from projops.standing import Standing

_KEYS_SHOWN = 10
_UNREAD = timedelta(days=1)  # Finance is looked at by schedule, several times a day

# Books that a reconciliation of the map actuals tells of row by row: said of the row, not twice.
_OF_ROWS = frozenset({"actuals_staged", "vouchers_returned", "billed_invoiced"})

_REMEDIES: Mapping[str, str] = {
    Verdict.DRIFT: "`projops reconcile {map} --repair` sends again what a repair may, and says of the "
    "rest why it stays.",
    Verdict.PENDING: "Let the DAG {area} run: `projops sync {map}`.",
    Verdict.PARKED: "Move what they wait for: `projops dead-letters list {map}` names it.",
    Verdict.DEAD_LETTER: "`projops dead-letters list {map}` says of each what to do.",
    Verdict.AWAITING_APPROVAL: "Approve or dismiss the deletes: `projops dead-letters approve --map {map}`.",
    Standing.PAUSED: "`projops resume {map}`, and let the DAG {area} run.",
    Standing.STOPPED: "Do what it says, then let the DAG {area} run.",
    Standing.INITIAL_SYNC: "Wait until the DAG {area} has ended it.",
    Standing.NOT_RUNNING: "Let the DAG {area} run.",
    Standing.CATCHING_UP: "Let the DAG {area} run.",
    "behind": "Let the DAG {area} run.",
}
_UNREADY = frozenset(
    {
        Standing.PAUSED,
        Standing.INITIAL_SYNC,
        Standing.STOPPED,
        Standing.NOT_RUNNING,
        Standing.CATCHING_UP,
    }
)


def read_before(period: Period, zone: str, now: datetime) -> datetime:
    """Give the moment, in UTC, since which Finance must have been read for a period to be told whole.

    That is its end, and while that is to come or just past, a day ago.
    """
    return min(period.ended_at(zone), now - _UNREAD)


def judge(company: str, period: Period, evidence: Evidence, now: datetime, zone: str) -> Gate:
    """Judge whether a period of a company can be closed.

    Args:
        company: Company code in lower case.
        period: The month.
        evidence: What is known.
        now: The present, aware.
        zone: The company's time zone (IANA).
    """
    obstacles = (
        *_of_maps(evidence),
        *_of_rows(evidence),
        *_of_letters(company, period, evidence),
        *_of_books(evidence),
    )
    return Gate(company, str(period), obstacles, now >= period.ended_at(zone))


def _of_maps(evidence: Evidence) -> Iterator[Obstacle]:
    """Name the legs that do not run, or have not read Finance since the period ended."""
    for map_id, reason in evidence.not_compared.items():
        yield Obstacle("not_compared", map_id, 1, f"The map {map_id} could not be compared. {reason}")
    for each in evidence.standings:
        place = f"{each.map} {each.leg}"
        read_at = each.facts.in_step_at
        if each.standing in _UNREADY:
            why = each.stopped_because if each.standing is Standing.STOPPED else None
            message = f"{place}: {each.standing.value}. {why or ''}".rstrip()
            yield Obstacle(each.standing.value, place, 1, message, _remedy(each.standing, each.map, evidence))
        elif LegRef(each.map, each.leg).direction.source is System.FINANCE and (
            read_at is None or read_at < evidence.unread_since
        ):
            seen = "never" if read_at is None else f"last at {read_at:%Y-%m-%d %H:%M} UTC"
            message = f"{place} has read Finance {seen}: what came since then is not known."
            yield Obstacle("behind", place, 1, message, _remedy("behind", each.map, evidence))


def _of_rows(evidence: Evidence) -> Iterator[Obstacle]:
    """Name the differing rows, by what they are and by leg."""
    groups: dict[tuple[Verdict, LegRef], list[Finding]] = {}
    for each in evidence.findings:
        if each.verdict is not Verdict.KEPT:
            groups.setdefault((each.verdict, each.difference.leg), []).append(each)
    for (verdict, leg), found in groups.items():
        keys = [each.difference.key or each.difference.source_id or "" for each in found]
        message = f"{rows(len(found))} of {leg.map} {leg.leg}: {_listed(keys)}. {found[0].explanation}"
        remedy = _remedy(verdict, leg.map, evidence)
        yield Obstacle(verdict.value, f"{leg.map} {leg.leg}", len(found), message, remedy)


def _of_letters(company: str, period: Period, evidence: Evidence) -> Iterator[Obstacle]:
    """Name the dead letters of the company and period, and those of which that cannot be told."""
    told = {(each.difference.leg, name) for each in evidence.findings for name in _names(each)}
    groups: dict[tuple[Verdict, LegRef, str], list[Held]] = {}
    for letter in evidence.held:
        elsewhere = letter.company not in (None, company) or letter.period not in (None, str(period))
        if elsewhere or {(letter.leg, letter.key), (letter.leg, letter.source_id)} & told:
            continue
        verdict = Verdict.DEAD_LETTER if letter.status == "open" else Verdict(letter.status)
        groups.setdefault((verdict, letter.leg, _untold(letter)), []).append(letter)
    for (verdict, leg, untold), letters in groups.items():
        named = _listed([f"dead letter {each.id} ({each.key or 'no key'})" for each in letters])
        message = f"{len(letters)} set aside of {leg.map} {leg.leg}: {named}.{untold}"
        remedy = _remedy(verdict, leg.map, evidence)
        yield Obstacle(verdict.value, f"{leg.map} {leg.leg}", len(letters), message, remedy)


def _untold(letter: Held) -> str:
    unknown = [what for what in ("company", "period") if getattr(letter, what) is None]
    if not unknown:
        return ""
    return f" Of which {' and '.join(unknown)} cannot be told, so they may belong to this one."


def _of_books(evidence: Evidence) -> Iterator[Obstacle]:
    """Name what breaks the books' rules or waits in Finance; what the rows told already is not told twice."""
    told = {name for each in evidence.findings if each.verdict is not Verdict.KEPT for name in _names(each)}
    for each in evidence.books:
        if each.holds and not each.pending:
            continue
        name = each.subject.rpartition(" ")[2].lower()
        if not (each.name in _OF_ROWS and name in told):
            yield Obstacle(each.name, each.subject, 1, each.message)


def _names(finding: Finding) -> AbstractSet[str]:
    """Give the names of a row: key, parts of the key, identities on both sides; in lower case."""
    row = finding.difference
    parts: list[Any] = json.loads(row.key) if row.key is not None else []
    return {str(each).lower() for each in (row.key, row.source_id, row.target_id, *parts) if each is not None}


def _listed(names: Sequence[str]) -> str:
    first = ", ".join(names[:_KEYS_SHOWN])
    return first if len(names) <= _KEYS_SHOWN else f"{first} and {len(names) - _KEYS_SHOWN} more"


def _remedy(kind: str, map_id: str, evidence: Evidence) -> str:
    return _REMEDIES[kind].format(map=map_id, area=evidence.areas.get(map_id, map_id))
