"""Reading the file of alerts (`include/alerts.yaml`): channels, rules, and when the daily digest goes out."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from projops.alerts.model import Action, AlertRules, Channel, DigestSettings, Kind, Rule
from projops.mapping.documents import Document, Located
from projops.mapping.findings import Finding

TYPES = ("smtp", "teams", "slack", "notifier")
ANY = "any"
_LONGEST_NAME = 100  # the state keeps no more
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_SHARED = frozenset({"when", "notify", "resolved"})
_OF_MAPS = frozenset({"maps", "areas", "action"})
_LONGEST = timedelta(days=366)
_TIMES = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class _Form:
    """What a kind of rule may say beside `when`, `notify` and `resolved`."""

    keys: frozenset[str]
    count: str = ""
    timed: bool = False


def _form(*keys: str, count: str = "", timed: bool = False) -> _Form:
    times = frozenset(_TIMES) if timed else frozenset()
    return _Form(_SHARED | times | frozenset(keys) | frozenset({count} - {""}), count, timed)


_FORMS: Mapping[Kind, _Form] = {
    Kind.FAILURE: _form("maps", "areas"),
    Kind.STOPPED: _form(*_OF_MAPS),
    Kind.BROKEN_MAP: _form("maps", "areas"),
    Kind.DEAD_LETTERS: _form(*_OF_MAPS, "errors", count="rows", timed=True),
    Kind.APPROVAL: _form(*_OF_MAPS),
    Kind.PARKED: _form(*_OF_MAPS, count="rows", timed=True),
    Kind.LATE: _form("maps", "areas", timed=True),
    Kind.DRIFT: _form(*_OF_MAPS, count="rows"),
    Kind.BOOKS: _form(),
    Kind.UNPROVED: _form(timed=True),
    Kind.BUDGET: _form(count="percent"),
    Kind.CHANNEL: _form(),
}


def read_rules(path: Path, maps: Mapping[str, str]) -> tuple[AlertRules, tuple[Finding, ...]]:
    """Read the file: what of it is good, and what is wrong with it.

    Args:
        path: The file.
        maps: Areas by map id: what rules may name.
    """
    document = Document(path, f"{path.parent.name}/{path.name}")
    root = document.section(
        document.root, "the file of alerts", frozenset({"channels", "notify", "rules", "digest"})
    )
    channels = _channels(document, root.get("channels"))
    usual = _notified(document, root, "the file of alerts", channels)
    rules = [
        rule
        for name, located in document.section(root.get("rules"), "rules").items()
        for rule in [_rule(document, str(name), located, channels, usual, maps)]
        if rule is not None
    ]
    digest = _digest(document, root.get("digest"), channels)
    return AlertRules(MappingProxyType(channels), tuple(rules), digest), tuple(document.findings)


def _channels(document: Document, located: Located | None) -> dict[str, Channel]:
    found = {}
    for name, each in document.section(located, "channels").items():
        what = f"channel {name}"
        entries = document.section(each, what)
        kind = document.text(entries, "type", what)
        if kind not in TYPES:
            if "type" in entries:
                remedy = f"Use one of: {', '.join(TYPES)}."
                document.report(entries["type"].line, f"Channel {name} has the type {kind}.", remedy)
            continue
        if len(str(name)) > _LONGEST_NAME:
            document.report(
                each.key_line,
                f"Channel {name} has a name of more than {_LONGEST_NAME} characters.",
                "Shorten it.",
            )
            continue
        connection = document.text(entries, "connection", what, "")
        options = {key: value.plain() for key, value in entries.items() if key not in ("type", "connection")}
        found[str(name)] = Channel(str(name), kind, connection, MappingProxyType(options))
    return found


def _rule(
    document: Document,
    name: str,
    located: Located,
    channels: Mapping[str, Channel],
    usual: tuple[str, ...],
    maps: Mapping[str, str],
) -> Rule | None:
    what = f"rule {name}"
    entries = document.section(located, what)
    when = document.text(entries, "when", what)
    if when not in list(Kind):
        if "when" in entries:
            remedy = f"Use one of: {', '.join(Kind)}."
            document.report(entries["when"].line, f"when of {what} is {when}.", remedy)
        return None
    kind = Kind(when)
    form = _FORMS[kind]
    document.section(located, f"{what} ({kind})", form.keys)
    within = _time(document, located, entries, what) if form.timed else timedelta(0)
    if within is None:
        return None
    return Rule(
        name=name,
        when=kind,
        notify=_notified(document, entries, what, channels) if "notify" in entries else usual,
        maps=_existing(document, entries, "maps", what, maps),
        areas=_existing(document, entries, "areas", what, sorted(set(maps.values()))),
        errors=_errors(document, entries, what),
        count=_count(document, entries, what, form.count),
        within=within,
        action=_action(document, entries, what),
        resolved=document.flag(entries, "resolved", what, default=True),
    )


def _notified(
    document: Document, entries: Mapping[Any, Located], what: str, channels: Mapping[str, Channel]
) -> tuple[str, ...]:
    named = document.texts(entries, "notify", what)
    unknown = [name for name in named if name not in channels]
    if unknown:
        document.report(
            entries["notify"].line,
            f"notify of {what} names the channel {unknown[0]}, which the file does not have.",
            f"Name one of: {', '.join(channels) or 'none, there are no channels'}.",
        )
    return tuple(name for name in named if name in channels)


def _existing(
    document: Document, entries: Mapping[Any, Located], key: str, what: str, known: Collection[str]
) -> tuple[str, ...]:
    named = document.texts(entries, key, what)
    for name in named:
        if name not in known:
            message = f"{key} of {what} names {name}, which does not exist."
            document.report(entries[key].line, message, f"There are: {', '.join(known)}.")
    return named


def _errors(document: Document, entries: Mapping[Any, Located], what: str) -> tuple[str, ...]:
    located = entries.get("errors")
    if located is not None and located.value == ANY:
        return (ANY,)
    return document.texts(entries, "errors", what)


def _count(document: Document, entries: Mapping[Any, Located], what: str, key: str) -> int:
    number = document.number(entries, key, what) if key else None
    if number is None:
        return 1
    if isinstance(number, Decimal) or number < 1:
        document.report(entries[key].line, f"{key} of {what} is {number}.", "Write a whole number from 1 up.")
        return 1
    return number


def _time(
    document: Document, located: Located, entries: Mapping[Any, Located], what: str
) -> timedelta | None:
    given = [key for key in _TIMES if key in entries]
    numbers = [document.number(entries, key, what) for key in given]
    number = numbers[0] if len(numbers) == 1 else None
    if number is None or not timedelta(0) < float(number) * _TIMES[given[0]] <= _LONGEST:
        message = f"{what.capitalize()} says no time, or more than a year."
        document.report(located.key_line, message, "Give either `minutes:` or `hours:`.")
        return None
    return float(number) * _TIMES[given[0]]


def _action(document: Document, entries: Mapping[Any, Located], what: str) -> Action:
    text = document.text(entries, "action", what, Action.NONE.value)
    if text not in list(Action):
        document.report(
            entries["action"].line, f"action of {what} is {text}.", f"Use one of: {', '.join(Action)}."
        )
        return Action.NONE
    return Action(text)


def _digest(document: Document, located: Located | None, channels: Mapping[str, Channel]) -> DigestSettings:
    default = DigestSettings()
    entries = document.section(located, "digest", frozenset({"at", "zone", "notify"}))
    at = document.text(entries, "at", "digest", f"{default.hour:02}:{default.minute:02}")
    clock = _CLOCK.fullmatch(at)
    if clock is None:
        document.report(entries["at"].line, f"at of digest is {at}.", 'Write a time such as "06:00".')
        return default
    zone = document.text(entries, "zone", "digest", default.zone)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        document.report(
            entries["zone"].line, f"zone of digest is {zone}.", "Use an IANA name such as Europe/Berlin."
        )
        zone = default.zone
    notify = _notified(document, entries, "digest", channels)
    return DigestSettings(notify, int(clock[1]), int(clock[2]), zone)
