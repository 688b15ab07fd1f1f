"""Dead letters by cause, as their pages show them: filtered and sorted, with what each cause means."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from projops.advice import Advice, advice_for
from projops.state.letter_groups import Group
from projops.state.selection import NOTHING_KNOWN, Selection

_SORTS: Mapping[str, Callable[[Group], Any]] = {
    "count": lambda group: group.count,
    "since": lambda group: group.since,
    "newest": lambda group: group.newest,
    "map": lambda group: group.map,
    "rule": lambda group: group.rule.lower(),
    "status": lambda group: group.status,
}
MOST_FIRST = "-count"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which groups somebody wants to see.

    Attributes:
        map: Of this map; "" for all, as below.
        area: Of the maps of this area.
        status: In this status.
        rule: Of this rule.
        sort: By which of the columns, downwards with a minus before it.
    """

    map: str = ""
    area: str = ""
    status: str = ""
    rule: str = ""
    sort: str = MOST_FIRST


@dataclass(frozen=True, slots=True)
class Cause:
    """A group with what people are told of it.

    Attributes:
        group: The group.
        advice: What it means, and what to do.
        message: The sentence of its newest entry.
        field: The field that this one is about, or None.
        query: The group as parameters of a page's address.
    """

    group: Group
    advice: Advice
    message: str
    field: str | None
    query: str


def picked(groups: Sequence[Group], wanted: Wanted, areas: Mapping[str, str]) -> list[Group]:
    """Give the groups that somebody wants to see, in their order.

    Args:
        groups: All that they may see.
        wanted: Which.
        areas: Area of each map.
    """
    facts = (("map", wanted.map), ("status", wanted.status), ("rule", wanted.rule))
    fitting = [
        group
        for group in groups
        if all(getattr(group, name) == value for name, value in facts if value)
        and (not wanted.area or areas.get(group.map) == wanted.area)
    ]
    name = wanted.sort.removeprefix("-")
    by = _SORTS.get(name, _SORTS["count"])
    even = sorted(
        fitting, key=lambda group: (group.map, group.leg, group.rule, group.status, group.waits_for)
    )
    return sorted(even, key=by, reverse=wanted.sort.startswith("-"))


def told(group: Group, example: Mapping[str, str], text: str) -> Cause:
    """Say what a group means.

    Args:
        group: The group.
        example: `stage`, `field` and `message` of its newest entry; empty of one that is closed by now.
        text: The text by which its entries were chosen, or "".
    """
    advice = advice_for(group.rule, group.status, example.get("stage", ""))
    command = f"--map {group.map} --error {group.rule} --leg {group.leg} --status {group.status}"
    return Cause(
        group=group,
        advice=advice.naming(command),
        message=example.get("message", ""),
        field=example.get("field"),
        query=urlencode(parameters(group.selection) | {"q": text}),
    )


def is_number(text: str) -> bool:
    """Whether a text is the number of an entry, as forms and addresses hold it."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def parameters(wanted: Selection) -> dict[str, str]:
    """Give a group as parameters, by which `selection` finds it again."""
    return {
        "map": wanted.map or "",
        "leg": wanted.leg or "",
        "status": wanted.status or "",
        "rule": wanted.error or "",
        "waits_for": wanted.waits_for or NOTHING_KNOWN,
        "q": wanted.text or "",
    }


def selection(given: Mapping[str, str]) -> Selection:
    """Give the group that parameters name; what they leave out is of no group.

    With `upto` it ends where it ended when its page was shown: what has come since is not meant.
    """
    upto = given.get("upto", "")
    return Selection(
        map=given.get("map", ""),
        error=given.get("rule", ""),
        leg=given.get("leg", ""),
        status=given.get("status", ""),
        waits_for=given.get("waits_for", NOTHING_KNOWN),
        text=given.get("q") or None,
        upto=int(upto) if is_number(upto) else None,
    )
