"""Query functions that compare with given values: lists, ranges, texts, choices, days."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from sandbox.dataverse.queryfunctions.calls import Call, Condition, Function
from sandbox.odata.errors import ODataError, UnsupportedError
from sandbox.odata.literals import Kind, Value
from sandbox.odata.operands import comparable, equality, literal_term, text_condition, text_parts
from sandbox.odata.scope import Profile
from sandbox.schema.model import ColumnType
from sandbox.store import fold, folded


def _in(call: Call) -> Condition:
    return sa.or_(sa.false(), *_members(call))


def _not_in(call: Call) -> Condition:
    return sa.and_(call.term.sql.is_not(None), sa.not_(_in(call)))


def _members(call: Call) -> list[Condition]:
    """One look into a list for each row, not one comparison for each value: lists are long."""
    term, values = call.term, [value for value in call.values() if value is not None]
    if term.kind is Kind.TEXT:
        plain, patterned = _by_wildcards(values, call.profile)
        listed = fold(term.sql).in_([folded(text) for text in plain])
        return [listed, *(equality(term, value, call.profile) for value in patterned)]
    plain_type = [value for value in values if term.kind is not Kind.INTEGER or isinstance(value, int)]
    return [term.sql.in_([sa.literal(value, term.sql.type) for value in plain_type])]


def _by_wildcards(values: Sequence[Value], profile: Profile) -> tuple[list[str], list[Value]]:
    """Texts without a wildcard, and all other values."""
    plain = [
        value for value in values if isinstance(value, str) and text_parts(value, profile) in ((value,), ())
    ]
    return plain, [value for value in values if value not in plain]


def _between(call: Call) -> Condition:
    low, high = (comparable(call.term, literal_term(call.term, value), call.name) for value in call.some(2))
    return sa.and_(low[0] >= low[1], high[0] <= high[1])


def _not_between(call: Call) -> Condition:
    return sa.not_(_between(call))


def _text(name: str, negated: bool = False) -> Function:
    def condition(call: Call) -> Condition:
        if call.term.kind is not Kind.TEXT:
            raise UnsupportedError(f"The function '{call.name}' takes text properties.")
        found = text_condition(name, call.term, call.some(1)[0], call.profile)
        return sa.not_(found) if negated else found

    return condition


def _full_text(call: Call) -> Condition:
    """No table here is indexed for it: only articles of the knowledge base are [D filter-rows]."""
    raise UnsupportedError(
        f"The function '{call.name}' needs a column with full-text indexing: use contains(column,'text')."
    )


def _contain_values(call: Call) -> Condition:
    """Whether a choices column, kept as `1,2`, holds one of the values."""
    if call.term.column is None or call.term.column.type is not ColumnType.MULTI_OPTION:
        raise UnsupportedError(f"The function '{call.name}' takes choices columns.")
    listed = "," + call.term.sql + ","
    return sa.or_(sa.false(), *(listed.contains(f",{value},", autoescape=True) for value in call.values()))


def _lack_values(call: Call) -> Condition:
    return sa.not_(_contain_values(call))


def _on(call: Call) -> Condition:
    begin, end = _day_bounds(call)
    return sa.and_(call.term.sql >= begin, call.term.sql < end)


def _not_on(call: Call) -> Condition:
    return sa.not_(_on(call))


def _on_or_after(call: Call) -> Condition:
    return call.term.sql >= _day_bounds(call)[0]


def _on_or_before(call: Call) -> Condition:
    return call.term.sql < _day_bounds(call)[1]


def _day_bounds(call: Call) -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
    """Begin and end (exclusive) of the UTC day of the one value."""
    sql, value = call.moment().sql, call.some(1)[0]
    if not isinstance(value, date):
        raise ODataError(f"The function '{call.name}' needs a date.")
    begin = datetime(value.year, value.month, value.day, tzinfo=UTC) if isinstance(value, datetime) else value
    try:
        return sa.literal(begin, sql.type), sa.literal(begin + timedelta(days=1), sql.type)
    except OverflowError:
        raise ODataError(f"The function '{call.name}' needs a date before 9999-12-31.") from None


VALUES: dict[str, Function] = {
    "In": _in,
    "NotIn": _not_in,
    "Between": _between,
    "NotBetween": _not_between,
    "BeginsWith": _text("startswith"),
    "DoesNotBeginWith": _text("startswith", negated=True),
    "EndsWith": _text("endswith"),
    "DoesNotEndWith": _text("endswith", negated=True),
    "Contains": _full_text,
    "ContainValues": _contain_values,
    "DoesNotContainValues": _lack_values,
    "On": _on,
    "NotOn": _not_on,
    "OnOrAfter": _on_or_after,
    "OnOrBefore": _on_or_before,
}
