"""What an operator of FetchXML asks of a column [D, condition operators].

Most are the query functions of a $filter under another name. Texts compare without case; only like,
begins-with and ends-with read wildcards. No comparison is true of null, `ne` neither.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from odata_query import ast

from sandbox.dataverse.comparisons import Condition, compared, like, member, text_term
from sandbox.dataverse.errors import ApiError, bad_request
from sandbox.dataverse.fetchxml.errors import BAD_CONDITION, UNKNOWN_OPERATOR
from sandbox.dataverse.queryfunctions import FUNCTIONS, Caller
from sandbox.dataverse.queryfunctions.calls import Call
from sandbox.odata.grammar import Node
from sandbox.odata.scope import Profile, QueryCall, Scope, Term

COMPARISONS: Mapping[str, str] = {
    "eq": "__eq__",
    "ne": "__ne__",
    "neq": "__ne__",
    "gt": "__gt__",
    "ge": "__ge__",
    "lt": "__lt__",
    "le": "__le__",
}
_FREE = (
    "yesterday today tomorrow last-week this-week next-week last-month this-month next-month last-year "
    "this-year next-year last-fiscal-period this-fiscal-period next-fiscal-period last-fiscal-year "
    "this-fiscal-year next-fiscal-year"
)
_ONE_VALUE = (
    "last-x-hours last-x-days last-x-weeks last-x-months last-x-years next-x-hours next-x-days next-x-weeks "
    "next-x-months next-x-years last-x-fiscal-periods last-x-fiscal-years next-x-fiscal-periods "
    "next-x-fiscal-years in-fiscal-period in-fiscal-year on on-or-after on-or-before not-on begins-with "
    "ends-with above under not-under"
)


def _function(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


_WITHOUT_VALUE: Mapping[str, str] = {name: _function(name) for name in _FREE.split()} | {
    "last-seven-days": "Last7Days",
    "next-seven-days": "Next7Days",
    "eq-userid": "EqualUserId",
    "ne-userid": "NotEqualUserId",
    "eq-businessid": "EqualBusinessId",
    "ne-businessid": "NotEqualBusinessId",
    "eq-userteams": "EqualUserTeams",
    "eq-useroruserteams": "EqualUserOrUserTeams",
    "eq-useroruserhierarchy": "EqualUserOrUserHierarchy",
    "eq-useroruserhierarchyandteams": "EqualUserOrUserHierarchyAndTeams",
    "eq-userlanguage": "EqualUserLanguage",
}
_WITH_VALUE: Mapping[str, str] = {
    **{name: _function(name) for name in _ONE_VALUE.split()},
    **{
        f"olderthan-x-{unit}": f"OlderThanX{unit.capitalize()}"
        for unit in ("minutes", "hours", "days", "weeks", "months", "years")
    },
    "not-begin-with": "DoesNotBeginWith",
    "not-end-with": "DoesNotEndWith",
    "eq-or-above": "AboveOrEqual",
    "eq-or-under": "UnderOrEqual",
}
_WITH_LIST: Mapping[str, str] = {
    "between": "Between",
    "not-between": "NotBetween",
    "contain-values": "ContainValues",
    "not-contain-values": "DoesNotContainValues",
}
_WITH_TWO: Mapping[str, str] = {
    name: _function(name)
    for name in (
        "in-fiscal-period-and-year",
        "in-or-after-fiscal-period-and-year",
        "in-or-before-fiscal-period-and-year",
    )
}


def asked(
    operator: str, values: Sequence[str], term: Term, scope: Scope, profile: Profile, caller: Caller
) -> Condition:
    """Return a condition on a column as SQL.

    Args:
        operator: As FetchXML names it.
        values: Its texts.
        term: The column.
        scope: The column's table.
        profile: The rules of filters.
        caller: Who asks, and when.

    Raises:
        ApiError: When the operator is unknown, or has too few or too many values.
        ODataError: When a value does not fit its column.
    """
    if operator in COMPARISONS:
        return compared(COMPARISONS[operator], term, text_term(term, _one(operator, values)))
    if operator in {"null", "not-null"}:
        return term.sql.is_(None) if operator == "null" else term.sql.is_not(None)
    if operator in {"in", "not-in"}:
        found = member(term, [text_term(term, value) for value in values])
        return found if operator == "in" else sa.and_(term.sql.is_not(None), sa.not_(found))
    if operator in {"like", "not-like"}:
        return _like(operator, term, _one(operator, values))
    name, arguments = _call(operator, values)
    return FUNCTIONS[name](
        Call(name, term, scope, profile, caller, QueryCall(name, arguments, scope, profile))
    )


def _like(operator: str, term: Term, pattern: str) -> Condition:
    found = like(term, pattern)
    if found is None:
        raise _unfit(operator, "takes text columns")
    return found if operator == "like" else sa.not_(found)


def _call(operator: str, values: Sequence[str]) -> tuple[str, Mapping[str, Node]]:
    """Name the query function of an operator, with its arguments."""
    literals: list[Node] = [ast.String(value) for value in values]
    if operator in _WITHOUT_VALUE:
        return _WITHOUT_VALUE[operator], {}
    if operator in _WITH_VALUE:
        _one(operator, values)
        return _WITH_VALUE[operator], {"PropertyValue": literals[0]}
    if operator in _WITH_LIST:
        return _WITH_LIST[operator], {"PropertyValues": ast.List(literals)}
    if operator not in _WITH_TWO:
        raise bad_request(f"Invalid condition operator '{operator[:50]}'.", UNKNOWN_OPERATOR)
    return _WITH_TWO[operator], {f"PropertyValue{place}": each for place, each in enumerate(literals, 1)}


def _one(operator: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise _unfit(operator, f"needs one value, and {len(values)} came")
    return values[0]


def _unfit(operator: str, reason: str) -> ApiError:
    return bad_request(f"The condition operator '{operator}' {reason}.", BAD_CONDITION)
