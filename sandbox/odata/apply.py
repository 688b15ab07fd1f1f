"""$apply: filter, groupby and aggregate, parsed: the part of OData's aggregation that Dataverse takes [D]."""

import re
from dataclasses import dataclass

from sandbox.odata.errors import ODataError, ODataSyntaxError, UnsupportedError
from sandbox.odata.options import split_outside

METHODS = frozenset({"sum", "average", "min", "max", "countdistinct"})
COUNT = "count"

_CALL = re.compile(r"(\w+)\s*\((.*)\)", re.S)
_AGGREGATE = re.compile(
    r"(?:\$count|(?P<path>[\w/]+)\s+with\s+(?P<method>[\w.]+))\s+as\s+(?P<alias>[^\W\d]\w*)"
)
_PATH = re.compile(r"\w+(?:/\w+)*")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`revenue with sum as total`, or `$count as n`.

    Attributes:
        method: One of `METHODS`, or `count`.
        alias: Name of the result.
        path: What is aggregated; empty for a count of rows.
    """

    method: str
    alias: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Apply:
    """A whole `$apply`.

    Attributes:
        filters: Expressions that rows must meet, before anything else.
        groups: Paths of `groupby`; empty where all rows are one group.
        aggregates: What is computed of each group.
    """

    filters: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    aggregates: tuple[Aggregate, ...]


def parse_apply(text: str) -> Apply:
    """Read `filter(...)/groupby((a,b/c),aggregate(x with sum as t,$count as n))`.

    Raises:
        ODataSyntaxError: It is no such chain.
        UnsupportedError: It has a transformation, or an order of them, that Dataverse does not take.
    """
    steps = [_call(step, text) for step in split_outside(text, "/")]
    filters = []
    while steps and steps[0][0] == "filter":
        filters.append(steps.pop(0)[1])
    if len(steps) != 1:
        raise UnsupportedError("$apply takes filter transformations, then one groupby or one aggregate.")
    name, inner = steps[0]
    if name == "aggregate":
        return Apply(tuple(filters), (), _aggregates(inner, text))
    if name != "groupby":
        raise UnsupportedError(f"The transformation '{name}' is not supported in $apply.")
    groups, *rest = split_outside(inner, ",") or [""]
    aggregates: tuple[Aggregate, ...] = ()
    if rest:
        followed, computed = _call(rest[0], text)
        if len(rest) > 1 or followed != "aggregate":
            raise UnsupportedError("groupby takes a list of properties, and behind it one aggregate.")
        aggregates = _aggregates(computed, text)
    return _distinct(Apply(tuple(filters), _groups(groups, text), aggregates))


def _call(step: str, text: str) -> tuple[str, str]:
    match = _CALL.fullmatch(step)
    if match is None:
        raise ODataSyntaxError.at(text.find(step), text)
    return match[1], match[2]


def _groups(part: str, text: str) -> tuple[tuple[str, ...], ...]:
    paths = split_outside(part[1:-1], ",") if part.startswith("(") and part.endswith(")") else []
    if not paths or not all(_PATH.fullmatch(path) for path in paths):
        raise ODataSyntaxError.at(max(text.find(part), 0), text)
    return tuple(tuple(path.split("/")) for path in paths)


def _aggregates(part: str, text: str) -> tuple[Aggregate, ...]:
    items = split_outside(part, ",")
    if not items:
        raise ODataSyntaxError.at(len(text), text)
    return tuple(_aggregate(item, text) for item in items)


def _aggregate(item: str, text: str) -> Aggregate:
    match = _AGGREGATE.fullmatch(item)
    if match is None:
        raise ODataSyntaxError.at(text.find(item), text)
    if match["path"] is None:
        return Aggregate(COUNT, match["alias"])
    if match["method"] not in METHODS:
        raise UnsupportedError(f"The aggregation method '{match['method']}' is not supported.")
    return Aggregate(match["method"], match["alias"], tuple(match["path"].split("/")))


def _distinct(apply: Apply) -> Apply:
    names = ["/".join(path) for path in apply.groups] + [each.alias for each in apply.aggregates]
    if len(set(names)) < len(names):
        raise ODataError("$apply names a result twice.")
    return apply
